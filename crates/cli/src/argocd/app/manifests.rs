//! `app manifests`.

use object::{Object, Value, yaml};

use super::target::{targets, written};
use crate::argocd::arguments::Manifests;
use crate::argocd::context::{Context, Failure};
use crate::argocd::live::live;

/// Prints what the source says, or what the cluster has.
pub(super) async fn run(options: &Manifests, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(&options.name).await?;
    let manifests = match options.source.as_str() {
        "live" => live_objects(&app, context).await?,
        "git" => {
            let targets = match options.revision.as_deref().filter(|revision| !revision.is_empty()) {
                Some(revision) => written(&app, revision, context).await?,
                None => targets(&app, None, context).await?,
            };
            targets.into_iter().map(Object::into_value).collect()
        }
        other => return Err(Failure::failed(format!("Unknown source type '{other}'"))),
    };
    for manifest in manifests {
        context.print(&format!("---\n{}\n", yaml::to_string(&manifest)))?;
    }
    Ok(())
}

/// Returns the live objects in the order of the status; null for those that do not exist.
async fn live_objects(app: &Object, context: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let mut objects = Vec::new();
    for entry in app.items(&["status", "resources"]) {
        let found = live(&context.cluster, &context.discovery, entry).await?;
        objects.push(found.map(Object::into_value).unwrap_or_default());
    }
    Ok(objects)
}
