//! The state of a pod in one word.

use object::{Object, Value};

use super::{Icon, Row};

/// What is shown of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodInfo {
    /// Name, age and state.
    pub row: Row,
    /// Containers that are ready.
    pub ready: usize,
    /// Containers of the spec.
    pub containers: usize,
    /// Restarts of the containers, or of the init containers while those run.
    pub restarts: i64,
}

/// Returns what is shown of the pod, as `kubectl get pods` tells it.
///
/// Source: `pkg/kubectl-argo-rollouts/info/pod_info.go`.
pub(super) fn pod_info(pod: &Object) -> PodInfo {
    let phase = pod.str(&["status", "phase"]);
    let given = pod.str(&["status", "reason"]);
    let mut state =
        State { reason: if given.is_empty() { phase } else { given }.to_owned(), ..State::default() };
    if !initialising(pod, &mut state) {
        containers(pod, &mut state);
    }
    if pod.is_deleting() {
        state.reason = if given == "NodeLost" { "Unknown" } else { "Terminating" }.into();
    }
    PodInfo {
        row: Row::of(pod, state.reason.clone(), icon(&state.reason)),
        ready: state.ready,
        containers: pod.items(&["spec", "containers"]).len(),
        restarts: state.restarts,
    }
}

#[derive(Default)]
struct State {
    reason: String,
    ready: usize,
    restarts: i64,
}

/// Tells about the first init container that is not done; returns false when all are.
fn initialising(pod: &Object, state: &mut State) -> bool {
    let specs = pod.items(&["spec", "initContainers"]);
    for (index, status) in pod.items(&["status", "initContainerStatuses"]).iter().enumerate() {
        state.restarts += status["restartCount"].as_i64().unwrap_or_default();
        let terminated = &status["state"]["terminated"];
        let waiting = text(&status["state"]["waiting"]["reason"]);
        if terminated["exitCode"] == 0 {
            continue;
        }
        if terminated.is_object() {
            state.reason = format!("Init:{}", ended(terminated));
        } else if is_sidecar(specs, text(&status["name"])) && status["started"] == true {
            if status["ready"] == true {
                continue;
            }
            break;
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            state.reason = format!("Init:{waiting}");
        } else {
            state.reason = format!("Init:{index}/{}", specs.len());
        }
        return true;
    }
    state.restarts = 0;
    false
}

fn is_sidecar(specs: &[Value], name: &str) -> bool {
    specs.iter().any(|spec| spec["name"] == name && spec["restartPolicy"] == "Always")
}

fn containers(pod: &Object, state: &mut State) {
    let mut running = false;
    for status in pod.items(&["status", "containerStatuses"]).iter().rev() {
        state.restarts += status["restartCount"].as_i64().unwrap_or_default();
        let now = &status["state"];
        let waiting = text(&now["waiting"]["reason"]);
        if !waiting.is_empty() {
            state.reason = waiting.into();
        } else if now["terminated"].is_object() {
            state.reason = ended(&now["terminated"]);
        } else if status["ready"] == true && now["running"].is_object() {
            running = true;
            state.ready += 1;
        }
    }
    if state.reason == "Completed" && running {
        state.reason = "Running".into();
    }
}

fn ended(terminated: &Value) -> String {
    let signal = terminated["signal"].as_i64().unwrap_or_default();
    match text(&terminated["reason"]) {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", terminated["exitCode"]),
        reason => reason.into(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn icon(status: &str) -> Icon {
    match status {
        _ if status.starts_with("Init:") => Icon::Progressing,
        _ if status.starts_with("Signal:") || status.starts_with("ExitCode:") => Icon::Bad,
        _ if status.ends_with("Error") || status.starts_with("Err") => Icon::Warning,
        "Pending" | "Terminating" | "ContainerCreating" => Icon::Progressing,
        "Running" | "Completed" => Icon::Ok,
        "Failed" | "InvalidImageName" | "CrashLoopBackOff" => Icon::Bad,
        "ImagePullBackOff" | "RegistryUnavailable" => Icon::Warning,
        "Unknown" => Icon::Unknown,
        _ => Icon::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    fn shown(status: &Value) -> (String, Icon, i64) {
        let pod = Object::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]},
            "status": status
        }));
        let info = pod_info(&pod);
        (info.row.status, info.row.icon, info.restarts)
    }

    #[test]
    fn init_containers_come_first() {
        let waiting = json!({"phase": "Pending", "initContainerStatuses": [{"name": "i", "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
        assert_eq!(shown(&waiting), ("Init:CrashLoopBackOff".into(), Icon::Progressing, 2));
        let second = json!({"phase": "Pending", "initContainerStatuses": [
            {"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "s", "state": {"running": {}}}]});
        assert_eq!(shown(&second).0, "Init:1/2");
    }

    #[test]
    fn the_first_container_decides() {
        let status = json!({"phase": "Running", "containerStatuses": [
            {"name": "a", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            {"name": "b", "state": {"terminated": {"exitCode": 3}}}]});
        assert_eq!(shown(&status), ("CrashLoopBackOff".into(), Icon::Bad, 3));
        let status = json!({"phase": "Failed", "containerStatuses": [{"name": "a", "state": {"terminated": {"signal": 9}}}]});
        assert_eq!(shown(&status), ("Signal:9".into(), Icon::Bad, 0));
    }
}
