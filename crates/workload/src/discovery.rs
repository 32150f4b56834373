//! Which resources the API server serves.

use object::Value;
use runtime::{ApiError, Cluster, Resource};

/// Returns every resource whose objects can be listed, watched and deleted, in the preferred version of its group.
///
/// A group whose document cannot be had is left out: it may be a CRD that is just going.
pub(crate) async fn deletable(cluster: &Cluster) -> Result<Vec<Resource>, ApiError> {
    let mut found = of_group(cluster, "/api/v1", "", "v1").await?;
    let groups = cluster.fetch("/apis").await?;
    for group in groups["groups"].as_array().into_iter().flatten() {
        let name = group["name"].as_str().unwrap_or_default();
        let version = group["preferredVersion"]["version"].as_str().unwrap_or_default();
        match of_group(cluster, &format!("/apis/{name}/{version}"), name, version).await {
            Ok(resources) => found.extend(resources),
            Err(error) => tracing::debug!(group = name, %error, "group left out of discovery"),
        }
    }
    found.retain(|resource| resource.plural != "events");
    found.sort();
    Ok(found)
}

async fn of_group(
    cluster: &Cluster,
    path: &str,
    group: &str,
    version: &str,
) -> Result<Vec<Resource>, ApiError> {
    let document = cluster.fetch(path).await?;
    let resources = document["resources"].as_array().into_iter().flatten();
    Ok(resources.filter_map(|entry| resource(entry, group, version)).collect())
}

fn resource(entry: &Value, group: &str, version: &str) -> Option<Resource> {
    let plural = entry["name"].as_str().filter(|name| !name.contains('/'))?;
    let verbs: Vec<&str> = entry["verbs"].as_array()?.iter().filter_map(Value::as_str).collect();
    let enough = ["list", "watch", "delete"].iter().all(|verb| verbs.contains(verb));
    enough.then(|| Resource {
        group: group.to_owned().into(),
        version: version.to_owned().into(),
        plural: plural.to_owned().into(),
        kind: entry["kind"].as_str().unwrap_or_default().to_owned().into(),
        namespaced: entry["namespaced"].as_bool().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn subresources_and_what_cannot_be_watched_are_left_out() {
        let entry = |name: &str, verbs: Value| {
            resource(&json!({"name": name, "kind": "X", "namespaced": true, "verbs": verbs}), "g", "v1")
        };
        assert_eq!(
            entry("xs", json!(["list", "watch", "delete"])).map(|x| x.path("a", "b")).as_deref(),
            Some("/apis/g/v1/namespaces/a/xs/b")
        );
        assert!(entry("xs/status", json!(["list", "watch", "delete"])).is_none());
        assert!(entry("reviews", json!(["create"])).is_none());
    }
}
