//! The AnalysisRun object.

use std::collections::BTreeMap;

use api::rollout::RolloutAnalysis;
use object::{Gvk, Key, Object, Value, json};

use super::{Pass, Run, completed};
use crate::{Action, Reason, keys, runs};

/// What a run is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// The analysis step at this index.
    Step(usize),
    /// Beside the steps.
    Background,
    /// Before a blue-green switch.
    PrePromotion,
    /// After a blue-green switch.
    PostPromotion,
}

/// Plans a run and returns it; an unfinished one that is the same is taken instead.
pub(super) fn create(pass: &mut Pass, analysis: &RolloutAnalysis, role: Role) -> Option<Run> {
    let mut object = match build(pass, analysis, role) {
        Ok(object) => object,
        Err(message) => {
            pass.wait(Reason::BlockedByAnalysis { message });
            return None;
        }
    };
    let base = object.name().to_owned();
    for collision in 1.. {
        let Some(existing) = pass.observed.analysis_runs.iter().find(|run| run.name() == object.name())
        else {
            break;
        };
        if !completed(existing) && !existing.flag(&["spec", "terminate"]) && same(existing, &object) {
            return Some(Run::of(existing));
        }
        object.set(&["metadata", "name"], format!("{base}.{collision}"));
    }
    let run = Run::of(&object);
    pass.actions.push(Action::CreateAnalysisRun(object));
    Some(run)
}

/// Returns true when two runs measure the same.
fn same(left: &Object, right: &Object) -> bool {
    ["metrics", "args", "dryRun", "measurementRetention"].iter().all(|field| {
        let of = |run: &Object| run.get(&["spec", field]).cloned().unwrap_or_default();
        of(left) == of(right)
    })
}

fn build(pass: &Pass, analysis: &RolloutAnalysis, role: Role) -> Result<Object, String> {
    let rollout = pass.rollout();
    let hash = pass.current_hash();
    let stable = pass.sets.stable().map(|set| set.hash.clone()).unwrap_or_default();
    let hashes = runs::Hashes { stable, latest: hash.clone() };
    let args = runs::arguments(&rollout.object, analysis, &hashes)?;
    let spec = runs::spec(&pass.observed.referenced, analysis, args)?;
    let revision = pass.revision().to_string();
    let suffix = match role {
        Role::Step(index) => format!("-{index}"),
        Role::Background => String::new(),
        Role::PrePromotion => "-pre".to_owned(),
        Role::PostPromotion => "-post".to_owned(),
    };
    let name = format!("{}-{hash}-{revision}{suffix}", rollout.name());
    let gvk = Gvk::new("argoproj.io", "v1alpha1", "AnalysisRun");
    let mut object = Object::new(&gvk, &Key::new(rollout.namespace(), &name));
    object.set(&["metadata", "labels"], json!(labels(pass, analysis, role, &hash)));
    let mut notes = BTreeMap::from([(keys::REVISION.to_owned(), revision)]);
    let metadata = analysis.analysis_run_metadata.clone().unwrap_or_default();
    notes.extend(metadata.annotations);
    object.set(&["metadata", "annotations"], json!(notes));
    object.set(&["metadata", "ownerReferences"], json!([rollout.object.controller_reference()]));
    object.set(&["spec"], api::write(&spec));
    Ok(object)
}

fn labels(pass: &Pass, analysis: &RolloutAnalysis, role: Role, hash: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([(keys::HASH.to_owned(), hash.to_owned())]);
    let kind = match role {
        Role::Step(index) => {
            labels.insert(keys::STEP_INDEX.to_owned(), index.to_string());
            "Step"
        }
        Role::Background => "Background",
        Role::PrePromotion => "PrePromotion",
        Role::PostPromotion => "PostPromotion",
    };
    labels.insert(keys::ROLLOUT_TYPE.to_owned(), kind.to_owned());
    if let Some(instance) = pass.rollout().object.label(keys::INSTANCE_ID) {
        labels.insert(keys::INSTANCE_ID.to_owned(), instance.to_owned());
    }
    labels.extend(analysis.analysis_run_metadata.clone().unwrap_or_default().labels);
    let selector = pass.settings().selector_json.get("matchLabels").and_then(Value::as_object);
    for (key, value) in selector.into_iter().flatten() {
        labels.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    labels
}
