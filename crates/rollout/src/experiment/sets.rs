//! The sets of pods: a ReplicaSet and maybe a Service for each template.
//!
//! Source: Argo Rollouts `reconcileTemplate`, `experiments/replicaset.go`, `experiments/service.go`.

mod make;

use std::sync::Arc;
use std::time::Duration;

use api::experiment::{ExperimentTemplate, TemplateStatus};
use object::{Object, Time, Value, json};

use super::{Action, Pass};
use crate::{Event, keys};

/// Seconds without progress after which a template has failed, when the Experiment does not say.
pub(super) const PROGRESS_DEADLINE: i32 = 600;
/// Seconds that the pods stay after the end, when the Experiment does not say.
const SCALE_DOWN_DELAY: i32 = 30;
/// Annotation of ReplicaSets and Services: name of the template.
const TEMPLATE_NAME: &str = "experiment.argoproj.io/template-name";

/// Creates, scales and judges the set of one template.
pub(super) fn reconcile(pass: &mut Pass, template: &ExperimentTemplate) {
    let before = status_of(&pass.status.template_statuses, &template.name);
    let mut status = before.clone();
    let (now, wanted) = (pass.now.to_string(), wanted(pass, template));
    let set = own(&pass.observed.replica_sets, pass, template);
    match &set {
        None if pass.terminating() => {}
        None => create(pass, template, &mut status),
        Some(set) => {
            let moved = scale(pass, template, set, wanted);
            if moved {
                status.last_transition_time = Some(now.clone());
            }
            service(pass, template, (set, wanted), &mut status);
        }
    }
    count(&mut status, set.as_deref());
    let counts = |status: &TemplateStatus| {
        [status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas]
    };
    if counts(&before) != counts(&status) {
        status.last_transition_time = Some(now);
    }
    judge(pass, template, wanted, &mut status);
    put(pass, &before, status);
}

/// Returns the size that a set is to have: none once nothing new begins or its template is over.
///
/// Source: `CalculateTemplateReplicasCount`.
pub(super) fn wanted(pass: &Pass, template: &ExperimentTemplate) -> i32 {
    let status = status_of(&pass.experiment.status.template_statuses, &template.name);
    if pass.terminating() || completed(&status) { 0 } else { template.replicas.unwrap_or(1) }
}

pub(super) fn completed(status: &TemplateStatus) -> bool {
    matches!(status.status.as_str(), "Successful" | "Failed" | "Error")
}

/// Returns the status of the template `name`, an empty one when there is none yet.
pub(super) fn status_of(statuses: &[TemplateStatus], name: &str) -> TemplateStatus {
    let found = statuses.iter().find(|status| status.name == name).cloned();
    found.unwrap_or_else(|| TemplateStatus { name: name.to_owned(), ..TemplateStatus::default() })
}

/// Returns the object that was made for this template.
pub(super) fn own(
    objects: &[Arc<Object>],
    pass: &Pass,
    template: &ExperimentTemplate,
) -> Option<Arc<Object>> {
    let experiment = &pass.experiment.object;
    let of_template = |object: &&Arc<Object>| {
        object.controller_uid() == Some(experiment.uid())
            && object.annotation(keys::EXPERIMENT_NAME) == Some(experiment.name())
            && object.annotation(TEMPLATE_NAME) == Some(template.name.as_str())
    };
    objects.iter().find(of_template).cloned()
}

fn create(pass: &mut Pass, template: &ExperimentTemplate, status: &mut TemplateStatus) {
    match make::replica_set(pass.experiment, template, status.collision_count) {
        Ok(object) => {
            pass.plan.actions.push(Action::CreateReplicaSet { template: template.name.clone(), object });
            status.last_transition_time = Some(pass.now.to_string());
        }
        Err(error) => {
            status.status = "Error".to_owned();
            status.message = format!("Failed to create ReplicaSet for template '{}': {error}", template.name);
        }
    }
}

/// Scales a set: up at once, down after the delay. Returns whether a scaling was begun.
fn scale(pass: &mut Pass, template: &ExperimentTemplate, set: &Object, wanted: i32) -> bool {
    let size = replicas(set);
    let deadline = set.annotation(keys::SCALE_DOWN_DEADLINE);
    let note = |text: Value| json!({"metadata": {"annotations": {keys::SCALE_DOWN_DEADLINE: text}}});
    if wanted > 0 {
        let mut patch = if deadline.is_some() { note(Value::Null) } else { json!({}) };
        if size != wanted {
            patch["spec"] = json!({"replicas": wanted});
            scaled(pass, set, wanted);
        }
        return patch != json!({}) && change(pass, template, set, patch);
    }
    let delay = pass.experiment.spec.scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY);
    if size == 0 {
        return false;
    }
    if delay > 0 {
        let Some(deadline) = deadline.and_then(|text| Time::parse(text).ok()) else {
            let deadline = pass.now.after(seconds(delay));
            return change(pass, template, set, note(deadline.to_string().into()));
        };
        if deadline > pass.now {
            pass.plan.wake = earlier(pass.plan.wake, Some(deadline));
            return false;
        }
    }
    scaled(pass, set, 0);
    change(pass, template, set, json!({"spec": {"replicas": 0}}))
}

fn change(pass: &mut Pass, template: &ExperimentTemplate, set: &Object, patch: Value) -> bool {
    let (template, version) = (template.name.clone(), set.resource_version().to_owned());
    pass.plan.actions.push(Action::PatchReplicaSet { template, key: set.key(), version, patch });
    true
}

fn scaled(pass: &mut Pass, set: &Object, to: i32) {
    let from = replicas(set);
    let way = if from < to { "up" } else { "down" };
    let message = format!("Scaled {way} ReplicaSet {} from {from} to {to}", set.name());
    pass.plan.events.push(Event::normal("ScalingReplicaSet", message));
}

/// Creates the Service of a set that is wanted, deletes that of one whose pods are gone.
fn service(
    pass: &mut Pass,
    template: &ExperimentTemplate,
    (set, wanted): (&Object, i32),
    status: &mut TemplateStatus,
) {
    let existing = own(&pass.observed.services, pass, template);
    match (&template.service, existing) {
        (Some(asked), None) if wanted > 0 => {
            let object = make::service(pass.experiment, template, asked, set);
            if let Some(object) = object {
                status.service_name = object.name().to_owned();
                status.pod_template_hash = set.label(keys::HASH).unwrap_or_default().to_owned();
                pass.plan.actions.push(Action::CreateService { template: template.name.clone(), object });
            }
        }
        (Some(_), Some(service)) if wanted > 0 => {
            status.service_name = service.name().to_owned();
            status.pod_template_hash = set.label(keys::HASH).unwrap_or_default().to_owned();
        }
        (asked, Some(service)) => {
            let empty = replicas(set) == 0 && number(set, "availableReplicas") == 0;
            if asked.is_none() || empty {
                let (key, uid) = (service.key(), service.uid().to_owned());
                pass.plan.actions.push(Action::DeleteService { template: template.name.clone(), key, uid });
                status.service_name.clear();
                status.pod_template_hash.clear();
            }
        }
        (_, None) => {}
    }
}

fn count(status: &mut TemplateStatus, set: Option<&Object>) {
    let number = |name: &str| set.map_or(0, |set| number(set, name));
    status.replicas = number("replicas");
    status.updated_replicas = number("replicas");
    status.ready_replicas = number("readyReplicas");
    status.available_replicas = number("availableReplicas");
}

fn number(set: &Object, name: &str) -> i32 {
    set.int(&["status", name]).and_then(|count| i32::try_from(count).ok()).unwrap_or(0)
}

fn replicas(set: &Object) -> i32 {
    set.int(&["spec", "replicas"]).and_then(|count| i32::try_from(count).ok()).unwrap_or(1)
}

fn judge(pass: &Pass, template: &ExperimentTemplate, wanted: i32, status: &mut TemplateStatus) {
    if completed(status) {
        return;
    }
    let over = pass.end().is_some_and(|end| end <= pass.now);
    let available = wanted == status.available_replicas;
    let state = if available && over || pass.terminating() && !late(pass, status, available) {
        "Successful"
    } else if available {
        "Running"
    } else if late(pass, status, available) {
        let limit = limit(pass);
        status.message =
            format!("Template '{}' exceeded its progressDeadlineSeconds ({limit})", template.name);
        "Failed"
    } else {
        "Progressing"
    };
    state.clone_into(&mut status.status);
}

/// Returns true when a set that is not as wanted has not moved for too long.
fn late(pass: &Pass, status: &TemplateStatus, available: bool) -> bool {
    !available && deadline(pass, status).is_some_and(|deadline| deadline <= pass.now)
}

fn limit(pass: &Pass) -> i32 {
    pass.experiment.spec.progress_deadline_seconds.unwrap_or(PROGRESS_DEADLINE)
}

/// Returns when a lack of progress becomes a failure.
pub(super) fn deadline(pass: &Pass, status: &TemplateStatus) -> Option<Time> {
    let since = Time::parse(status.last_transition_time.as_deref()?).ok()?;
    Some(since.after(seconds(limit(pass))))
}

fn seconds(count: i32) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

/// Returns the earlier of two times that may be missing.
pub(super) fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    one.into_iter().chain(other).min()
}

/// Puts a template in error.
pub(super) fn fail(pass: &mut Pass, template: &str, message: String) {
    let before = status_of(&pass.status.template_statuses, template);
    let status = TemplateStatus { status: "Error".to_owned(), message, ..before.clone() };
    put(pass, &before, status);
}

/// Writes a template's status and tells of its change.
fn put(pass: &mut Pass, before: &TemplateStatus, status: TemplateStatus) {
    if before.status != status.status {
        let mut message =
            format!("Template '{}' transitioned from {} -> {}", status.name, before.status, status.status);
        if !status.message.is_empty() {
            message = format!("{message}: {}", status.message);
        }
        let reason = format!("Template{}", status.status);
        let bad = matches!(status.status.as_str(), "Failed" | "Error");
        let event = if bad { Event::warning(&reason, message) } else { Event::normal(&reason, message) };
        pass.plan.events.push(event);
    }
    let statuses = &mut pass.status.template_statuses;
    match statuses.iter_mut().find(|other| other.name == status.name) {
        Some(slot) => *slot = status,
        None => statuses.push(status),
    }
}
