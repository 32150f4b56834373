//! Series of AnalysisRuns, their templates and Experiments.

use std::sync::Arc;

use object::{Object, Value};

use super::gauge::Gauge;

const NAME: &[&str] = &["namespace", "name"];
const PHASE: &[&str] = &["namespace", "name", "phase"];

/// What the deprecated series tell of each run and metric.
const PHASES: [&str; 6] = ["Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"];

/// Values of the label `type` by field of `provider`. **Source:** `metricproviders.Type` of Argo Rollouts.
const PROVIDERS: [(&str, &str); 11] = [
    ("prometheus", "Prometheus"),
    ("job", "Job"),
    ("kayenta", "Kayenta"),
    ("web", "WebMetric"),
    ("datadog", "Datadog"),
    ("wavefront", "Wavefront"),
    ("newRelic", "NewRelic"),
    ("cloudWatch", "CloudWatch"),
    ("graphite", "Graphite"),
    ("influxdb", "Influxdb"),
    ("skywalking", "SkyWalking"),
];

/// Returns the series of these AnalysisRuns. **Source:** the collector of Argo Rollouts.
pub(super) fn runs(runs: impl Iterator<Item = Arc<Object>>) -> Vec<Gauge> {
    let mut info = Gauge::new("analysis_run_info", "Information about an AnalysisRun", PHASE);
    let help = "State of an AnalysisRun (deprecated: use analysis_run_info)";
    let mut phases = Gauge::new("analysis_run_phase", help, PHASE);
    let labels = &["namespace", "name", "metric", "type"];
    let mut types = Gauge::new("analysis_run_metric_type", "Provider of a metric of an AnalysisRun", labels);
    let labels = &["namespace", "name", "metric", "type", "dry_run", "phase"];
    let mut metrics = Gauge::new("analysis_run_metric_phase", "State of a metric of an AnalysisRun", labels);
    for run in runs {
        let (namespace, name) = (run.namespace(), run.name());
        info.set([namespace, name, run.str(&["status", "phase"])], 1);
        phases.set_phase(&[namespace, name], &PHASES, begun(run.str(&["status", "phase"])));
        for metric in run.items(&["spec", "metrics"]) {
            let (title, kind) = (text(&metric["name"]), provider(&metric["provider"]));
            let results = run.items(&["status", "metricResults"]);
            let result = results.iter().find(|result| text(&result["name"]) == title).unwrap_or(&Value::Null);
            let dry_run = if result["dryRun"] == true { "true" } else { "false" };
            types.set([namespace, name, title, kind], 1);
            let labels = [namespace, name, title, kind, dry_run];
            metrics.set_phase(&labels, &PHASES, begun(text(&result["phase"])));
        }
    }
    vec![info, phases, types, metrics]
}

/// Returns the series of these AnalysisTemplates and ClusterAnalysisTemplates.
pub(super) fn templates(templates: impl Iterator<Item = Arc<Object>>) -> Vec<Gauge> {
    let mut info = Gauge::new("analysis_template_info", "Information about an AnalysisTemplate", NAME);
    let labels = &["namespace", "name", "type", "metric"];
    let mut metrics = Gauge::new("analysis_template_metric_info", "Metrics of an AnalysisTemplate", labels);
    for template in templates {
        let (namespace, name) = (template.namespace(), template.name());
        info.set([namespace, name], 1);
        for metric in template.items(&["spec", "metrics"]) {
            metrics.set([namespace, name, provider(&metric["provider"]), text(&metric["name"])], 1);
        }
    }
    vec![info, metrics]
}

/// Returns the series of these Experiments.
pub(super) fn experiments(experiments: impl Iterator<Item = Arc<Object>>) -> Vec<Gauge> {
    let mut info = Gauge::new("experiment_info", "Information about an Experiment", PHASE);
    let help = "State of an Experiment (deprecated: use experiment_info)";
    let mut phases = Gauge::new("experiment_phase", help, PHASE);
    for experiment in experiments {
        let (namespace, name) = (experiment.namespace(), experiment.name());
        info.set([namespace, name, experiment.str(&["status", "phase"])], 1);
        phases.set_phase(&[namespace, name], &PHASES, begun(experiment.str(&["status", "phase"])));
    }
    vec![info, phases]
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What has no phase has not begun.
fn begun(phase: &str) -> &str {
    if phase.is_empty() { "Pending" } else { phase }
}

/// Returns the type of a provider; of a plugin, the plugin's name.
fn provider(provider: &Value) -> &str {
    let known = PROVIDERS.iter().find(|(field, _)| !provider[field].is_null());
    let plugin = || provider["plugin"].as_object()?.keys().next().map(String::as_str);
    known.map(|(_, name)| *name).or_else(plugin).unwrap_or("Unknown Provider")
}
