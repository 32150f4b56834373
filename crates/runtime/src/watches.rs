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
/// Longest wait before it is looked again whether the cluster knows a resource.
const UNSERVED: Duration = Duration::from_secs(5);

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
        let (caches, activity) = (Arc::default(), Activity::counting(cluster.tally()));
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

    /// Returns a sentence for each resource that is watched and that the cluster does not know.
    pub fn unserved(&self) -> BTreeMap<Resource, String> {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = caches.iter().filter(|(_, cache)| !cache.is_served());
        missing.map(|((resource, _), _)| (resource.clone(), unserved(resource))).collect()
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
                let missing = is_missing(&error);
                if missing {
                    cache.deliver_unserved();
                }
                let longest = if missing { UNSERVED } else { RETRY_MAX };
                cluster.clock().sleep((RETRY * 2_u32.pow(failures.min(5))).min(longest)).await;
                failures += 1;
            }
        }
    }
}

fn is_missing(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404)
}

/// Returns what to tell of a resource that the cluster does not know.
fn unserved(resource: &Resource) -> String {
    let Resource { group, plural, version, kind, .. } = resource;
    if group.contains('.') {
        format!(
            "the CustomResourceDefinition {plural}.{group} ({kind}, {version}) is not installed; \
             working without it, it is taken up when it comes"
        )
    } else {
        format!("the cluster does not serve {plural} ({version}); working without them")
    }
}

/// Logs a failure: the first of a row for people, the others for those who look for them.
fn tell(resource: &Resource, error: &watcher::Error, failures: u32) {
    let plural = &resource.plural;
    match (failures, is_missing(error)) {
        (0, true) => tracing::warn!("{}", unserved(resource)),
        (0, false) => tracing::warn!(resource = %plural, %error, "watch failed, trying again"),
        _ => tracing::debug!(resource = %plural, %error, failures, "watch failed, trying again"),
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

impl std::fmt::Debug for Watches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Watches").field("resources", &caches.len()).finish_non_exhaustive()
    }
}
