//! Why a Rollout is where it is, for seeds that get stuck.

use std::sync::Arc;

use api::rollout::Rollout;
use object::{Key, Object, Time};
use rollout::{Observed, Referenced};

use super::scene::{Kind, Scene};

/// Returns the status of a Rollout, the sizes around it, and the reasons of the plan for what is now.
pub(super) fn explain(scene: &Scene, key: &Key, now: Time) -> String {
    let Some(object) = scene.get(Kind::Rollout, key) else { return format!("there is no Rollout {key}") };
    let status = object.get(&["status"]).map(ToString::to_string).unwrap_or_default();
    let size = |set: &Arc<Object>| {
        let count = |path: &[&'static str]| set.int(path).unwrap_or(0);
        let (asked, available) = (count(&["spec", "replicas"]), count(&["status", "availableReplicas"]));
        format!("  {}: {available} of {asked} available\n", set.name())
    };
    let sizes: String = scene.owned(Kind::ReplicaSet, object.uid()).map(size).collect();
    let spec = object.get(&["spec"]).map(ToString::to_string).unwrap_or_default();
    format!("{key} at {now}\nspec: {spec}\nstatus: {status}\n{sizes}{}", why(scene, object, now))
}

fn why(scene: &Scene, object: &Object, now: Time) -> String {
    let rollout = match Rollout::from_object(object) {
        Ok(rollout) => rollout,
        Err(error) => return error.to_string(),
    };
    let observed = observed(scene, object);
    match rollout::validate(&rollout, &observed.referenced) {
        Err(problems) => {
            problems.iter().fold(String::new(), |text, problem| text + &format!("invalid: {problem}\n"))
        }
        Ok(checked) => {
            let plan = rollout::plan(&checked, &observed, now);
            let actions = plan.actions.iter();
            let actions = actions.fold(String::new(), |text, action| text + &format!("would: {action}\n"));
            format!("{}{actions}would change the status: {}\n", plan.why, plan.status_patch.is_some())
        }
    }
}

fn observed(scene: &Scene, rollout: &Object) -> Observed {
    let namespace = rollout.namespace();
    let around = |kind| scene.all(kind).filter(move |object| object.namespace() == namespace).cloned();
    let owned = |kind| scene.owned(kind, rollout.uid()).cloned().collect();
    let mut referenced = Referenced {
        templates: around(Kind::AnalysisTemplate)
            .chain(scene.all(Kind::ClusterAnalysisTemplate).cloned())
            .collect(),
        services: around(Kind::Service).collect(),
        config: around(Kind::ConfigMap).collect(),
        ..Referenced::default()
    };
    for route in around(Kind::HttpRoute) {
        referenced.live.insert(traffic::Reference::of(&route), Some(route));
    }
    Observed {
        replica_sets: owned(Kind::ReplicaSet),
        pods: around(Kind::Pod).collect(),
        analysis_runs: owned(Kind::AnalysisRun),
        experiments: owned(Kind::Experiment),
        referenced,
    }
}
