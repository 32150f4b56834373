//! `app sync`.

use object::{Object, Value, json};

use super::differences;
use super::operate::request;
use super::target::targets;
use super::watch::{Goal, Watch, watch};
use crate::argocd::arguments::{Sync, position};
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
    if let Some(path) = &options.local {
        return Err(refuse_local(&app, path, options));
    }
    let revisions = revisions(&app, options)?;
    let chosen = if options.labels.is_empty() {
        chosen(&app, picked, &options.resources)?
    } else {
        labelled(&app, options, context).await?
    };
    check_revision(&app, options)?;
    if options.preview_changes && !preview(name, &app, options, context).await? {
        return Ok(());
    }
    request(&app.key(), operation(&app, &chosen, &revisions, options)?, context).await?;
    if options.detached {
        return Ok(());
    }
    let goal = Goal { operation: true, ..Goal::default() };
    let wait = Watch { name, goal, picked: &chosen, timeout: options.timeout, output: &options.output };
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

/// Returns why manifests of this machine are not synced.
fn refuse_local(app: &Object, path: &str, options: &Sync) -> Failure {
    if is_automated(app) && !options.dry_run {
        let text = "Cannot use local sync when Automatic Sync Policy is enabled except with --dry-run";
        return Failure::failed(text);
    }
    let missing = || {
        Failure::fatal(format!(
            "error getting app source type: error getting app source type: lstat {path}: no such file or directory"
        ))
    };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing(),
        _ => Failure::fatal(
            "--local is not supported yet: commit the manifests, or look at them with app diff --local",
        ),
    }
}

/// Returns the revisions of all sources, those asked for in their places; none when none was asked for.
fn revisions(app: &Object, options: &Sync) -> Result<Vec<String>, Failure> {
    let positions = positions(app, options)?;
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let target = |source: &&Value| source["targetRevision"].as_str().unwrap_or("HEAD").to_owned();
    let mut all: Vec<String> = sources(app).iter().map(target).collect();
    for (position, revision) in positions.into_iter().zip(&options.revisions) {
        let slot = usize::try_from(position).ok().and_then(|position| all.get_mut(position.checked_sub(1)?));
        *slot.ok_or_else(|| Failure::rpc("Unknown", "source position is out of range"))? = revision.clone();
    }
    Ok(all)
}

/// Returns which sources revisions are asked for, from 1.
fn positions(app: &Object, options: &Sync) -> Result<Vec<i64>, Failure> {
    let (positions, names) = (&options.source_positions, &options.source_names);
    let differ = |flag: &str| {
        Failure::fatal(format!(
            "While using --revisions and --{flag}, length of values for both flags should be same."
        ))
    };
    match (positions.is_empty(), names.is_empty()) {
        (false, false) => {
            Err(Failure::fatal("Only one of source-positions and source-names can be specified."))
        }
        (false, true) if positions.len() != options.revisions.len() => Err(differ("source-positions")),
        (true, false) if names.len() != options.revisions.len() => Err(differ("source-names")),
        (false, true) if positions.iter().any(|position| *position <= 0) => {
            Err(Failure::fatal("source-position cannot be less than or equal to 0, Counting starts at 1"))
        }
        (_, true) => Ok(positions.clone()),
        (true, false) => names
            .iter()
            .map(|name| {
                let found = position(app, None, Some(name))?.unwrap_or_default();
                i64::try_from(found).map_err(|error| Failure::fatal(error.to_string()))
            })
            .collect(),
    }
}

/// Returns the resources of the source with all the labels asked for, as filters.
async fn labelled(app: &Object, options: &Sync, context: &Context<'_>) -> Result<Vec<Picked>, Failure> {
    let mut wanted = Vec::new();
    for label in &options.labels {
        let text = || format!("expected label of the form: key=value. Received: {label}");
        wanted.push(label.split_once('=').ok_or_else(|| Failure::fatal(text()))?);
    }
    let mut objects = targets(app, options.revision.as_deref(), context).await?;
    objects.retain(|object| wanted.iter().all(|(key, value)| object.label(key) == Some(value)));
    if objects.is_empty() {
        let text = format!("No matching resources found for labels: {}", options.labels.join(","));
        return Err(Failure::failed(text));
    }
    let filter = |object: &Object| Picked {
        group: object.gvk().group,
        kind: object.kind().to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        exclude: false,
    };
    Ok(objects.iter().map(filter).collect())
}

/// Shows what would change; returns whether to go on: there is a difference, and who is asked says yes.
async fn preview(
    name: &str,
    app: &Object,
    options: &Sync,
    context: &mut Context<'_>,
) -> Result<bool, Failure> {
    context.print(&format!(
        "====== Previewing differences between live and desired state of application {name} ======\n"
    ))?;
    let targets = targets(app, options.revision.as_deref(), context).await?;
    if !differences::print(app, targets, context).await? {
        context.print("====== No Differences found ======\n")?;
        return Ok(false);
    }
    if options.assume_yes {
        return Ok(true);
    }
    context.print(
        "Please review changes to application shown above. Do you want to continue the sync process? (y/n): ",
    )?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
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
fn operation(
    app: &Object,
    chosen: &[Picked],
    revisions: &[String],
    options: &Sync,
) -> Result<Value, Failure> {
    let mut sync = json!({"syncStrategy": strategy(options)});
    if !revisions.is_empty() {
        sync["revisions"] = revisions.into();
    }
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
    let mut retry = json!({"limit": options.retry_limit, "backoff": {
        "duration": options.retry_backoff_duration,
        "maxDuration": options.retry_backoff_max_duration,
        "factor": options.retry_backoff_factor,
    }});
    if options.retry_refresh {
        retry["refresh"] = true.into();
    }
    retry
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
