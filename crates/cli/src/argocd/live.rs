//! Live objects of an Application's resources, and their health.

use std::borrow::Cow;

use object::{Gvk, Key, Object, Value, json};
use runtime::{ApiError, Cluster, Discovery};

/// Returns the live object of an entry of `status.resources`, `None` when it does not exist.
pub(super) async fn live(
    cluster: &Cluster,
    discovery: &Discovery,
    entry: &Value,
) -> Result<Option<Object>, ApiError> {
    let text = |field: &str| entry[field].as_str().unwrap_or_default();
    let gvk = Gvk::new(text("group"), text("version"), text("kind"));
    let Some(resource) = discovery.resource(&gvk).await? else { return Ok(None) };
    let namespace = if resource.namespaced { text("namespace") } else { "" };
    cluster.get(&resource, &Key::new(namespace, text("name"))).await
}

/// Returns true when the Application deploys to the cluster that it lives in.
fn is_local(app: &Object) -> bool {
    let (server, name) =
        (app.str(&["spec", "destination", "server"]), app.str(&["spec", "destination", "name"]));
    matches!((server, name), ("https://kubernetes.default.svc", _) | ("", "in-cluster"))
}

/// Returns the Application with the health of each resource beside its status, as a server would serve it.
///
/// The controller may leave it out (`status.resourceHealthSource: appTree`); then it is read off the live objects.
/// Resources of other clusters stay without.
pub(super) async fn with_health<'a>(
    cluster: &Cluster,
    discovery: &Discovery,
    app: &'a Object,
) -> Result<Cow<'a, Object>, ApiError> {
    let entries = app.items(&["status", "resources"]);
    let complete = app.str(&["status", "resourceHealthSource"]) != "appTree"
        || entries.iter().any(|entry| entry.get("health").is_some());
    if complete || !is_local(app) {
        return Ok(Cow::Borrowed(app));
    }
    let mut entries = entries.to_vec();
    for entry in &mut entries {
        let found = live(cluster, discovery, entry).await?;
        let verdict = match &found {
            None => Some(health::Health::new(health::Status::Missing, "")),
            Some(_) if entry["kind"] == "Application" => None,
            Some(object) => health::assess(object, &health::Builtin),
        };
        if let Some(verdict) = verdict {
            entry["health"] = json!({"status": verdict.status});
            if !verdict.message.is_empty() {
                entry["health"]["message"] = verdict.message.into();
            }
        }
    }
    let mut app = app.clone();
    app.set(&["status", "resources"], entries);
    Ok(Cow::Owned(app))
}
