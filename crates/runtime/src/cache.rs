//! [`Cache`]: a mirror of the objects of one resource, kept by a watch.

mod index;
mod kept;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use object::{Key, Object};
use tokio::sync::{mpsc, watch};

use index::Index;
use kept::{Packed, version};

use crate::watches::Detail;

pub use index::IndexBy;
pub use kept::Kept;

/// A change of one object, or its presence when a subscription starts.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which object.
    pub key: Key,
    /// What it was; `None` when it is new.
    pub old: Option<Kept>,
    /// What it is; `None` when it is gone.
    pub new: Option<Kept>,
}

impl Change {
    /// Returns the object after the change, or before when it is gone.
    pub fn object(&self) -> Option<&Kept> {
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
    detail: Detail,
    state: Mutex<State>,
    synced: watch::Sender<bool>,
    /// Whether the cluster does not know the resource.
    unserved: AtomicBool,
}

const OWNER: &str = "owner";

/// Objects of a cache that stay open after they were looked at: those that are being worked on.
const WARM: usize = 256;

struct State {
    objects: BTreeMap<Arc<Key>, Entry>,
    indices: BTreeMap<&'static str, Index>,
    /// Highest version that the watch has delivered.
    seen: u64,
    subscribers: Vec<mpsc::UnboundedSender<Change>>,
    /// What was looked at last, the oldest first.
    warm: VecDeque<Arc<Object>>,
}

/// One object, and where it is found.
struct Entry {
    packed: Arc<Packed>,
    open: Weak<Object>,
    /// The values under which each index has it.
    under: Vec<(&'static str, Box<[Arc<str>]>)>,
}

impl Default for Cache {
    fn default() -> Self {
        Self::holding(Detail::Whole)
    }
}

impl Cache {
    /// Returns an empty cache that nothing feeds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty cache that keeps this much of its objects.
    pub(crate) fn holding(detail: Detail) -> Self {
        let owner = Index::new(|object| object.controller_uid().map(str::to_owned).into_iter().collect());
        let state = State {
            objects: BTreeMap::new(),
            indices: BTreeMap::from([(OWNER, owner)]),
            seen: 0,
            subscribers: Vec::new(),
            warm: VecDeque::with_capacity(WARM),
        };
        Self(Arc::new(Inner {
            detail,
            state: Mutex::new(state),
            synced: watch::Sender::new(false),
            unserved: AtomicBool::new(false),
        }))
    }

    /// Returns the object.
    pub fn get(&self, key: &Key) -> Option<Arc<Object>> {
        self.lock().open(key)
    }

    /// Returns true when the object is there.
    pub fn contains(&self, key: &Key) -> bool {
        self.lock().objects.contains_key(key)
    }

    /// Returns all objects, by key. They are opened one by one, as the iterator goes.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Object>> + use<> {
        let all: Vec<Kept> = self.lock().objects.values().map(Entry::kept).collect();
        all.into_iter().map(|kept| kept.object().clone())
    }

    /// Returns the keys of all objects, in order.
    pub fn keys(&self) -> Vec<Arc<Key>> {
        self.lock().objects.keys().cloned().collect()
    }

    /// Returns all objects, by key.
    pub fn list(&self) -> Vec<Arc<Object>> {
        self.iter().collect()
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
        self.named_from(namespace, "")
    }

    /// Returns the objects of one namespace whose names begin with `start`, by name.
    pub fn named_from(&self, namespace: &str, start: &str) -> Vec<Arc<Object>> {
        let first = Key::new(namespace, start);
        let mut state = self.lock();
        let range = state
            .objects
            .range(first..)
            .take_while(|(key, _)| key.namespace == namespace && key.name.starts_with(start));
        let keys: Vec<Arc<Key>> = range.map(|(key, _)| key.clone()).collect();
        state.open_all(&keys)
    }

    /// Returns the objects whose managing controller has this uid, by key.
    pub fn owned_by(&self, uid: &str) -> Vec<Arc<Object>> {
        self.indexed(OWNER, uid)
    }

    /// Returns true when there is an object whose managing controller has this uid.
    pub fn owns_any(&self, uid: &str) -> bool {
        self.lock().indices[OWNER].under(uid).next().is_some()
    }

    /// Adds the index `name`; an index of that name that is there already stays.
    pub fn add_index(&self, name: &'static str, by: IndexBy) {
        let mut state = self.lock();
        let State { objects, indices, .. } = &mut *state;
        if indices.contains_key(name) {
            return;
        }
        let mut index = Index::new(by);
        for (key, entry) in objects.iter_mut() {
            entry.under.push((name, index.put(key, &entry.kept())));
        }
        indices.insert(name, index);
    }

    /// Returns the objects that the index `name` has under `value`, by key; none when there is no such index.
    pub fn indexed(&self, name: &str, value: &str) -> Vec<Arc<Object>> {
        let keys = self.indexed_keys(name, value);
        self.lock().open_all(&keys)
    }

    /// Returns the keys of the objects that the index `name` has under `value`, in order.
    pub fn indexed_keys(&self, name: &str, value: &str) -> Vec<Arc<Key>> {
        let state = self.lock();
        let keys = state.indices.get(name).into_iter().flat_map(|index| index.under(value));
        keys.cloned().collect()
    }

    /// Returns the keys of one namespace's objects that the index `name` has under `value`, in order.
    pub fn indexed_keys_in(&self, name: &str, value: &str, namespace: &str) -> Vec<Arc<Key>> {
        let state = self.lock();
        let keys = state.indices.get(name).into_iter().flat_map(|index| index.under_in(value, namespace));
        keys.cloned().collect()
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
        for (key, entry) in &state.objects {
            let _ = sender.send(Change { key: Key::clone(key), old: None, new: Some(entry.kept()) });
        }
        state.subscribers.push(sender);
        Subscription(receiver)
    }

    /// Puts in what a write of this process returned, unless the watch has already delivered that version or a later.
    pub fn note(&self, mut object: Object) {
        if self.0.detail == Detail::Lean {
            object.remove(&["metadata", "managedFields"]);
        }
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
        let gone: Vec<Arc<Key>> = state
            .objects
            .iter()
            .filter(|(key, entry)| !listed.contains(key.as_ref()) && entry.packed.version() <= seen)
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
    fn open(&mut self, key: &Key) -> Option<Arc<Object>> {
        let entry = self.objects.get_mut(key)?;
        if let Some(open) = entry.open.upgrade() {
            return Some(open);
        }
        let open = entry.kept().object().clone();
        entry.open = Arc::downgrade(&open);
        self.keep_warm(open.clone());
        Some(open)
    }

    fn open_all(&mut self, keys: &[Arc<Key>]) -> Vec<Arc<Object>> {
        keys.iter().filter_map(|key| self.open(key)).collect()
    }

    fn keep_warm(&mut self, object: Arc<Object>) {
        if self.warm.len() == WARM {
            self.warm.pop_front();
        }
        self.warm.push_back(object);
    }

    fn put(&mut self, object: Object) {
        let key = object.key();
        let known = self.objects.get_key_value(&key);
        if known.is_some_and(|(_, old)| {
            old.packed.version() >= version(&object) && old.packed.uid() == object.uid()
        }) {
            return;
        }
        let shared = known.map_or_else(|| Arc::new(key.clone()), |(key, _)| key.clone());
        let old = self.remove(&key);
        let (packed, open) = (Arc::new(Packed::new(&object)), Arc::new(object));
        let under = self.indices.iter_mut().map(|(name, index)| (*name, index.put(&shared, &open))).collect();
        let entry = Entry { packed: packed.clone(), open: Arc::downgrade(&open), under };
        self.objects.insert(shared, entry);
        self.keep_warm(open.clone());
        self.publish(&Change { key, old, new: Some(Kept::opened(packed, open)) });
    }

    fn take(&mut self, key: &Key) {
        if let Some(old) = self.remove(key) {
            self.publish(&Change { key: key.clone(), old: Some(old), new: None });
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Kept> {
        let old = self.objects.remove(key)?;
        for (name, values) in &old.under {
            if let Some(index) = self.indices.get_mut(name) {
                index.take(key, values);
            }
        }
        Some(old.kept())
    }

    fn publish(&mut self, change: &Change) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }
}

impl Entry {
    fn kept(&self) -> Kept {
        match self.open.upgrade() {
            Some(open) => Kept::opened(self.packed.clone(), open),
            None => Kept::closed(self.packed.clone()),
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("objects", &self.objects.len())
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
