//! What must hold of each plan, whatever users and pods do.

use api::rollout::Rollout;
use object::{Object, Value};
use rollout::{Action, Plan, validate};

use super::World;

impl World {
    /// The active Service is sent to pods that are all there, or back to stable ones.
    pub(super) fn check_switches(&self, plan: &Plan) {
        let active = self.rollout.str(&["spec", "strategy", "blueGreen", "activeService"]);
        for action in &plan.actions {
            let Action::SwitchService(switch) = action else { continue };
            if switch.key.name != active || switch.from == switch.to {
                continue;
            }
            let set = self.set_of(&switch.to);
            let available = set.int(&["status", "availableReplicas"]).unwrap_or(0);
            let all = available == self.rollout.int(&["spec", "replicas"]).unwrap();
            let back = switch.to == self.status()["stableRS"] && available > 0;
            assert!(all || back, "{switch:?}: {available}");
        }
    }

    /// Weights add up, and no version is told to carry what it has no pods for.
    pub(super) fn check_weights(&self, plan: &Plan) {
        let routing = self.rollout.get(&["spec", "strategy", "canary", "trafficRouting"]);
        let status = plan.status.as_ref().unwrap_or_else(|| self.status_or_null());
        let Some(weights) = status["canary"].get("weights").filter(|_| routing.is_some()) else { return };
        if self.status_or_null()["canary"].get("weights") == Some(weights) {
            return;
        }
        let weight = |of: &str| weights[of]["weight"].as_i64().unwrap();
        let additional = weights["additional"].as_array().into_iter().flatten();
        let others: i64 = additional.map(|one| one["weight"].as_i64().unwrap()).sum();
        assert_eq!(weight("canary") + weight("stable") + others, 100, "{weights}");
        if weight("canary") > 0 && weight("canary") >= self.weight_before() {
            let hash = weights["canary"]["podTemplateHash"].as_str().unwrap();
            let available = self.set_of(hash).int(&["status", "availableReplicas"]).unwrap_or(0);
            assert!(available > 0, "{weights}");
        }
    }

    pub(super) fn status_or_null(&self) -> &Value {
        self.rollout.get(&["status"]).unwrap_or(&Value::Null)
    }

    /// Returns the weight of the new version in the status.
    pub fn weight_before(&self) -> i64 {
        self.status_or_null()["canary"]["weights"]["canary"]["weight"].as_i64().unwrap_or(0)
    }

    /// Laws of each scaling: the surge is kept, no needed pod goes, and new pods are not ahead of their step.
    #[track_caller]
    pub(super) fn check_scaling(&self, plan: &Plan) {
        let scalings: Vec<(&str, i32, i32)> = plan
            .actions
            .iter()
            .filter_map(|action| match action {
                Action::ScaleReplicaSet { key, from, to, .. } => Some((key.name.as_str(), *from, *to)),
                _ => None,
            })
            .collect();
        if scalings.is_empty() {
            return;
        }
        let rollout = Rollout::from_object(&self.rollout).unwrap();
        if rollout.canary().is_none_or(|canary| canary.traffic_routing.is_some()) {
            return;
        }
        let checked = validate(&rollout, &self.referenced()).unwrap();
        let settings = checked.settings();
        let int = |set: &Object, path: &[&str]| i32::try_from(set.int(path).unwrap_or(0)).unwrap();
        let (mut before, mut after, mut had, mut left) = (0, 0, 0, 0);
        for set in self.sets.values() {
            let (spec, available) =
                (int(set, &["spec", "replicas"]), int(set, &["status", "availableReplicas"]));
            let to = scalings.iter().find(|(name, ..)| *name == set.name()).map_or(spec, |(_, _, to)| *to);
            before += spec;
            after += to;
            had += available.min(spec);
            left += available.min(to);
        }
        assert!(after <= before.max(settings.replicas + settings.max_surge), "surge: {scalings:?}");
        assert!(
            left >= had.min(settings.replicas - settings.max_unavailable),
            "floor: {scalings:?} {had} {left}"
        );
        let grown = scalings.iter().filter(|(_, from, to)| to > from).count();
        assert!(grown == 0 || scalings.len() == 1, "one kind of change a pass: {scalings:?}");
        Self::check_weight(&rollout, &scalings);
    }

    /// The new ReplicaSet of an update grows to no more than the share of its step, rounded up.
    fn check_weight(rollout: &Rollout, scalings: &[(&str, i32, i32)]) {
        let status = &rollout.status;
        let whole =
            status.promote_full || status.stable_rs.is_empty() || status.stable_rs == status.current_pod_hash;
        let canary = rollout.canary().unwrap();
        let index = usize::try_from(status.current_step_index.unwrap_or(0)).unwrap();
        if whole || index >= canary.steps.len() {
            return;
        }
        let weight = canary.steps[..=index].iter().rev().find_map(|step| step.set_weight).unwrap_or(0);
        let weight = if status.abort { 0 } else { weight };
        let share = (rollout.spec.replicas.unwrap() * weight + 99) / 100;
        let name = format!("{}-{}", rollout.name(), status.current_pod_hash);
        for (set, from, to) in scalings {
            assert!(*set != name || to <= from || *to <= share, "ahead of step {index}: {from} to {to}");
        }
    }
}
