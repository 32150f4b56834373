//! Waiting for an Application while printing what changes.

use std::time::Duration;

use object::{Key, Object, Time, Value};
use runtime::{Tasks, resources};

use super::get::below;
use super::refresh::{self, Refresh};
use crate::argocd::context::{Context, Failure};
use crate::argocd::live::with_health;
use crate::argocd::view::{
    Page, Picked, ResourceState, Shape, operation, plain, resource_states, shaped, summary,
};
use crate::print::Table;
use crate::rollouts::One;

/// What is waited for; all that is set must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command, in any combination")]
pub(super) struct Goal {
    pub sync: bool,
    pub health: bool,
    pub operation: bool,
    pub suspended: bool,
    pub degraded: bool,
    pub delete: bool,
}

impl Goal {
    /// Returns true when this health and sync status will do. Source: `checkResourceStatus`.
    fn is_met(self, health: &str, sync: &str, requested: bool) -> bool {
        let likes = [(self.health, "Healthy"), (self.suspended, "Suspended"), (self.degraded, "Degraded")];
        let healthy = likes.iter().all(|(wanted, _)| !wanted)
            || likes.iter().any(|(wanted, word)| *wanted && *word == health);
        !self.delete && healthy && (!self.sync || sync == "Synced") && !(self.operation && requested)
    }
}

/// How to wait.
pub(super) struct Watch<'a> {
    /// Name of the Application as it was given.
    pub name: &'a str,
    pub goal: Goal,
    pub picked: &'a [Picked],
    /// Seconds; 0 means for ever.
    pub timeout: u64,
    pub output: &'a str,
}

/// How far the operation of an Application is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// None was asked for, or the controller has seen its end.
    Rest,
    /// Asked for or running; a look at the result needs a refresh unless nothing is changed.
    Running { refresh: bool },
}

/// Waits for the goal and returns the Application as it was shown last and the operation's state when the goal was met.
///
/// Source: `waitOnApplicationStatus`.
pub(super) async fn watch(
    key: &Key,
    wait: &Watch<'_>,
    context: &mut Context<'_>,
) -> Result<(Object, Value), Failure> {
    if !matches!(wait.output, "json" | "yaml" | "wide" | "" | "tree" | "tree=detailed") {
        return Err(Failure::fatal(format!("unknown output format: {}", wait.output)));
    }
    context.app(&key.to_string()).await?;
    let tasks = Tasks::new();
    let done = follow(key, wait, &tasks, context).await;
    tasks.abort();
    done
}

async fn follow(
    key: &Key,
    wait: &Watch<'_>,
    tasks: &Tasks,
    context: &mut Context<'_>,
) -> Result<(Object, Value), Failure> {
    let mut one = One::open(&context.cluster, tasks, &resources::APPLICATIONS, key).await;
    let clock = context.session.clock.clone();
    let end = (wait.timeout > 0).then(|| context.now().after(Duration::from_secs(wait.timeout)));
    let mut shown = Shown::new(wait);
    loop {
        let change = tokio::select! {
            biased;
            change = one.next() => change,
            () = until(&clock, end) => return Err(timed_out(key, wait, context).await?),
        };
        let Some(app) = change else {
            if wait.goal.delete {
                context.print(&format!("Application '{key}' deleted\n"))?;
            }
            return Err(Failure::Quiet(if wait.goal.delete { crate::Exit::OK } else { crate::Exit(20) }));
        };
        let app = with_health(&context.cluster, &context.discovery, &app).await?.into_owned();
        let progress = progress(&app);
        shown.refresh |= progress == Progress::Running { refresh: true };
        if is_ready(&app, wait) && !(wait.goal.operation && progress != Progress::Rest) {
            let state = app.get(&["status", "operationState"]).cloned().unwrap_or_default();
            return Ok((finish(app, shown.refresh, wait, context).await?, state));
        }
        shown.changes(&app, wait, context).await?;
    }
}

async fn until(clock: &runtime::Clock, end: Option<Time>) {
    match end {
        Some(end) => clock.sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn is_ready(app: &Object, wait: &Watch<'_>) -> bool {
    let requested = app.get(&["operation"]).is_some_and(|operation| !operation.is_null());
    if wait.picked.is_empty() {
        let (health, sync) =
            (app.str(&["status", "health", "status"]), app.str(&["status", "sync", "status"]));
        return wait.goal.is_met(health, sync, requested);
    }
    let states = resource_states(app, wait.picked);
    states.iter().all(|state| wait.goal.is_met(&state.health, &state.status, requested))
}

/// An operation is over when the controller has compared once after its end; a dry run when it has ended.
fn progress(app: &Object) -> Progress {
    let is_dry = |operation: &Value| operation["sync"]["dryRun"] == true;
    if let Some(operation) = app.get(&["operation"]).filter(|operation| !operation.is_null()) {
        return Progress::Running { refresh: !is_dry(operation) };
    }
    let running = Progress::Running { refresh: false };
    let Some(state) = app.get(&["status", "operationState"]).filter(|state| !state.is_null()) else {
        return Progress::Rest;
    };
    let Some(finished) = app.time(&["status", "operationState", "finishedAt"]) else { return running };
    let compared = app.time(&["status", "reconciledAt"]);
    let unseen = compared.is_none_or(|compared| compared < finished);
    if !is_dry(&state["operation"]) && unseen { running } else { Progress::Rest }
}

/// Shows the Application as it is when the time is over, and returns the failure.
async fn timed_out(key: &Key, wait: &Watch<'_>, context: &mut Context<'_>) -> Result<Failure, Failure> {
    let app = context.app(&key.to_string()).await?;
    let app = with_health(&context.cluster, &context.discovery, &app).await?.into_owned();
    let talks = is_talkative(wait);
    if talks {
        context.print("\nThis is the state of the app after wait timed out:\n")?;
        context.print("\nThe command timed out waiting for the conditions to be met.\n")?;
    }
    finish(app, false, wait, context).await?;
    let text = format!("timed out ({}s) waiting for app {:?} match desired state", wait.timeout, wait.name);
    Ok(Failure::fatal(text))
}

/// Returns whether anything but the object itself is printed.
fn is_talkative(wait: &Watch<'_>) -> bool {
    !matches!(wait.output, "json" | "yaml")
}

/// Shows the Application at the end and returns it.
async fn finish(
    app: Object,
    refreshed: bool,
    wait: &Watch<'_>,
    context: &mut Context<'_>,
) -> Result<Object, Failure> {
    let app = if refreshed {
        let app = refresh::run(&app, Refresh::Normal, context).await?;
        with_health(&context.cluster, &context.discovery, &app).await?.into_owned()
    } else {
        app
    };
    let text = match wait.output {
        "json" => shaped(&plain(&app), Shape::Json),
        "yaml" => shaped(&plain(&app), Shape::Yaml),
        _ => {
            let page = Page { url: context.url(wait.name).await, windows: Vec::new() };
            let operation = if wait.goal.operation { operation(&app, context.now()) } else { String::new() };
            let below = below(&app, wait.output, context).await?;
            format!("\n{}\n{operation}{below}", summary(&app, &page))
        }
    };
    context.print(&text)?;
    Ok(app)
}

/// What was printed so far.
struct Shown {
    header: Option<[&'static str; 9]>,
    states: Vec<ResourceState>,
    refresh: bool,
}

impl Shown {
    fn new(wait: &Watch<'_>) -> Self {
        let header =
            ["TIMESTAMP", "GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "HOOK", "MESSAGE"];
        Self { header: is_talkative(wait).then_some(header), states: Vec::new(), refresh: false }
    }

    /// Prints a line for each resource that is new or different; fails when one got worse while health is waited for.
    async fn changes(
        &mut self,
        app: &Object,
        wait: &Watch<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for state in grouped(app, wait.picked) {
            match self.states.iter_mut().find(|known| known.key() == state.key()) {
                None => {
                    lines.push(state.clone());
                    self.states.push(state);
                }
                Some(known) if wait.goal.health && has_degraded(known, &state) => {
                    let text = format!(
                        "application '{}' health state has transitioned from {} to {}",
                        app.name(),
                        known.health,
                        state.health
                    );
                    finish(app.clone(), self.refresh, wait, context).await?;
                    return Err(Failure::fatal(text));
                }
                Some(known) => {
                    if known.merge(&state) {
                        lines.push(known.clone());
                    }
                }
            }
        }
        if is_talkative(wait) { self.print(&lines, context) } else { Ok(()) }
    }

    fn print(&mut self, states: &[ResourceState], context: &mut Context<'_>) -> Result<(), Failure> {
        let now = context.now().to_string().replace('Z', "+00:00");
        let mut table = Table::new();
        if let Some(header) = self.header.take() {
            table.line(padded(header.map(str::to_owned)));
        }
        for state in states.iter().cloned() {
            let ResourceState { group, kind, namespace, name, status, health, hook, message } = state;
            table.line(padded([now.clone(), group, kind, namespace, name, status, health, hook, message]));
        }
        context.print(&table.render())
    }
}

fn has_degraded(before: &ResourceState, now: &ResourceState) -> bool {
    now.health == "Degraded" && !matches!(before.health.as_str(), "Unknown" | "Degraded")
}

/// Returns the states with several entries for one resource made one.
fn grouped(app: &Object, picked: &[Picked]) -> Vec<ResourceState> {
    let mut all: Vec<ResourceState> = Vec::new();
    for state in resource_states(app, picked) {
        match all.iter_mut().find(|known| known.key() == state.key()) {
            Some(known) => {
                known.merge(&state);
            }
            None => all.push(state),
        }
    }
    all
}

/// Right-aligns the cells in the widths of the existing tool.
fn padded(cells: [String; 9]) -> Vec<String> {
    const WIDTHS: [usize; 9] = [0, 5, 10, 10, 20, 8, 7, 10, 0];
    cells.into_iter().zip(WIDTHS).map(|(cell, width)| format!("{cell:>width$}")).collect()
}
