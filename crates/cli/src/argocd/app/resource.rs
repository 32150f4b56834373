//! `app delete-resource`, `app patch-resource`.

use object::{Gvk, Object, Value};
use runtime::{Deletion, Patch, Propagation, Resource};

use crate::argocd::arguments::{Choice, DeleteResource, PatchResource};
use crate::argocd::context::{Context, Failure};
use crate::argocd::live::live;

/// Deletes the live resources that are chosen.
pub(super) async fn delete(options: &DeleteResource, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut deletion = Deletion { propagation: Some(Propagation::Foreground), ..Deletion::default() };
    if options.orphan {
        deletion.propagation = Some(Propagation::Orphan);
    }
    if options.force {
        deletion.grace = Some(0);
    }
    for (resource, object) in chosen(&options.choice, context).await? {
        context.cluster.delete(&resource, &object.key(), &deletion).await?;
        context.info(&format!("Resource '{}' deleted", object.name()));
    }
    Ok(())
}

/// Patches the live resources that are chosen.
pub(super) async fn patch(options: &PatchResource, context: &mut Context<'_>) -> Result<(), Failure> {
    let body: Value = serde_json::from_str(&options.patch)
        .map_err(|error| Failure::rpc("Unknown", format!("the patch is not JSON: {error}")))?;
    let patch = match options.patch_type.as_str() {
        "application/json-patch+json" => Patch::json(body),
        "application/merge-patch+json" => Patch::merge(body),
        "application/strategic-merge-patch+json" => Patch::strategic(body),
        other => return Err(Failure::rpc("Unknown", format!("unknown patch type: {other}"))),
    };
    for (resource, object) in chosen(&options.choice, context).await? {
        context.cluster.patch(&resource, &object.key(), &patch).await?;
        context.info(&format!("Resource '{}' patched", object.name()));
    }
    Ok(())
}

/// Returns the live resources of the Application that are chosen: one, or several when all are wanted.
///
/// Source: `FilterResources`. Errors: none, or several that were not asked for.
async fn chosen(choice: &Choice, context: &Context<'_>) -> Result<Vec<(Resource, Object)>, Failure> {
    let app = context.app(&choice.name).await?;
    let is = |wanted: &Option<String>, found: &Value| {
        wanted.as_deref().is_none_or(|wanted| wanted == found.as_str().unwrap_or_default())
    };
    let named = choice.resource_name.clone().filter(|name| !name.is_empty());
    let spaced = choice.namespace.clone().filter(|namespace| !namespace.is_empty());
    let mut found = Vec::new();
    for entry in app.items(&["status", "resources"]) {
        let matches = entry["kind"] == *choice.kind
            && is(&choice.group, &entry["group"])
            && is(&named, &entry["name"])
            && is(&spaced, &entry["namespace"]);
        if !matches {
            continue;
        }
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let gvk = Gvk::new(text("group"), text("version"), text("kind"));
        let object = live(&context.cluster, &context.discovery, entry).await?;
        let resource = context.discovery.resource(&gvk).await?;
        found.extend(resource.zip(object));
    }
    match found.len() {
        0 => Err(Failure::fatal("no matching resource found")),
        1 => Ok(found),
        _ if choice.all => Ok(found),
        _ => Err(Failure::fatal(
            "multiple resources match inputs, use the --all flag to patch multiple resources",
        )),
    }
}
