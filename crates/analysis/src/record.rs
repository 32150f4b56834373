//! Taking measurements into the status of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use api::analysis::{
    AnalysisPhase as Phase, AnalysisRun, AnalysisRunStatus, Measurement, Metric, MetricResult, RunSummary,
};
use object::Time;

use crate::check::Checked;
use crate::due::{course, wake};
use crate::verdict::{Course, Limits, broken, judge};

/// A measurement that was taken or gone on with.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Name of the metric.
    pub metric: String,
    /// What came out; unfinished when it has to be resumed.
    pub measurement: Measurement,
    /// Facts about the metric, e.g. the resolved query.
    pub metadata: BTreeMap<String, String>,
}

/// An Event to record on the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Reason, e.g. `MetricFailed`, `AnalysisRunSuccessful`.
    pub reason: String,
    /// Text for people.
    pub message: String,
    /// The verdict it tells of.
    pub phase: Phase,
}

/// A run after its measurements.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The new status.
    pub status: AnalysisRunStatus,
    /// What to tell.
    pub events: Vec<Event>,
    /// Measurements that are not kept any longer, oldest first; what they left behind can go.
    pub dropped: Vec<Measurement>,
    /// When to look again; `None` when the run is decided.
    pub wake: Option<Time>,
}

/// Returns the status of a run that cannot be carried out, with the message of [`crate::check`].
pub fn invalid(run: &AnalysisRun, message: &str, now: Time) -> Recorded {
    let mut status = run.status.clone();
    status.phase = Some(Phase::Error);
    message.clone_into(&mut status.message);
    status.completed_at = Some(now.to_string());
    Recorded { status, events: vec![completion(Phase::Error)], dropped: Vec::new(), wake: None }
}

/// Returns the run with the measurements taken in: counts, verdicts of the metrics, verdict of the run.
pub fn record(checked: &Checked, run: &AnalysisRun, measured: Vec<Measured>, now: Time) -> Recorded {
    let mut run = run.clone();
    for measured in measured {
        take(&mut run.status, checked, measured, now);
    }
    run.status.started_at.get_or_insert_with(|| now.to_string());
    let mut events = Vec::new();
    let before = course(&run);
    let mut verdict = assess(&mut run, checked, &mut events);
    if course(&run) != before {
        verdict = assess(&mut run, checked, &mut events);
    }
    let (phase, message) = verdict;
    if run.status.phase != Some(phase) {
        run.status.phase = Some(phase);
        run.status.message = message;
        if phase.completed() {
            run.status.completed_at = Some(now.to_string());
            events.push(completion(phase));
        }
    }
    let mut dropped = Vec::new();
    for result in &mut run.status.metric_results {
        let excess = result.measurements.len().saturating_sub(checked.retained(&result.name));
        dropped.extend(result.measurements.drain(..excess));
    }
    let wake = if phase.completed() { None } else { wake(checked, &run, now) };
    Recorded { status: run.status, events, dropped, wake }
}

fn completion(phase: Phase) -> Event {
    Event {
        reason: format!("AnalysisRun{phase}"),
        message: format!("Analysis Completed. Result: {phase}"),
        phase,
    }
}

/// Adds a measurement to its metric, or puts it in the place of the one it goes on with.
fn take(status: &mut AnalysisRunStatus, checked: &Checked, measured: Measured, now: Time) {
    let position = status.metric_results.iter().position(|result| result.name == measured.metric);
    let position = position.unwrap_or_else(|| {
        status.metric_results.push(MetricResult {
            name: measured.metric.clone(),
            phase: Some(Phase::Running),
            dry_run: checked.dry_run.contains(&measured.metric),
            ..MetricResult::default()
        });
        status.metric_results.len() - 1
    });
    let result = &mut status.metric_results[position];
    result.metadata.extend(measured.metadata);
    let mut measurement = measured.measurement;
    if let Some(phase) = measurement.phase.filter(|phase| phase.completed()) {
        measurement.finished_at.get_or_insert_with(|| now.to_string());
        count(result, phase);
    }
    if result.measurements.last().is_some_and(|last| last.finished_at.is_none()) {
        result.measurements.pop();
    }
    result.measurements.push(measurement);
}

fn count(result: &mut MetricResult, phase: Phase) {
    let (errors, successes) = (result.consecutive_error, result.consecutive_success);
    (result.consecutive_error, result.consecutive_success) = (0, 0);
    match phase {
        Phase::Successful => {
            result.successful += 1;
            result.consecutive_success = successes + 1;
        }
        Phase::Failed => result.failed += 1,
        Phase::Inconclusive => result.inconclusive += 1,
        Phase::Error => {
            result.error += 1;
            result.consecutive_error = errors + 1;
            return;
        }
        Phase::Pending | Phase::Running => return,
    }
    result.count += 1;
}

/// Judges every metric, and then the run by the worst of those that count.
fn assess(run: &mut AnalysisRun, checked: &Checked, events: &mut Vec<Event>) -> (Phase, String) {
    let course = course(run);
    let mut tally = Tally::default();
    if run.spec.terminate {
        tally.message = "Run Terminated".into();
    }
    for metric in &checked.metrics {
        let dry_run = checked.dry_run.contains(&metric.name);
        let result = run.status.metric_results.iter_mut().find(|result| result.name == metric.name);
        let Some(result) = result else {
            tally.count(dry_run, None);
            tally.open |= course == Course::Running;
            continue;
        };
        let phase = settle(metric, result, course, events);
        tally.count(dry_run, Some(phase));
        if !phase.completed() {
            tally.open = true;
        } else if dry_run {
            if let Some((_, text)) = broken(&Limits::of(metric), result) {
                result.message = format!("Metric assessed {phase} due to {text}");
            }
        } else {
            tally.worsen(metric, result, phase);
        }
    }
    run.status.run_summary = Some(tally.summary);
    run.status.dry_run_summary = Some(tally.dry_run_summary);
    match tally.worst {
        Some(worst) if !tally.open => (worst, tally.message),
        None if !tally.open => (Phase::Successful, tally.message),
        _ => (Phase::Running, String::new()),
    }
}

/// Sets the verdict of a metric; a change carries the message of the last measurement.
fn settle(metric: &Metric, result: &mut MetricResult, course: Course, events: &mut Vec<Event>) -> Phase {
    let phase = judge(&Limits::of(metric), result, course);
    if result.phase != Some(phase) {
        result.phase = Some(phase);
        if let Some(last) = result.measurements.last() {
            result.message = last.message.clone();
        }
        if phase.completed() {
            events.push(Event {
                reason: format!("Metric{phase}"),
                message: format!("Metric '{}' Completed. Result: {phase}", metric.name),
                phase,
            });
        }
    }
    phase
}

#[derive(Default)]
struct Tally {
    summary: RunSummary,
    dry_run_summary: RunSummary,
    worst: Option<Phase>,
    message: String,
    open: bool,
}

impl Tally {
    fn count(&mut self, dry_run: bool, phase: Option<Phase>) {
        let summary = if dry_run { &mut self.dry_run_summary } else { &mut self.summary };
        summary.count += 1;
        match phase {
            Some(Phase::Successful) => summary.successful += 1,
            Some(Phase::Failed) => summary.failed += 1,
            Some(Phase::Inconclusive) => summary.inconclusive += 1,
            Some(Phase::Error) => summary.error += 1,
            Some(Phase::Pending | Phase::Running) | None => {}
        }
    }

    fn worsen(&mut self, metric: &Metric, result: &MetricResult, phase: Phase) {
        if self.worst.is_some_and(|worst| phase.badness() <= worst.badness()) {
            return;
        }
        self.worst = Some(phase);
        let Some((_, text)) = broken(&Limits::of(metric), result) else { return };
        self.message = format!("Metric \"{}\" assessed {phase} due to {text}", metric.name);
        if !result.message.is_empty() {
            self.message.push_str(&format!(": \"Error Message: {}\"", result.message));
        }
    }
}

/// Returns when a finished run deletes itself; `None` when it never does.
pub fn expiry(run: &AnalysisRun) -> Option<Time> {
    let phase = run.status.phase.filter(|phase| phase.completed())?;
    let ttl = run.spec.ttl_strategy.as_ref()?;
    let special = match phase {
        Phase::Successful => ttl.seconds_after_success,
        Phase::Failed => ttl.seconds_after_failure,
        Phase::Pending | Phase::Running | Phase::Error | Phase::Inconclusive => None,
    };
    let seconds = u64::try_from(special.or(ttl.seconds_after_completion)?).ok()?;
    let completed = Time::parse(run.status.completed_at.as_deref()?).ok()?;
    Some(completed.after(Duration::from_secs(seconds)))
}
