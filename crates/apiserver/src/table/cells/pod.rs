//! Pods: the status that people read.

use object::{Object, Time};
use serde_json::{Value, json};

use super::{Row, age};

/// Restarts and when the last was.
#[derive(Default)]
struct Restarts {
    count: i64,
    last: Option<Time>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += status["restartCount"].as_i64().unwrap_or_default();
        let finished = status["lastState"]["terminated"]["finishedAt"].as_str();
        self.last = self.last.max(finished.and_then(|text| Time::parse(text).ok()));
    }
}

/// What is found out while looking at the containers.
struct Reading<'a> {
    pod: &'a Object,
    reason: String,
    ready: usize,
    total: usize,
    restarts: Restarts,
    sidecar_restarts: Restarts,
}

pub(super) fn cells(row: &Row<'_>) -> Vec<Value> {
    let reading = Reading::of(row.object);
    let restarts = match (reading.restarts.count, reading.restarts.last) {
        (count, Some(last)) if count != 0 => format!("{count} ({} ago)", age(Some(last), row.now)),
        (count, _) => count.to_string(),
    };
    let address = row.object.items(&["status", "podIPs"]).first().and_then(|ip| ip["ip"].as_str());
    vec![
        row.name(),
        format!("{}/{}", reading.ready, reading.total).into(),
        reading.reason.into(),
        restarts.into(),
        row.age(),
        address.unwrap_or("<none>").into(),
        row.text_or(&["spec", "nodeName"], "<none>"),
        row.text_or(&["status", "nominatedNodeName"], "<none>"),
        gates(row.object).into(),
    ]
}

/// Adds the row's conditions: whether the pod has ended.
pub(super) fn conditions(pod: &Object, row: &mut Value) {
    let (reason, message) = match pod.str(&["status", "phase"]) {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return,
    };
    row["conditions"] =
        json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]);
}

fn gates(pod: &Object) -> String {
    let gates = pod.items(&["spec", "readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let is_true = |gate: &&Value| {
        let kind = gate["conditionType"].as_str().unwrap_or_default();
        pod.items(&["status", "conditions"]).iter().any(|one| one["type"] == kind && one["status"] == "True")
    };
    format!("{}/{}", gates.iter().filter(is_true).count(), gates.len())
}

fn is_sidecar(pod: &Object, name: &Value) -> bool {
    let containers = pod.items(&["spec", "initContainers"]);
    containers.iter().any(|one| one["name"] == *name && one["restartPolicy"] == "Always")
}

fn has_condition(pod: &Object, kind: &str) -> bool {
    pod.items(&["status", "conditions"]).iter().any(|one| one["type"] == kind && one["status"] == "True")
}

impl<'a> Reading<'a> {
    fn of(pod: &'a Object) -> Self {
        let phase = pod.str(&["status", "phase"]);
        let given = pod.str(&["status", "reason"]);
        let sidecars =
            pod.items(&["spec", "initContainers"]).iter().filter(|one| one["restartPolicy"] == "Always");
        let mut reading = Self {
            pod,
            reason: if given.is_empty() { phase } else { given }.to_owned(),
            ready: 0,
            total: pod.items(&["spec", "containers"]).len() + sidecars.count(),
            restarts: Restarts::default(),
            sidecar_restarts: Restarts::default(),
        };
        let gated = |one: &Value| one["type"] == "PodScheduled" && one["reason"] == "SchedulingGated";
        if pod.items(&["status", "conditions"]).iter().any(gated) {
            reading.reason = "SchedulingGated".to_owned();
        }
        let initializing = reading.init_containers();
        if !initializing || has_condition(pod, "Initialized") {
            reading.containers();
        }
        reading.deletion(phase, given);
        reading
    }

    fn deletion(&mut self, phase: &str, given: &str) {
        if !self.pod.is_deleting() {
            return;
        }
        if given == "NodeLost" {
            self.reason = "Unknown".to_owned();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            self.reason = "Terminating".to_owned();
        }
    }

    /// Returns whether an init container is still to come to its end.
    fn init_containers(&mut self) -> bool {
        let total = self.pod.items(&["spec", "initContainers"]).len();
        for (index, status) in self.pod.items(&["status", "initContainerStatuses"]).iter().enumerate() {
            self.restarts.add(status);
            let sidecar = is_sidecar(self.pod, &status["name"]);
            if sidecar {
                self.sidecar_restarts.add(status);
            }
            let (ended, waiting) = (&status["state"]["terminated"], &status["state"]["waiting"]["reason"]);
            if ended.is_object() && ended["exitCode"].as_i64().unwrap_or_default() == 0 {
                continue;
            }
            if sidecar && status["started"] == true {
                self.ready += usize::from(status["ready"] == true);
                continue;
            }
            self.reason = match waiting.as_str() {
                _ if ended.is_object() => format!("Init:{}", end(ended)),
                Some(reason) if !reason.is_empty() && reason != "PodInitializing" => format!("Init:{reason}"),
                _ => format!("Init:{index}/{total}"),
            };
            return true;
        }
        false
    }

    fn containers(&mut self) {
        self.restarts = std::mem::take(&mut self.sidecar_restarts);
        let (mut running, mut failed) = (false, String::new());
        for status in self.pod.items(&["status", "containerStatuses"]).iter().rev() {
            self.restarts.add(status);
            let (ended, waiting) = (&status["state"]["terminated"], &status["state"]["waiting"]["reason"]);
            if let Some(reason) = waiting.as_str().filter(|reason| !reason.is_empty()) {
                self.reason = reason.to_owned();
            } else if ended.is_object() {
                self.reason = end(ended);
                if ended["exitCode"].as_i64().unwrap_or_default() != 0 {
                    failed = self.reason.clone();
                }
            } else if status["ready"] == true && status["state"]["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            if running && has_condition(self.pod, "Ready") {
                self.reason = "Running".to_owned();
            } else if !failed.is_empty() {
                self.reason = failed;
            } else if running {
                self.reason = "NotReady".to_owned();
            }
        }
    }
}

/// How a container ended.
fn end(terminated: &Value) -> String {
    match (
        terminated["reason"].as_str().unwrap_or_default(),
        terminated["signal"].as_i64().unwrap_or_default(),
    ) {
        ("", 0) => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or_default()),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}
