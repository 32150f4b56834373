//! The objects of routers and the workloads that Rollouts name: watched from the first Rollout on that needs their kind,
//! and written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::rollout::Referenced;
use object::{Gvk, Key, Object, Value, json};
use runtime::{
    ApiError, Cache, Change, Deletion, Discovery, Failure, Patch, Queue, Resource, Tasks, Watches,
};
use traffic::{Reference, Selection};

use super::act::on_version;

use crate::naming::{self, HABITS, SELECTS, TRACKS};

/// Kinds whose template a Rollout can use.
const WORKLOADS: [&str; 3] = ["Deployment", "ReplicaSet", "PodTemplate"];

/// Kinds whose content can be part of a version.
const CONFIG: [&str; 2] = ["ConfigMap", "Secret"];

/// Wait before it is looked again whether the cluster serves a kind.
pub(super) const UNSERVED: Duration = Duration::from_secs(30);

/// The routers' side of the shell.
pub(super) struct Routers {
    watches: Watches,
    discovery: Discovery,
    rollouts: Cache,
    queue: Arc<Queue>,
    tasks: Tasks,
    caches: Mutex<BTreeMap<Gvk, (Resource, Cache)>>,
}

impl Routers {
    /// Returns routers that watch nothing yet; Rollouts that name what changes go into `queue`.
    pub fn new(watches: &Watches, rollouts: &Cache, queue: Arc<Queue>, tasks: &Tasks) -> Self {
        Self {
            watches: watches.clone(),
            discovery: Discovery::new(watches.cluster().clone()),
            rollouts: rollouts.clone(),
            queue,
            tasks: tasks.clone(),
            caches: Mutex::default(),
        }
    }

    /// Puts what is found of references and selections into `referenced`, and the kinds that the cluster does not serve.
    ///
    /// Errors: the cluster does not answer, or a watch has not listed yet: try again.
    pub async fn observe(
        &self,
        (references, selections): (Vec<Reference>, Vec<Selection>),
        referenced: &mut Referenced,
    ) -> Result<(), Failure> {
        let mut unserved = BTreeSet::new();
        for selection in selections {
            match self.cache(&selection.gvk).await? {
                Some((_, cache)) if cache.is_synced() => {
                    let found = cache.in_namespace(&selection.namespace);
                    for object in found.into_iter().filter(|it| selection.selector.matches(&it.labels())) {
                        referenced.live.insert(Reference::of(&object), Some(object));
                    }
                }
                Some(_) => {
                    return Err(Failure::new(format!("{} are not listed yet", selection.gvk.kind)));
                }
                None => {
                    unserved.insert(selection.gvk);
                }
            }
        }
        for reference in references {
            match self.cache(&reference.gvk).await? {
                Some((_, cache)) if cache.is_synced() => {
                    let object = cache.get(&reference.key());
                    referenced.live.insert(reference, object);
                }
                Some(_) => {
                    return Err(Failure::new(format!("{} are not listed yet", reference.gvk.kind)));
                }
                None => {
                    unserved.insert(reference.gvk);
                }
            }
        }
        referenced.unserved = unserved.into_iter().collect();
        Ok(())
    }

    /// Returns the workload of `reference`, when it is there.
    ///
    /// Errors: as those of [`Routers::observe`].
    pub async fn workload(&self, reference: &Reference) -> Result<Option<Arc<Object>>, Failure> {
        if !WORKLOADS.contains(&reference.gvk.kind.as_str()) {
            return Ok(None);
        }
        match self.cache(&reference.gvk).await? {
            Some((_, cache)) if cache.is_synced() => Ok(cache.get(&reference.key())),
            Some(_) => Err(Failure::new(format!("{} are not listed yet", reference.gvk.kind))),
            None => Ok(None),
        }
    }

    /// Scales a workload that still has the size `from`.
    pub async fn scale(&self, reference: &Reference, from: i32, to: i32) -> Result<(), ApiError> {
        let Some((resource, cache)) = self.cache(&reference.gvk).await? else { return Ok(()) };
        let Some(workload) = cache.get(&reference.key()) else { return Ok(()) };
        if workload.int(&["spec", "replicas"]).unwrap_or(1) != i64::from(from) {
            return Ok(());
        }
        let patch = on_version(json!({"spec": {"replicas": to}}), workload.resource_version());
        let cluster = self.watches.cluster();
        cache.note(cluster.patch(&resource, &reference.key(), &Patch::merge(patch)).await?);
        Ok(())
    }

    /// Reads an object again that a write may or may not have changed.
    pub async fn read_again(&self, reference: &Reference) -> Result<(), ApiError> {
        let Some((resource, cache)) = self.cache(&reference.gvk).await? else { return Ok(()) };
        if let Some(object) = self.watches.cluster().get(&resource, &reference.key()).await? {
            cache.note(object);
        }
        Ok(())
    }

    /// Returns the ConfigMaps and Secrets of a namespace. What `template` names and was not seen yet is asked for: one
    /// that was made just before the Rollout must not be taken for missing, which would be a version of its own.
    ///
    /// Errors: as those of [`Routers::observe`].
    pub async fn config(&self, namespace: &str, template: &Value) -> Result<Vec<Arc<Object>>, Failure> {
        let mut config = Vec::new();
        for kind in CONFIG {
            match self.cache(&Gvk::new("", "v1", kind)).await? {
                Some((_, cache)) if cache.is_synced() => config.extend(cache.in_namespace(namespace)),
                _ => return Err(Failure::new(format!("{kind}s are not listed yet"))),
            }
        }
        for (kind, name) in ::rollout::missing_config(template, &config) {
            let Some((resource, cache)) = self.cache(&Gvk::new("", "v1", kind)).await? else { continue };
            let found = self.watches.cluster().get(&resource, &Key::new(namespace, &name)).await?;
            if let Some(found) = found {
                cache.note(found.clone());
                config.push(Arc::new(found));
            }
        }
        Ok(config)
    }

    /// Creates an object.
    pub async fn create(&self, object: &Object) -> Result<(), ApiError> {
        self.write(&traffic::Change::Create(object.clone())).await
    }

    /// Deletes the ConfigMap or Secret `key` while it has this uid; one that is gone needs nothing any more.
    pub async fn delete(&self, kind: &str, key: &Key, uid: &str) -> Result<(), ApiError> {
        let reference = Reference::new(Gvk::new("", "v1", kind), &key.namespace, &key.name);
        match self.write(&traffic::Change::Delete { reference, uid: uid.to_owned() }).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Carries out one write.
    pub async fn write(&self, change: &traffic::Change) -> Result<(), ApiError> {
        let reference = change.reference();
        let Some((resource, cache)) = self.cache(&reference.gvk).await? else {
            return Err(ApiError::no_answer(format!("kind {} is not served", reference.gvk.kind)));
        };
        let (cluster, key) = (self.watches.cluster(), reference.key());
        match change {
            traffic::Change::Create(object) => cache.note(cluster.create(&resource, object).await?),
            traffic::Change::Patch { patch, resource_version, .. } => {
                let patch = Patch::merge(on_version(patch.clone(), resource_version));
                cache.note(cluster.patch(&resource, &key, &patch).await?);
            }
            traffic::Change::Delete { uid, .. } => {
                let deletion = Deletion { uid: Some(uid.clone()), ..Deletion::default() };
                cluster.delete(&resource, &key, &deletion).await?;
            }
        }
        Ok(())
    }

    /// Returns the cache of a kind, watched from now on; `None` when the cluster does not serve it.
    async fn cache(&self, gvk: &Gvk) -> Result<Option<(Resource, Cache)>, ApiError> {
        if let Some(known) = self.lock().get(gvk) {
            return Ok(Some(known.clone()));
        }
        let Some(resource) = self.discovery.resource(gvk).await? else { return Ok(None) };
        let mut caches = self.lock();
        if let Some(known) = caches.get(gvk) {
            return Ok(Some(known.clone()));
        }
        let cache = self.watches.cache(&resource);
        self.follow(&cache);
        caches.insert(gvk.clone(), (resource.clone(), cache.clone()));
        Ok(Some((resource, cache)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Gvk, (Resource, Cache)>> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the changes of a cache wake the Rollouts that name the object.
    fn follow(&self, cache: &Cache) {
        let (mut changes, queue, rollouts) = (cache.subscribe(), self.queue.clone(), self.rollouts.clone());
        self.tasks.spawn("router", async move {
            while let Some(change) = changes.next().await {
                concerned(&rollouts, &change).into_iter().for_each(|key| queue.add(key));
            }
        });
    }
}

/// Returns the Rollouts that name an object, also one of another namespace, take it by its labels, or own it.
fn concerned(rollouts: &Cache, change: &Change) -> BTreeSet<Key> {
    let (key, namespace) = (&change.key, change.key.namespace.as_str());
    let Some(object) = change.object() else { return BTreeSet::new() };
    let keys = |keys: Vec<Arc<Key>>| keys.into_iter().map(|key| Key::clone(&key)).collect::<Vec<_>>();
    if CONFIG.contains(&object.kind()) {
        return keys(rollouts.indexed_keys_in(HABITS, TRACKS, namespace)).into_iter().collect();
    }
    let mut concerned: BTreeSet<Key> = naming::of_namespace(rollouts, key).into_iter().collect();
    if !WORKLOADS.contains(&object.kind()) {
        concerned.extend(naming::of_any_namespace(rollouts, key));
        concerned.extend(keys(rollouts.indexed_keys(HABITS, SELECTS)));
        let owner = object.controller().filter(|owner| owner.kind == "Rollout");
        concerned.extend(owner.map(|owner| Key::new(namespace, &owner.name)));
    }
    concerned
}
