//! Conditions of a Rollout.
//!
//! Source: Argo Rollouts `calculateRolloutConditions`, `checkPausedConditions` and `utils/conditions`.

use api::rollout::RolloutStatus;
use object::{Condition, ConditionStatus, Time};

use super::pass::{Pass, text};
use super::phase;
use crate::{Event, Step};

const PROGRESSING: &str = "Progressing";

/// Returns a condition that begins now.
pub(crate) fn new(kind: &str, status: ConditionStatus, reason: &str, message: &str, now: Time) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status,
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_update_time: Some(text(now)),
        last_transition_time: Some(text(now)),
        extra: object::Map::new(),
    }
}

/// Puts the condition last, unless one of the same status and reason is there; returns whether it did.
pub(crate) fn set(status: &mut RolloutStatus, mut condition: Condition) -> bool {
    if let Some(current) = status.condition(&condition.kind) {
        if current.status == condition.status && current.reason == condition.reason {
            return false;
        }
        if current.status == condition.status {
            condition.last_transition_time = current.last_transition_time.clone();
        }
    }
    status.conditions.retain(|other| other.kind != condition.kind);
    status.conditions.push(condition);
    true
}

fn truth(truth: bool) -> ConditionStatus {
    if truth { ConditionStatus::True } else { ConditionStatus::False }
}

/// Returns the status with the conditions of a pause, resume or retry, when they are not there yet.
pub(super) fn check_paused(pass: &mut Pass) -> Option<RolloutStatus> {
    let old = pass.status();
    let mut status = old.clone();
    let progressing = old.condition(PROGRESSING).map(|condition| condition.reason.as_str());
    let paused = !old.pause_conditions.is_empty() || pass.paused_by_user();
    let aborted = progressing == Some("RolloutAborted");
    let mut changed = false;
    let unknown =
        |reason: &str, message: &str| new(PROGRESSING, ConditionStatus::Unknown, reason, message, pass.now);
    if !aborted && paused != (progressing == Some("RolloutPaused")) {
        let condition = if paused {
            unknown("RolloutPaused", "Rollout is paused")
        } else {
            unknown("RolloutResumed", "Rollout is resumed")
        };
        changed |= set(&mut status, condition);
    }
    if !old.abort && aborted {
        changed |= set(&mut status, unknown("RolloutRetry", "Retrying Rollout after abort"));
    }
    let said = old.condition("Paused").is_some_and(|condition| condition.status == ConditionStatus::True);
    if !aborted && paused != said {
        changed |=
            set(&mut status, new("Paused", truth(paused), "RolloutPaused", "Rollout is paused", pass.now));
    }
    if !changed {
        return None;
    }
    status.observed_generation = pass.rollout().object.generation().to_string();
    (status.phase, status.message) = phase::phase(pass.rollout(), pass.settings().replicas, &status);
    super::duration::apply(pass, &mut status);
    Some(status)
}

/// Writes the conditions that follow from the rest of the status.
pub(super) fn apply(pass: &mut Pass, status: &mut RolloutStatus) {
    let lost_pods = became_unhealthy(pass, status);
    progressing(pass, status, lost_pods);
    let enough = available(pass, status);
    let message = if enough {
        "Rollout has minimum availability"
    } else {
        "Rollout does not have minimum availability"
    };
    set(status, new("Available", truth(enough), "AvailableReason", message, pass.now));
    match replica_failure(pass) {
        Some(failure) => {
            set(status, failure);
        }
        None => status.conditions.retain(|condition| condition.kind != "ReplicaFailure"),
    }
    completed(pass, status);
}

/// Returns true when there are enough pods for the users.
fn available(pass: &Pass, status: &RolloutStatus) -> bool {
    let replicas = pass.settings().replicas;
    if pass.settings().blue_green.is_none() {
        return status.available_replicas >= replicas;
    }
    pass.sets.of_hash(&status.blue_green.active_selector).is_some_and(|active| active.saturated(replicas))
}

/// Writes whether the Rollout is healthy; returns true when it was until now.
fn became_unhealthy(pass: &Pass, status: &mut RolloutStatus) -> bool {
    if healthy(pass, status) {
        set(status, new("Healthy", ConditionStatus::True, "RolloutHealthy", "Rollout is healthy", pass.now));
        return false;
    }
    let condition =
        new("Healthy", ConditionStatus::False, "RolloutHealthy", "Rollout is not healthy", pass.now);
    status.condition("Healthy").is_some() && set(status, condition)
}

/// Writes whether the current template is the stable one, and tells when it no longer is.
fn completed(pass: &mut Pass, status: &mut RolloutStatus) {
    let completed = !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash;
    if !completed && status.condition("Completed").is_none() {
        return;
    }
    let condition = new("Completed", truth(completed), "RolloutCompleted", "RolloutCompleted", pass.now);
    if set(status, condition) && !completed {
        let (revision, hash) = (pass.revision(), &status.current_pod_hash);
        let message = format!("Rollout not completed, started update to revision {revision} ({hash})");
        pass.events.push(Event::normal("RolloutNotCompleted", message));
    }
}

fn healthy(pass: &Pass, status: &RolloutStatus) -> bool {
    let replicas = pass.settings().replicas;
    let steps = pass.settings().steps.len();
    let all_steps = status.current_step_index.is_none_or(|index| usize::try_from(index) == Ok(steps));
    let observed = pass.status().observed_generation == pass.rollout().object.generation().to_string();
    let paused = !status.pause_conditions.is_empty() || pass.paused_by_user();
    let stable = !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash;
    let counts = status.updated_replicas == replicas && status.available_replicas == replicas;
    let strategy = match &pass.settings().blue_green {
        Some(strategy) => {
            let preview = &status.blue_green.preview_selector;
            status.blue_green.active_selector == status.current_pod_hash
                && (strategy.preview_service.is_empty() || *preview == status.current_pod_hash)
        }
        None => status.replicas == replicas && all_steps,
    };
    counts && strategy && stable && observed && !paused
}

fn progressing(pass: &mut Pass, status: &mut RolloutStatus, lost_pods: bool) {
    if pass.aborted() {
        let mut message = format!("Rollout aborted update to revision {}", pass.revision());
        if let Some(why) = pass.pause.abort.as_ref().filter(|why| !why.is_empty()) {
            message = format!("{message}: {why}");
        }
        let condition = new(PROGRESSING, ConditionStatus::False, "RolloutAborted", &message, pass.now);
        if set(status, condition) {
            pass.events.push(Event::warning("RolloutAborted", message));
        }
        return;
    }
    let old = pass.status();
    let current = old.condition(PROGRESSING);
    let paused = !old.pause_conditions.is_empty() || pass.paused_by_user();
    let at_rest = status.replicas == status.available_replicas
        && current.is_some_and(|condition| {
            condition.reason == "NewReplicaSetAvailable" && condition.status != ConditionStatus::False
        });
    let set_name = pass.sets.new_set().map(|set| set.name().to_owned());
    let name = set_name.unwrap_or_else(|| format!("{}-{}", pass.rollout().name(), pass.hash));
    if creating(pass) {
        let message = format!("Created new replica set {name:?}");
        set(status, new(PROGRESSING, ConditionStatus::True, "NewReplicaSetCreated", &message, pass.now));
        return;
    }
    if paused || (at_rest && !lost_pods && healthy(pass, status)) {
        return;
    }
    if healthy(pass, status) {
        let message = format!("ReplicaSet {name:?} has successfully progressed.");
        set(status, new(PROGRESSING, ConditionStatus::True, "NewReplicaSetAvailable", &message, pass.now));
    } else if lost_pods || made_progress(old, status) {
        still_progressing(pass, status, &name, lost_pods);
    } else if !indefinite_step(pass) && timed_out(pass, status) {
        let message = timeout_message(&name);
        set(status, new(PROGRESSING, ConditionStatus::False, "ProgressDeadlineExceeded", &message, pass.now));
    } else if current.is_none() {
        let message = format!("Found new replica set {name:?}");
        set(status, new(PROGRESSING, ConditionStatus::True, "FoundNewReplicaSet", &message, pass.now));
    }
}

fn creating(pass: &Pass) -> bool {
    pass.actions.iter().any(|action| matches!(action, crate::Action::CreateReplicaSet(_)))
}

/// Renews the condition: its time of update is what the deadline counts from.
fn still_progressing(pass: &Pass, status: &mut RolloutStatus, name: &str, lost_pods: bool) {
    let stable = status.stable_rs == status.current_pod_hash;
    let (reason, message) = if lost_pods && stable {
        ("ReplicaSetNotAvailable", "Rollout does not have minimum availability".to_owned())
    } else {
        ("ReplicaSetUpdated", format!("ReplicaSet {name:?} is progressing."))
    };
    let mut condition = new(PROGRESSING, ConditionStatus::True, reason, &message, pass.now);
    if let Some(current) = pass.status().condition(PROGRESSING)
        && current.status == ConditionStatus::True
    {
        condition.last_transition_time = current.last_transition_time.clone();
    }
    status.conditions.retain(|other| other.kind != PROGRESSING);
    status.conditions.push(condition);
}

fn timeout_message(set: &str) -> String {
    format!("ReplicaSet {set:?} has timed out progressing.")
}

/// Returns true when pods came, became ready or went, or a step was made.
fn made_progress(old: &RolloutStatus, new: &RolloutStatus) -> bool {
    let step = old.current_step_index.is_some()
        && new.current_step_index.is_some()
        && old.current_step_index != new.current_step_index;
    new.updated_replicas != old.updated_replicas
        || new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
        || new.ready_replicas > old.ready_replicas
        || new.available_replicas > old.available_replicas
        || new.stable_rs != old.stable_rs
        || new.current_step_hash != old.current_step_hash
        || new.blue_green.active_selector != old.blue_green.active_selector
        || new.blue_green.preview_selector != old.blue_green.preview_selector
        || step
}

/// Returns true while any time may be taken: at pauses and analyses, and while old pods wait to be scaled down.
pub(super) fn indefinite_step(pass: &Pass) -> bool {
    matches!(pass.step().1, Some(Step::Pause(_) | Step::Analysis(_) | Step::Experiment(_)))
        || pass.sets.others().any(crate::sets::Set::has_deadline)
}

/// Returns when the lack of progress becomes a failure, if it is counted.
pub(super) fn deadline(pass: &Pass, status: &RolloutStatus) -> Option<Time> {
    let condition = status.condition(PROGRESSING)?;
    if matches!(condition.reason.as_str(), "RolloutAborted" | "RolloutPaused" | "ProgressDeadlineExceeded") {
        return None;
    }
    let since = Time::parse(condition.last_update_time.as_ref()?).ok()?;
    Some(since.after(pass.settings().progress_deadline))
}

/// Returns true from the second of the deadline on: both times are whole seconds.
fn timed_out(pass: &Pass, status: &RolloutStatus) -> bool {
    let said =
        status.condition(PROGRESSING).is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded");
    said || deadline(pass, status).is_some_and(|deadline| deadline <= pass.now)
}

/// Aborts when `progressDeadlineAbort` is set and the deadline passed without progress during an update.
pub(super) fn abort_at_deadline(pass: &mut Pass, status: &RolloutStatus) {
    let wanted = pass.rollout().spec.progress_deadline_abort == Some(true);
    let paused = !pass.status().pause_conditions.is_empty() || pass.paused_by_user();
    let in_flight = !status.stable_rs.is_empty() && status.stable_rs != status.current_pod_hash;
    if wanted
        && in_flight
        && !paused
        && !pass.aborted()
        && !indefinite_step(pass)
        && !made_progress(pass.status(), status)
        && timed_out(pass, status)
    {
        let name = pass.sets.new_set().map(|set| set.name().to_owned()).unwrap_or_default();
        pass.pause.abort = Some(timeout_message(&name));
    }
}

/// Returns the failure of the new ReplicaSet, else of another.
fn replica_failure(pass: &Pass) -> Option<Condition> {
    let mut sets = pass.sets.new_set().into_iter().chain(pass.sets.all.iter());
    let found = sets.find_map(|set| set.object.condition("ReplicaFailure"))?;
    Some(Condition { last_update_time: found.last_transition_time.clone(), ..found })
}
