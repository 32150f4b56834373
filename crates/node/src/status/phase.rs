//! The phase of a pod.

use object::Object;

use super::{Container, State, View};

/// Phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    /// Returns the word of the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    /// Returns true when the pod does not run again.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// Returns the phase. A final phase is never left. Source: kubelet `getPhase`.
pub(crate) fn phase(pod: &Object, view: &View) -> Phase {
    match pod.str(&["status", "phase"]) {
        "Succeeded" => return Phase::Succeeded,
        "Failed" => return Phase::Failed,
        _ if view.failed.is_some() => return Phase::Failed,
        _ => {}
    }
    let policy = pod.str(&["spec", "restartPolicy"]);
    if let Some(failed) = view.init.iter().find(|init| !is_done(init)) {
        let ended_badly = failed.ended().is_some_and(|ended| ended.code != 0);
        return if ended_badly && policy == "Never" { Phase::Failed } else { Phase::Pending };
    }
    let (mut running, mut waiting, mut stopped, mut well) = (0, 0, 0, 0);
    for container in &view.containers {
        match (&container.state, &container.last) {
            (State::Running(_), _) => running += 1,
            (State::Ended(ended), _) => {
                stopped += 1;
                well += i32::from(ended.code == 0);
            }
            (State::Waiting(..), Some(_)) => stopped += 1,
            (State::Waiting(..), None) => waiting += 1,
        }
    }
    match () {
        () if waiting > 0 => Phase::Pending,
        () if running > 0 => Phase::Running,
        () if stopped == 0 => Phase::Pending,
        // Nothing starts again in a pod that is being deleted. Source: kubelet `getPhase`, podIsTerminal.
        () if pod.is_deleting() && stopped == well => Phase::Succeeded,
        () if pod.is_deleting() => Phase::Failed,
        () if !matches!(policy, "Never" | "OnFailure") => Phase::Running,
        () if stopped == well => Phase::Succeeded,
        () if policy == "Never" => Phase::Failed,
        () => Phase::Running,
    }
}

/// Returns true when an init container has done its work, or is a sidecar that has started.
pub(super) fn is_done(init: &Container) -> bool {
    match &init.state {
        State::Ended(ended) => ended.code == 0,
        State::Running(_) => init.started,
        State::Waiting(..) => false,
    }
}
