//! Whether to start a sync without being asked.

use std::fmt;

use api::application::{
    Application, ApplicationCondition, Automated, ConditionKind, Initiator, Operation, OperationPhase,
    ResourceStatus, Retry, Source, SyncCode, SyncOperation, SyncResource, SyncStatus,
};
use object::Time;

use crate::observation::Settings;
use crate::retry;

/// How often an automated sync without a `retry` block is tried again.
const DEFAULT_LIMIT: i64 = 5;

/// Why no automated sync starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The policy is absent or switched off.
    Off,
    /// An operation is requested or running.
    Busy,
    /// The Application is being deleted.
    Deleting,
    /// Nothing is out of sync, or it is not known.
    NotOutOfSync,
    /// Only deletions are left, and the policy does not prune.
    OnlyPrunes,
    /// This revision was synced, and the policy does not self-heal.
    AlreadySynced {
        /// The revision.
        revision: String,
    },
    /// This revision failed; only a new one, other parameters or a person start another sync.
    AlreadyFailed,
    /// Self-heal waits.
    SelfHealBackoff {
        /// Until then.
        until: Time,
    },
    /// The sync would delete everything, and the policy does not allow that.
    WipesOut,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("automated sync is off"),
            Self::Busy => f.write_str("another operation is in progress"),
            Self::Deleting => f.write_str("the application is being deleted"),
            Self::NotOutOfSync => f.write_str("the application is not out of sync"),
            Self::OnlyPrunes => {
                f.write_str("need to prune extra resources only but automated prune is disabled")
            }
            Self::AlreadySynced { revision } => write!(f, "most recent sync already to {revision}"),
            Self::AlreadyFailed => f.write_str("the last sync to this revision failed"),
            Self::SelfHealBackoff { until } => write!(f, "self-heal waits until {until}"),
            Self::WipesOut => f.write_str("auto-sync will wipe out all resources"),
        }
    }
}

/// Outcome of the question.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Start this operation.
    Start(Box<Operation>),
    /// Do not; the condition, when there is one, tells people.
    Skip(Skip, Option<ApplicationCondition>),
}

/// Returns whether to start a sync of `app`, just compared as `sync` with `resources`.
///
/// Source: Argo CD `autoSync`.
pub fn autosync(
    app: &Application,
    sync: &SyncStatus,
    resources: &[ResourceStatus],
    settings: &Settings,
    now: Time,
) -> Decision {
    let skip = |skip| Decision::Skip(skip, None);
    let Some(policy) = app.spec.automated() else { return skip(Skip::Off) };
    if app.operation.is_some() {
        return skip(Skip::Busy);
    }
    if app.object.is_deleting() {
        return skip(Skip::Deleting);
    }
    if sync.status != Some(SyncCode::OutOfSync) {
        return skip(Skip::NotOutOfSync);
    }
    let synced = |resource: &&ResourceStatus| resource.status == Some(SyncCode::Synced);
    let prunes_only = resources.iter().filter(|resource| !synced(resource)).all(|r| r.requires_pruning);
    if policy.prune != Some(true) && prunes_only {
        return skip(Skip::OnlyPrunes);
    }
    let mut operation = new_operation(app, policy, sync);
    if let Some(refusal) =
        attempted(app, sync).and_then(|last| again(app, &last, &mut operation, (settings, now)))
    {
        return refusal;
    }
    if let (Some(sync_operation), true) = (&mut operation.sync, attempted(app, sync).is_some()) {
        sync_operation.resources =
            resources.iter().filter(|r| is_out_of_sync(r)).map(sync_resource).collect();
    }
    let wipes_out = resources.iter().all(|resource| resource.requires_pruning);
    if policy.prune == Some(true) && policy.allow_empty != Some(true) && wipes_out {
        let message =
            format!("Skipping sync attempt to [{}]: auto-sync will wipe out all resources", sync.revision);
        return Decision::Skip(
            Skip::WipesOut,
            Some(ApplicationCondition::new(ConditionKind::SyncError, message)),
        );
    }
    Decision::Start(Box::new(operation))
}

fn is_out_of_sync(resource: &ResourceStatus) -> bool {
    resource.status == Some(SyncCode::OutOfSync)
}

/// Self-heal names resources without their namespace, as upstream does.
fn sync_resource(resource: &ResourceStatus) -> SyncResource {
    SyncResource {
        group: resource.group.clone(),
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        namespace: String::new(),
    }
}

fn new_operation(app: &Application, policy: &Automated, sync: &SyncStatus) -> Operation {
    let retry = app.spec.sync_policy.as_ref().and_then(|policy| policy.retry.clone());
    Operation {
        sync: Some(SyncOperation {
            revision: sync.revision.clone(),
            prune: policy.prune == Some(true),
            source: app.spec.source.clone(),
            sync_options: app.spec.sync_options().to_vec(),
            ..SyncOperation::default()
        }),
        initiated_by: Initiator { automated: true, ..Initiator::default() },
        retry: retry.unwrap_or_else(|| Retry { limit: DEFAULT_LIMIT, ..Retry::default() }),
        ..Operation::default()
    }
}

/// How the last operation to the same revision and source ended.
struct Attempt {
    phase: OperationPhase,
    message: String,
    revision: String,
    heals: i64,
    finished: Option<Time>,
}

fn attempted(app: &Application, sync: &SyncStatus) -> Option<Attempt> {
    let state = app.status.operation_state.as_ref()?;
    let operation = state.operation.sync.as_ref()?;
    let result = state.sync_result.as_ref()?;
    let source = app.spec.first_source();
    let same = !operation.dry_run && result.revision == sync.revision && same_source(&result.source, &source);
    same.then(|| Attempt {
        phase: state.phase,
        message: state.message.clone(),
        revision: result.revision.clone(),
        heals: operation.auto_heal_attempts_count,
        finished: state.finished_at,
    })
}

/// The revision is compared resolved, so the wanted one does not count.
fn same_source(left: &Source, right: &Source) -> bool {
    let without = |source: &Source| Source { target_revision: String::new(), ..source.clone() };
    without(left) == without(right)
}

/// Returns a refusal, or makes `operation` the next self-heal attempt.
fn again(
    app: &Application,
    last: &Attempt,
    operation: &mut Operation,
    (settings, now): (&Settings, Time),
) -> Option<Decision> {
    if last.phase != OperationPhase::Succeeded {
        let message = format!("Failed last sync attempt to [{}]: {}", last.revision, last.message);
        let condition = ApplicationCondition::new(ConditionKind::SyncError, message);
        return Some(Decision::Skip(Skip::AlreadyFailed, Some(condition)));
    }
    if app.spec.automated().is_none_or(|policy| policy.self_heal != Some(true)) {
        return Some(Decision::Skip(Skip::AlreadySynced { revision: last.revision.clone() }, None));
    }
    let until = last.finished.unwrap_or(now).after(retry::self_heal_wait(settings.self_heal, last.heals));
    if until > now {
        return Some(Decision::Skip(Skip::SelfHealBackoff { until }, None));
    }
    if let Some(sync) = &mut operation.sync {
        sync.auto_heal_attempts_count = last.heals + 1;
    }
    None
}
