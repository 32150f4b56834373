//! Objects in memory, and the least of what a cluster does with them.

mod checks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::rollout::Rollout;
use object::{Object, Time, Value, json, yaml};
use rollout::explain::{Explanation, explain, explain_invalid};
use rollout::{
    Action, Checked, Event, Observed, Plan, Problem, Reason, Referenced, Why, keys, plan, plan_through,
    validate,
};

/// A Rollout and what is around it.
pub struct World {
    pub rollout: Object,
    pub sets: BTreeMap<String, Object>,
    pub runs: BTreeMap<String, Object>,
    pub pods: BTreeMap<String, Object>,
    pub experiments: BTreeMap<String, Object>,
    /// The workload that `workloadRef` names.
    pub workload: Option<Object>,
    /// ConfigMaps and Secrets.
    pub config: BTreeMap<String, Object>,
    pub now: Time,
    pub events: Vec<Event>,
    /// Images whose pods never become available.
    pub broken: BTreeSet<String>,
    /// Images of which only so many pods become available.
    pub few: BTreeMap<String, usize>,
    pub evicted: Vec<String>,
    /// Pods become available one a pass.
    pub slow: bool,
    /// One plan holds all that is decided, as the controller makes them; else one decision.
    pub through: bool,
    /// Most evictions in one pass.
    pub most_evicted: usize,
    services: BTreeMap<String, Object>,
    routes: BTreeMap<traffic::Reference, Object>,
    templates: Vec<Object>,
    created: i64,
    last: Option<Plan>,
}

impl World {
    /// A Rollout of `replicas` pods with this canary strategy.
    pub fn new(replicas: i64, canary: &str) -> Self {
        let canary = yaml::document(canary).unwrap();
        Self::with(replicas, &json!({"canary": canary}))
    }

    /// A Rollout of `replicas` pods with this blue-green strategy.
    pub fn blue_green(replicas: i64, blue_green: &str) -> Self {
        let blue_green = yaml::document(blue_green).unwrap();
        Self::with(replicas, &json!({"blueGreen": blue_green}))
    }

    fn with(replicas: i64, strategy: &Value) -> Self {
        Self {
            rollout: Object::from_value(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
                "metadata": {"name": "shop", "namespace": "n", "uid": "u", "generation": 1},
                "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "shop"}},
                    "strategy": strategy,
                    "template": {"metadata": {"labels": {"app": "shop"}},
                        "spec": {"containers": [{"name": "c", "image": "shop:1"}]}}}
            })),
            sets: BTreeMap::new(),
            runs: BTreeMap::new(),
            pods: BTreeMap::new(),
            experiments: BTreeMap::new(),
            workload: None,
            config: BTreeMap::new(),
            now: Time::parse("2026-11-21T12:00:00Z").unwrap(),
            events: Vec::new(),
            broken: BTreeSet::new(),
            few: BTreeMap::new(),
            evicted: Vec::new(),
            slow: false,
            through: false,
            most_evicted: 0,
            services: BTreeMap::new(),
            routes: BTreeMap::new(),
            templates: Vec::new(),
            created: 0,
            last: None,
        }
    }

    pub fn service(&mut self, name: &str) {
        let value = json!({"kind": "Service", "metadata": {"name": name, "namespace": "n"}, "spec": {"selector": {"app": "shop"}}});
        self.services.insert(name.to_owned(), Object::from_value(value));
    }

    /// An object of a router.
    pub fn route(&mut self, value: Value) {
        let object = Object::from_value(value);
        self.routes.insert(traffic::Reference::of(&object), object);
    }

    /// Takes all objects of routers away.
    pub fn lose_routes(&mut self) {
        self.routes.clear();
    }

    /// Returns the object of a router of this kind.
    #[track_caller]
    pub fn route_of(&self, kind: &str) -> &Object {
        self.routes.values().find(|object| object.kind() == kind).unwrap()
    }

    /// Returns the only object of a router.
    #[track_caller]
    pub fn only_route(&self) -> &Object {
        assert_eq!(self.routes.len(), 1);
        self.routes.values().next().unwrap()
    }

    pub fn template(&mut self, mut value: Value) {
        value["kind"] = json!("AnalysisTemplate");
        self.templates.push(Object::from_value(value));
    }

    /// Sets the arguments of the first analysis step.
    pub fn set_args(&mut self, args: &Value) {
        let mut steps = self.rollout.items(&["spec", "strategy", "canary", "steps"]).to_vec();
        let step = steps.iter_mut().find(|step| step.get("analysis").is_some()).unwrap();
        step["analysis"]["args"] = args.clone();
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

    pub fn patch_status(&mut self, patch: &Value) {
        self.rollout = merged(&self.rollout, &json!({"status": patch}));
    }

    /// What the promote command does at a pause.
    pub fn promote(&mut self) {
        self.patch_status(&json!({"pauseConditions": null}));
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

    /// Returns the ReplicaSet of a hash.
    #[track_caller]
    pub fn set_of(&self, hash: &str) -> &Object {
        self.sets.values().find(|set| set.label(keys::HASH) == Some(hash)).unwrap()
    }

    /// Returns when the last plan wants to be looked at again.
    pub fn last_wake(&self) -> Option<Time> {
        self.last.as_ref().and_then(|plan| plan.wake)
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
        let newest = self.runs.values_mut().max_by_key(|run| run.creation_time());
        let run = newest.unwrap();
        run.set(&["status"], json!({"phase": phase, "message": message}));
    }

    /// Plans and applies until nothing changes any more.
    #[track_caller]
    pub fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..500 {
            // Pods that come late may have something to say after a pass that had not.
            quiet = if self.pass() { 0 } else { quiet + 1 };
            if quiet > 2 || (quiet > 0 && !self.slow) {
                return;
            }
        }
        panic!("never settles: {}", self.last.as_ref().unwrap().why);
    }

    /// Plans and applies once; returns whether something changed.
    #[track_caller]
    pub fn pass(&mut self) -> bool {
        let plan = self.plan();
        let changes = !plan.is_empty();
        if changes {
            assert!(!plan.why.settled(), "a plan that changes something waits for it");
        } else {
            let done = self.phase() == "Healthy" && !self.pods_to_come() && plan.wake.is_none();
            assert!(plan.why.settled() || !done, "{}\n{}\n{}", self.phase(), plan.why, self.status());
            assert!(!plan.why.settled() || self.phase() == "Healthy", "{}", self.phase());
        }
        assert!(plan.why.settled() || !plan.why.because.is_empty(), "{}", plan.why);
        self.check_scaling(&plan);
        self.check_switches(&plan);
        self.check_weights(&plan);
        self.apply(plan);
        self.controllers();
        changes
    }

    /// Returns the checked Rollout and the name of the ReplicaSet its next plan creates.
    #[track_caller]
    pub fn first_set(&self) -> (Checked<Rollout>, String) {
        let rollout = Rollout::from_object(&self.rollout).unwrap();
        let checked = validate(&rollout, &self.referenced()).unwrap();
        let plan = self.plan();
        let Some(Action::CreateReplicaSet(set)) = plan.actions.first() else { panic!("{:?}", plan.actions) };
        (checked, set.name().to_owned())
    }

    pub fn last_is_empty(&self) -> bool {
        self.last.as_ref().is_some_and(Plan::is_empty)
    }

    fn pods_to_come(&self) -> bool {
        self.sets
            .values()
            .any(|set| set.int(&["spec", "replicas"]) != set.int(&["status", "availableReplicas"]))
    }

    /// Returns what is wrong with the Rollout.
    pub fn problems(&self) -> Vec<String> {
        let rollout = Rollout::from_object(&self.rollout).unwrap();
        let problems = validate(&rollout, &self.referenced()).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    fn referenced(&self) -> Referenced {
        Referenced {
            templates: self.templates.iter().cloned().map(Arc::new).collect(),
            services: self.services.values().cloned().map(Arc::new).collect(),
            live: self.routes.values().cloned().map(Arc::new).collect(),
            workload: self.workload.clone().map(Arc::new),
            config: self.config.values().cloned().map(Arc::new).collect(),
            ..Referenced::default()
        }
    }

    pub fn plan(&self) -> Plan {
        let (checked, observed) = self.observed();
        let checked = checked.unwrap_or_else(|problems| panic!("{problems:?}"));
        if self.through {
            plan_through(&checked, &observed, self.now)
        } else {
            plan(&checked, &observed, self.now)
        }
    }

    /// Returns why the Rollout is where it is.
    pub fn explain(&self) -> Explanation {
        let rollout = Rollout::from_object(&self.rollout).unwrap();
        let (checked, observed) = self.observed();
        match checked {
            Ok(checked) => explain(&checked, &observed, self.now),
            Err(problems) => explain_invalid(&rollout, &problems, self.now),
        }
    }

    fn observed(&self) -> (Result<Checked<Rollout>, Vec<Problem>>, Observed) {
        let rollout = Rollout::from_object(&self.rollout).unwrap();
        let all = |map: &BTreeMap<String, Object>| map.values().cloned().map(Arc::new).collect();
        let observed = Observed {
            replica_sets: all(&self.sets),
            pods: all(&self.pods),
            analysis_runs: all(&self.runs),
            experiments: all(&self.experiments),
            referenced: self.referenced(),
        };
        (validate(&rollout, &observed.referenced), observed)
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
            Action::CreateExperiment(experiment) => {
                let experiment = self.born(experiment);
                assert!(self.experiments.insert(experiment.name().to_owned(), experiment).is_none());
            }
            Action::TerminateExperiment { key } => {
                self.experiments.get_mut(&key.name).unwrap().set(&["spec", "terminate"], true);
            }
            Action::DeleteExperiment { key, .. } => drop(self.experiments.remove(&key.name)),
            Action::CreateConfig(copy) => {
                let copy = self.born(copy);
                assert!(self.config.insert(copy.name().to_owned(), copy).is_none());
            }
            Action::DeleteConfig { key, .. } => drop(self.config.remove(&key.name).unwrap()),
            Action::ScaleWorkload { from, to, .. } => {
                let workload = self.workload.as_mut().unwrap();
                assert_eq!(workload.int(&["spec", "replicas"]), Some(i64::from(*from)));
                workload.set(&["spec", "replicas"], *to);
            }
            Action::PatchPod { key, patch } => {
                let pod = self.pods.get_mut(&key.name).unwrap();
                *pod = merged(pod, patch);
            }
            Action::Route(change) => self.write_route(change),
            Action::EvictPod { key } => {
                self.pods.remove(&key.name).unwrap();
                self.evicted.push(key.name.clone());
            }
        }
    }

    fn write_route(&mut self, change: &traffic::Change) {
        let reference = change.reference();
        match change {
            traffic::Change::Create(object) => {
                assert!(self.routes.insert(reference, object.clone()).is_none());
            }
            traffic::Change::Patch { patch, .. } => {
                let object = self.routes.get_mut(&reference).unwrap();
                *object = merged(object, patch);
            }
            traffic::Change::Delete { .. } => drop(self.routes.remove(&reference)),
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
                let labels = set.get(&["spec", "template", "metadata", "labels"]).cloned();
                let value = json!({"kind": "Pod", "metadata": {"name": pod, "namespace": "n", "labels": labels,
                    "creationTimestamp": self.now.to_string(),
                    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": set.uid(), "controller": true}]},
                    "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
                self.pods.insert(pod.clone(), Object::from_value(value));
                own.push(pod);
            }
            let image = set.items(&["spec", "template", "spec", "containers"])[0]["image"]
                .as_str()
                .unwrap()
                .to_owned();
            let before = usize::try_from(set.int(&["status", "availableReplicas"]).unwrap_or(0)).unwrap();
            let may = if self.slow { before + 1 } else { wanted };
            let most = self.few.get(&image).copied().unwrap_or(wanted);
            let available = if self.broken.contains(&image) { 0 } else { wanted.min(may).min(most) };
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
