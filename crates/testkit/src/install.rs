//! Definitions and namespaces that our controllers need on a cluster that is not ours.

use std::io;
use std::path::Path;

use object::{Key, Object, yaml};
use runtime::{Cluster, Patch, resources};
use tokio::process::Command;

/// Applies our definitions, as `slipway crds` prints them, and the namespaces that the controllers use.
///
/// Errors: the program fails, or the cluster refuses something.
pub async fn install(slipway: &Path, cluster: &Cluster) -> io::Result<()> {
    let output = Command::new(slipway).arg("crds").output().await?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    apply_definitions(cluster, &String::from_utf8_lossy(&output.stdout)).await?;
    for name in ["argocd", "argo-rollouts"] {
        make_namespace(cluster, name).await?;
    }
    Ok(())
}

/// Makes a namespace that may be there already.
///
/// Errors: the cluster refuses it.
pub async fn make_namespace(cluster: &Cluster, name: &str) -> io::Result<()> {
    let namespace = Object::new(&resources::NAMESPACES.gvk(), &Key::new("", name));
    let patch = Patch::apply(namespace.to_value(), "test").force();
    cluster.patch(&resources::NAMESPACES, &namespace.key(), &patch).await.map_err(io::Error::other)?;
    Ok(())
}

/// Applies the definitions in a YAML text.
///
/// Errors: the text is no YAML of objects, or the cluster refuses one.
pub async fn apply_definitions(cluster: &Cluster, text: &str) -> io::Result<()> {
    for definition in yaml::documents(text).map_err(io::Error::other)? {
        let definition = Object::parse(definition).map_err(io::Error::other)?;
        let patch = Patch::apply(definition.to_value(), "test").force();
        cluster.patch(&resources::CRDS, &definition.key(), &patch).await.map_err(io::Error::other)?;
    }
    Ok(())
}
