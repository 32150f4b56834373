//! Compares source and cluster, and decides on an automated sync.

use std::collections::BTreeSet;

use api::application::{
    Application, ApplicationCondition, ApplicationStatus, ComparedTo, ConditionKind, HealthCode, Operation,
    REFRESH_ANNOTATION, SKIP_RECONCILE_ANNOTATION, Summary, SyncCode, SyncStatus, normalize,
};
use health::{Builtin, Member};
use object::Time;

use crate::action::{Event, Why};
use crate::auto::{Decision, Skip, autosync};
use crate::compare::{self, Compared, Targets};
use crate::observation::{Level, Observation, Settings, Target};
use crate::pairs::{self, Pairs};
use crate::{blockers, conditions, deletion, links, results, unsupported};

/// What a comparison came to.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The whole new status.
    pub status: ApplicationStatus,
    /// The automated sync to start: write it as `operation`, together with the status.
    pub operation: Option<Box<Operation>>,
    /// True when the refresh annotation was answered and is to be removed.
    pub answered: bool,
    /// The finalizers that the Application should have; `None` when it has them.
    pub finalizers: Option<Vec<String>>,
    /// Events to record.
    pub events: Vec<Event>,
    /// When to compare again at the latest.
    pub wake: Option<Time>,
    /// Why it ended as it did.
    pub why: Why,
    /// What was compared, for the tree and for showing differences.
    pub pairs: Pairs,
}

/// Kinds of conditions that a comparison evaluates.
const EVALUATED: [ConditionKind; 5] = [
    ConditionKind::ComparisonError,
    ConditionKind::SharedResourceWarning,
    ConditionKind::RepeatedResourceWarning,
    ConditionKind::ExcludedResourceWarning,
    ConditionKind::UnsupportedFieldWarning,
];

/// Returns how thorough the next comparison of `app` has to be, given the level someone `asked` for.
///
/// `last` is when it was last compared with the latest commit, where that is known: what finds nothing new is not
/// written, so `status.reconciledAt` may be older.
///
/// Source: Argo CD `needRefreshAppStatus`, first hit wins: annotation, source, expiry, destination, namespace metadata,
/// ignored differences, request. Ours besides: a sync that ended after the last comparison.
pub fn level_needed(
    app: &Application,
    asked: Level,
    last: Option<Time>,
    settings: &Settings,
    now: Time,
) -> Level {
    let compared = app.status.sync.compared_to.clone().unwrap_or_default();
    let spec = &app.spec;
    let at = app.status.reconciled_at.max(last);
    let expired = at.is_none_or(|at| now > at.after(settings.refresh_after));
    if app.refresh_requested() || compared.source != spec.source || compared.sources != spec.sources {
        return Level::LatestForced;
    }
    let differs = compared.destination != spec.destination
        || compared.ignore_differences != spec.ignore_differences
        || app.status.has_other_namespace_metadata(spec)
        || end_is_unseen(&app.status);
    if expired || differs { asked.max(Level::Latest) } else { asked }
}

/// Returns the new status of `app` and whether to start a sync.
///
/// Source: Argo CD `processAppRefreshQueueItem`.
pub fn refresh(app: &Application, observation: &Observation) -> Refresh {
    let now = observation.now.whole_seconds();
    if app.object.annotation(SKIP_RECONCILE_ANNOTATION) == Some("true") {
        return ended(app, app.status.clone(), Why::SkipReconcile, observation);
    }
    let mut status = app.status.clone();
    let invalid = blockers::of_spec(app, observation);
    let reasons: Vec<String> = invalid.iter().map(|condition| condition.message.clone()).collect();
    status.conditions =
        conditions::replaced(&status.conditions, invalid, &[ConditionKind::InvalidSpecError], now);
    if !reasons.is_empty() {
        status.sync.status = Some(SyncCode::Unknown);
        set_health(&mut status, HealthCode::Unknown, String::new(), now);
        return ended(app, status, Why::Blocked(reasons), observation);
    }
    if let Some(until) = grace(app, observation) {
        return Refresh {
            wake: Some(until),
            ..ended(app, app.status.clone(), Why::SourceGrace(until), observation)
        };
    }
    compared(app, status, observation)
}

/// Returns until when a failing source leaves the last comparison standing; a forced comparison never does.
fn grace(app: &Application, observation: &Observation) -> Option<Time> {
    let Target::Failed { since, .. } = &observation.target else { return None };
    let until = since.after(observation.settings.source_grace);
    let known = matches!(app.status.sync.status, Some(SyncCode::Synced | SyncCode::OutOfSync));
    (known && observation.level < Level::LatestForced && observation.now < until).then_some(until)
}

fn compared(app: &Application, mut status: ApplicationStatus, observation: &Observation) -> Refresh {
    let now = observation.now.whole_seconds();
    let (objects, targets) = match &observation.target {
        Target::Found { objects, .. } => (objects.as_slice(), Targets::Known),
        Target::Failed { .. } => ([].as_slice(), Targets::Unknown),
    };
    let pairs = pairs::reconcile(app, objects, observation);
    let Compared { code, resources } = compare::compare(app, &pairs, targets, observation);
    let mut found = pairs.conditions.clone();
    found.extend(blockers::of_target(observation));
    found.extend(left_out(observation));
    found.extend(unsupported::warnings(app, observation));
    status.conditions = conditions::replaced(&status.conditions, found, &EVALUATED, now);
    status.sync = sync_status(app, code, observation);
    status.resources = resources;
    describe(&mut status, app, &pairs, observation);
    let verdict = overall_health(app, &pairs);
    set_health(&mut status, verdict.status, verdict.message, now);
    let decision = autosync(app, &status.sync, &status.resources, &observation.settings, observation.now);
    decide(app, status, (decision, pairs), observation)
}

/// Returns a warning for each part of the source that was left out.
fn left_out(observation: &Observation) -> Vec<ApplicationCondition> {
    let Target::Found { left_out, .. } = &observation.target else { return vec![] };
    let warning = |text: &String| ApplicationCondition::new(ConditionKind::ExcludedResourceWarning, text);
    left_out.iter().map(warning).collect()
}

fn decide(
    app: &Application,
    mut status: ApplicationStatus,
    (decision, pairs): (Decision, Pairs),
    observation: &Observation,
) -> Refresh {
    let now = observation.now.whole_seconds();
    let (operation, condition, why) = match decision {
        Decision::Start(operation) => {
            let revision = status.sync.revision.clone();
            (Some(operation), None, Why::AutoSync { revision })
        }
        Decision::Skip(skip, condition) => (None, condition, skipped(&status, skip)),
    };
    let found = condition.into_iter().collect();
    status.conditions = conditions::replaced(&status.conditions, found, &[ConditionKind::SyncError], now);
    if tells_something_new(app, &status, observation) || operation.is_some() {
        status.reconciled_at = Some(now);
    }
    let mut refresh = ended(app, status, why, observation);
    if let Why::AutoSyncSkipped(Skip::SelfHealBackoff { until }) = &refresh.why {
        refresh.wake = refresh.wake.map(|wake| wake.min(*until));
    }
    if operation.is_some() {
        let message = format!("Initiated automated sync to [{}]", refresh.status.sync.revision);
        refresh.events.push(Event::normal("OperationStarted", message));
    }
    let finalizers = match &observation.target {
        Target::Found { objects, .. } => deletion::hooks::finalizers(app, objects),
        Target::Failed { .. } => None,
    };
    Refresh { operation, finalizers, pairs, ..refresh }
}

/// Returns true when a sync ended after the last comparison that was written: clients wait until
/// `status.reconciledAt` is not older than `status.operationState.finishedAt`.
fn end_is_unseen(status: &ApplicationStatus) -> bool {
    let finished = status.operation_state.as_ref().and_then(|state| state.finished_at);
    finished.is_some_and(|finished| status.reconciled_at.is_none_or(|at| at < finished))
}

/// Returns true when the time of the comparison is worth a write: the first one, the first after a sync, or a thorough
/// one that was asked for or found something else than the last one did.
fn tells_something_new(app: &Application, status: &ApplicationStatus, observation: &Observation) -> bool {
    let thorough = observation.level >= Level::Latest;
    let asked = app.object.annotation(REFRESH_ANNOTATION).is_some();
    let differs = asked || end_is_unseen(status) || *status != app.status;
    status.reconciled_at.is_none() || (thorough && differs)
}

fn skipped(status: &ApplicationStatus, skip: Skip) -> Why {
    match (skip, status.sync.status) {
        (Skip::Off, Some(SyncCode::OutOfSync)) => Why::OutOfSync,
        (Skip::Off | Skip::NotOutOfSync, Some(SyncCode::Synced)) => Why::Synced,
        (skip, Some(SyncCode::Unknown)) => match status.conditions.iter().find(|c| c.kind.is_error()) {
            Some(condition) => Why::Blocked(vec![condition.message.clone()]),
            None => Why::AutoSyncSkipped(skip),
        },
        (skip, _) => Why::AutoSyncSkipped(skip),
    }
}

fn ended(app: &Application, status: ApplicationStatus, why: Why, observation: &Observation) -> Refresh {
    let events = changes(&app.status, &status);
    Refresh {
        answered: app.object.annotation(REFRESH_ANNOTATION).is_some() && why != Why::SkipReconcile,
        wake: Some(observation.now.after(observation.settings.refresh_after)),
        operation: None,
        finalizers: None,
        pairs: Pairs::default(),
        status,
        events,
        why,
    }
}

fn changes(old: &ApplicationStatus, new: &ApplicationStatus) -> Vec<Event> {
    let mut events = Vec::new();
    let sync = |status: &ApplicationStatus| status.sync.status.map_or("", sync_text);
    if sync(old) != sync(new) {
        let message = format!("Updated sync status: {} -> {}", sync(old), sync(new));
        events.push(Event::normal("ResourceUpdated", message));
    }
    let health = |status: &ApplicationStatus| status.health.status.map_or("", HealthCode::as_str);
    if health(old) != health(new) {
        let message = format!("Updated health status: {} -> {}", health(old), health(new));
        events.push(Event::normal("ResourceUpdated", message));
    }
    events
}

fn sync_text(code: SyncCode) -> &'static str {
    match code {
        SyncCode::Unknown => "Unknown",
        SyncCode::Synced => "Synced",
        SyncCode::OutOfSync => "OutOfSync",
    }
}

fn sync_status(app: &Application, code: SyncCode, observation: &Observation) -> SyncStatus {
    let spec = normalize(&app.spec);
    let revision = match &observation.target {
        Target::Found { revision, .. } => revision.clone(),
        Target::Failed { .. } => spec.first_source().target_revision,
    };
    SyncStatus {
        status: Some(code),
        revision,
        compared_to: Some(ComparedTo {
            source: spec.source,
            destination: spec.destination,
            sources: spec.sources,
            ignore_differences: spec.ignore_differences,
            ..ComparedTo::default()
        }),
        ..SyncStatus::default()
    }
}

/// Fills in what is only shown.
fn describe(status: &mut ApplicationStatus, app: &Application, pairs: &Pairs, observation: &Observation) {
    match &observation.target {
        Target::Found { source_type, .. } => (*source_type).clone_into(&mut status.source_type),
        Target::Failed { .. } => status.source_type.clear(),
    }
    observation.settings.namespace.clone_into(&mut status.controller_namespace);
    "appTree".clone_into(&mut status.resource_health_source);
    let before = status.summary.take();
    let existed = before.is_some();
    let summary = summary(app, pairs, before.unwrap_or_default());
    status.summary = (existed || summary != Summary::default()).then_some(summary);
}

/// Returns images, links and whether there are Applications among what is live; what else was told before stays.
fn summary(app: &Application, pairs: &Pairs, before: Summary) -> Summary {
    let lives = || pairs.resources.values().filter_map(|pair| pair.live.as_deref());
    let images: BTreeSet<String> = lives().flat_map(results::images).collect();
    let mut links = links::annotated(&app.object);
    lives().for_each(|live| links.extend(links::of(live)));
    let is_application = |live: &object::Object| {
        live.kind() == "Application" && live.gvk().group == "argoproj.io" && live.uid() != app.object.uid()
    };
    Summary {
        external_urls: links.into_iter().collect(),
        images: images.into_iter().collect(),
        is_app_of_apps: lives().any(is_application),
        ..before
    }
}

fn overall_health(app: &Application, pairs: &Pairs) -> health::Verdict {
    let is_self = |object: &object::Object| object.uid() == app.object.uid() && !object.uid().is_empty();
    let skipped = |pair: &pairs::Pair| {
        pair.target.as_deref().is_some_and(|t| crate::hook::role(t) == crate::hook::Role::Skipped)
    };
    let members = pairs
        .resources
        .values()
        .filter(|pair| !skipped(pair) && !pair.live.as_deref().is_some_and(is_self))
        .map(|pair| Member { key: &pair.key, live: pair.live.as_deref() });
    health::aggregate(members, &Builtin)
}

fn set_health(status: &mut ApplicationStatus, code: HealthCode, message: String, now: Time) {
    let health = &mut status.health;
    if health.status != Some(code) {
        health.status = Some(code);
        health.last_transition_time = Some(now);
    }
    health.message = message;
}
