//! The Experiment object.
//!
//! Source: `GetExperimentFromTemplate`.

use api::analysis::AnalysisPhase;
use api::rollout::{ExperimentStep, ExperimentStepTemplate, PodTemplateMetadata};
use object::{Gvk, Key, Object, Value, json};

use super::{Current, created};
use crate::plan::finished::phase;
use crate::plan::pass::Pass;
use crate::sets::Set;
use crate::{Action, Reason, keys, runs};

/// Returns the name of the current step's Experiment, before any collision.
pub(super) fn base_name(pass: &Pass) -> String {
    format!("{}-{}-{}-{}", pass.rollout().name(), pass.current_hash(), pass.revision(), pass.step().0)
}

/// Plans the Experiment of a step and returns it.
pub(super) fn create(pass: &mut Pass, step: &ExperimentStep) -> Option<Current> {
    let mut object = match build(pass, step) {
        Ok(object) => object?,
        Err(message) => {
            pass.wait(Reason::BlockedByAnalysis { message });
            return None;
        }
    };
    let base = object.name().to_owned();
    let mut collision = 0;
    while let Some(taken) = pass.observed.experiments.iter().find(|other| other.name() == object.name()) {
        // One that runs may be ours, of a pass whose status was never stored.
        let completed = phase(taken).is_some_and(AnalysisPhase::completed);
        let open = !completed && !taken.flag(&["spec", "terminate"]) && !taken.is_deleting();
        if open && taken.get(&["spec", "templates"]) == object.get(&["spec", "templates"]) {
            return Some(Current::of(taken));
        }
        collision += 1;
        object.set(&["metadata", "name"], format!("{base}-{collision}"));
    }
    pass.events.push(created(object.name()));
    let current = Current::of(&object);
    pass.actions.push(Action::CreateExperiment(object));
    Some(current)
}

/// Returns the Experiment; none before both versions have a ReplicaSet.
fn build(pass: &Pass, step: &ExperimentStep) -> Result<Option<Object>, String> {
    let (Some(new), Some(stable)) = (pass.sets.new_set(), pass.sets.stable()) else { return Ok(None) };
    let rollout = pass.rollout();
    let gvk = Gvk::new("argoproj.io", "v1alpha1", "Experiment");
    let mut object = Object::new(&gvk, &Key::new(rollout.namespace(), &base_name(pass)));
    object.set_label(keys::HASH, &new.hash);
    if let Some(instance) = rollout.object.label(keys::INSTANCE_ID) {
        object.set_label(keys::INSTANCE_ID, instance);
    }
    object.set_annotation(keys::REVISION, &pass.revision().to_string());
    object.set(&["metadata", "ownerReferences"], json!([rollout.object.controller_reference()]));
    let templates: Result<Vec<Value>, String> =
        step.templates.iter().map(|wanted| template(wanted, new, stable)).collect();
    let mut spec = json!({"templates": templates?});
    if !step.duration.is_empty() {
        spec["duration"] = json!(step.duration);
    }
    if let Some(seconds) = rollout.spec.progress_deadline_seconds {
        spec["progressDeadlineSeconds"] = json!(seconds);
    }
    if let Some(seconds) = step.scale_down_delay_seconds {
        spec["scaleDownDelaySeconds"] = json!(seconds);
    }
    if !step.dry_run.is_empty() {
        spec["dryRun"] = api::write(&step.dry_run);
    }
    if step.analysis_run_metadata != PodTemplateMetadata::default() {
        spec["analysisRunMetadata"] = api::write(&step.analysis_run_metadata);
    }
    if !step.analyses.is_empty() {
        spec["analyses"] = json!(analyses(pass, step, (new, stable))?);
    }
    object.set(&["spec"], spec);
    Ok(Some(object))
}

fn template(wanted: &ExperimentStepTemplate, new: &Set, stable: &Set) -> Result<Value, String> {
    let set = match wanted.spec_ref.as_str() {
        "canary" => new,
        "stable" => stable,
        _ => return Err("Invalid template step SpecRef: must be canary or stable".to_owned()),
    };
    let field = |path: &[&str]| set.object.get(path).cloned().unwrap_or_else(|| json!({}));
    let (mut pods, mut selector) = (field(&["spec", "template"]), field(&["spec", "selector"]));
    if let Some(own) = &wanted.selector {
        selector = own.clone();
    }
    for (key, value) in &wanted.metadata.labels {
        pods["metadata"]["labels"][key] = json!(value);
        selector["matchLabels"][key] = json!(value);
    }
    for (key, value) in &wanted.metadata.annotations {
        pods["metadata"]["annotations"][key] = json!(value);
    }
    let mut template = json!({"name": wanted.name, "selector": selector, "template": pods});
    if let Some(replicas) = wanted.replicas {
        template["replicas"] = json!(replicas);
    }
    if let Some(seconds) = set.object.int(&["spec", "minReadySeconds"]).filter(|seconds| *seconds > 0) {
        template["minReadySeconds"] = json!(seconds);
    }
    if wanted.weight.is_some() || wanted.service.is_some() {
        template["service"] = wanted.service.clone().unwrap_or_else(|| json!({}));
    }
    Ok(template)
}

fn analyses(pass: &Pass, step: &ExperimentStep, (new, stable): (&Set, &Set)) -> Result<Vec<Value>, String> {
    let hashes = runs::Hashes { stable: stable.hash.clone(), latest: new.hash.clone() };
    let one = |analysis: &api::rollout::ExperimentStepAnalysis| {
        let wanted = api::rollout::RolloutAnalysis {
            args: analysis.args.clone(),
            ..api::rollout::RolloutAnalysis::default()
        };
        let args = runs::arguments(&pass.rollout().object, &wanted, &hashes)?;
        let analysis = api::rollout::ExperimentStepAnalysis { args, ..analysis.clone() };
        Ok(api::write(&analysis))
    };
    step.analyses.iter().map(one).collect()
}
