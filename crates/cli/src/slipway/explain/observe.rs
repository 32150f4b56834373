//! What the controller would look at for one Rollout, read once.

use std::sync::Arc;

use ::rollout::{Checked, Observed, Referenced};
use api::rollout::Rollout;
use object::{Gvk, Object};
use runtime::{ApiError, Cluster, Discovery, Resource, Selection, resources};
use traffic::Reference;

/// Returns what the spec of a Rollout names.
pub(super) async fn referenced(cluster: &Cluster, rollout: &Rollout) -> Result<Referenced, ApiError> {
    let namespace = rollout.namespace();
    let all = Selection::default();
    let mut templates = list(cluster, &resources::ANALYSIS_TEMPLATES, Some(namespace), &all).await?;
    templates.extend(list(cluster, &resources::CLUSTER_ANALYSIS_TEMPLATES, None, &all).await?);
    let services = list(cluster, &resources::SERVICES, Some(namespace), &all).await?;
    let mut referenced = Referenced { templates, services, ..Referenced::default() };
    let discovery = Discovery::new(cluster.clone());
    if let Some(reference) = ::rollout::workload_reference(rollout) {
        referenced.workload = find(cluster, &discovery, &reference).await?.ok().flatten();
    }
    if ::rollout::tracks_config(&rollout.object) {
        for kind in ["ConfigMap", "Secret"] {
            let Some(resource) = discovery.resource(&Gvk::new("", "v1", kind)).await? else { continue };
            referenced.config.extend(list(cluster, &resource, Some(namespace), &all).await?);
        }
    }
    routers(cluster, &discovery, rollout, &mut referenced).await?;
    Ok(referenced)
}

/// Finds the objects of the routers.
async fn routers(
    cluster: &Cluster,
    discovery: &Discovery,
    rollout: &Rollout,
    referenced: &mut Referenced,
) -> Result<(), ApiError> {
    let (references, selections) = ::rollout::router_references(rollout, &referenced.routing);
    for selection in selections {
        let Some(resource) = discovery.resource(&selection.gvk).await? else {
            referenced.unserved.push(selection.gvk);
            continue;
        };
        let labels = Selection::labels(&selection.selector.to_string());
        for object in list(cluster, &resource, Some(&selection.namespace), &labels).await? {
            referenced.live.insert(Reference::of(&object), Some(object));
        }
    }
    for reference in references {
        match find(cluster, discovery, &reference).await? {
            Ok(found) => referenced.live.insert(reference, found),
            Err(gvk) => referenced.unserved.push(gvk),
        }
    }
    referenced.unserved.sort();
    referenced.unserved.dedup();
    Ok(())
}

/// Returns what belongs to a Rollout that can be acted on.
pub(super) async fn around(
    cluster: &Cluster,
    checked: &Checked<Rollout>,
    referenced: Referenced,
) -> Result<Observed, ApiError> {
    let (object, selector) = (&checked.value().object, &checked.settings().selector);
    let namespace = Some(object.namespace());
    let all = Selection::default();
    let owned = |object: &Arc<Object>| object.controller_uid() == Some(checked.value().object.uid());
    let mut replica_sets = list(cluster, &resources::REPLICA_SETS, namespace, &all).await?;
    replica_sets.retain(|set| {
        owned(set)
            || (set.controller_uid().is_none() && !selector.is_empty() && selector.matches(&set.labels()))
    });
    let pods = if Observed::needs_pods(checked, &replica_sets) {
        list(cluster, &resources::PODS, namespace, &Selection::labels(&selector.to_string())).await?
    } else {
        Vec::new()
    };
    let mut analysis_runs = list(cluster, &resources::ANALYSIS_RUNS, namespace, &all).await?;
    analysis_runs.retain(owned);
    let mut experiments = list(cluster, &resources::EXPERIMENTS, namespace, &all).await?;
    experiments.retain(owned);
    Ok(Observed { replica_sets, pods, analysis_runs, experiments, referenced })
}

async fn list(
    cluster: &Cluster,
    resource: &Resource,
    namespace: Option<&str>,
    selection: &Selection,
) -> Result<Vec<Arc<Object>>, ApiError> {
    let found = cluster.list(resource, namespace, selection).await?;
    Ok(found.into_iter().map(Arc::new).collect())
}

/// Returns the object of a reference, when it is there, or its kind when the cluster does not serve that.
async fn find(
    cluster: &Cluster,
    discovery: &Discovery,
    reference: &Reference,
) -> Result<Result<Option<Arc<Object>>, Gvk>, ApiError> {
    let Some(resource) = discovery.resource(&reference.gvk).await? else {
        return Ok(Err(reference.gvk.clone()));
    };
    Ok(Ok(cluster.get(&resource, &reference.key()).await?.map(Arc::new)))
}
