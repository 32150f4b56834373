//! A Rollout whose spec can be acted on.

use std::time::Duration;

use api::rollout::{
    ExperimentStep, Rollout, RolloutAnalysis, SetCanaryScale, SetHeaderRoute, SetMirrorRoute,
};
use object::{LabelSelector, Object, Value};
use traffic::Router;

use crate::Workload;

/// A value that passed validation, with its defaults.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    pub(crate) value: T,
    pub(crate) settings: Settings,
}

impl<T> Checked<T> {
    /// Returns the value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Returns the spec with defaults.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// The spec of a Rollout with defaults, in the types it is acted on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Wanted number of pods, at least 0.
    pub replicas: i32,
    /// Which pods.
    pub selector: LabelSelector,
    /// The same, as it was written.
    pub selector_json: Value,
    /// Pod template.
    pub template: Value,
    /// Its hash, as new ReplicaSets are named.
    pub hash: String,
    /// Seconds a pod must be ready to count as available, at least 0.
    pub min_ready_seconds: i32,
    /// Pods above `replicas`, at least 0.
    pub max_surge: i32,
    /// Pods that may be missing, at least 0; 1 when both round to 0.
    pub max_unavailable: i32,
    /// How many old ReplicaSets are kept.
    pub revision_history_limit: usize,
    /// How long no progress is tolerated.
    pub progress_deadline: Duration,
    /// How far back a rollback skips the steps.
    pub rollback_window: Option<i32>,
    /// How many successful runs are kept.
    pub successful_runs: usize,
    /// How many other runs are kept.
    pub unsuccessful_runs: usize,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Two full sets and a switch; `None` for a canary.
    pub blue_green: Option<BlueGreen>,
    /// Routers that share the traffic; `None` when the pods do.
    pub routed: Option<Routed>,
    /// How many new pods make a step done; all when absent.
    pub threshold: Option<Threshold>,
    /// How long pods stay that are not needed any more.
    pub delays: Delays,
    /// The workload whose template is used; `None` when the Rollout has its own.
    pub workload: Option<Workload>,
    /// Copies of ConfigMaps and Secrets that the template names.
    pub copies: Vec<Object>,
}

/// How a canary's traffic is shared.
#[derive(Clone, Debug)]
pub struct Routed {
    /// Who is told; all of them are.
    pub routers: Vec<Router>,
    /// What all weights add up to, at least 1.
    pub max: i32,
    /// Whether stable pods go as traffic leaves them.
    pub dynamic: bool,
    /// Least number of pods of a ReplicaSet that has any.
    pub min_pods: i32,
}

/// How many new pods make a step done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// This percentage of the wanted ones.
    Percent(i32),
    /// This many.
    Pods(i32),
}

/// The blue-green strategy with defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct BlueGreen {
    /// Service of the users.
    pub active_service: String,
    /// Service of the new pods; empty for none.
    pub preview_service: String,
    /// Number of new pods before the switch; all when absent.
    pub preview_replicas: Option<i32>,
    /// What the switch waits for.
    pub promotion: Promotion,
    /// Analysis before the switch.
    pub pre: Option<RolloutAnalysis>,
    /// Analysis after the switch.
    pub post: Option<RolloutAnalysis>,
}

/// What a blue-green switch waits for, besides the pods and the analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// Nothing.
    AtOnce,
    /// A time, or the user.
    After(Duration),
    /// The user.
    ByHand,
}

/// How long pods stay that are not needed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Of old ReplicaSets.
    pub old: Duration,
    /// Whether the user said so.
    pub old_is_set: bool,
    /// How many old ReplicaSets stay so long.
    pub limit: usize,
    /// Of the new ReplicaSet after an abort.
    pub aborted: AbortDelay,
}

/// How long the new pods stay after an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortDelay {
    /// They go as the sizes say.
    Unused,
    /// So long.
    For(Duration),
    /// For ever.
    Forever,
}

/// A step that is acted on.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Share of the new version, 0 to 100.
    SetWeight(i32),
    /// Wait for a time, or for the user.
    Pause(Option<Duration>),
    /// Run an AnalysisRun.
    Analysis(RolloutAnalysis),
    /// Run an Experiment.
    Experiment(ExperimentStep),
    /// Scale the new pods apart from the weight.
    SetCanaryScale(SetCanaryScale),
    /// Send requests with a header to the new version.
    SetHeaderRoute(SetHeaderRoute),
    /// Copy requests to the new version.
    SetMirrorRoute(SetMirrorRoute),
}

impl Threshold {
    /// Returns true when `available` pods of `wanted` are enough.
    ///
    /// Examples: 9 of 10 are enough for 90 %; none of 0 are enough for any percentage.
    pub fn met(self, wanted: i32, available: i32) -> bool {
        match self {
            Self::Percent(percent) => {
                i64::from(available) * 100 >= i64::from(percent) * i64::from(wanted) || wanted == 0
            }
            Self::Pods(pods) => available >= pods,
        }
    }
}

impl Settings {
    /// Returns true when the share of the new version is the share of its pods: a canary without a router.
    pub fn counts_pods(&self) -> bool {
        self.blue_green.is_none() && self.routed.is_none()
    }

    /// Returns what all weights add up to.
    pub fn max_weight(&self) -> i32 {
        self.routed.as_ref().map_or(100, |routed| routed.max)
    }
}

impl Checked<Rollout> {
    /// Returns the same Rollout with this status; `None` when it is none.
    pub(crate) fn with_status(&self, status: &Value) -> Option<Self> {
        let mut object = self.value.object.clone();
        object.set(&["status"], status.clone());
        self.with_object(&object)
    }

    /// Returns the Rollout `object`, which has the same spec; `None` when it is none.
    pub(crate) fn with_object(&self, object: &Object) -> Option<Self> {
        let value = Rollout::from_object(object).ok()?;
        Some(Self { value, settings: self.settings.clone() })
    }

    /// Returns the index of the current step, 0 before there is one.
    pub fn step_index(&self) -> usize {
        usize::try_from(self.value.status.current_step_index.unwrap_or(0)).unwrap_or(0)
    }

    /// Returns the current step; `None` when there are none or all are done.
    pub fn current_step(&self) -> Option<&Step> {
        self.settings.steps.get(self.step_index())
    }
}
