//! `app patch`, `app add-source`, `app remove-source`, `app confirm-deletion`: changes of an Application.

use object::{Object, Value, json};
use runtime::{Patch as Change, resources};

use super::validate::{self, Depth};
use crate::argocd::arguments::{AddSource, Patch, RemoveSource, position};
use crate::argocd::context::{Context, Failure};
use crate::argocd::view::{Shape, plain, shaped};

/// The controller deletes what waits for a confirmation when this is there.
const APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// Patches the Application and prints what it is then.
pub(super) async fn patch(options: &Patch, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(&options.name).await?;
    let body: Value = serde_json::from_str(&options.body).map_err(|error| {
        Failure::rpc("Unknown", format!("error decoding {} patch: {error}", options.kind))
    })?;
    let change = match options.kind.as_str() {
        "json" | "" => Change::json(body),
        "merge" => Change::merge(body),
        other => {
            return Err(Failure::rpc("InvalidArgument", format!("Patch type '{other}' is not supported")));
        }
    };
    let patched =
        context.cluster.patch(&resources::APPLICATIONS, &app.key(), &change.clone().dry_run()).await?;
    validate::spec(&patched, Depth::Repositories, context).await?;
    let patched = context.cluster.patch(&resources::APPLICATIONS, &app.key(), &change).await?;
    context.print(&format!("{}\n", shaped(&plain(&patched), Shape::Yaml)))
}

/// Adds a source to an Application with several.
pub(super) async fn add_source(options: &AddSource, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(&options.name).await?;
    let mut source = Object::default();
    if !options.source.write(&mut source, &Object::default())? {
        return Err(Failure::usage(&["app", "add-source"]));
    }
    if app.items(&["spec", "sources"]).is_empty() {
        let name = &options.name;
        let text = format!("Cannot add source: application {name} does not have spec.sources defined");
        return Err(Failure::fatal(text));
    }
    let source = source.into_value();
    let add = |app: &Object| {
        let mut sources = app.items(&["spec", "sources"]).to_vec();
        sources.push(source.clone());
        sources
    };
    write_sources(&app, &add, context).await
}

/// Takes a source from an Application with several.
pub(super) async fn remove_source(options: &RemoveSource, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(&options.name).await?;
    let sources = app.items(&["spec", "sources"]);
    let position = position(&app, options.source_position, options.source_name.as_deref())?;
    let index = position.and_then(|position| position.checked_sub(1));
    let index = index.ok_or_else(|| Failure::fatal("Value of source-position must be greater than 0"))?;
    match sources.len() {
        0 => return Err(Failure::fatal("Application does not have multiple sources configured")),
        1 => return Err(Failure::fatal("Only one source remaining in the application")),
        count if index >= count => {
            return Err(Failure::fatal(format!("Application does not have source at {}", index + 1)));
        }
        _ => {}
    }
    let removed = sources[index].clone();
    let remove = |app: &Object| {
        let mut sources = app.items(&["spec", "sources"]).to_vec();
        if sources.get(index) == Some(&removed) {
            sources.remove(index);
        }
        sources
    };
    write_sources(&app, &remove, context).await
}

/// Writes what `change` makes of the sources, once a check has passed.
async fn write_sources(
    app: &Object,
    change: &impl Fn(&Object) -> Vec<Value>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut changed = app.clone();
    changed.set(&["spec", "sources"], change(app));
    validate::spec(&changed, Depth::Repositories, context).await?;
    context.update(&app.key(), |app| Ok(json!({"spec": {"sources": change(app)}}))).await?;
    updated(app, context)
}

/// Lets resources go that wait for a confirmation of their deletion.
pub(super) async fn confirm_deletion(name: &str, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(name).await?;
    let now = context.now().whole_seconds().to_string();
    let body = json!({"metadata": {"annotations": {APPROVED: now}}});
    context.cluster.patch(&resources::APPLICATIONS, &app.key(), &Change::merge(body)).await?;
    updated(&app, context)
}

fn updated(app: &Object, context: &mut Context<'_>) -> Result<(), Failure> {
    context.print(&format!("Application '{}' updated successfully\n", app.name()))
}
