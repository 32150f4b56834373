//! One pass, while it is being planned.

use std::collections::BTreeMap;
use std::time::Duration;

use api::rollout::{Rollout, RolloutStatus};
use object::{Time, Value, json};

use super::pause::PauseChange;
use super::runs::CurrentRuns;
use super::{Plan, experiments, merge_patch, routed, services, waits};
use crate::sets::{Set, Sets};
use crate::{Action, Checked, Event, Observed, Reason, Settings, Step, Why, hash, keys};

/// What is known and decided so far.
pub(super) struct Pass<'a> {
    pub checked: &'a Checked<Rollout>,
    pub observed: &'a Observed,
    pub now: Time,
    /// Hash of the current template, as new ReplicaSets are named.
    pub hash: String,
    pub sets: Sets,
    pub runs: CurrentRuns,
    /// The Experiment of the current step.
    pub experiment: Option<experiments::Current>,
    /// Services this pass switches, with the hash each selects from now on.
    pub switched: BTreeMap<String, String>,
    /// Weights that the routers are told, as the status holds them.
    pub weights: Option<Value>,
    /// Whether the routers have confirmed them, where they can.
    pub verified: Option<bool>,
    /// Whether `spec.replicas` changed: sizes follow, steps wait.
    pub scaling: bool,
    pub pause: PauseChange,
    pub actions: Vec<Action>,
    pub events: Vec<Event>,
    pub wake: Option<Time>,
    pub waits: Vec<Why>,
    /// Last `restartAt` that was acted on.
    pub restarted_at: Option<String>,
}

impl<'a> Pass<'a> {
    pub fn new(checked: &'a Checked<Rollout>, observed: &'a Observed, now: Time) -> Self {
        let (rollout, settings) = (checked.value(), checked.settings());
        let hash = settings.hash.clone();
        let sets = Sets::new(&observed.replica_sets, settings, &hash, &rollout.status.stable_rs);
        let mut pass = Self {
            checked,
            observed,
            now: now.whole_seconds(),
            hash,
            sets,
            runs: CurrentRuns::default(),
            experiment: None,
            switched: BTreeMap::new(),
            weights: rollout.status.canary.weights.clone().filter(|_| settings.routed.is_some()),
            verified: None,
            scaling: false,
            pause: PauseChange::default(),
            actions: Vec::new(),
            events: Vec::new(),
            wake: None,
            waits: Vec::new(),
            restarted_at: rollout.status.restarted_at.clone(),
        };
        pass.runs = super::runs::current(&pass);
        pass.experiment = experiments::current(&pass);
        if pass.fully_promoted() && rollout.status.abort {
            pass.pause.remove_abort = true;
        }
        pass
    }

    pub fn rollout(&self) -> &'a Rollout {
        self.checked.value()
    }

    pub fn status(&self) -> &'a RolloutStatus {
        &self.checked.value().status
    }

    pub fn settings(&self) -> &'a Settings {
        self.checked.settings()
    }

    pub fn paused_by_user(&self) -> bool {
        self.rollout().spec.paused == Some(true)
    }

    /// Returns true when the current template is the stable one, as far as the status says.
    pub fn fully_promoted(&self) -> bool {
        let status = self.status();
        !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash
    }

    /// Returns true when the update is or becomes aborted.
    pub fn aborted(&self) -> bool {
        !self.pause.remove_abort && (self.status().abort || self.pause.abort.is_some())
    }

    /// Returns the hash of the current template's ReplicaSet.
    pub fn current_hash(&self) -> String {
        self.sets.new_set().map_or_else(|| self.hash.clone(), |set| set.hash.clone())
    }

    /// Returns the revision of the current template.
    pub fn revision(&self) -> i64 {
        let next = self.sets.highest_old_revision() + 1;
        self.sets.new_set().map_or(next, |set| if set.revision < next { next } else { set.revision })
    }

    /// Returns the step index that counts for this pass, and the step.
    pub fn step(&self) -> (usize, Option<&'a Step>) {
        (self.checked.step_index(), self.checked.current_step())
    }

    /// Looks again at `time` at the latest.
    pub fn wake_at(&mut self, time: Time) {
        self.wake = Some(self.wake.map_or(time, |wake| wake.min(time)));
    }

    pub fn wake_after(&mut self, duration: Duration) {
        self.wake_at(self.now.after(duration));
    }

    pub fn wait(&mut self, reason: Reason) {
        self.waits.push(Why::new(reason));
    }

    /// Returns the status this pass leads to, having planned its changes.
    pub fn next_status(&mut self) -> RolloutStatus {
        if self.rollout().object.is_deleting() {
            return self.status().clone();
        }
        if self.rollout().spec.replicas.is_none() {
            self.actions.push(Action::PatchRollout { patch: json!({"spec": {"replicas": 1}}) });
            return self.status().clone();
        }
        super::revision::adopt(self);
        super::workload::note(self);
        super::config::make(self);
        if self.sets.new_set().is_none() {
            super::revision::create(self);
            if let Some(strategy) = &self.settings().blue_green {
                super::blue_green::preview(self, strategy);
            }
            return super::status::reset(self);
        }
        super::revision::sync(self);
        let observed = self.status().observed_generation == self.rollout().object.generation().to_string();
        if observed && let Some(status) = super::conditions::check_paused(self) {
            return status;
        }
        if let Some(strategy) = &self.settings().blue_green {
            return super::blue_green::pass(self, strategy);
        }
        if self.template_or_steps_changed() {
            return super::status::reset(self);
        }
        super::canary::pass(self)
    }

    /// Returns true when what is rolled out is not what the status speaks of.
    pub fn template_or_steps_changed(&self) -> bool {
        self.status().current_step_hash != self.step_hash()
            || self.status().current_pod_hash != self.current_hash()
    }

    /// Returns the hash of the steps; empty for blue-green.
    pub fn step_hash(&self) -> String {
        self.rollout().canary().map(|canary| hash::steps(&canary.steps)).unwrap_or_default()
    }

    /// Returns the hash that a Service selects after this pass, empty for none.
    pub fn selected(&self, service: &str) -> String {
        if let Some(hash) = self.switched.get(service) {
            return hash.clone();
        }
        let service = self.observed.referenced.service(service);
        service.map(|service| service.str(&["spec", "selector", keys::HASH]).to_owned()).unwrap_or_default()
    }

    /// Returns true when a ReplicaSet is part of the update or may carry traffic: it is not to be scaled as an old one.
    ///
    /// Source: `isReplicaSetReferenced`.
    pub fn is_referenced(&self, set: &Set) -> bool {
        let status = self.status();
        let mut hashes = vec![status.stable_rs.clone(), status.current_pod_hash.clone()];
        if self.settings().blue_green.is_some() {
            hashes.push(status.blue_green.active_selector.clone());
            hashes.push(status.blue_green.preview_selector.clone());
        }
        hashes.extend(self.weights.iter().chain(&status.canary.weights).flat_map(routed::mentioned));
        hashes.extend(services::named(self.rollout()).into_iter().map(|service| self.selected(service)));
        hashes.contains(&set.hash) || routed::is_named(self, &set.hash)
    }

    /// Returns the plan that leads to `status`.
    pub fn finish(mut self, status: &RolloutStatus) -> Plan {
        let (old, new) = (api::write(self.status()), api::write(status));
        let change = merge_patch(&old, &new);
        let why = waits::why(&mut self, status, change.is_some());
        // The patch is taken against what the server holds, so that fields written in another form settle too.
        let held = self.rollout().object.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
        let status_patch =
            change.and_then(|_| merge_patch(&held, &new)).map(|patch| json!({"status": patch}));
        Plan {
            actions: self.actions,
            status: status_patch.is_some().then_some(new),
            status_patch,
            events: self.events,
            wake: self.wake,
            why,
        }
    }
}

/// Returns the text of a time, as statuses hold it.
pub(super) fn text(time: Time) -> String {
    time.to_string()
}

/// Returns `{"metadata": {"annotations": annotations}}`.
pub(super) fn annotations(annotations: &Value) -> Value {
    json!({"metadata": {"annotations": annotations}})
}
