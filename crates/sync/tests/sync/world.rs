//! A cluster in memory that does what it is told, with workloads that are ready at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::application::{Application, Operation, to_value};
use object::{GroupKind, Gvk, Key, Object, ObjectKey, Time, Value, json};
use patch::apply::{ApplyOptions, Force};
use patch::schema::{Schema, Type, TypeRef};
use sync::{Action, Cluster, Level, Observation, Outcome, Scope, Settings, Step, Target};

pub const FIRST: &str = "6a740f35db080f5bc897a7e1b965bcec2ab95fec";
pub const SECOND: &str = "d062da99aa2792af16275c61be82defa55574fbc";
pub const BAD_PORT: &str = "Service \"not-fine\" is invalid: [spec.ports[0].port: Invalid value: 99999999: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 99999999: must be between 1 and 65535, inclusive]";
pub const MALFORMED: &str = "strict decoding error: unknown field \"surprise\"";

/// One Application and the cluster it deploys to.
pub struct World {
    pub app: Application,
    pub live: BTreeMap<ObjectKey, Object>,
    pub now: Time,
    pub target: Target,
    pub cluster: Cluster,
    pub project: Option<Object>,
    /// Whether dry runs find what the server refuses. In the recordings they did not: there the client made them.
    pub asks: bool,
    /// Every action carried out, as `verb group/Kind/name`.
    pub log: Vec<String>,
    next: u32,
}

pub fn repo(directory: &str) -> Vec<Object> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sync/repo").join(directory);
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.flat_map(|text| object::yaml::documents(&text).unwrap()).map(Object::from_value).collect()
}

pub fn found(revision: &str, objects: Vec<Object>) -> Target {
    Target::Found { revision: revision.into(), objects, left_out: vec![], source_type: "Directory" }
}

impl World {
    pub fn new(app: Application, now: &str) -> Self {
        Self {
            app,
            live: BTreeMap::new(),
            now: Time::parse(now).unwrap(),
            target: found(FIRST, vec![]),
            cluster: Cluster::Known { server: api::application::IN_CLUSTER.into() },
            project: None,
            asks: false,
            log: vec![],
            next: 1,
        }
    }

    pub fn observe(&self, level: Level) -> Observation {
        let namespace = ObjectKey {
            group_kind: GroupKind::new("", "Namespace"),
            key: Key::new("", &self.app.spec.destination.namespace),
        };
        let namespaced = |group: &str, kind: &str| (GroupKind::new(group, kind), Scope::Namespaced);
        let kinds =
            ["ConfigMap", "Secret", "Service", "ServiceAccount", "Pod"].map(|kind| namespaced("", kind));
        let more = [("apps", "Deployment"), ("batch", "Job"), ("argoproj.io", "Application")];
        let more = more.map(|(group, kind)| namespaced(group, kind));
        Observation {
            now: self.now,
            level,
            target: self.target.clone(),
            live: self.live.values().cloned().map(Arc::new).collect(),
            namespace: self.live.get(&namespace).cloned().map(Arc::new),
            kinds: kinds
                .into_iter()
                .chain(more)
                .chain([(GroupKind::new("", "Namespace"), Scope::Cluster)])
                .chain([(GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition"), Scope::Cluster)])
                .collect(),
            project: self.project.clone().map(Arc::new),
            cluster: self.cluster.clone(),
            settings: Settings::default(),
        }
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    /// Compares, and starts the automated sync that is decided on. Returns whether one was.
    pub fn refresh(&mut self, level: Level) -> bool {
        let refresh = sync::refresh(&self.app, &self.observe(level));
        self.app.status = refresh.status;
        if let Some(operation) = refresh.operation {
            self.app.operation = Some(*operation);
            return true;
        }
        false
    }

    pub fn request(&mut self, operation: Value) {
        self.app.operation = Some(serde_json::from_value::<Operation>(operation).unwrap());
    }

    /// One pass of the operation, with its actions carried out.
    /// One pass of the operation up to its changes: what is asked before is answered.
    pub fn plan(&self) -> Step {
        let step = sync::step(&self.app, &self.observe(Level::LatestForced));
        let asks = |action: &Action| matches!(action, Action::DryRun { .. });
        if !step.actions.is_empty() && step.actions.iter().all(asks) {
            let fits = vec![Outcome::Done; step.actions.len()];
            return step.settle(&fits, self.now);
        }
        step
    }

    pub fn step(&mut self) -> Step {
        let mut step = sync::step(&self.app, &self.observe(Level::LatestForced));
        while !step.actions.is_empty() {
            let outcomes: Vec<Outcome> = step.actions.clone().iter().map(|action| self.act(action)).collect();
            step = step.settle(&outcomes, self.now);
        }
        self.app.status = step.status.clone();
        if step.done {
            self.app.operation = None;
        }
        step
    }

    /// Runs the operation to its end, or until it waits for a time more than 2 s ahead.
    pub fn run(&mut self) {
        for _ in 0..50 {
            let step = self.step();
            if step.done || step.wake.is_some_and(|wake| wake > self.now.after(Duration::from_secs(3))) {
                return;
            }
            if let Some(wake) = step.wake {
                self.now = self.now.max(wake);
            }
        }
        panic!("the operation does not end: {:?}", self.app.status.operation_state);
    }

    /// Someone scales the Deployment by hand.
    pub fn scale(&mut self, replicas: i64) {
        let deployment = self.live.values_mut().find(|live| live.kind() == "Deployment").unwrap();
        deployment.set(&["spec", "replicas"], replicas);
        run(deployment);
    }

    pub fn status(&self) -> Value {
        to_value(&self.app.status)
    }

    pub fn act(&mut self, action: &Action) -> Outcome {
        let name = |gvk: &Gvk, key: &Key| format!("{}/{}/{}", gvk.group, gvk.kind, key.name);
        match action {
            Action::DryRun { object, .. } if self.asks && object.name() == "not-fine" => {
                Outcome::Refused(BAD_PORT.into())
            }
            Action::DryRun { object, .. } if self.asks && object.name() == "malformed" => {
                Outcome::Malformed(MALFORMED.into())
            }
            Action::DryRun { .. } => Outcome::Done,
            Action::Apply { object, adopt, .. } => {
                if let (Some(adopt), Some(live)) = (adopt, self.live.get_mut(&object.object_key())) {
                    assert_eq!(live.resource_version(), adopt.resource_version);
                    live.set(&["metadata", "managedFields"], adopt.managed_fields.clone());
                }
                self.log.push(format!("apply {}", name(&object.gvk(), &object.key())));
                self.apply(object)
            }
            Action::Prune { gvk, key, .. } | Action::DeleteHook { gvk, key, .. } => {
                self.log.push(format!("delete {}", name(gvk, key)));
                let key = ObjectKey { group_kind: gvk.group_kind(), key: key.clone() };
                let now = self.now.to_string();
                match self.live.get_mut(&key) {
                    Some(live) if !live.finalizers().is_empty() => {
                        live.set(&["metadata", "deletionTimestamp"], now)
                    }
                    _ => drop(self.live.remove(&key)),
                }
                Outcome::Done
            }
            Action::ReleaseHook { gvk, key, finalizers, .. } => {
                let key = ObjectKey { group_kind: gvk.group_kind(), key: key.clone() };
                if let Some(live) = self.live.get_mut(&key) {
                    live.set(&["metadata", "finalizers"], finalizers.clone());
                    if live.is_deleting() && finalizers.is_empty() {
                        self.live.remove(&key);
                    }
                }
                Outcome::Done
            }
        }
    }

    fn apply(&mut self, target: &Object) -> Outcome {
        if target.name() == "not-fine" {
            return Outcome::Refused(BAD_PORT.into());
        }
        let key = target.object_key();
        let live = self.live.get(&key).cloned();
        let (gvk, version) = (target.gvk(), target.api_version().to_owned());
        let ty = Schema::builtin().type_of(&gvk.group, &gvk.version, &gvk.kind);
        let now = self.now.to_string();
        let options = ApplyOptions {
            manager: sync::FIELD_MANAGER,
            force: Force::Yes,
            api_version: &version,
            subresource: None,
            now: &now,
        };
        let before = live.as_ref().map(Object::to_value);
        let ty = ty.unwrap_or_else(|| TypeRef::inline(Type::Untyped));
        let after =
            patch::apply::apply(before.as_ref(), &target.to_value(), &options, Schema::builtin(), &ty)
                .unwrap();
        let mut object = Object::from_value(after);
        if live.as_ref() == Some(&object) {
            return Outcome::Unchanged;
        }
        self.next += 1;
        object.set(&["metadata", "resourceVersion"], self.next.to_string());
        if live.is_none() {
            object.set(&["metadata", "uid"], format!("uid-{}", self.next));
        }
        run(&mut object);
        self.live.insert(key, object);
        if live.is_some() { Outcome::Configured } else { Outcome::Created }
    }
}

/// What the controllers of the cluster make of an object at once.
fn run(object: &mut Object) {
    match object.kind() {
        "Deployment" if object.name() == "never-ready" => object.set(
            &["status", "conditions"],
            json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]),
        ),
        "Deployment" => {
            let replicas = object.int(&["spec", "replicas"]).unwrap_or(1);
            object.set(
                &["status"],
                json!({"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}),
            );
        }
        "Job" => object.set(
            &["status", "conditions"],
            json!([{"type": "Complete", "status": "True", "message": "Reached expected number of succeeded pods"}]),
        ),
        _ => {}
    }
}
