//! A world in which everything goes well, in memory.

use std::sync::Arc;

use object::{Object, Time, Value, json};

use crate::{Action, Observed, Plan, Reason};

/// A Rollout and what is around it, as it could become.
pub(super) struct World {
    pub rollout: Object,
    pub observed: Observed,
    pub now: Time,
    made: u32,
}

impl World {
    pub fn new(rollout: &Object, observed: &Observed, now: Time) -> Self {
        let (rollout, observed, now) = (rollout.clone(), observed.clone(), now.whole_seconds());
        let mut world = Self { rollout, observed, now, made: 0 };
        world.fill();
        world
    }

    /// Carries out a plan; then pods follow the ReplicaSets.
    pub fn apply(&mut self, plan: &Plan) {
        for action in &plan.actions {
            self.act(action);
        }
        if let Some(patch) = &plan.status_patch {
            merge(&mut self.rollout, patch);
        }
        self.fill();
    }

    /// Ends the pauses, as the promote command does.
    pub fn promote(&mut self) -> bool {
        let unclear =
            self.rollout.items(&["status", "pauseConditions"]).iter().any(|pause| {
                pause["reason"].as_str().is_some_and(|reason| reason.starts_with("Inconclusive"))
            });
        merge(&mut self.rollout, &json!({"status": {"pauseConditions": null}}));
        if unclear {
            let index = self.rollout.int(&["status", "currentStepIndex"]).unwrap_or(0);
            let status = json!({"status": {"controllerPause": false, "currentStepIndex": index + 1}});
            merge(&mut self.rollout, &status);
        }
        true
    }

    /// Takes the user's pause back.
    pub fn resume(&mut self) -> bool {
        let generation = self.rollout.generation() + 1;
        let patch = json!({"metadata": {"generation": generation}, "spec": {"paused": false}});
        merge(&mut self.rollout, &patch);
        true
    }

    /// Lets the run or Experiment that a reason names succeed, and returns its name.
    pub fn succeed(&mut self, reason: &Reason) -> Option<String> {
        let (list, name) = match reason {
            Reason::WaitingOnAnalysis { run, .. } => (&mut self.observed.analysis_runs, run),
            Reason::WaitingOnExperiment { experiment, .. } => (&mut self.observed.experiments, experiment),
            _ => return None,
        };
        change(list, name, &json!({"status": {"phase": "Successful"}}));
        Some(name.clone())
    }

    fn act(&mut self, action: &Action) {
        let observed = &mut self.observed;
        match action {
            Action::CreateReplicaSet(set) => {
                let set = self.born(set);
                self.observed.replica_sets.push(set);
            }
            Action::CreateAnalysisRun(run) => {
                let run = self.born(run);
                self.observed.analysis_runs.push(run);
            }
            Action::CreateExperiment(experiment) => {
                let experiment = self.born(experiment);
                self.observed.experiments.push(experiment);
            }
            Action::AdoptReplicaSet { key, patch }
            | Action::AnnotateReplicaSet { key, patch }
            | Action::ScaleReplicaSet { key, patch, .. } => {
                change(&mut observed.replica_sets, &key.name, patch);
            }
            Action::DeleteReplicaSet { key, .. } => observed.replica_sets.retain(|it| it.name() != key.name),
            Action::PatchRollout { patch } => merge(&mut self.rollout, patch),
            Action::TerminateAnalysisRun { key } => {
                let ended = json!({"spec": {"terminate": true}, "status": {"phase": "Successful"}});
                change(&mut observed.analysis_runs, &key.name, &ended);
            }
            Action::DeleteAnalysisRun { key, .. } => {
                observed.analysis_runs.retain(|it| it.name() != key.name);
            }
            Action::TerminateExperiment { key } => {
                let ended = json!({"spec": {"terminate": true}, "status": {"phase": "Successful"}});
                change(&mut observed.experiments, &key.name, &ended);
            }
            Action::DeleteExperiment { key, .. } => observed.experiments.retain(|it| it.name() != key.name),
            Action::SwitchService(switch) => {
                change(&mut observed.referenced.services, &switch.key.name, &switch.patch);
            }
            Action::CreateConfig(copy) => observed.referenced.config.push(Arc::new(copy.clone())),
            Action::DeleteConfig { key, kind, .. } => {
                observed.referenced.config.retain(|it| it.name() != key.name || it.kind() != kind);
            }
            Action::ScaleWorkload { to, .. } => {
                if let Some(workload) = &mut observed.referenced.workload {
                    Arc::make_mut(workload).set(&["spec", "replicas"], *to);
                }
            }
            Action::PatchPod { key, patch } => change(&mut observed.pods, &key.name, patch),
            Action::Route(routed) => self.route(routed),
            Action::EvictPod { key } => observed.pods.retain(|it| it.name() != key.name),
        }
    }

    fn route(&mut self, routed: &traffic::Change) {
        let (reference, live) = (routed.reference(), &mut self.observed.referenced.live);
        let after = match routed {
            traffic::Change::Create(object) => Some(Arc::new(object.clone())),
            traffic::Change::Patch { patch, .. } => live.get(&reference).cloned().map(|mut object| {
                merge(Arc::make_mut(&mut object), patch);
                object
            }),
            traffic::Change::Delete { .. } => None,
        };
        live.insert(reference, after);
    }

    fn born(&mut self, object: &Object) -> Arc<Object> {
        self.made += 1;
        let mut object = object.clone();
        object.set(&["metadata", "uid"], format!("forecast-{}", self.made));
        object.set(&["metadata", "creationTimestamp"], self.now.whole_seconds().to_string());
        Arc::new(object)
    }

    /// Gives every ReplicaSet the pods it asks for.
    fn fill(&mut self) {
        for set in &mut self.observed.replica_sets {
            let pods = set.int(&["spec", "replicas"]).unwrap_or(1);
            let status = json!({"replicas": pods, "readyReplicas": pods, "availableReplicas": pods,
                "observedGeneration": set.generation()});
            if set.get(&["status"]) != Some(&status) {
                Arc::make_mut(set).set(&["status"], status);
            }
        }
    }
}

fn merge(object: &mut Object, patch: &Value) {
    let mut value = object.to_value();
    patch::merge::apply(&mut value, patch);
    *object = Object::from_value(value);
}

/// Patches the object `name` of a list.
fn change(list: &mut [Arc<Object>], name: &str, patch: &Value) {
    if let Some(object) = list.iter_mut().find(|object| object.name() == name) {
        merge(Arc::make_mut(object), patch);
    }
}
