//! Live objects of an Application's resources, and their health.

use std::borrow::Cow;

use object::{Gvk, Key, Object, Value, json};
use runtime::{ApiError, Cluster, Discovery, Selection, resources};

use super::view::{Node, ResourceState};

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

/// Kinds that others own and that are worth a look.
const OWNED: [runtime::Resource; 5] = [
    resources::REPLICA_SETS,
    resources::PODS,
    resources::JOBS,
    resources::ANALYSIS_RUNS,
    resources::EXPERIMENTS,
];

/// Returns the live resources of the Application with what they own, in the order of its status.
pub(super) async fn nodes(
    cluster: &Cluster,
    discovery: &Discovery,
    app: &Object,
) -> Result<Vec<Node>, ApiError> {
    let mut roots = Vec::new();
    for entry in app.items(&["status", "resources"]) {
        roots.extend(live(cluster, discovery, entry).await?);
    }
    let mut namespaces: Vec<&str> =
        roots.iter().map(Object::namespace).filter(|name| !name.is_empty()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut owned = Vec::new();
    for namespace in namespaces {
        for resource in &OWNED {
            match cluster.list(resource, Some(namespace), &Selection::default()).await {
                // A kind that the cluster does not have owns nothing.
                Err(error) if error.is_not_found() => {}
                found => owned.extend(found?),
            }
        }
    }
    Ok(roots.iter().map(|root| node(root, &owned, DEPTH)).collect())
}

/// How deep owners are followed, should they go in circles.
const DEPTH: usize = 8;

fn node(object: &Object, owned: &[Object], depth: usize) -> Node {
    let verdict = health::assess(object, &health::Builtin);
    let is_child = |other: &&Object| {
        !object.uid().is_empty() && other.owners().iter().any(|owner| owner.uid == object.uid())
    };
    let children = owned.iter().filter(is_child).filter(|_| depth > 0);
    Node {
        state: ResourceState {
            group: object.gvk().group,
            kind: object.kind().to_owned(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            health: verdict.as_ref().map(|verdict| word(verdict.status)).unwrap_or_default(),
            ..ResourceState::default()
        },
        created: object.creation_time(),
        reason: verdict.map(|verdict| verdict.message).unwrap_or_default(),
        children: children.map(|child| node(child, owned, depth - 1)).collect(),
    }
}

fn word(status: health::Status) -> String {
    json!(status).as_str().unwrap_or_default().to_owned()
}
