//! What a plan's reasons mean to somebody who waits: since when, until when, what would end the wait, what comes next.
//!
//! Nothing is decided here. The reasons are those of [`crate::plan`]; what comes next is what the same planner does in a
//! world where pods become available, analyses succeed and somebody promotes.

mod forecast;
mod remedy;
mod text;

use api::rollout::{PauseReason, Rollout};
use object::{Key, Object, Time};
use serde::Serialize;

use crate::{Checked, Observed, Plan, Problem, Reason, Why, invalid, plan};

pub use forecast::Next;
pub use remedy::Remedy;

/// Why a Rollout is where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Namespace and name.
    #[serde(flatten)]
    pub rollout: Key,
    /// Phase after this pass.
    pub phase: String,
    /// What the phase says of itself, empty for nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The step it is at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<At>,
    /// The reasons.
    pub why: Told,
    /// What the controller changes now, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// What comes after that, if pods become available, analyses succeed and somebody promotes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Next>,
    /// When this was.
    pub at: Time,
}

/// A step of a canary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct At {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// What it does.
    pub step: String,
}

/// A reason, told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// The reason.
    pub reason: Reason,
    /// The same as a sentence.
    pub text: String,
    /// Since when it holds, where the cluster knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Until when it holds at most, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What would end it, first what is meant to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unblock: Vec<Remedy>,
    /// What it comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Told>,
}

/// Returns why a Rollout that can be acted on is where it is.
pub fn explain(checked: &Checked<Rollout>, observed: &Observed, now: Time) -> Explanation {
    let plan = plan(checked, observed, now);
    let steps = &checked.settings().steps;
    let step = checked.current_step().map(|step| At {
        number: checked.step_index() + 1,
        of: steps.len(),
        step: forecast::describe(step),
    });
    let mut told = explained(&checked.value().object, &plan, observed, now);
    if !plan.why.settled() {
        told.step = step;
        told.next = forecast::forecast(&checked.value().object, observed, now);
    }
    told
}

/// Returns why a Rollout that cannot be acted on is where it is.
pub fn explain_invalid(rollout: &Rollout, problems: &[Problem], now: Time) -> Explanation {
    explained(&rollout.object, &invalid(rollout, problems, now), &Observed::default(), now)
}

/// Returns what a plan says of a Rollout, without a look ahead.
pub fn explained(rollout: &Object, plan: &Plan, observed: &Observed, now: Time) -> Explanation {
    let after = plan.status.as_ref();
    let field = |name: &str| match after {
        Some(status) => status[name].as_str().unwrap_or_default().to_owned(),
        None => rollout.str(&["status", name]).to_owned(),
    };
    Explanation {
        rollout: rollout.key(),
        phase: field("phase"),
        message: field("message"),
        step: None,
        why: Teller { rollout, observed, after: &with_status(rollout, plan) }.tell(&plan.why),
        changes: plan.actions.iter().map(ToString::to_string).collect(),
        next: Vec::new(),
        at: now,
    }
}

/// Returns the Rollout with the status that the plan leads to.
fn with_status(rollout: &Object, plan: &Plan) -> Rollout {
    let mut object = rollout.clone();
    if let Some(status) = &plan.status {
        object.set(&["status"], status.clone());
    }
    let status = object.get(&["status"]).and_then(|status| api::read(status, "status").ok());
    Rollout { status: status.unwrap_or_default(), object, ..Rollout::default() }
}

struct Teller<'a> {
    rollout: &'a Object,
    observed: &'a Observed,
    after: &'a Rollout,
}

impl Teller<'_> {
    fn tell(&self, why: &Why) -> Told {
        Told {
            text: why.reason.to_string(),
            since: self.since(&why.reason),
            until: until(&why.reason),
            unblock: remedy::of(&why.reason, &self.rollout.key(), self.observed),
            because: why.because.iter().map(|why| self.tell(why)).collect(),
            reason: why.reason.clone(),
        }
    }

    /// Returns since when a reason holds, as far as the objects tell.
    fn since(&self, reason: &Reason) -> Option<Time> {
        let status = &self.after.status;
        let parse = |text: &str| Time::parse(text).ok();
        let changed = |kind: &str| status.condition(kind)?.last_transition_time.as_deref().and_then(parse);
        match reason {
            Reason::WaitingOnPromotion { reason } => {
                let pause = status.pause_conditions.iter().find(|it| it.reason.to_string() == *reason)?;
                parse(&pause.start_time)
            }
            Reason::WaitingOnTime { .. } => {
                let timed = [PauseReason::CanaryPauseStep, PauseReason::BlueGreenPause];
                let pause = timed.into_iter().find_map(|reason| status.pause(reason))?;
                parse(&pause.start_time)
            }
            Reason::BlockedByAbort { .. } => status.aborted_at.as_deref().and_then(parse),
            Reason::WaitingOnResume => changed("Paused"),
            Reason::BlockedByInvalidSpec { .. } => changed("InvalidSpec"),
            Reason::Done => changed("Healthy"),
            Reason::BlockedByDeadline { .. } | Reason::WaitingOnPods { .. } => {
                status.condition("Progressing")?.last_update_time.as_deref().and_then(parse)
            }
            Reason::WaitingOnAnalysis { run, .. } => {
                let run = self.observed.analysis_runs.iter().find(|it| it.name() == run)?;
                run.time(&["status", "startedAt"]).or_else(|| run.creation_time())
            }
            Reason::WaitingOnExperiment { experiment, .. } => {
                self.observed.experiments.iter().find(|it| it.name() == experiment)?.creation_time()
            }
            Reason::Deleting => self.rollout.deletion_time(),
            _ => None,
        }
    }
}

/// Returns until when a reason holds at most.
fn until(reason: &Reason) -> Option<Time> {
    match reason {
        Reason::WaitingOnTime { until }
        | Reason::WaitingOnScaleDown { until, .. }
        | Reason::WaitingOnDeadline { until } => Time::parse(until).ok(),
        Reason::WaitingOnRestart { at, .. } => Time::parse(at).ok(),
        _ => None,
    }
}
