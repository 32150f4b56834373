//! What the controllers need in a cluster before they run.

use object::{Key, Object};
use runtime::{ApiError, Cluster, Patch, resources};

/// Who owns the fields of what is installed.
const MANAGER: &str = "slipway";

/// Applies our CustomResourceDefinitions and the namespace of Applications; what is there already is brought up to date.
pub async fn install(cluster: &Cluster, namespace: &str) -> Result<(), ApiError> {
    for definition in api::crds::all() {
        let key = definition.key();
        let patch = Patch::apply(definition.into_value(), MANAGER).force();
        cluster.patch(&resources::CRDS, &key, &patch).await?;
    }
    let namespace = Object::new(&resources::NAMESPACES.gvk(), &Key::new("", namespace));
    let patch = Patch::apply(namespace.to_value(), MANAGER).force();
    cluster.patch(&resources::NAMESPACES, &namespace.key(), &patch).await?;
    Ok(())
}
