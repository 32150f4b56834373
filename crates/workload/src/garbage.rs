//! The garbage collector: objects go when the last of their owners has gone.
//!
//! Source: `pkg/controller/garbagecollector`. The graph of owners and dependents is fed by a watch on every resource
//! that can be deleted; an owner that the graph does not know is asked for before anything is deleted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use object::{Key, Object, OwnerReference, Value, json};
use runtime::{
    ApiError, Cluster, Controller, Deletion, Failure, Next, Patch, Propagation, Queue, Reconcile, Resource,
    Tasks, Watches, resources,
};

use crate::{discovery, write};

mod graph;

use graph::{Graph, Node};

/// Wait before discovery is tried again after a failure.
const RETRY: Duration = Duration::from_secs(1);
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Starts the collector.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let graph = Graph::default();
    let controller = Controller::new("garbage", cluster.clock().clone()).workers(4);
    let queue = controller.queue();
    controller.run(Collector { cluster: cluster.clone(), graph: graph.clone() }, tasks);
    let finder = Finder { watches: watches.clone(), graph, queue, tasks: tasks.child() };
    let token = tasks.token();
    tasks.spawn("garbage-discovery", async move {
        token.run_until_cancelled(finder.run()).await;
    });
}

/// Finds the resources to watch, again whenever a CRD changes.
struct Finder {
    watches: Watches,
    graph: Graph,
    queue: Arc<Queue>,
    tasks: Tasks,
}

impl Finder {
    async fn run(self) {
        let mut definitions = self.watches.cache(&resources::CRDS).subscribe();
        let mut known = BTreeSet::new();
        loop {
            match discovery::deletable(self.watches.cluster()).await {
                Ok(found) => {
                    self.graph.learn(&found);
                    for resource in found {
                        if known.insert(resource.clone()) {
                            self.feed(resource);
                        }
                    }
                    if definitions.next().await.is_none() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "discovery failed, trying again");
                    self.watches.cluster().clock().sleep(RETRY).await;
                }
            }
        }
    }

    /// Keeps the graph up with one resource and wakes what a change concerns.
    fn feed(&self, resource: Resource) {
        let mut changes = self.watches.cache(&resource).subscribe();
        let (graph, queue) = (self.graph.clone(), self.queue.clone());
        self.tasks.spawn("garbage-watch", async move {
            while let Some(change) = changes.next().await {
                for uid in graph.take(&resource, &change) {
                    queue.add(Key::new("", &uid));
                }
            }
        });
    }
}

struct Collector {
    cluster: Cluster,
    graph: Graph,
}

impl Reconcile for Collector {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(node) = self.graph.get(&key.name) else { return Ok(Next::Done) };
        write::settle(self.pass(&node).await)
    }
}

impl Collector {
    async fn pass(&self, node: &Node) -> Result<Next, ApiError> {
        if node.object.is_deleting() {
            let finalizers = node.object.finalizers();
            if finalizers.contains(&ORPHAN) {
                return self.orphan(node).await;
            }
            if finalizers.contains(&FOREGROUND) {
                return self.foreground(node).await;
            }
            return Ok(Next::Done);
        }
        if node.owners.is_empty() { Ok(Next::Done) } else { self.judge(node).await }
    }

    /// Takes the owner out of its dependents, then lets it go.
    async fn orphan(&self, node: &Node) -> Result<Next, ApiError> {
        for dependent in self.graph.dependents(node.object.uid()) {
            self.disown(&dependent, &BTreeSet::from([node.object.uid().to_owned()])).await?;
        }
        self.unfinalize(node, ORPHAN).await
    }

    /// Deletes the dependents that block, then lets the owner go.
    async fn foreground(&self, node: &Node) -> Result<Next, ApiError> {
        let dependents = self.graph.dependents(node.object.uid());
        let blocking = dependents.iter().filter(|dependent| dependent.blocks(node.object.uid())).count();
        if blocking == 0 {
            return self.unfinalize(node, FOREGROUND).await;
        }
        for dependent in dependents.iter().filter(|dependent| !dependent.object.is_deleting()) {
            self.judge(dependent).await?;
        }
        Ok(Next::Done)
    }

    /// Deletes an object without a living owner; takes dead owners out of one that has a living one.
    async fn judge(&self, node: &Node) -> Result<Next, ApiError> {
        let (mut solid, mut waiting, mut gone) = (0, BTreeSet::new(), BTreeSet::new());
        for owner in &node.owners {
            match self.fate(node, owner).await? {
                Fate::Solid => solid += 1,
                Fate::WaitsForDependents => drop(waiting.insert(owner.uid.clone())),
                Fate::Gone => drop(gone.insert(owner.uid.clone())),
            }
        }
        if solid > 0 {
            gone.extend(waiting);
            if !gone.is_empty() {
                self.disown(node, &gone).await?;
            }
            return Ok(Next::Done);
        }
        let has_dependents = !self.graph.dependents(node.object.uid()).is_empty();
        let foreground = !waiting.is_empty() && has_dependents;
        self.delete(node, if foreground { Propagation::Foreground } else { Propagation::Background }).await
    }

    async fn fate(&self, node: &Node, owner: &OwnerReference) -> Result<Fate, ApiError> {
        let known = self.graph.get(&owner.uid);
        if let Some(known) = known {
            let waits = known.object.is_deleting() && known.object.finalizers().contains(&FOREGROUND);
            return Ok(if waits { Fate::WaitsForDependents } else { Fate::Solid });
        }
        // A resource that is not served (yet) is no proof that the owner is gone.
        let Some(resource) = self.graph.resource(&owner.api_version, &owner.kind) else {
            return Ok(Fate::Solid);
        };
        let namespace = if resource.namespaced { node.object.namespace() } else { "" };
        let found = self.cluster.get(&resource, &Key::new(namespace, &owner.name)).await?;
        Ok(if found.is_some_and(|found| found.uid() == owner.uid) { Fate::Solid } else { Fate::Gone })
    }

    async fn delete(&self, node: &Node, propagation: Propagation) -> Result<Next, ApiError> {
        tracing::debug!(object = %node.object.object_key(), "deleting: no owner is left");
        let deletion = Deletion {
            propagation: Some(propagation),
            uid: Some(node.object.uid().to_owned()),
            ..Deletion::default()
        };
        self.cluster.delete(&node.resource, &node.object.key(), &deletion).await?;
        Ok(Next::Done)
    }

    async fn disown(&self, node: &Node, owners: &BTreeSet<String>) -> Result<(), ApiError> {
        let kept: Vec<&OwnerReference> =
            node.owners.iter().filter(|owner| !owners.contains(&owner.uid)).collect();
        let metadata = json!({"ownerReferences": kept});
        self.patch_metadata(node, metadata).await
    }

    async fn unfinalize(&self, node: &Node, finalizer: &str) -> Result<Next, ApiError> {
        let kept: Vec<&str> =
            node.object.finalizers().into_iter().filter(|other| *other != finalizer).collect();
        self.patch_metadata(node, json!({"finalizers": kept})).await?;
        Ok(Next::Done)
    }

    async fn patch_metadata(&self, node: &Node, mut metadata: Value) -> Result<(), ApiError> {
        let object: &Object = &node.object;
        metadata["uid"] = object.uid().into();
        metadata["resourceVersion"] = object.resource_version().into();
        let patch = Patch::merge(json!({"metadata": metadata}));
        match self.cluster.patch(&node.resource, &object.key(), &patch).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// What an owner is to its dependent.
enum Fate {
    /// It lives, or may.
    Solid,
    /// It is being deleted in the foreground and waits for its dependents.
    WaitsForDependents,
    /// It does not exist.
    Gone,
}
