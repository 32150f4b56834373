//! Why a Rollout is where it is.

use std::fmt;

use api::analysis::AnalysisPhase;
use serde::Serialize;

/// A reason and the reasons behind it. `explain`, the UI and the conditions render this one value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// The reason.
    pub reason: Reason,
    /// What it comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Why>,
}

impl Why {
    /// Returns a reason with nothing behind it.
    pub fn new(reason: Reason) -> Self {
        Self { reason, because: Vec::new() }
    }

    /// Returns true when nothing is waited for and nothing blocks.
    pub fn settled(&self) -> bool {
        matches!(self.reason, Reason::Done)
    }
}

impl fmt::Display for Why {
    /// Writes one line a reason, indented by depth.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn write(why: &Why, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            writeln!(f, "{:indent$}{}", "", why.reason, indent = depth * 2)?;
            why.because.iter().try_for_each(|why| write(why, depth + 1, f))
        }
        write(self, 0, f)
    }
}

/// One typed reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Reason {
    /// The current template is fully rolled out and available.
    Done,
    /// The Rollout is being deleted.
    Deleting,
    /// The update is on its way, at step `step` of `steps` (counted from 0).
    Updating {
        /// Current step.
        step: usize,
        /// Number of steps.
        steps: usize,
    },
    /// This pass changed something; what it brings is seen in the next.
    WaitingOnOwnChange {
        /// Number of actions.
        actions: usize,
    },
    /// Pods of a ReplicaSet are not there or not available yet.
    WaitingOnPods {
        /// The ReplicaSet.
        set: String,
        /// Wanted number.
        wanted: i32,
        /// `spec.replicas`.
        asked: i32,
        /// Available number.
        available: i32,
    },
    /// Pods of older ReplicaSets are still there.
    WaitingOnOldPods {
        /// Their number.
        pods: i32,
    },
    /// A pause step waits for a time.
    WaitingOnTime {
        /// When it ends.
        until: String,
    },
    /// The controller's pause waits for the user to promote.
    WaitingOnPromotion {
        /// `CanaryPauseStep` or `InconclusiveAnalysisRun`.
        reason: String,
    },
    /// `spec.paused` waits for the user to resume.
    WaitingOnResume,
    /// An AnalysisRun has no verdict yet.
    WaitingOnAnalysis {
        /// The run.
        run: String,
        /// Its phase, empty before its first.
        phase: Option<AnalysisPhase>,
    },
    /// A ReplicaSet keeps its pods for a while.
    WaitingOnScaleDown {
        /// The ReplicaSet.
        set: String,
        /// When it is scaled to 0.
        until: String,
    },
    /// An Experiment has no verdict yet.
    WaitingOnExperiment {
        /// The Experiment.
        experiment: String,
        /// Its phase, empty before its first.
        phase: Option<AnalysisPhase>,
    },
    /// Pods of the workload that `workloadRef` names are still there.
    WaitingOnWorkload {
        /// The workload.
        name: String,
        /// Pods that go.
        pods: i32,
    },
    /// A Service is not switched before the pods it would point to are available.
    WaitingOnService {
        /// The Service.
        service: String,
        /// The ReplicaSet.
        set: String,
    },
    /// Pods older than `spec.restartAt` are being replaced, or that time is still to come.
    WaitingOnRestart {
        /// `spec.restartAt`.
        at: String,
        /// Pods that are older.
        pods: usize,
    },
    /// Progress is waited for until the deadline.
    WaitingOnDeadline {
        /// When it is over.
        until: String,
    },
    /// The spec cannot be acted on.
    BlockedByInvalidSpec {
        /// What is wrong.
        message: String,
    },
    /// The update is aborted; the user retries or changes the template.
    BlockedByAbort {
        /// Why it was.
        message: String,
    },
    /// No progress within the deadline.
    BlockedByDeadline {
        /// What timed out.
        message: String,
    },
    /// An AnalysisRun could not be made.
    BlockedByAnalysis {
        /// Why.
        message: String,
    },
    /// The API server refuses what is to be created.
    BlockedByRefusal {
        /// What it said.
        message: String,
    },
    /// A router cannot be told.
    BlockedByRouter {
        /// Why.
        message: String,
    },
    /// A router is not told before the stable version has the pods for its share.
    WaitingOnStable {
        /// Pods that are needed.
        wanted: i32,
        /// Pods that are available.
        available: i32,
    },
    /// A router has not confirmed the weights yet.
    WaitingOnRouter,
    /// A referenced Service is missing.
    BlockedByService {
        /// The Service.
        service: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done: fully rolled out and available"),
            Self::Deleting => f.write_str("being deleted"),
            Self::Updating { steps: 0, .. } => f.write_str("on its way"),
            Self::Updating { step, steps } => write!(f, "on its way: {step} of {steps} step(s) done"),
            Self::WaitingOnOwnChange { actions } => write!(f, "waiting on the effect of {actions} change(s)"),
            Self::WaitingOnPods { set, wanted, asked, available } => write!(
                f,
                "waiting on pods of ReplicaSet {set}: {available} available, {asked} asked for, {wanted} wanted"
            ),
            Self::WaitingOnOldPods { pods } => {
                write!(f, "waiting on {pods} pod(s) of older ReplicaSets to end")
            }
            Self::WaitingOnTime { until } => write!(f, "waiting on time: until {until}"),
            Self::WaitingOnPromotion { reason } => write!(f, "waiting on the user to promote ({reason})"),
            Self::WaitingOnResume => f.write_str("waiting on the user to resume (spec.paused)"),
            Self::WaitingOnAnalysis { run, phase } => {
                let phase = phase.map_or("not begun".to_owned(), |phase| phase.to_string());
                write!(f, "waiting on AnalysisRun {run} ({phase})")
            }
            Self::WaitingOnExperiment { experiment, phase } => {
                let phase = phase.map_or("not begun".to_owned(), |phase| phase.to_string());
                write!(f, "waiting on Experiment {experiment} ({phase})")
            }
            Self::WaitingOnWorkload { name, pods } => {
                write!(f, "waiting on {pods} pod(s) of the workload {name} to end")
            }
            Self::WaitingOnScaleDown { set, until } => {
                write!(f, "waiting on ReplicaSet {set} to be scaled to 0 at {until}")
            }
            Self::WaitingOnService { service, set } => {
                write!(f, "waiting on pods of ReplicaSet {set} before Service {service} is switched")
            }
            Self::WaitingOnRestart { at, pods } => {
                write!(f, "waiting on restart at {at}: {pods} older pod(s)")
            }
            Self::WaitingOnDeadline { until } => write!(f, "waiting on progress until {until}"),
            Self::BlockedByInvalidSpec { message }
            | Self::BlockedByAbort { message }
            | Self::BlockedByDeadline { message }
            | Self::BlockedByRefusal { message }
            | Self::BlockedByRouter { message }
            | Self::BlockedByAnalysis { message } => write!(f, "blocked: {message}"),
            Self::WaitingOnStable { wanted, available } => {
                write!(
                    f,
                    "waiting on stable pods before traffic is moved: {available} available, {wanted} wanted"
                )
            }
            Self::WaitingOnRouter => f.write_str("waiting on the router to confirm the weights"),
            Self::BlockedByService { service } => write!(f, "blocked: Service {service} not found"),
        }
    }
}
