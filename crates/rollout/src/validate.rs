//! From a Rollout to one that can be acted on, or what is wrong with it.
//!
//! Source: Argo Rollouts `pkg/apis/rollouts/validation`; messages word for word. Fields that are not acted on yet are
//! problems too: nothing is ever ignored silently.

mod affinity;
mod blue_green;
mod canary;
mod experiment;
mod references;
mod routing;
mod settings;
mod template;
mod unsupported;

use std::fmt;

use api::rollout::Rollout;
use object::{Object, Value, json};

use crate::{Checked, Extent, Referenced, config, workload};

#[cfg(test)]
pub(crate) use settings::limits;

/// Something wrong with a spec, in the words of Kubernetes' `field.Error`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field, e.g. `spec.strategy.canary.steps[1].setWeight`; empty for the Rollout as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    /// Returns the problem of a value, as `field.Invalid`.
    pub(crate) fn invalid(path: &str, value: &Value, message: &str) -> Self {
        let value = match value {
            Value::String(text) => format!("{text:?}"),
            other => other.to_string(),
        };
        Self { path: path.into(), message: format!("Invalid value: {value}: {message}") }
    }

    /// Returns the problem of an absent field, as `field.Required`.
    pub(crate) fn required(path: &str, message: &str) -> Self {
        Self { path: path.into(), message: format!("Required value: {message}") }
    }
}

impl From<traffic::Problem> for Problem {
    fn from(problem: traffic::Problem) -> Self {
        Self { path: problem.path, message: problem.message }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Returns the Rollout with its defaults when it can be acted on.
///
/// Errors: all problems in upstream's order; the first is the one its InvalidSpec condition shows.
pub fn validate(rollout: &Rollout, referenced: &Referenced) -> Result<Checked<Rollout>, Vec<Problem>> {
    let (rollout, workload) = workload::resolve(rollout, referenced).map_err(|problem| vec![problem])?;
    let (rollout, copies) = pinned(rollout, referenced);
    let rollout = &rollout;
    let problems = problems(rollout, referenced);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut settings = settings::settings(rollout, referenced).map_err(|problem| vec![problem])?;
    settings.workload = workload;
    settings.copies = copies;
    Ok(Checked { value: rollout.clone(), settings })
}

/// Returns what [`validate`] finds wrong with a Rollout, all of it; nothing when it can be acted on. For Rollouts of
/// files, with what else is in them as [`Extent::Excerpt`].
pub fn lint(rollout: &Rollout, referenced: &Referenced) -> Vec<Problem> {
    match workload::resolve(rollout, referenced) {
        Ok((rollout, _)) => problems(&rollout, referenced),
        Err(problem) => vec![problem],
    }
}

fn problems(rollout: &Rollout, referenced: &Referenced) -> Vec<Problem> {
    let mut problems = spec_problems(rollout);
    problems.extend(unsupported::problems(rollout));
    problems.extend(routing::not_offered(rollout, referenced));
    problems.extend(unsupported::unknown(rollout));
    if problems.is_empty() || referenced.extent == Extent::Excerpt {
        problems.extend(references::problems(rollout, referenced));
    }
    problems
}

/// Returns the Rollout with its template naming copies of ConfigMaps and Secrets, when it asks for that, and the copies.
fn pinned(mut rollout: Rollout, referenced: &Referenced) -> (Rollout, Vec<Object>) {
    let Some(template) = rollout.spec.template.clone().filter(|_| config::tracks_config(&rollout.object))
    else {
        return (rollout, Vec::new());
    };
    let (template, copies) = config::pin(&rollout, &template, &referenced.config);
    rollout.spec.template = Some(template);
    (rollout, copies)
}

fn spec_problems(rollout: &Rollout) -> Vec<Problem> {
    let spec = &rollout.spec;
    let mut problems = Vec::new();
    let not_negative = |path: &str, value: i32| {
        (value < 0).then(|| Problem::invalid(path, &json!(value), "must be greater than or equal to 0"))
    };
    problems.extend(not_negative("spec.replicas", spec.replicas.unwrap_or(1)));
    // With a workload that is not at hand, template and selector are not known.
    if spec.workload_ref.is_none() || !workload::has_no_template(rollout) {
        problems.extend(selector_problems(rollout));
        problems.extend(template::problems(rollout));
    }
    let (ready, deadline) =
        (spec.min_ready_seconds.unwrap_or(0), spec.progress_deadline_seconds.unwrap_or(600));
    problems.extend(not_negative("spec.minReadySeconds", ready));
    problems.extend(not_negative("spec.revisionHistoryLimit", spec.revision_history_limit.unwrap_or(10)));
    problems.extend(not_negative("spec.progressDeadlineSeconds", deadline));
    if deadline <= ready {
        let message = "must be greater than minReadySeconds";
        problems.push(Problem::invalid("spec.progressDeadlineSeconds", &json!(deadline), message));
    }
    problems.extend(strategy_problems(rollout));
    problems
}

fn selector_problems(rollout: &Rollout) -> Vec<Problem> {
    match &rollout.spec.selector {
        Some(selector) => template::selector_problems(selector),
        None => {
            vec![Problem::required("spec.selector", "Rollout has missing field '.spec.selector'")]
        }
    }
}

fn strategy_problems(rollout: &Rollout) -> Vec<Problem> {
    let strategy = &rollout.spec.strategy;
    match (&strategy.blue_green, &strategy.canary) {
        (None, None) => {
            let message = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'";
            vec![Problem::required("spec.strategy.strategy", message)]
        }
        (Some(_), Some(_)) => {
            let value = json!("blueGreen: true canary: true");
            vec![Problem::invalid("spec.strategy.strategy", &value, "Multiple Strategies can not be listed")]
        }
        (None, Some(strategy)) => canary::problems(rollout, strategy),
        (Some(strategy), None) => blue_green::problems(rollout, strategy),
    }
}

#[cfg(test)]
mod tests;
