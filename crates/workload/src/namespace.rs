//! Namespaces: an account to start with, and emptied before they go.

use std::time::Duration;

use object::{Key, Object, Value, json};
use runtime::{
    ApiError, Cache, Cluster, Controller, Deletion, Failure, Next, Propagation, Reconcile, Selection,
    Subresource, Tasks, Watches, resources,
};

use crate::{discovery, write};

/// Wait before looking again whether the content has gone.
const RECHECK: Duration = Duration::from_millis(500);

/// Starts the controller.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let (namespaces, accounts) =
        (watches.cache(&resources::NAMESPACES), watches.cache(&resources::SERVICE_ACCOUNTS));
    let reconciler =
        Namespaces { cluster: cluster.clone(), all: namespaces.clone(), accounts: accounts.clone() };
    Controller::new("namespace", cluster.clock().clone())
        .reconcile_each(&namespaces)
        .watch(&accounts, |change| vec![Key::new("", &change.key.namespace)])
        .run(reconciler, tasks);
}

struct Namespaces {
    cluster: Cluster,
    all: Cache,
    accounts: Cache,
}

impl Reconcile for Namespaces {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let Some(namespace) = self.all.get(key) else { return Ok(Next::Done) };
        let outcome = if namespace.is_deleting() {
            self.empty(&namespace).await
        } else {
            self.furnish(&namespace).await
        };
        write::settle(outcome)
    }
}

impl Namespaces {
    /// Makes the ServiceAccount `default`.
    async fn furnish(&self, namespace: &Object) -> Result<Next, ApiError> {
        let key = Key::new(namespace.name(), "default");
        if self.accounts.get(&key).is_some() {
            return Ok(Next::Done);
        }
        let account = Object::new(&resources::SERVICE_ACCOUNTS.gvk(), &key);
        match self.cluster.create(&resources::SERVICE_ACCOUNTS, &account).await {
            Err(error) if !error.is_already_exists() && !error.is_not_found() => Err(error),
            _ => Ok(Next::Done),
        }
    }

    /// Deletes everything in the namespace; once nothing is left lets it go.
    async fn empty(&self, namespace: &Object) -> Result<Next, ApiError> {
        if namespace.items(&["spec", "finalizers"]).is_empty() {
            return Ok(Next::Done);
        }
        let mut left = 0;
        for resource in
            discovery::deletable(&self.cluster).await?.iter().filter(|resource| resource.namespaced)
        {
            let objects = self.cluster.list(resource, Some(namespace.name()), &Selection::default()).await;
            let objects = match objects {
                Err(error) if error.is_not_found() => continue,
                other => other?,
            };
            left += objects.len();
            for object in objects.iter().filter(|object| !object.is_deleting()) {
                let deletion = Deletion { propagation: Some(Propagation::Background), ..Deletion::default() };
                self.cluster.delete(resource, &object.key(), &deletion).await?;
            }
        }
        if left > 0 {
            return Ok(Next::After(RECHECK));
        }
        self.finalize(namespace).await
    }

    async fn finalize(&self, namespace: &Object) -> Result<Next, ApiError> {
        let mut wanted = namespace.clone();
        let finalizers: Vec<Value> = namespace
            .items(&["spec", "finalizers"])
            .iter()
            .filter(|finalizer| *finalizer != "kubernetes")
            .cloned()
            .collect();
        wanted.set(&["spec", "finalizers"], json!(finalizers));
        self.cluster.replace(&resources::NAMESPACES, &wanted, Subresource::Finalize).await?;
        Ok(Next::Done)
    }
}
