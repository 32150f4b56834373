//! The table of kinds that need no rule: small kinds here, larger ones in modules of their own.
//!
//! Source: Argo CD 3.6 `gitops-engine/pkg/health` and the shipped rules for CronJob, PodDisruptionBudget and
//! CustomResourceDefinition.

use object::{Condition, ConditionStatus, Object, Value};
use serde::Deserialize;

use crate::{Health, Status, argo, pod, workload};

/// Returns the health of `object` by its kind; an unsupported version of a known kind is Unknown.
pub fn assess(object: &Object) -> Option<Health> {
    let gvk = object.gvk();
    let health = match (gvk.group.as_str(), gvk.kind.as_str(), gvk.version.as_str()) {
        ("apps", "Deployment", "v1") => workload::deployment(object),
        ("apps", "ReplicaSet", "v1") => workload::replica_set(object),
        ("apps", "StatefulSet", "v1") => workload::stateful_set(object),
        ("apps", "DaemonSet", "v1") => workload::daemon_set(object),
        ("batch", "Job", "v1") => workload::job(object),
        ("batch", "CronJob", _) => workload::cron_job(object),
        ("", "Pod", "v1") => pod::pod(object),
        ("", "Service", "v1") => service(object),
        ("", "PersistentVolumeClaim", "v1") => claim(object),
        ("extensions" | "networking.k8s.io", "Ingress", _) => ingress(object),
        ("autoscaling", "HorizontalPodAutoscaler", "v1" | "v2") => autoscaler(object),
        ("apiregistration.k8s.io", "APIService", "v1" | "v1beta1") => api_service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition", _) => definition(object),
        ("policy", "PodDisruptionBudget", _) => budget(object),
        ("argoproj.io", "Rollout", _) => argo::rollout(object),
        ("argoproj.io", "AnalysisRun", _) => argo::run(object, &argo::ANALYSIS),
        ("argoproj.io", "Experiment", _) => argo::run(object, &argo::EXPERIMENT),
        ("argoproj.io", "Workflow", "v1alpha1") => argo::workflow(object),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet", _)
        | ("batch", "Job", _)
        | ("", "Pod" | "Service" | "PersistentVolumeClaim", _)
        | ("autoscaling", "HorizontalPodAutoscaler", _)
        | ("apiregistration.k8s.io", "APIService", _)
        | ("argoproj.io", "Workflow", _) => {
            Health::new(Status::Unknown, format!("unsupported {} GVK: {gvk}", gvk.kind))
        }
        _ => return None,
    };
    Some(health)
}

/// Returns true when the condition `kind` has status True.
pub fn is_true(object: &Object, kind: &str) -> bool {
    object.condition(kind).is_some_and(|condition| condition.status == ConditionStatus::True)
}

fn has_ingress(object: &Object) -> bool {
    !object.items(&["status", "loadBalancer", "ingress"]).is_empty()
}

fn service(object: &Object) -> Health {
    if object.str(&["spec", "type"]) == "LoadBalancer" && !has_ingress(object) {
        return Health::new(Status::Progressing, "");
    }
    Health::new(Status::Healthy, "")
}

fn ingress(object: &Object) -> Health {
    Health::new(if has_ingress(object) { Status::Healthy } else { Status::Progressing }, "")
}

fn claim(object: &Object) -> Health {
    let status = match object.str(&["status", "phase"]) {
        "Lost" => Status::Degraded,
        "Pending" => Status::Progressing,
        "Bound" => Status::Healthy,
        _ => Status::Unknown,
    };
    Health::new(status, "")
}

/// Pairs of condition and reason that tell of a failure of an autoscaler.
const AUTOSCALER_FAILURES: [(&str, &[&str]); 2] = [
    ("AbleToScale", &["FailedGetScale", "FailedUpdateScale"]),
    (
        "ScalingActive",
        &[
            "FailedGetResourceMetric",
            "FailedGetObjectMetric",
            "FailedGetPodsMetric",
            "FailedGetExternalMetric",
            "FailedComputeMetricsReplicas",
            "InvalidSelector",
        ],
    ),
];

/// `autoscaling/v1` keeps its conditions as JSON in an annotation.
fn autoscaler(object: &Object) -> Health {
    let conditions = match object.annotation("autoscaling.alpha.kubernetes.io/conditions") {
        Some(text) => serde_json::from_str::<Vec<Value>>(text)
            .unwrap_or_default()
            .iter()
            .filter_map(|value| Condition::deserialize(value).ok())
            .collect(),
        None => object.conditions(),
    };
    let failed = conditions.iter().find(|condition| {
        let fails = |(kind, reasons): &(&str, &[&str])| {
            condition.kind == *kind && reasons.contains(&condition.reason.as_str())
        };
        AUTOSCALER_FAILURES.iter().any(fails)
    });
    if let Some(condition) = failed {
        return Health::new(Status::Degraded, condition.message.clone());
    }
    let fine = conditions.iter().find(|condition| {
        matches!(condition.kind.as_str(), "AbleToScale" | "ScalingLimited")
            && condition.status == ConditionStatus::True
    });
    match fine {
        Some(condition) => Health::new(Status::Healthy, condition.message.clone()),
        None => Health::new(Status::Progressing, "Waiting to Autoscale"),
    }
}

fn api_service(object: &Object) -> Health {
    match object.condition("Available") {
        Some(condition) if condition.status == ConditionStatus::True => {
            Health::new(Status::Healthy, format!("{}: {}", condition.reason, condition.message))
        }
        Some(condition) => {
            Health::new(Status::Progressing, format!("{}: {}", condition.reason, condition.message))
        }
        None => Health::new(Status::Progressing, "Waiting to be processed"),
    }
}

fn definition(object: &Object) -> Health {
    if object.is_deleting() {
        return Health::new(Status::Progressing, "CRD is terminating");
    }
    let conditions = object.conditions();
    if conditions.is_empty() {
        return Health::new(Status::Progressing, "Status conditions not found");
    }
    let find = |kind: &str, status: ConditionStatus| {
        conditions.iter().find(|c| c.kind == kind && c.status == status)
    };
    if let Some(condition) = find("Terminating", ConditionStatus::True) {
        return Health::new(Status::Progressing, format!("CRD is terminating: {}", condition.message));
    }
    if conditions.iter().any(|c| c.kind == "Established" && c.reason == "Installing") {
        return Health::new(Status::Progressing, "CRD is being installed");
    }
    if let Some(condition) = find("NamesAccepted", ConditionStatus::False) {
        return Health::new(
            Status::Degraded,
            format!("CRD names have not been accepted: {}", condition.message),
        );
    }
    if find("Established", ConditionStatus::True).is_none() {
        return Health::new(Status::Degraded, "CRD is not established");
    }
    match find("NonStructuralSchema", ConditionStatus::True) {
        Some(condition) => {
            Health::new(Status::Degraded, format!("Schema violations found: {}", condition.message))
        }
        None => Health::new(Status::Healthy, "CRD is healthy"),
    }
}

fn budget(object: &Object) -> Health {
    let conditions = object.conditions();
    let failed =
        conditions.iter().find(|c| c.status == ConditionStatus::False && c.reason != "InsufficientPods");
    match (failed, conditions.last()) {
        (Some(condition), _) => {
            Health::new(Status::Degraded, format!("PodDisruptionBudget has {}", condition.reason))
        }
        (None, Some(condition)) => {
            Health::new(Status::Healthy, format!("PodDisruptionBudget has {}", condition.reason))
        }
        (None, None) => Health::new(Status::Progressing, "Waiting for status"),
    }
}
