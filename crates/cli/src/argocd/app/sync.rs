//! `app sync`.

use object::{Object, Value, json};

use super::operate::request;
use super::watch::{Goal, Watch, watch};
use crate::argocd::arguments::Sync;
use crate::argocd::context::{Context, Failure};
use crate::argocd::view::{Picked, is_automated, parse_picked, project, selected, sources};

/// Syncs the Applications one after the other.
pub(super) async fn run(options: &Sync, context: &mut Context<'_>) -> Result<(), Failure> {
    let by_filter = options.selector.is_some() || !options.projects.is_empty();
    if options.names.is_empty() && !by_filter {
        return Err(Failure::usage(&["app", "sync"]));
    }
    let picked = picked(&options.resources)?;
    for name in names(options, context).await? {
        sync(&name, &picked, options, context).await?;
    }
    Ok(())
}

/// Returns the filters that `--resource` names.
pub(super) fn picked(resources: &[String]) -> Result<Vec<Picked>, Failure> {
    resources.iter().map(|text| parse_picked(text).map_err(Failure::fatal)).collect()
}

async fn names(options: &Sync, context: &Context<'_>) -> Result<Vec<String>, Failure> {
    if options.selector.is_none() && options.projects.is_empty() {
        return Ok(options.names.clone());
    }
    let mut apps = context.apps(options.selector.as_deref()).await?;
    let projects = &options.projects;
    apps.retain(|app| projects.is_empty() || projects.iter().any(|wanted| wanted == project(app)));
    if apps.is_empty() {
        let mut filters: Vec<String> =
            options.selector.iter().map(|text| format!("selector {text}")).collect();
        if !projects.is_empty() {
            filters.push(format!("project {}", projects.join(",")));
        }
        return Err(Failure::failed(format!("No matching apps found for filter: {}", filters.join(" and "))));
    }
    Ok(apps.iter().map(|app| app.key().to_string()).collect())
}

async fn sync(
    name: &str,
    picked: &[Picked],
    options: &Sync,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let app = context.app(name).await?;
    let chosen = chosen(&app, picked, &options.resources)?;
    check_revision(&app, options)?;
    request(&app.key(), operation(&app, &chosen, options)?, context).await?;
    if options.detached {
        return Ok(());
    }
    let goal = Goal { operation: true, ..Goal::default() };
    let wait = Watch { goal, picked: &chosen, timeout: options.timeout, output: &options.output };
    let (after, state) = watch(&app.key(), &wait, context).await?;
    if options.dry_run {
        return Ok(());
    }
    verdict(&after, &state, &chosen)
}

/// Returns the resources that the filters leave in, as filters; none without filters.
fn chosen(app: &Object, picked: &[Picked], texts: &[String]) -> Result<Vec<Picked>, Failure> {
    if picked.is_empty() {
        return Ok(Vec::new());
    }
    let chosen = selected(app, picked);
    if chosen.is_empty() {
        let text = format!("No matching app resources found for resource filter: {}", texts.join(", "));
        return Err(Failure::failed(text));
    }
    let filters = chosen.into_iter().map(|state| Picked {
        group: state.group,
        kind: state.kind,
        namespace: state.namespace,
        name: state.name,
        exclude: false,
    });
    Ok(filters.collect())
}

/// Refuses a revision that automatic syncs would undo.
fn check_revision(app: &Object, options: &Sync) -> Result<(), Failure> {
    let target =
        sources(app).first().and_then(|source| source["targetRevision"].as_str()).unwrap_or_default();
    let target = if target.is_empty() { "HEAD" } else { target };
    match options.revision.as_deref().filter(|revision| !revision.is_empty()) {
        Some(revision) if is_automated(app) && !options.dry_run && revision != target => {
            let text = format!("Cannot sync to {revision}: auto-sync currently set to {target}");
            Err(Failure::rpc("FailedPrecondition", text))
        }
        _ => Ok(()),
    }
}

/// Returns the operation to write into the Application.
fn operation(app: &Object, chosen: &[Picked], options: &Sync) -> Result<Value, Failure> {
    let mut sync = json!({"syncStrategy": strategy(options)});
    if let Some(revision) = &options.revision {
        sync["revision"] = revision.clone().into();
    }
    for (given, field) in [(options.prune, "prune"), (options.dry_run, "dryRun")] {
        if given {
            sync[field] = true.into();
        }
    }
    if !chosen.is_empty() {
        let entry = |one: &Picked| json!({"group": one.group, "kind": one.kind, "namespace": one.namespace, "name": one.name});
        sync["resources"] = chosen.iter().map(entry).collect();
    }
    let options_list = sync_options(app, options);
    if !options_list.is_empty() {
        sync["syncOptions"] = options_list.into();
    }
    let mut operation = json!({"sync": sync, "retry": retry(options)});
    let infos: Option<Vec<Value>> = options
        .infos
        .iter()
        .map(|info| info.split_once('=').map(|(name, value)| json!({"name": name, "value": value})))
        .collect();
    match infos {
        None => return Err(Failure::fatal("each --info must have the form key=value")),
        Some(infos) if !infos.is_empty() => operation["info"] = infos.into(),
        Some(_) => {}
    }
    Ok(operation)
}

fn strategy(options: &Sync) -> Value {
    let force = if options.force { json!({"force": true}) } else { json!({}) };
    match options.strategy.as_deref() {
        Some("apply") => json!({"apply": force}),
        _ => json!({"hook": force}),
    }
}

/// Returns the sync options of the spec and of the flags.
fn sync_options(app: &Object, options: &Sync) -> Vec<Value> {
    let mut all = app.items(&["spec", "syncPolicy", "syncOptions"]).to_vec();
    let flags = [
        (options.replace, "Replace=true"),
        (options.server_side, "ServerSideApply=true"),
        (options.apply_out_of_sync_only, "ApplyOutOfSyncOnly=true"),
    ];
    all.extend(flags.into_iter().filter(|(given, _)| *given).map(|(_, option)| option.into()));
    all
}

fn retry(options: &Sync) -> Value {
    if options.retry_limit == 0 {
        return json!({});
    }
    json!({"limit": options.retry_limit, "backoff": {
        "duration": options.retry_backoff_duration,
        "maxDuration": options.retry_backoff_max_duration,
        "factor": options.retry_backoff_factor,
    }})
}

/// Fails for an operation that did, or that left things to prune.
pub(super) fn verdict(app: &Object, state: &Value, chosen: &[Picked]) -> Result<(), Failure> {
    let phase = state["phase"].as_str().unwrap_or_default();
    if phase != "Succeeded" {
        return Err(Failure::failed(format!("Operation has completed with phase: {phase}")));
    }
    if !chosen.is_empty() || app.str(&["status", "sync", "status"]) == "Synced" {
        return Ok(());
    }
    let results = state["syncResult"]["resources"].as_array().into_iter().flatten();
    match results.filter(|result| result["status"] == "PruneSkipped").count() {
        0 => Ok(()),
        count => Err(Failure::failed(format!("{count} resources require pruning"))),
    }
}
