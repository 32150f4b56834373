//! Which Experiments can be run.

use std::collections::BTreeSet;
use std::fmt;

use api::experiment::{Experiment, ExperimentTemplate};
use object::{LabelSelector, time::parse_duration};

/// Why an Experiment cannot be run, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether the Experiment can be run.
///
/// Source: `VerifyExperimentSpec`; the first problem is returned. Errors: the problem.
pub fn validate(experiment: &Experiment) -> Result<(), Invalid> {
    let mut names = BTreeSet::new();
    for (index, template) in experiment.spec.templates.iter().enumerate() {
        check(experiment, template, index)?;
        let name = experiment.object.name();
        if template.name.is_empty() {
            return Err(Invalid(format!("Experiment {name} has empty template name at index {index}")));
        }
        if !names.insert(template.name.as_str()) {
            let repeated = &template.name;
            return Err(Invalid(format!(
                "Experiment {name} has repeated template name '{repeated}' in templates"
            )));
        }
    }
    let duration = &experiment.spec.duration;
    if !duration.is_empty() {
        parse_duration(duration).map_err(|error| Invalid(format!("spec.duration: {error}")))?;
    }
    Ok(())
}

fn check(experiment: &Experiment, template: &ExperimentTemplate, index: usize) -> Result<(), Invalid> {
    let Some(selector) = &template.selector else {
        return Err(Invalid(format!("Rollout has missing field '.Spec.Templates[{index}].Selector'")));
    };
    match LabelSelector::from_json(selector) {
        Ok(selector) if !selector.is_empty() => {}
        Ok(_) => {
            return Err(Invalid(format!(
                "This experiment is selecting all pods at index {index}. A non-empty selector is required."
            )));
        }
        Err(error) => return Err(Invalid(format!("spec.templates[{index}].selector: {error}"))),
    }
    let deadline = experiment.spec.progress_deadline_seconds.unwrap_or(super::sets::PROGRESS_DEADLINE);
    if template.min_ready_seconds.unwrap_or(0) > deadline {
        return Err(Invalid(format!(
            "MinReadySeconds cannot be longer than ProgressDeadlineSeconds. Check template index {index}"
        )));
    }
    Ok(())
}
