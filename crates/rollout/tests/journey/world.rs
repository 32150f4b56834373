//! Objects in memory, and the least of what a cluster does with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::rollout::Rollout;
use object::{Object, Time, Value, json, yaml};
use rollout::{Action, Event, Observed, Plan, Reason, Referenced, Why, keys, plan, validate};

/// A Rollout and what is around it.
pub struct World {
    pub rollout: Object,
    pub sets: BTreeMap<String, Object>,
    pub runs: BTreeMap<String, Object>,
    pub pods: BTreeMap<String, Object>,
    pub now: Time,
    pub events: Vec<Event>,
    /// Images whose pods never become available.
    pub broken: BTreeSet<String>,
    pub evicted: Vec<String>,
    /// Most evictions in one pass.
    pub most_evicted: usize,
    services: BTreeMap<String, Object>,
    templates: Vec<Object>,
    created: i64,
    last: Option<Plan>,
}

impl World {
    pub fn new(replicas: i64, canary: &str) -> Self {
        let canary = yaml::document(canary).unwrap();
        Self {
            rollout: Object::from_value(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
                "metadata": {"name": "shop", "namespace": "n", "uid": "u", "generation": 1},
                "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "shop"}},
                    "strategy": {"canary": canary},
                    "template": {"metadata": {"labels": {"app": "shop"}},
                        "spec": {"containers": [{"name": "c", "image": "shop:1"}]}}}
            })),
            sets: BTreeMap::new(),
            runs: BTreeMap::new(),
            pods: BTreeMap::new(),
            now: Time::parse("2026-11-21T12:00:00Z").unwrap(),
            events: Vec::new(),
            broken: BTreeSet::new(),
            evicted: Vec::new(),
            most_evicted: 0,
            services: BTreeMap::new(),
            templates: Vec::new(),
            created: 0,
            last: None,
        }
    }

    pub fn service(&mut self, name: &str) {
        let value = json!({"kind": "Service", "metadata": {"name": name, "namespace": "n"}, "spec": {"selector": {"app": "shop"}}});
        self.services.insert(name.to_owned(), Object::from_value(value));
    }

    pub fn template(&mut self, mut value: Value) {
        value["kind"] = json!("AnalysisTemplate");
        self.templates.push(Object::from_value(value));
    }

    /// Sets the arguments of the first analysis step.
    pub fn set_args(&mut self, args: Value) {
        let mut steps = self.rollout.items(&["spec", "strategy", "canary", "steps"]).to_vec();
        let step = steps.iter_mut().find(|step| step.get("analysis").is_some()).unwrap();
        step["analysis"]["args"] = args;
        self.rollout.set(&["spec", "strategy", "canary", "steps"], steps);
    }

    pub fn set_image(&mut self, image: &str) {
        let containers = json!([{"name": "c", "image": image}]);
        self.rollout.set(&["spec", "template", "spec", "containers"], containers);
        self.bump();
    }

    /// The spec changed.
    pub fn bump(&mut self) {
        let generation = self.rollout.generation() + 1;
        self.rollout.set(&["metadata", "generation"], generation);
    }

    pub fn patch_status(&mut self, patch: Value) {
        self.rollout = merged(&self.rollout, &json!({"status": patch}));
    }

    /// What the promote command does at a pause.
    pub fn promote(&mut self) {
        self.patch_status(json!({"pauseConditions": null}));
    }

    pub fn tick(&mut self, seconds: u64) {
        self.now = self.now.after(std::time::Duration::from_secs(seconds));
    }

    /// Moves to when the last plan wants to be looked at again.
    #[track_caller]
    pub fn wake(&mut self) {
        self.now = self.last.as_ref().and_then(|plan| plan.wake).expect("the plan wakes");
    }

    pub fn status(&self) -> &Value {
        self.rollout.get(&["status"]).unwrap()
    }

    pub fn phase(&self) -> String {
        self.rollout.str(&["status", "phase"]).to_owned()
    }

    /// `spec.replicas` of all ReplicaSets, by revision at creation.
    pub fn sizes(&self) -> Vec<i64> {
        let mut sets: Vec<&Object> = self.sets.values().collect();
        sets.sort_by_key(|set| set.creation_time());
        sets.iter().map(|set| set.int(&["spec", "replicas"]).unwrap()).collect()
    }

    pub fn selected(&self, service: &str) -> String {
        self.services[service].str(&["spec", "selector", keys::HASH]).to_owned()
    }

    pub fn said(&self, reason: &str, message: &str) -> bool {
        self.events.iter().any(|event| event.reason == reason && event.message == message)
    }

    pub fn waits_for(&self, wanted: impl Fn(&Reason) -> bool) -> bool {
        fn any(why: &Why, wanted: &dyn Fn(&Reason) -> bool) -> bool {
            wanted(&why.reason) || why.because.iter().any(|why| any(why, wanted))
        }
        self.last.as_ref().is_some_and(|plan| any(&plan.why, &wanted))
    }

    #[track_caller]
    pub fn only_run(&self) -> &Object {
        assert_eq!(self.runs.len(), 1);
        self.runs.values().next().unwrap()
    }

    /// Gives the newest run a verdict.
    pub fn finish_run(&mut self, phase: &str, message: &str) {
        let run = self.runs.values_mut().next_back().unwrap();
        run.set(&["status"], json!({"phase": phase, "message": message}));
    }

    /// Plans and applies until nothing changes any more.
    #[track_caller]
    pub fn settle(&mut self) {
        for _ in 0..200 {
            let plan = self.plan();
            if plan.is_empty() {
                let healthy = self.phase() == "Healthy";
                assert_eq!(plan.why.settled(), healthy, "{}\n{}", self.phase(), plan.why);
                self.last = Some(plan);
                return;
            }
            assert!(!plan.why.settled(), "a plan that changes something waits for it");
            assert!(!plan.why.because.is_empty(), "{}", plan.why);
            self.apply(plan);
            self.controllers();
        }
        panic!("never settles: {}", self.last.as_ref().unwrap().why);
    }

    fn plan(&self) -> Plan {
        let rollout = Rollout::from_object(&self.rollout).unwrap();
        let all = |map: &BTreeMap<String, Object>| map.values().cloned().map(Arc::new).collect();
        let observed = Observed {
            replica_sets: all(&self.sets),
            pods: all(&self.pods),
            analysis_runs: all(&self.runs),
            referenced: Referenced {
                templates: self.templates.iter().cloned().map(Arc::new).collect(),
                services: all(&self.services),
            },
        };
        let checked =
            validate(&rollout, &observed.referenced).unwrap_or_else(|problems| panic!("{problems:?}"));
        plan(&checked, &observed, self.now)
    }

    fn apply(&mut self, plan: Plan) {
        let evictions = self.evicted.len();
        for action in &plan.actions {
            self.act(action);
        }
        self.most_evicted = self.most_evicted.max(self.evicted.len() - evictions);
        if let Some(patch) = &plan.status_patch {
            self.rollout = merged(&self.rollout, patch);
            assert_eq!(self.rollout.get(&["status"]), plan.status.as_ref(), "the patch leads to the status");
        }
        self.events.extend(plan.events.iter().cloned());
        self.last = Some(plan);
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::CreateReplicaSet(set) => {
                let set = self.born(set);
                assert!(self.sets.insert(set.name().to_owned(), set).is_none());
            }
            Action::CreateAnalysisRun(run) => {
                let run = self.born(run);
                assert!(self.runs.insert(run.name().to_owned(), run).is_none());
            }
            Action::AdoptReplicaSet { key, patch }
            | Action::AnnotateReplicaSet { key, patch }
            | Action::ScaleReplicaSet { key, patch, .. } => {
                let set = self.sets.get_mut(&key.name).unwrap();
                *set = merged(set, patch);
            }
            Action::DeleteReplicaSet { key, .. } => drop(self.sets.remove(&key.name)),
            Action::PatchRollout { patch } => self.rollout = merged(&self.rollout, patch),
            Action::TerminateAnalysisRun { key } => {
                self.runs.get_mut(&key.name).unwrap().set(&["spec", "terminate"], true);
            }
            Action::DeleteAnalysisRun { key, .. } => drop(self.runs.remove(&key.name)),
            Action::SwitchService(switch) => {
                let service = self.services.get_mut(&switch.key.name).unwrap();
                *service = merged(service, &switch.patch);
            }
            Action::EvictPod { key } => {
                self.pods.remove(&key.name).unwrap();
                self.evicted.push(key.name.clone());
            }
        }
    }

    fn born(&mut self, object: &Object) -> Object {
        self.created += 1;
        self.tick(1);
        let mut object = object.clone();
        object.set(&["metadata", "uid"], format!("uid-{}", self.created));
        object.set(&["metadata", "creationTimestamp"], self.now.to_string());
        object
    }

    /// Pods follow the ReplicaSets at once.
    fn controllers(&mut self) {
        let names: Vec<String> = self.sets.keys().cloned().collect();
        for name in names {
            let set = self.sets[&name].clone();
            let wanted = usize::try_from(set.int(&["spec", "replicas"]).unwrap()).unwrap();
            let mut own: Vec<String> =
                self.pods.keys().filter(|pod| pod.starts_with(&format!("{name}-"))).cloned().collect();
            while own.len() > wanted {
                self.pods.remove(&own.pop().unwrap());
            }
            while own.len() < wanted {
                self.created += 1;
                let pod = format!("{name}-{}", self.created);
                let value = json!({"kind": "Pod", "metadata": {"name": pod, "namespace": "n",
                    "creationTimestamp": self.now.to_string(),
                    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": set.uid(), "controller": true}]}});
                self.pods.insert(pod.clone(), Object::from_value(value));
                own.push(pod);
            }
            let image = set.items(&["spec", "template", "spec", "containers"])[0]["image"]
                .as_str()
                .unwrap()
                .to_owned();
            let available = if self.broken.contains(&image) { 0 } else { wanted };
            let status =
                json!({"replicas": wanted, "readyReplicas": available, "availableReplicas": available});
            self.sets.get_mut(&name).unwrap().set(&["status"], status);
        }
    }
}

fn merged(object: &Object, patch: &Value) -> Object {
    fn merge(target: &mut Value, patch: &Value) {
        let Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        let map = target.as_object_mut().unwrap();
        for (key, value) in patch {
            if value.is_null() {
                map.remove(key);
            } else {
                merge(map.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
    let mut value = object.to_value();
    merge(&mut value, patch);
    Object::from_value(value)
}
