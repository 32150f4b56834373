//! Series of what the controllers have done.

use api::application::IN_CLUSTER;
use runtime::{Activity, Ending, Work};

use super::gauge::Gauge;
use super::series::{Counter, Histogram};

const OBJECT: &[&str] = &["namespace", "name"];
const CONTROLLER: &[&str] = &["controller"];
const QUEUE: &[&str] = &["name"];
/// Of `rollout_reconcile` and its kind.
const ROLLOUTS: &[u64] = &[10, 150, 250, 500, 1000];
/// Of `argocd_app_reconcile`.
const APPLICATIONS: &[u64] = &[250, 500, 1000, 2000, 4000, 8000, 16_000];
/// Of what all controllers have in common.
const GENERAL: &[u64] = &[5, 10, 25, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000];

/// What a scrape tells of the controllers.
#[derive(Debug)]
pub(super) struct Done {
    pub gauges: Vec<Gauge>,
    pub counters: Vec<Counter>,
    pub histograms: Vec<Histogram>,
}

/// Returns the series of what was done so far.
///
/// **Source:** names, labels and classes of `metrics` of Argo Rollouts and Argo CD; `controller_runtime_*` of
/// controller-runtime and `workqueue_*` of client-go, with our names of controllers. Only those that have each object in
/// their labels there have it here.
pub(super) fn done(activity: &Activity) -> Done {
    let work = activity.work();
    let mut done = general(&work);
    for (controller, work) in &work {
        match *controller {
            "rollout" => of_objects(
                &mut done,
                work,
                ("rollout_reconcile", "rollout_reconcile_error", "Rollout reconciliation performance"),
            ),
            "analysisrun" => of_objects(
                &mut done,
                work,
                (
                    "analysis_run_reconcile",
                    "analysis_run_reconcile_error",
                    "AnalysisRun reconciliation performance",
                ),
            ),
            "experiment" => of_objects(
                &mut done,
                work,
                (
                    "experiment_reconcile",
                    "experiment_reconcile_error",
                    "Experiments reconciliation performance",
                ),
            ),
            "application" => done.histograms.push(of_applications(work)),
            _ => {}
        }
    }
    done
}

fn general(work: &std::collections::BTreeMap<&'static str, Work>) -> Done {
    let mut done = queues(work);
    let mut total = Counter::new(
        "controller_runtime_reconcile_total",
        "Reconciliations by result",
        &["controller", "result"],
    );
    let mut panics = Counter::new(
        "controller_runtime_reconcile_panics_total",
        "Reconciliations that panicked",
        CONTROLLER,
    );
    let mut errors =
        Counter::new("controller_runtime_reconcile_errors_total", "Reconciliations that failed", CONTROLLER);
    let mut time = Histogram::new(
        "controller_runtime_reconcile_time_seconds",
        "Length of reconciliations",
        CONTROLLER,
        GENERAL,
    );
    for (controller, work) in work {
        panics.add([controller], number(work.panics));
        errors.add([controller], number(ended(work, Ending::Failed)));
        for (ending, result) in
            [(Ending::Done, "success"), (Ending::Again, "requeue_after"), (Ending::Failed, "error")]
        {
            total.add([controller, result], number(ended(work, ending)));
        }
        time.set([controller], &work.durations);
    }
    done.counters.extend([total, errors, panics]);
    done.histograms.push(time);
    done
}

/// Returns what client-go tells of its queues.
fn queues(work: &std::collections::BTreeMap<&'static str, Work>) -> Done {
    let mut depth = Gauge::new("workqueue_depth", "Keys that are due and wait", QUEUE);
    let mut adds = Counter::new("workqueue_adds_total", "Keys that were asked for", QUEUE);
    let mut retries = Counter::new("workqueue_retries_total", "Keys that are tried again", QUEUE);
    let mut waited =
        Histogram::new("workqueue_queue_duration_seconds", "Time that due keys waited", QUEUE, GENERAL);
    let mut worked =
        Histogram::new("workqueue_work_duration_seconds", "Time that passes took", QUEUE, GENERAL);
    let mut unfinished =
        Gauge::new("workqueue_unfinished_work_seconds", "Time of the passes under way, together", QUEUE);
    let mut longest = Gauge::new(
        "workqueue_longest_running_processor_seconds",
        "Time of the longest pass under way",
        QUEUE,
    );
    let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    for (controller, work) in work {
        depth.set([controller], i64::try_from(work.depth).unwrap_or(i64::MAX));
        adds.add([controller], number(work.added));
        retries.add([controller], number(ended(work, Ending::Failed)));
        waited.set([controller], &work.waits);
        worked.set([controller], &work.durations);
        unfinished.set([controller], seconds(work.running.iter().sum()));
        longest.set([controller], seconds(work.running.iter().max().copied().unwrap_or_default()));
    }
    Done {
        gauges: vec![depth, unfinished, longest],
        counters: vec![adds, retries],
        histograms: vec![waited, worked],
    }
}

fn ended(work: &Work, ending: Ending) -> u64 {
    work.endings.get(&ending).copied().unwrap_or_default()
}

fn of_objects(
    done: &mut Done,
    work: &Work,
    (time, errors, help): (&'static str, &'static str, &'static str),
) {
    let mut time = Histogram::new(time, help, OBJECT, ROLLOUTS);
    let mut errors = Counter::new(errors, "Errors during the reconciliation", OBJECT);
    for (key, passes) in &work.by_object {
        time.set([&key.namespace, &key.name], &passes.durations);
        if passes.failed > 0 {
            errors.add([&key.namespace, &key.name], number(passes.failed));
        }
    }
    done.histograms.push(time);
    done.counters.push(errors);
}

/// There is one cluster yet, so all is work on it.
fn of_applications(work: &Work) -> Histogram {
    let mut time = Histogram::new(
        "argocd_app_reconcile",
        "Application reconciliation performance",
        &["namespace", "dest_server"],
        APPLICATIONS,
    );
    work.by_namespace.iter().for_each(|(namespace, durations)| time.set([namespace, IN_CLUSTER], durations));
    time
}

#[expect(clippy::cast_precision_loss, reason = "a count of that size is never reached")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
