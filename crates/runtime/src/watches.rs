//! [`Watches`]: one list-and-watch for each resource that anybody asked for.

mod item;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use kube::api::ApiResource;
use kube::runtime::watcher;
use object::Key;

use item::Item;

pub(crate) use item::{Detail, lean};

use crate::{Activity, Cache, Cluster, Resource, Selection, Shards, Tasks};

/// Wait before a failed list or watch is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// Longest such wait.
const RETRY_MAX: Duration = Duration::from_secs(15);
/// Longest wait before it is looked again whether the cluster knows a resource.
const UNSERVED: Duration = Duration::from_secs(5);
/// Objects of one answer to a list: all of them are in memory at once.
const PAGE: u32 = 100;

/// A cache for each resource, selection and detail that anybody asked for.
type Caches = BTreeMap<(Resource, Selection, Detail), Cache>;

/// The watch caches of a process, shared by its controllers. Cheap to clone.
#[derive(Clone)]
pub struct Watches {
    cluster: Cluster,
    tasks: Tasks,
    caches: Arc<Mutex<Caches>>,
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
        missing.map(|((resource, ..), _)| (resource.clone(), unserved(resource))).collect()
    }

    /// Returns the cache of all objects of `resource`, without their `managedFields`; the first call starts the watch.
    pub fn cache(&self, resource: &Resource) -> Cache {
        self.cache_with(resource, &Selection::default())
    }

    /// Returns the cache of the selected objects of `resource`, without their `managedFields`; the first call for a
    /// selection starts the watch.
    pub fn cache_with(&self, resource: &Resource, selection: &Selection) -> Cache {
        self.cache_of(resource, selection, Detail::Lean)
    }

    /// Returns the cache of all objects of `resource` with their `managedFields`, which takes twice the memory; the first
    /// call starts the watch.
    pub fn whole_cache(&self, resource: &Resource) -> Cache {
        self.cache_of(resource, &Selection::default(), Detail::Whole)
    }

    fn cache_of(&self, resource: &Resource, selection: &Selection, detail: Detail) -> Cache {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = caches.entry((resource.clone(), selection.clone(), detail));
        entry
            .or_insert_with(|| {
                let cache = Cache::holding(detail);
                let (token, feed) = (self.tasks.token(), cache.clone());
                let (cluster, resource, selection) =
                    (self.cluster.clone(), resource.clone(), selection.clone());
                self.tasks.spawn("watch", async move {
                    let watch = async {
                        match detail {
                            Detail::Whole => watch::<true>(cluster, resource, selection, feed).await,
                            Detail::Lean => watch::<false>(cluster, resource, selection, feed).await,
                        }
                    };
                    token.run_until_cancelled(watch).await;
                });
                cache
            })
            .clone()
    }
}

async fn watch<const WHOLE: bool>(cluster: Cluster, resource: Resource, selection: Selection, cache: Cache) {
    let api_resource = ApiResource {
        group: resource.group.to_string(),
        version: resource.version.to_string(),
        api_version: resource.api_version(),
        kind: resource.kind.to_string(),
        plural: resource.plural.to_string(),
    };
    let api: kube::Api<Item<WHOLE>> = match &selection.namespace {
        Some(namespace) => kube::Api::namespaced_with(cluster.client().clone(), namespace, &api_resource),
        None => kube::Api::all_with(cluster.client().clone(), &api_resource),
    };
    let mut config = watcher::Config::default().page_size(PAGE);
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

fn take<const WHOLE: bool>(
    cache: &Cache,
    listed: &mut BTreeSet<Key>,
    event: watcher::Event<Item<WHOLE>>,
    resource: &Resource,
) {
    match event {
        watcher::Event::Init => listed.clear(),
        watcher::Event::InitApply(item) => {
            let object = item.into_object(resource);
            listed.insert(object.key());
            cache.deliver(object);
        }
        watcher::Event::InitDone => cache.deliver_listed(listed),
        watcher::Event::Apply(item) => cache.deliver(item.into_object(resource)),
        watcher::Event::Delete(item) => cache.deliver_gone(&item.into_object(resource)),
    }
}

impl std::fmt::Debug for Watches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Watches").field("resources", &caches.len()).finish_non_exhaustive()
    }
}
