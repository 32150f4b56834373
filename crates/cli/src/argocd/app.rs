//! The verbs about Applications, one file each.

mod create;
mod delete;
mod diff;
mod differences;
mod external;
mod get;
mod list;
mod local;
mod manifests;
mod operate;
mod patch;
mod refresh;
mod resource;
mod rollback;
mod set;
mod sync;
mod target;
mod validate;
mod wait;
mod watch;

use super::arguments::App;
use super::context::{Context, Failure};
use super::live::nodes;
use super::view::{history_ids, history_table, resource_tree_table};
use crate::print::Table;

/// Runs one verb.
pub(super) async fn run(verb: App, context: &mut Context<'_>) -> Result<(), Failure> {
    match verb {
        App::Create(create) => create::run(&create, context).await,
        App::Get(get) => get::run(&get, context).await,
        App::List(list) => list::run(&list, context).await,
        App::Sync(sync) => sync::run(&sync, context).await,
        App::Wait(wait) => wait::run(&wait, context).await,
        App::History(history) => {
            let app = context.app(&history.name).await?;
            let text = if history.output == "id" { history_ids(&app) } else { history_table(&app) };
            context.print(&text)
        }
        App::Rollback(rollback) => rollback::run(&rollback, context).await,
        App::Delete(delete) => delete::run(&delete, context).await,
        App::Set(set) => set::set(&set, context).await,
        App::Unset(unset) => set::unset(&unset, context).await,
        App::Resources { name, output } => resources(&name, &output, context).await,
        App::Manifests(manifests) => manifests::run(&manifests, context).await,
        App::Diff(diff) => diff::run(&diff, context).await,
        App::Patch(options) => patch::patch(&options, context).await,
        App::AddSource(options) => patch::add_source(&options, context).await,
        App::RemoveSource(options) => patch::remove_source(&options, context).await,
        App::ConfirmDeletion { name } => patch::confirm_deletion(&name, context).await,
        App::DeleteResource(options) => resource::delete(&options, context).await,
        App::PatchResource(options) => resource::patch(&options, context).await,
        App::TerminateOp { name } => operate::terminate(&name, context).await,
    }
}

/// Lists the managed resources.
async fn resources(name: &str, output: &str, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(name).await?;
    match output {
        "tree" => {
            let nodes = nodes(&context.cluster, &context.discovery, &app).await?;
            return context.print(&resource_tree_table(&nodes));
        }
        "" | "wide" => {}
        other => return Err(Failure::fatal(format!("unknown output format: {other}"))),
    }
    let mut table = Table::new();
    table.line(["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"]);
    for resource in app.items(&["status", "resources"]) {
        let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
        table.line([text("group"), text("kind"), text("namespace"), text("name"), "No".into()]);
    }
    context.print(&table.render())
}

/// Returns the names of the Applications that a command is about: those named, else those with the labels.
async fn names(
    named: &[String],
    selector: Option<&str>,
    context: &Context<'_>,
) -> Result<Vec<String>, Failure> {
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else { return Ok(named.to_vec()) };
    let apps = context.apps(Some(selector)).await?;
    if apps.is_empty() {
        return Err(Failure::fatal(format!("no apps match selector {selector}")));
    }
    Ok(apps.iter().map(|app| app.key().to_string()).collect())
}
