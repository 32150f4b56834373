//! `list rollouts`, `list experiments`.

use std::collections::BTreeMap;

use object::time::{human_duration, parse_duration};
use object::{Key, Object, Time};
use runtime::{Selection, Tasks, Watches, resources};

use super::arguments::{List, ListRollouts};
use super::context::{Context, Failure};
use super::view::phase::phase;
use super::view::{Replicas, set_weight};
use crate::print::{Table, age};

/// Columns with the width that each has at least, so that lines printed later still line up.
const ROLLOUT_COLUMNS: [(&str, usize); 9] = [
    ("NAME", 10),
    ("STRATEGY", 9),
    ("STATUS", 12),
    ("STEP", 4),
    ("SET-WEIGHT", 10),
    ("READY", 5),
    ("DESIRED", 7),
    ("UP-TO-DATE", 10),
    ("AVAILABLE", 9),
];
const EXPERIMENT_COLUMNS: [(&str, usize); 5] =
    [("NAME", 10), ("STATUS", 6), ("DURATION", 8), ("REMAINING", 9), ("AGE", 3)];

/// Lists the objects.
pub(super) async fn run(what: List, context: &mut Context<'_>) -> Result<(), Failure> {
    match what {
        List::Rollouts(options) => rollouts(&options, context).await,
        List::Experiments { all_namespaces } => experiments(all_namespaces, context).await,
    }
}

async fn rollouts(options: &ListRollouts, context: &mut Context<'_>) -> Result<(), Failure> {
    let fields = options.name.as_ref().map(|name| format!("metadata.name={name}"));
    let namespace = (!options.all_namespaces).then(|| context.namespace.clone());
    let selection = Selection { namespace: namespace.clone(), labels: None, fields };
    if options.watch {
        return watch(options, &selection, context).await;
    }
    let list = context.cluster.list(&resources::ROLLOUTS, namespace.as_deref(), &selection).await?;
    if list.is_empty() {
        return context.talk("No resources found.");
    }
    let now = context.now();
    let mut table = Table::new();
    table.line(header(options));
    list.iter().for_each(|rollout| table.line(rollout_line(rollout, options, now)));
    context.print(&table.render())
}

/// Prints all lines, then each that changes, until interrupted.
async fn watch(
    options: &ListRollouts,
    selection: &Selection,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    // Fails at once where a watch would try for ever.
    context.cluster.list(&resources::ROLLOUTS, selection.namespace.as_deref(), selection).await?;
    let tasks = Tasks::new();
    let cache = Watches::new(context.cluster.clone(), &tasks).cache_with(&resources::ROLLOUTS, selection);
    cache.synced().await;
    let mut changes = cache.subscribe();
    let mut shown: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    let mut table = Table::new();
    table.line(header(options));
    context.print(&table.render())?;
    while let Some(change) = changes.next().await {
        let Some(rollout) = change.new else {
            shown.remove(&change.key);
            continue;
        };
        let line = rollout_line(&rollout, options, context.now());
        let state = line[usize::from(options.timestamps)..].to_vec();
        if shown.get(&change.key) != Some(&state) {
            let mut table = Table::new();
            table.line(line);
            context.print(&table.render())?;
            shown.insert(change.key, state);
        }
    }
    Ok(())
}

fn header(options: &ListRollouts) -> Vec<&'static str> {
    let time = options.timestamps.then_some("TIMESTAMP");
    let namespace = options.all_namespaces.then_some("NAMESPACE");
    time.into_iter().chain(namespace).chain(ROLLOUT_COLUMNS.map(|(name, _)| name)).collect()
}

fn rollout_line(rollout: &Object, options: &ListRollouts, now: Time) -> Vec<String> {
    let time = options.timestamps.then(|| format!("{:<20}", now.to_string()));
    let namespace = options.all_namespaces.then(|| format!("{:<9}", rollout.namespace()));
    let cells = rollout_cells(rollout);
    let padded = cells.into_iter().zip(ROLLOUT_COLUMNS).map(|(cell, (_, width))| format!("{cell:<width$}"));
    time.into_iter().chain(namespace).chain(padded).collect()
}

fn rollout_cells(rollout: &Object) -> [String; 9] {
    let canary = rollout.get(&["spec", "strategy", "canary"]);
    let blue_green = rollout.get(&["spec", "strategy", "blueGreen"]);
    let strategy = match (canary, blue_green) {
        (Some(_), _) => "Canary",
        (None, Some(_)) => "BlueGreen",
        (None, None) => "unknown",
    };
    let count = rollout.items(&["spec", "strategy", "canary", "steps"]).len();
    let step = rollout.int(&["status", "currentStepIndex"]).filter(|_| count > 0);
    let replicas = Replicas::of(rollout);
    [
        rollout.name().to_owned(),
        strategy.to_owned(),
        phase(rollout).word,
        step.map_or_else(|| "-".to_owned(), |index| format!("{index}/{count}")),
        canary.map_or_else(|| "-".to_owned(), |_| set_weight(rollout).to_string()),
        format!("{}/{}", replicas.ready, replicas.current),
        replicas.desired.to_string(),
        replicas.updated.to_string(),
        replicas.available.to_string(),
    ]
}

async fn experiments(all_namespaces: bool, context: &mut Context<'_>) -> Result<(), Failure> {
    let namespace = (!all_namespaces).then(|| context.namespace.clone());
    let selection = Selection::default();
    let list = context.cluster.list(&resources::EXPERIMENTS, namespace.as_deref(), &selection).await?;
    if list.is_empty() {
        return context.talk("No resources found.");
    }
    let mut table = Table::new();
    let names = EXPERIMENT_COLUMNS.map(|(name, _)| name);
    table.line(all_namespaces.then_some("NAMESPACE").into_iter().chain(names));
    for experiment in &list {
        let namespace = all_namespaces.then(|| format!("{:<9}", experiment.namespace()));
        let cells = experiment_cells(experiment, context.now()).into_iter().zip(EXPERIMENT_COLUMNS);
        let padded = cells.map(|(cell, (_, width))| format!("{cell:<width$}"));
        table.line(namespace.into_iter().chain(padded));
    }
    context.print(&table.render())
}

fn experiment_cells(experiment: &Object, now: Time) -> [String; 5] {
    let phase = experiment.str(&["status", "phase"]);
    let duration = parse_duration(experiment.str(&["spec", "duration"])).ok();
    let ended = matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive");
    let started = experiment.time(&["status", "availableAt"]).filter(|_| !ended);
    let remaining = duration
        .zip(started)
        .map(|(duration, started)| started.after(duration).since(now))
        .filter(|left| !left.is_zero());
    let text = |duration: Option<_>| duration.map_or_else(|| "-".to_owned(), human_duration);
    [
        experiment.name().to_owned(),
        phase.to_owned(),
        text(duration),
        text(remaining),
        age(experiment.creation_time(), now),
    ]
}
