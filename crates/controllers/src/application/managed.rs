//! The live objects that Applications manage: one cache a kind, started when an Application first needs the kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object::{GroupKind, Gvk, Key, Object};
use runtime::{ApiError, Cache, Discovery, Resource, Tasks, Watches};
use sync::{Scope, TRACKING_ID};

/// Time that a newly watched kind gets for its first listing.
const FIRST_LISTING: Duration = Duration::from_secs(30);

const BY_INSTANCE: &str = "instance";

/// Called with the instance name of the Application whose object changed.
pub type OnChange = Arc<dyn Fn(&str) + Send + Sync>;

/// Watches the kinds that Applications manage, and finds objects by key and by owner.
pub struct Managed {
    watches: Watches,
    discovery: Discovery,
    tasks: Tasks,
    on_change: OnChange,
    kinds: Mutex<BTreeMap<GroupKind, (Resource, Cache)>>,
}

impl Managed {
    /// Returns a set that watches nothing yet; its watches end with `tasks`.
    pub fn new(watches: Watches, tasks: &Tasks, on_change: OnChange) -> Self {
        let discovery = Discovery::new(watches.cluster().clone());
        Self { watches, discovery, tasks: tasks.child(), on_change, kinds: Mutex::default() }
    }

    /// Returns the resource that serves a kind, `None` when the cluster does not.
    pub async fn resource(&self, gvk: &Gvk) -> Result<Option<Resource>, ApiError> {
        self.discovery.resource(gvk).await
    }

    /// Starts to watch the kinds and returns the scope of those that the cluster serves, once they are listed.
    pub async fn watch(&self, kinds: &BTreeSet<Gvk>) -> Result<BTreeMap<GroupKind, Scope>, ApiError> {
        let mut scopes = BTreeMap::new();
        for gvk in kinds {
            let Some(resource) = self.resource(gvk).await? else { continue };
            let scope = if resource.namespaced { Scope::Namespaced } else { Scope::Cluster };
            scopes.insert(gvk.group_kind(), scope);
            let cache = self.cache(&resource);
            if tokio::time::timeout(FIRST_LISTING, cache.synced()).await.is_err() {
                return Err(ApiError::no_answer(format!("objects of kind {gvk} cannot be listed")));
            }
        }
        Ok(scopes)
    }

    /// Returns the objects that carry the mark of `instance`, and those that have one of `keys`.
    pub fn live(&self, instance: &str, keys: &BTreeSet<(GroupKind, Key)>) -> Vec<Arc<Object>> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut live: BTreeMap<(GroupKind, Key), Arc<Object>> = BTreeMap::new();
        for (kind, (_, cache)) in kinds.iter() {
            for object in cache.indexed(BY_INSTANCE, instance) {
                live.insert((kind.clone(), object.key()), object);
            }
        }
        for (kind, key) in keys {
            let found = kinds.get(kind).and_then(|(_, cache)| cache.get(key));
            if let Some(object) = found {
                live.insert((kind.clone(), key.clone()), object);
            }
        }
        live.into_values().collect()
    }

    /// Returns one object of a watched kind.
    pub fn get(&self, kind: &GroupKind, key: &Key) -> Option<Arc<Object>> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.get(kind).and_then(|(_, cache)| cache.get(key))
    }

    /// Puts in what a write of this process returned.
    pub fn note(&self, object: Object) {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cache)) = kinds.get(&object.group_kind()) {
            cache.note(object);
        }
    }

    fn cache(&self, resource: &Resource) -> Cache {
        let kind = resource.gvk().group_kind();
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cache)) = kinds.get(&kind) {
            return cache.clone();
        }
        // adoption and comparison look at who manages which field
        let cache = self.watches.whole_cache(resource);
        cache.add_index(BY_INSTANCE, |object| instance(object).into_iter().collect());
        kinds.insert(kind, (resource.clone(), cache.clone()));
        let (mut changes, on_change) = (cache.subscribe(), self.on_change.clone());
        self.tasks.spawn("managed objects", async move {
            while let Some(change) = changes.next().await {
                let both = change.old.iter().chain(&change.new);
                let instances: BTreeSet<String> = both.filter_map(|object| instance(object)).collect();
                instances.iter().for_each(|instance| on_change(instance));
            }
        });
        cache
    }
}

/// Returns the instance that an object is marked as belonging to.
fn instance(object: &Object) -> Option<String> {
    let (instance, _) = object.annotation(TRACKING_ID)?.split_once(':')?;
    Some(instance.to_owned())
}
