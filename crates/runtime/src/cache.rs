//! [`Cache`]: a mirror of the objects of one resource, kept by a watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object::{Key, Object};
use tokio::sync::{mpsc, watch};

/// A change of one object, or its presence when a subscription starts.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which object.
    pub key: Key,
    /// What it was; `None` when it is new.
    pub old: Option<Arc<Object>>,
    /// What it is; `None` when it is gone.
    pub new: Option<Arc<Object>>,
}

impl Change {
    /// Returns the object after the change, or before when it is gone.
    pub fn object(&self) -> Option<&Arc<Object>> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// A stream of changes, in order, none left out.
#[derive(Debug)]
pub struct Subscription(mpsc::UnboundedReceiver<Change>);

impl Subscription {
    /// Returns the next change; `None` when the cache is gone.
    pub async fn next(&mut self) -> Option<Change> {
        self.0.recv().await
    }
}

/// The objects of one resource as last seen. Cheap to clone; all clones are the same mirror.
///
/// Invariant: an object never goes back to an older `resourceVersion`. What this process wrote itself is put in by
/// [`Cache::note`], so that a reconcile sees its own writes at once.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    synced: watch::Sender<bool>,
    /// Whether the cluster does not know the resource.
    unserved: AtomicBool,
}

/// A way to look objects up: returns the value under which an object is found, `None` to leave it out.
pub type IndexBy = fn(&Object) -> Option<String>;

#[derive(Debug)]
struct Index {
    by: IndexBy,
    keys: BTreeMap<String, BTreeSet<Key>>,
}

const OWNER: &str = "owner";

#[derive(Debug)]
struct State {
    objects: BTreeMap<Key, Arc<Object>>,
    indices: BTreeMap<&'static str, Index>,
    /// Highest version that the watch has delivered.
    seen: u64,
    subscribers: Vec<mpsc::UnboundedSender<Change>>,
}

impl Default for Cache {
    fn default() -> Self {
        let owner = Index { by: |object| object.controller_uid().map(str::to_owned), keys: BTreeMap::new() };
        let state = State {
            objects: BTreeMap::new(),
            indices: BTreeMap::from([(OWNER, owner)]),
            seen: 0,
            subscribers: Vec::new(),
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            synced: watch::Sender::new(false),
            unserved: AtomicBool::new(false),
        }))
    }
}

impl Cache {
    /// Returns an empty cache that nothing feeds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the object.
    pub fn get(&self, key: &Key) -> Option<Arc<Object>> {
        self.lock().objects.get(key).cloned()
    }

    /// Returns all objects, by key.
    pub fn list(&self) -> Vec<Arc<Object>> {
        self.lock().objects.values().cloned().collect()
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Returns true when there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the objects of one namespace, by name.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<Object>> {
        let first = Key::new(namespace, "");
        let state = self.lock();
        let range = state.objects.range(first..).take_while(|(key, _)| key.namespace == namespace);
        range.map(|(_, object)| object.clone()).collect()
    }

    /// Returns the objects whose managing controller has this uid, by key.
    pub fn owned_by(&self, uid: &str) -> Vec<Arc<Object>> {
        self.indexed(OWNER, uid)
    }

    /// Adds the index `name`; an index of that name that is there already stays.
    pub fn add_index(&self, name: &'static str, by: IndexBy) {
        let mut state = self.lock();
        if state.indices.contains_key(name) {
            return;
        }
        let mut index = Index { by, keys: BTreeMap::new() };
        state.objects.iter().for_each(|(key, object)| index.put(key, object));
        state.indices.insert(name, index);
    }

    /// Returns the objects that the index `name` has under `value`, by key; none when there is no such index.
    pub fn indexed(&self, name: &str, value: &str) -> Vec<Arc<Object>> {
        let state = self.lock();
        let keys = state.indices.get(name).and_then(|index| index.keys.get(value)).into_iter().flatten();
        keys.filter_map(|key| state.objects.get(key).cloned()).collect()
    }

    /// Waits until the first complete listing is in.
    pub async fn synced(&self) {
        let mut synced = self.0.synced.subscribe();
        let _ = synced.wait_for(|done| *done).await;
    }

    /// Returns true when the first complete listing is in.
    pub fn is_synced(&self) -> bool {
        *self.0.synced.borrow()
    }

    /// Returns false while the cluster does not know the resource: there is nothing then, and the mirror is complete.
    pub fn is_served(&self) -> bool {
        !self.0.unserved.load(Ordering::Relaxed)
    }

    /// Returns a stream that starts with everything present and goes on with every change.
    pub fn subscribe(&self) -> Subscription {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        for (key, object) in &state.objects {
            let _ = sender.send(Change { key: key.clone(), old: None, new: Some(object.clone()) });
        }
        state.subscribers.push(sender);
        Subscription(receiver)
    }

    /// Puts in what a write of this process returned, unless the watch has already delivered that version or a later.
    pub fn note(&self, object: Object) {
        let mut state = self.lock();
        if version(&object) > state.seen {
            state.put(object);
        }
    }

    /// Puts in what the watch delivered.
    pub(crate) fn deliver(&self, object: Object) {
        let mut state = self.lock();
        state.seen = state.seen.max(version(&object));
        state.put(object);
    }

    /// Takes out what the watch says is gone.
    pub(crate) fn deliver_gone(&self, object: &Object) {
        let mut state = self.lock();
        state.seen = state.seen.max(version(object));
        state.take(&object.key());
    }

    /// Takes note that the cluster does not know the resource.
    pub(crate) fn deliver_unserved(&self) {
        self.deliver_listed(&BTreeSet::new());
        self.0.unserved.store(true, Ordering::Relaxed);
    }

    /// Ends a listing: what is not in `listed` and not newer than the listing is gone.
    pub(crate) fn deliver_listed(&self, listed: &BTreeSet<Key>) {
        let mut state = self.lock();
        let seen = state.seen;
        let gone: Vec<Key> = state
            .objects
            .iter()
            .filter(|(key, object)| !listed.contains(key) && version(object) <= seen)
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            state.take(&key);
        }
        drop(state);
        self.0.unserved.store(false, Ordering::Relaxed);
        self.0.synced.send_replace(true);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, object: Object) {
        let key = object.key();
        let old = self.objects.get(&key).cloned();
        if let Some(old) = &old {
            if version(old) >= version(&object) && old.uid() == object.uid() {
                return;
            }
            self.indices.values_mut().for_each(|index| index.take(&key, old));
        }
        let new = Arc::new(object);
        self.indices.values_mut().for_each(|index| index.put(&key, &new));
        self.objects.insert(key.clone(), new.clone());
        self.publish(&Change { key, old, new: Some(new) });
    }

    fn take(&mut self, key: &Key) {
        if let Some(old) = self.objects.remove(key) {
            self.indices.values_mut().for_each(|index| index.take(key, &old));
            self.publish(&Change { key: key.clone(), old: Some(old), new: None });
        }
    }

    fn publish(&mut self, change: &Change) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }
}

impl Index {
    fn put(&mut self, key: &Key, object: &Object) {
        if let Some(value) = (self.by)(object) {
            self.keys.entry(value).or_default().insert(key.clone());
        }
    }

    fn take(&mut self, key: &Key, object: &Object) {
        let Some(value) = (self.by)(object) else { return };
        if let Some(keys) = self.keys.get_mut(&value) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&value);
            }
        }
    }
}

/// Returns the version as a number; the API promises that versions of one resource compare as numbers.
fn version(object: &Object) -> u64 {
    object.resource_version().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    fn pod(name: &str, version: u32, owner: &str) -> Object {
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "ns", "uid": name, "resourceVersion": version.to_string(),
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": owner,
                    "controller": true}]}
        }))
    }

    #[test]
    fn own_writes_are_seen_at_once_and_never_undone() {
        let cache = Cache::new();
        cache.deliver(pod("a", 5, "o"));
        cache.note(pod("b", 7, "o"));
        assert_eq!(cache.owned_by("o").len(), 2);
        cache.deliver(pod("a", 6, "o"));
        cache.note(pod("a", 4, "o"));
        assert_eq!(cache.get(&Key::new("ns", "a")).unwrap().resource_version(), "6");
    }

    #[test]
    fn a_late_answer_does_not_revive_what_the_watch_saw_go() {
        let cache = Cache::new();
        cache.deliver_gone(&pod("a", 9, "o"));
        cache.note(pod("a", 8, "o"));
        assert!(cache.is_empty());
    }

    #[test]
    fn a_listing_removes_what_is_gone_but_keeps_newer_writes() {
        let cache = Cache::new();
        cache.deliver(pod("old", 3, "o"));
        cache.note(pod("new", 20, "o"));
        cache.deliver(pod("kept", 10, "o"));
        cache.deliver_listed(&BTreeSet::from([Key::new("ns", "kept")]));
        let names: Vec<String> = cache.list().iter().map(|object| object.name().to_owned()).collect();
        assert_eq!(names, ["kept", "new"]);
        assert!(cache.is_synced());
    }

    #[tokio::test]
    async fn subscriptions_start_with_what_is_there() {
        let cache = Cache::new();
        cache.deliver(pod("a", 1, "o"));
        let mut changes = cache.subscribe();
        cache.deliver_gone(&pod("a", 2, "o"));
        assert!(changes.next().await.unwrap().old.is_none());
        assert!(changes.next().await.unwrap().new.is_none());
        assert!(cache.owned_by("o").is_empty());
    }
}
