//! EndpointSlices and Endpoints: which pods stand behind a Service.

use std::sync::Arc;

use object::{Key, LabelSelector, Object, json};
use runtime::{
    ApiError, Cache, Change, Cluster, Controller, Failure, Next, Reconcile, Resource, Selection, Subresource,
    Tasks, Watches, resources,
};

use crate::write;

mod classic;
mod slice;

/// Value of the label `endpointslice.kubernetes.io/managed-by`, as upstream.
const MANAGED_BY: &str = "endpointslice-controller.k8s.io";

/// Starts the controller.
pub(crate) fn run(cluster: &Cluster, watches: &Watches, tasks: &Tasks) {
    let (services, pods) = (watches.cache(&resources::SERVICES), watches.cache(&resources::PODS));
    let managed = Selection::labels(&format!("endpointslice.kubernetes.io/managed-by={MANAGED_BY}"));
    let slices = watches.cache_with(&resources::ENDPOINT_SLICES, &managed);
    let classic = watches.cache(&resources::ENDPOINTS);
    let selecting = services.clone();
    let reconciler = Endpoints {
        cluster: cluster.clone(),
        services: services.clone(),
        pods: pods.clone(),
        slices: slices.clone(),
        classic: classic.clone(),
    };
    Controller::new("endpoints", cluster.clock().clone())
        .workers(2)
        .reconcile_each(&services)
        .reconcile_each(&classic)
        .watch(&pods, move |change| selected_by(&selecting, change))
        .watch(&slices, |change| {
            let service = change.object().and_then(|slice| slice.label("kubernetes.io/service-name"));
            service.map(|service| Key::new(&change.key.namespace, service)).into_iter().collect()
        })
        .run(reconciler, tasks);
}

/// Services whose selector matches the pod before or after the change.
fn selected_by(services: &Cache, change: &Change) -> Vec<Key> {
    let labels: Vec<_> = change.old.iter().chain(&change.new).map(|pod| pod.labels()).collect();
    let services = services.in_namespace(&change.key.namespace).into_iter();
    services
        .filter(|service| {
            selector(service).is_some_and(|selector| labels.iter().any(|labels| selector.matches(labels)))
        })
        .map(|service| service.key())
        .collect()
}

/// Returns the selector of a Service, `None` when somebody else keeps its endpoints.
fn selector(service: &Object) -> Option<LabelSelector> {
    let labels = service.get(&["spec", "selector"])?;
    LabelSelector::from_json(&json!({"matchLabels": labels})).ok().filter(|selector| !selector.is_empty())
}

struct Endpoints {
    cluster: Cluster,
    services: Cache,
    pods: Cache,
    slices: Cache,
    classic: Cache,
}

impl Reconcile for Endpoints {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        match self.pass(key).await {
            // Loopback addresses: a server that is as strict as upstream's takes no such endpoint, now or later.
            Err(error) if error.is_invalid() => {
                tracing::debug!(service = %key, %error, "endpoints refused");
                Ok(Next::Done)
            }
            other => write::settle(other),
        }
    }
}

impl Endpoints {
    async fn pass(&self, key: &Key) -> Result<Next, ApiError> {
        let service = self.services.get(key).filter(|service| !service.is_deleting());
        let Some(service) = service else { return self.remove(key).await };
        let Some(selector) = selector(&service) else { return Ok(Next::Done) };
        let pods: Vec<Arc<Object>> = self
            .pods
            .in_namespace(&key.namespace)
            .into_iter()
            .filter(|pod| selector.matches(&pod.labels()))
            .collect();
        let wanted = slice::wanted(&service, &pods);
        let changes = slice::changes(&service, &wanted, &self.slices_of(key));
        self.apply(&resources::ENDPOINT_SLICES, &self.slices, changes).await?;
        let existing: Vec<Arc<Object>> = self.classic.get(key).into_iter().collect();
        self.apply(&resources::ENDPOINTS, &self.classic, classic::changes(&service, &pods, &existing))
            .await?;
        Ok(Next::Done)
    }

    /// Removes what is left of a Service that is gone.
    async fn remove(&self, key: &Key) -> Result<Next, ApiError> {
        for slice in self.slices_of(key).iter().filter(|slice| !slice.is_deleting()) {
            write::delete(&self.cluster, &resources::ENDPOINT_SLICES, slice).await?;
        }
        let classic =
            self.classic.get(key).filter(|classic| classic::is_ours(classic) && !classic.is_deleting());
        if let Some(classic) = classic {
            write::delete(&self.cluster, &resources::ENDPOINTS, &classic).await?;
        }
        Ok(Next::Done)
    }

    fn slices_of(&self, key: &Key) -> Vec<Arc<Object>> {
        let slices = self.slices.in_namespace(&key.namespace).into_iter();
        slices.filter(|slice| slice.label("kubernetes.io/service-name") == Some(&key.name)).collect()
    }

    async fn apply(&self, resource: &Resource, cache: &Cache, changes: Vec<Edit>) -> Result<(), ApiError> {
        for change in changes {
            match change {
                Edit::Create(object) => cache.note(self.cluster.create(resource, &object).await?),
                Edit::Replace(object) => {
                    cache.note(self.cluster.replace(resource, &object, Subresource::None).await?);
                }
                Edit::Delete(object) => write::delete(&self.cluster, resource, &object).await?,
            }
        }
        Ok(())
    }
}

/// A write that brings what is there to what is wanted.
#[derive(Debug, PartialEq)]
pub(crate) enum Edit {
    Create(Object),
    Replace(Object),
    Delete(Arc<Object>),
}
