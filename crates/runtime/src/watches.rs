//! [`Watches`]: one list-and-watch for each resource that anybody asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::watcher;
use object::{Key, Object, Value};

use crate::{Activity, Cache, Cluster, Resource, Selection, Shards, Tasks};

/// Wait before a failed list or watch is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// Longest such wait.
const RETRY_MAX: Duration = Duration::from_secs(15);

/// The watch caches of a process, shared by its controllers. Cheap to clone.
#[derive(Clone)]
pub struct Watches {
    cluster: Cluster,
    tasks: Tasks,
    caches: Arc<Mutex<BTreeMap<(Resource, Selection), Cache>>>,
    activity: Activity,
    shards: Shards,
}

impl Watches {
    /// Returns a set that watches nothing yet; the watches end with `tasks`.
    pub fn new(cluster: Cluster, tasks: &Tasks) -> Self {
        let (caches, activity) = (Arc::default(), Activity::default());
        Self { cluster, tasks: tasks.clone(), caches, activity, shards: Shards::everything() }
    }

    /// Returns the same for a process that shares the objects with others: its controllers act on their share only.
    #[must_use]
    pub fn shared(mut self, shards: &Shards) -> Self {
        self.shards = shards.clone();
        self
    }

    /// Returns which objects the controllers of this process act on.
    pub fn shards(&self) -> &Shards {
        &self.shards
    }

    /// Returns where the controllers of this process report what they have done.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Returns the cluster that is watched.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Returns the cache of all objects of `resource`; the first call starts the watch.
    pub fn cache(&self, resource: &Resource) -> Cache {
        self.cache_with(resource, &Selection::default())
    }

    /// Returns the cache of the selected objects of `resource`; the first call for a selection starts the watch.
    pub fn cache_with(&self, resource: &Resource, selection: &Selection) -> Cache {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = caches.entry((resource.clone(), selection.clone()));
        entry
            .or_insert_with(|| {
                let cache = Cache::new();
                let watch = watch(self.cluster.clone(), resource.clone(), selection.clone(), cache.clone());
                let token = self.tasks.token();
                self.tasks.spawn("watch", async move {
                    token.run_until_cancelled(watch).await;
                });
                cache
            })
            .clone()
    }
}

async fn watch(cluster: Cluster, resource: Resource, selection: Selection, cache: Cache) {
    let api_resource = ApiResource {
        group: resource.group.to_string(),
        version: resource.version.to_string(),
        api_version: resource.api_version(),
        kind: resource.kind.to_string(),
        plural: resource.plural.to_string(),
    };
    let api: kube::Api<DynamicObject> = match &selection.namespace {
        Some(namespace) => kube::Api::namespaced_with(cluster.client().clone(), namespace, &api_resource),
        None => kube::Api::all_with(cluster.client().clone(), &api_resource),
    };
    let mut config = watcher::Config::default();
    config.label_selector.clone_from(&selection.labels);
    config.field_selector.clone_from(&selection.fields);
    let mut events = watcher(api, config).boxed();
    let (mut listed, mut failures) = (BTreeSet::new(), 0_u32);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                // a list that begins says nothing yet
                if !matches!(event, watcher::Event::Init) {
                    failures = 0;
                }
                take(&cache, &mut listed, event, &resource);
            }
            Err(error) => {
                tell(&resource, &error, failures);
                cluster.clock().sleep((RETRY * 2_u32.pow(failures.min(5))).min(RETRY_MAX)).await;
                failures += 1;
            }
        }
    }
}

/// Logs a failure: the first of a row for people, the others for those who look for them.
fn tell(resource: &Resource, error: &watcher::Error, failures: u32) {
    let resource = &resource.plural;
    let missing =
        matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404);
    match (failures, missing) {
        (0, true) => tracing::info!(%resource, "not served, waiting for its definition"),
        (0, false) => tracing::warn!(%resource, %error, "watch failed, trying again"),
        _ => tracing::debug!(%resource, %error, failures, "watch failed, trying again"),
    }
}

fn take(
    cache: &Cache,
    listed: &mut BTreeSet<Key>,
    event: watcher::Event<DynamicObject>,
    resource: &Resource,
) {
    match event {
        watcher::Event::Init => listed.clear(),
        watcher::Event::InitApply(object) => {
            let object = convert(object, resource);
            listed.insert(object.key());
            cache.deliver(object);
        }
        watcher::Event::InitDone => cache.deliver_listed(listed),
        watcher::Event::Apply(object) => cache.deliver(convert(object, resource)),
        watcher::Event::Delete(object) => cache.deliver_gone(&convert(object, resource)),
    }
}

fn convert(object: DynamicObject, resource: &Resource) -> Object {
    let mut map = match object.data {
        Value::Object(map) => map,
        _ => object::Map::new(),
    };
    map.insert("apiVersion".into(), resource.api_version().into());
    map.insert("kind".into(), resource.kind.as_ref().into());
    map.insert("metadata".into(), serde_json::to_value(object.metadata).unwrap_or_default());
    Object::from_value(Value::Object(map))
}
