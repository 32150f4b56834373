//! Which existing objects a controller may call its own.

use std::sync::Arc;

use object::{Key, LabelSelector, Object, Value, json};
use runtime::{ApiError, Cache, Cluster, Patch, Resource};

/// Children by what the owner's selector says of them.
#[derive(Debug, Default)]
pub(crate) struct Children {
    /// Owned and selected.
    pub owned: Vec<Arc<Object>>,
    /// Selected, without a controller: to adopt.
    pub adopt: Vec<Arc<Object>>,
    /// Owned but no longer selected: to release.
    pub release: Vec<Arc<Object>>,
}

/// Returns the children of `owner` in `cache`, by key.
///
/// Source: `controller.BaseControllerRefManager.ClaimObject`. An owner that is being deleted adopts nothing.
pub(crate) fn children(owner: &Object, selector: &LabelSelector, cache: &Cache) -> Children {
    let mut children = Children::default();
    for child in cache.owned_by(owner.uid()) {
        if selector.matches(&child.labels()) {
            children.owned.push(child);
        } else if !child.is_deleting() && !owner.is_deleting() {
            children.release.push(child);
        }
    }
    if owner.is_deleting() || selector.is_empty() {
        return children;
    }
    let orphans = cache.in_namespace(owner.namespace()).into_iter();
    children.adopt = orphans
        .filter(|child| {
            child.controller_uid().is_none() && !child.is_deleting() && selector.matches(&child.labels())
        })
        .collect();
    children
}

/// Writes adoptions and releases; returns true when there were any, as the caches then change.
pub(crate) async fn settle(
    cluster: &Cluster,
    resource: &Resource,
    cache: &Cache,
    owner: &Object,
    children: &Children,
) -> Result<bool, ApiError> {
    for child in &children.adopt {
        let owners = crate::pod::adopted_owners(child, owner);
        set_owners(cluster, resource, cache, child, json!(owners)).await?;
    }
    for child in &children.release {
        let owners: Vec<_> = child.owners().into_iter().filter(|other| other.uid != owner.uid()).collect();
        set_owners(cluster, resource, cache, child, json!(owners)).await?;
    }
    Ok(!children.adopt.is_empty() || !children.release.is_empty())
}

async fn set_owners(
    cluster: &Cluster,
    resource: &Resource,
    cache: &Cache,
    child: &Object,
    owners: Value,
) -> Result<(), ApiError> {
    let patch = Patch::merge(json!({"metadata": {
        "uid": child.uid(), "resourceVersion": child.resource_version(), "ownerReferences": owners
    }}));
    match cluster.patch(resource, &child.key(), &patch).await {
        Ok(stored) => cache.note(stored),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Returns the keys of the owners in `owners` whose selector matches a child without a controller.
pub(crate) fn selecting(owners: &Cache, child: &Object) -> Vec<Key> {
    if child.controller_uid().is_some() {
        return Vec::new();
    }
    let labels = child.labels();
    let owners = owners.in_namespace(child.namespace()).into_iter();
    owners
        .filter(|owner| {
            let selector = LabelSelector::from_json(owner.get(&["spec", "selector"]).unwrap_or(&Value::Null));
            selector.is_ok_and(|selector| !selector.is_empty() && selector.matches(&labels))
        })
        .map(|owner| owner.key())
        .collect()
}
