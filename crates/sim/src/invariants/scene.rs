//! [`Scene`]: everything that the invariants look at, as the store has it after each write, in the order of the writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Key, LabelSelector, Object, Value};
use runtime::{Change, Kept};

use crate::answers::is_ready;

/// Label and selector key of the hash of a pod template.
pub(super) const HASH: &str = "rollouts-pod-template-hash";

/// Kinds that are looked at, by the first parts of their keys in the store.
const KINDS: [(&str, Kind); 12] = [
    ("/argoproj.io/rollouts/", Kind::Rollout),
    ("/apps/replicasets/", Kind::ReplicaSet),
    ("//pods/", Kind::Pod),
    ("//services/", Kind::Service),
    ("//events/", Kind::Event),
    ("/gateway.networking.k8s.io/httproutes/", Kind::HttpRoute),
    ("/argoproj.io/analysisruns/", Kind::AnalysisRun),
    ("/argoproj.io/experiments/", Kind::Experiment),
    ("/argoproj.io/analysistemplates/", Kind::AnalysisTemplate),
    ("/argoproj.io/clusteranalysistemplates/", Kind::ClusterAnalysisTemplate),
    ("/argoproj.io/applications/", Kind::Application),
    ("//configmaps/", Kind::ConfigMap),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Rollout,
    ReplicaSet,
    Pod,
    Service,
    Event,
    HttpRoute,
    AnalysisRun,
    Experiment,
    AnalysisTemplate,
    ClusterAnalysisTemplate,
    Application,
    ConfigMap,
}

/// The objects of the cluster.
#[derive(Debug, Default)]
pub(super) struct Scene(BTreeMap<Kind, BTreeMap<Key, Arc<Object>>>);

impl Scene {
    /// Takes in one write; returns what it changed, when that is looked at.
    pub fn take(&mut self, change: &store::Change) -> Option<(Kind, Change)> {
        let place: &str = &change.entry.key;
        let (rest, kind) =
            KINDS.iter().find_map(|(prefix, kind)| Some((place.strip_prefix(prefix)?, *kind)))?;
        let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
        let key = Key::new(namespace, name);
        let objects = self.0.entry(kind).or_default();
        let old = objects.remove(&key);
        let new = change.after().and_then(|entry| {
            let mut object = Object::from_value(serde_json::from_slice(&entry.value).ok()?);
            object.set(&["metadata", "resourceVersion"], entry.modified.to_string());
            Some(Arc::new(object))
        });
        if let Some(new) = &new {
            objects.insert(key.clone(), new.clone());
        }
        Some((kind, Change { key, old: old.map(Kept::from), new: new.map(Kept::from) }))
    }

    /// Returns the objects of a kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.0.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// Returns the objects of a kind whose controller has this uid.
    pub fn owned<'a>(&'a self, kind: Kind, uid: &'a str) -> impl Iterator<Item = &'a Arc<Object>> {
        self.all(kind).filter(move |object| object.controller_uid() == Some(uid))
    }

    /// Returns an object.
    pub fn get(&self, kind: Kind, key: &Key) -> Option<&Arc<Object>> {
        self.0.get(&kind)?.get(key)
    }

    /// Returns how many pods of the Rollout take requests; with `hash` only those of that version.
    pub fn ready(&self, rollout: &Object, hash: Option<&str>) -> i64 {
        let selector = rollout.get(&["spec", "selector"]).map(LabelSelector::from_json);
        let Some(Ok(selector)) = selector else { return 0 };
        let ready = self.all(Kind::Pod).filter(|pod| {
            pod.namespace() == rollout.namespace()
                && hash.is_none_or(|hash| pod.label(HASH) == Some(hash))
                && !pod.is_deleting()
                && is_ready(pod)
                && selector.matches(&pod.labels())
        });
        number(ready.count())
    }

    /// Returns whether each ReplicaSet of the Rollout has as many ready pods as it asks for.
    pub fn is_whole(&self, rollout: &Object) -> bool {
        self.owned(Kind::ReplicaSet, rollout.uid())
            .all(|set| self.ready(rollout, set.label(HASH)) >= replicas(set))
    }

    /// Returns the hash that a Service of the Rollout selects.
    pub fn selected(&self, rollout: &Object, service: &str) -> Option<&str> {
        let service = self.get(Kind::Service, &Key::new(rollout.namespace(), service))?;
        service.get(&["spec", "selector", HASH]).and_then(Value::as_str)
    }
}

/// Returns a count as the numbers in objects are.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Returns `spec.replicas`, 1 when it does not say.
pub(super) fn replicas(object: &Object) -> i64 {
    object.int(&["spec", "replicas"]).unwrap_or(1)
}
