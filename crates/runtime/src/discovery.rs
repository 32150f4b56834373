//! [`Discovery`]: which resource serves a kind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object::{Gvk, Value};

use crate::{ApiError, Cluster, Resource};

/// Kinds that the cluster serves, asked for one group and version at a time and remembered. Cheap to clone.
///
/// A kind that is not there is asked for again each time, because its CustomResourceDefinition may be on its way.
#[derive(Clone)]
pub struct Discovery {
    cluster: Cluster,
    known: Arc<Mutex<BTreeMap<Gvk, Resource>>>,
}

impl Discovery {
    /// Returns a discovery that knows nothing yet.
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster, known: Arc::default() }
    }

    /// Returns the resource that serves `gvk`, `None` when the cluster does not know the kind.
    pub async fn resource(&self, gvk: &Gvk) -> Result<Option<Resource>, ApiError> {
        if let Some(resource) = self.lock().get(gvk) {
            return Ok(Some(resource.clone()));
        }
        let path = if gvk.group.is_empty() {
            format!("/api/{}", gvk.version)
        } else {
            format!("/apis/{}/{}", gvk.group, gvk.version)
        };
        let list = match self.cluster.fetch(&path).await {
            Ok(list) => list,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut known = self.lock();
        for entry in list["resources"].as_array().into_iter().flatten() {
            if let Some(resource) = resource(entry, gvk) {
                known.insert(resource.gvk(), resource);
            }
        }
        Ok(known.get(gvk).cloned())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Gvk, Resource>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the resource in one entry of an `APIResourceList`; subresources are none.
fn resource(entry: &Value, gvk: &Gvk) -> Option<Resource> {
    let plural = entry["name"].as_str().filter(|name| !name.contains('/'))?;
    Some(Resource {
        group: Cow::Owned(gvk.group.clone()),
        version: Cow::Owned(gvk.version.clone()),
        plural: Cow::Owned(plural.to_owned()),
        kind: Cow::Owned(entry["kind"].as_str()?.to_owned()),
        namespaced: entry["namespaced"].as_bool()?,
    })
}
