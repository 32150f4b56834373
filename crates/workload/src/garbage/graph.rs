//! Who owns whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object::{Object, OwnerReference};
use runtime::{Change, Resource};

/// An object in the graph.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub resource: Resource,
    pub object: Arc<Object>,
    pub owners: Vec<OwnerReference>,
}

impl Node {
    /// Returns true when foreground deletion of the owner `uid` waits for this object.
    pub(super) fn blocks(&self, uid: &str) -> bool {
        self.owners.iter().any(|owner| owner.uid == uid && owner.block_owner_deletion == Some(true))
    }
}

/// The graph. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    nodes: BTreeMap<String, Node>,
    dependents: BTreeMap<String, BTreeSet<String>>,
    resources: BTreeMap<(String, String), Resource>,
}

impl Graph {
    /// Returns the object with this uid.
    pub(super) fn get(&self, uid: &str) -> Option<Node> {
        self.lock().nodes.get(uid).cloned()
    }

    /// Returns the objects that name `uid` as an owner.
    pub(super) fn dependents(&self, uid: &str) -> Vec<Node> {
        let state = self.lock();
        let uids = state.dependents.get(uid).into_iter().flatten();
        uids.filter_map(|uid| state.nodes.get(uid).cloned()).collect()
    }

    /// Returns the watched resource of a kind, whatever the version.
    pub(super) fn resource(&self, api_version: &str, kind: &str) -> Option<Resource> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.lock().resources.get(&(group.to_owned(), kind.to_owned())).cloned()
    }

    /// Takes in which resources there are.
    pub(super) fn learn(&self, resources: &[Resource]) {
        let mut state = self.lock();
        for resource in resources {
            let kind = (resource.group.to_string(), resource.kind.to_string());
            state.resources.entry(kind).or_insert_with(|| resource.clone());
        }
    }

    /// Takes a change in and returns the uids that it concerns: the object, and when it goes its dependents and the
    /// owners that may wait for it.
    pub(super) fn take(&self, resource: &Resource, change: &Change) -> Vec<String> {
        let mut state = self.lock();
        let mut woken = BTreeSet::new();
        if let Some(old) = &change.old {
            woken.extend(old.owners().into_iter().map(|owner| owner.uid));
            if change.new.as_ref().is_none_or(|new| new.uid() != old.uid()) {
                state.remove(old.uid());
                woken.extend(state.dependents.get(old.uid()).into_iter().flatten().cloned());
            }
        }
        if let Some(new) = &change.new {
            let node =
                Node { resource: resource.clone(), object: new.object().clone(), owners: new.owners() };
            if new.is_deleting() {
                woken.extend(state.dependents.get(new.uid()).into_iter().flatten().cloned());
            }
            woken.insert(new.uid().to_owned());
            state.insert(node);
        }
        woken.retain(|uid| state.nodes.get(uid).is_some_and(Node::matters));
        woken.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Returns true when the collector may have to act on the object.
    fn matters(&self) -> bool {
        !self.owners.is_empty() || self.object.is_deleting()
    }
}

impl State {
    fn insert(&mut self, node: Node) {
        let uid = node.object.uid().to_owned();
        self.remove(&uid);
        for owner in &node.owners {
            self.dependents.entry(owner.uid.clone()).or_default().insert(uid.clone());
        }
        self.nodes.insert(uid, node);
    }

    fn remove(&mut self, uid: &str) {
        let Some(node) = self.nodes.remove(uid) else { return };
        for owner in node.owners {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(uid);
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::{Key, Value, json};
    use runtime::resources::PODS;

    fn change(uid: &str, owners: &[&str], gone: bool) -> Change {
        let owners: Vec<Value> = owners
            .iter()
            .map(|uid| json!({"apiVersion": "v1", "kind": "Pod", "name": uid, "uid": uid}))
            .collect();
        let object =
            Arc::new(Object::from_value(json!({"metadata": {"uid": uid, "ownerReferences": owners}}))).into();
        let (old, new) = if gone { (Some(object), None) } else { (None, Some(object)) };
        Change { key: Key::new("ns", uid), old, new }
    }

    #[test]
    fn an_end_wakes_the_dependents_and_the_owners() {
        let graph = Graph::default();
        assert!(graph.take(&PODS, &change("root", &[], false)).is_empty(), "nothing to do for a root");
        assert_eq!(graph.take(&PODS, &change("child", &["root"], false)), ["child"]);
        assert_eq!(graph.take(&PODS, &change("grand", &["child"], false)), ["grand"]);
        assert_eq!(graph.dependents("root").len(), 1);
        assert_eq!(graph.take(&PODS, &change("root", &[], true)), ["child"]);
        assert_eq!(graph.take(&PODS, &change("child", &["root"], true)), ["grand"]);
        assert!(graph.dependents("root").is_empty());
    }

    #[test]
    fn a_kind_is_found_whatever_the_version() {
        let graph = Graph::default();
        graph.learn(&[runtime::resources::REPLICA_SETS]);
        assert!(graph.resource("apps/v2", "ReplicaSet").is_some());
        assert!(graph.resource("v1", "ReplicaSet").is_none());
    }
}
