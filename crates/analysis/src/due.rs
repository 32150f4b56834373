//! What to measure now, and when to look again.

use std::time::Duration;

use api::analysis::{AnalysisPhase as Phase, AnalysisRun, Measurement, Metric, MetricResult};
use object::Time;
use object::time::parse_duration;

use crate::check::{Checked, effective_count};
use crate::verdict::Course;

/// Wait after a measurement that could not be taken, whatever the interval.
const ERROR_RETRY: Duration = Duration::from_secs(10);

/// A measurement to take or to go on with.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Name of the metric.
    pub metric: String,
    /// What to do.
    pub kind: TaskKind,
}

/// What to do about a measurement.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskKind {
    /// Take one.
    Begin,
    /// Look at the one that was begun.
    Resume(Box<Measurement>),
    /// Stop the one that was begun.
    Terminate(Box<Measurement>),
}

/// Returns whether the run is told to stop: by its spec, or because a metric that counts is decided badly.
pub(crate) fn course(run: &AnalysisRun) -> Course {
    let decided = run.status.metric_results.iter().any(|result| {
        let bad = matches!(result.phase, Some(Phase::Failed | Phase::Error | Phase::Inconclusive));
        bad && !result.dry_run
    });
    if run.spec.terminate || decided { Course::Terminating } else { Course::Running }
}

/// Returns the measurements to take now, in the order of the metrics.
pub fn due(checked: &Checked, run: &AnalysisRun, now: Time) -> Vec<Task> {
    let course = course(run);
    let tasks = checked.metrics.iter().filter_map(|metric| {
        let kind = due_metric(metric, run, course, now)?;
        Some(Task { metric: metric.name.clone(), kind })
    });
    tasks.collect()
}

fn due_metric(metric: &Metric, run: &AnalysisRun, course: Course, now: Time) -> Option<TaskKind> {
    let result = result(run, &metric.name);
    if let Some(open) = result.and_then(open) {
        return match course {
            Course::Terminating => Some(TaskKind::Terminate(Box::new(open.clone()))),
            Course::Running if resume_at(open).is_some_and(|at| at > now) => None,
            Course::Running => Some(TaskKind::Resume(Box::new(open.clone()))),
        };
    }
    let begins = course == Course::Running && next(metric, result, run, now)? <= now;
    begins.then_some(TaskKind::Begin)
}

/// Returns when to look at the run again; `None` when every metric is decided or waits for an event.
pub fn wake(checked: &Checked, run: &AnalysisRun, now: Time) -> Option<Time> {
    let course = course(run);
    let times = checked.metrics.iter().filter_map(|metric| {
        let result = result(run, &metric.name);
        match result.and_then(open) {
            Some(_) if course == Course::Terminating => Some(now),
            Some(open) => resume_at(open),
            None if course == Course::Terminating => None,
            None => next(metric, result, run, now),
        }
    });
    times.min()
}

/// Returns when the next measurement of a metric begins; `None` when there is none to come.
fn next(metric: &Metric, result: Option<&MetricResult>, run: &AnalysisRun, now: Time) -> Option<Time> {
    if result.and_then(|result| result.phase).is_some_and(Phase::completed) {
        return None;
    }
    let Some((result, last)) = result.and_then(|result| Some((result, result.measurements.last()?))) else {
        let Ok(delay) = parse_duration(&metric.initial_delay) else { return Some(now) };
        let started = run.status.started_at.as_deref().and_then(|text| Time::parse(text).ok());
        return Some(started.unwrap_or(now).after(delay));
    };
    if effective_count(metric).is_some_and(|count| i64::from(result.count) >= count) {
        return None;
    }
    let wait = match parse_duration(&metric.interval) {
        Ok(interval) if last.phase != Some(Phase::Error) => interval,
        _ => ERROR_RETRY,
    };
    let finished = last.finished_at.as_deref().and_then(|text| Time::parse(text).ok());
    Some(finished.unwrap_or(now).after(wait))
}

fn open(result: &MetricResult) -> Option<&Measurement> {
    result.measurements.last().filter(|last| last.finished_at.is_none())
}

fn resume_at(measurement: &Measurement) -> Option<Time> {
    Time::parse(measurement.resume_at.as_deref()?).ok()
}

fn result<'a>(run: &'a AnalysisRun, metric: &str) -> Option<&'a MetricResult> {
    run.status.metric_results.iter().find(|result| result.name == metric)
}
