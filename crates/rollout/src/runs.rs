//! AnalysisRuns: how templates become one run.
//!
//! Source: Argo Rollouts `utils/analysis`: nested templates flattened, arguments merged, names of metrics unique.

mod field;

use std::collections::BTreeSet;

use api::analysis::{
    AnalysisRunSpec, AnalysisTemplate, AnalysisTemplateSpec, Argument, PodTemplateHashValue, TemplateRef,
};
use api::rollout::RolloutAnalysis;
use object::Object;

use crate::Referenced;

pub(crate) use field::metadata_field;

/// Deepest nesting of templates.
const MAX_DEPTH: usize = 20;

/// Hashes that arguments can ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes {
    /// Of the stable ReplicaSet.
    pub stable: String,
    /// Of the new ReplicaSet.
    pub latest: String,
}

/// Returns the arguments of an analysis with their values.
///
/// Errors: a field of the Rollout that an argument names is not there.
pub(crate) fn arguments(
    rollout: &Object,
    analysis: &RolloutAnalysis,
    hashes: &Hashes,
) -> Result<Vec<Argument>, String> {
    analysis.args.iter().map(|arg| argument(rollout, arg, hashes)).collect()
}

fn argument(rollout: &Object, arg: &Argument, hashes: &Hashes) -> Result<Argument, String> {
    let mut value = arg.value.clone();
    if let Some(from) = &arg.value_from {
        if let Some(which) = from.pod_template_hash_value {
            value = Some(match which {
                PodTemplateHashValue::Stable => hashes.stable.clone(),
                PodTemplateHashValue::Latest => hashes.latest.clone(),
            });
        } else if let Some(field) = &from.field_ref {
            value = Some(field::value(rollout, &field.field_path)?);
        }
    }
    Ok(Argument { name: arg.name.clone(), value, value_from: None })
}

/// Returns the arguments of an analysis with empty values where the real ones are not known yet.
pub(crate) fn placeholders(analysis: &RolloutAnalysis) -> Vec<Argument> {
    let known = |arg: &Argument| Some(arg.value.clone().unwrap_or_default());
    let args = analysis.args.iter();
    args.map(|arg| Argument { name: arg.name.clone(), value: known(arg), value_from: None }).collect()
}

/// Returns the spec of a run.
///
/// Errors: in upstream's words: a template is missing, an argument has no value or two, two metrics have one name.
pub(crate) fn spec(
    referenced: &Referenced,
    analysis: &RolloutAnalysis,
    args: Vec<Argument>,
) -> Result<AnalysisRunSpec, String> {
    let template = flatten(referenced, &analysis.templates)?;
    let mut dry_run = analysis.dry_run.clone();
    dry_run.extend(template.dry_run);
    let mut measurement_retention = analysis.measurement_retention.clone();
    measurement_retention.extend(template.measurement_retention);
    Ok(AnalysisRunSpec {
        metrics: template.metrics,
        args: merge_arguments(args, template.args)?,
        dry_run,
        measurement_retention,
        ..AnalysisRunSpec::default()
    })
}

/// Returns the template's arguments with the values given; what the template does not ask for is left out.
fn merge_arguments(given: Vec<Argument>, mut wanted: Vec<Argument>) -> Result<Vec<Argument>, String> {
    for arg in given {
        if let Some(slot) = wanted.iter_mut().find(|slot| slot.name == arg.name)
            && arg.value.is_some()
        {
            *slot = Argument { value_from: None, ..arg };
        }
    }
    match wanted.iter().find(|arg| arg.value.is_none() && arg.value_from.is_none()) {
        Some(arg) => Err(format!("args.{} was not resolved", arg.name)),
        None => Ok(wanted),
    }
}

/// Returns the named templates and those they name as one, each once: namespaced ones first.
pub(crate) fn flatten(referenced: &Referenced, refs: &[TemplateRef]) -> Result<AnalysisTemplateSpec, String> {
    let mut all = Vec::new();
    collect(referenced, refs, &mut all, 0)?;
    let mut seen = BTreeSet::new();
    all.retain(|template| seen.insert(template.reference()));
    let (cluster, namespaced): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|template| template.reference().cluster_scope);
    let mut joined = AnalysisTemplateSpec::default();
    for template in namespaced.into_iter().chain(cluster) {
        for metric in template.spec.metrics {
            if joined.metrics.iter().any(|other| other.name == metric.name) {
                return Err(format!("two metrics have the same name '{}'", metric.name));
            }
            joined.metrics.push(metric);
        }
        for arg in template.spec.args {
            join_argument(&mut joined.args, arg)?;
        }
        joined.dry_run.extend(template.spec.dry_run);
        joined.measurement_retention.extend(template.spec.measurement_retention);
    }
    Ok(joined)
}

fn join_argument(args: &mut Vec<Argument>, new: Argument) -> Result<(), String> {
    let Some(old) = args.iter_mut().find(|old| old.name == new.name) else {
        args.push(new);
        return Ok(());
    };
    match (&old.value, &new.value) {
        (Some(first), Some(second)) if first != second => Err(format!(
            "Argument `{}` specified multiple times with different values: '{first}', '{second}'",
            old.name
        )),
        (Some(_), _) => Ok(()),
        (None, _) => {
            *old = new;
            Ok(())
        }
    }
}

/// Returns true when a template that is named, also by another one, is not at hand.
pub(crate) fn lacks(referenced: &Referenced, refs: &[TemplateRef]) -> bool {
    let (mut seen, mut left) = (Vec::new(), refs.to_vec());
    while let Some(reference) = left.pop() {
        if seen.contains(&reference) {
            continue;
        }
        let Some(object) = referenced.template(&reference) else { return true };
        left.extend(AnalysisTemplate::from_object(object).map(|it| it.spec.templates).unwrap_or_default());
        seen.push(reference);
    }
    false
}

fn collect(
    referenced: &Referenced,
    refs: &[TemplateRef],
    all: &mut Vec<AnalysisTemplate>,
    depth: usize,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err("analysis templates are nested too deep".to_owned());
    }
    for reference in refs {
        let kind = if reference.cluster_scope { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
        let name = &reference.template_name;
        let Some(object) = referenced.template(reference) else {
            return Err(format!("{kind} '{name}' not found"));
        };
        let template =
            AnalysisTemplate::from_object(object).map_err(|error| format!("{kind} '{name}': {error}"))?;
        let inner = template.spec.templates.clone();
        if all.iter().any(|other| other.reference() == template.reference()) {
            continue;
        }
        all.push(template);
        collect(referenced, &inner, all, depth + 1)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
