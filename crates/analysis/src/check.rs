//! Whether a run can be carried out at all.

use std::collections::{BTreeMap, BTreeSet};

use api::IntOrString;
use api::analysis::{AnalysisRun, AnalysisRunSpec, Metric};
use object::time::parse_duration;
use regex::Regex;

use crate::argument::resolve;
use crate::verdict::Limits;

/// Measurements of a metric that are kept.
const RETAINED: usize = 10;

/// A run whose metrics are sound, with their arguments filled in (secrets hidden).
#[derive(Clone, Debug)]
pub struct Checked {
    /// The metrics in order.
    pub metrics: Vec<Metric>,
    pub(crate) dry_run: BTreeSet<String>,
    pub(crate) retained: BTreeMap<String, usize>,
}

impl Checked {
    /// Returns the number of measurements of `metric` that are kept.
    pub(crate) fn retained(&self, metric: &str) -> usize {
        self.retained.get(metric).copied().unwrap_or(RETAINED)
    }
}

/// Why a run cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// An argument has no value, or a placeholder no argument.
    #[error("Unable to resolve metric arguments: {0}")]
    Arguments(String),
    /// A metric, `dryRun` or `measurementRetention` breaks a rule; the text names it.
    #[error("Analysis spec invalid: {0}")]
    Spec(String),
}

impl Unsound {
    /// Returns what is wrong, without saying with what.
    pub fn cause(&self) -> &str {
        match self {
            Self::Arguments(cause) | Self::Spec(cause) => cause,
        }
    }
}

/// Returns the run's metrics when they are sound.
///
/// Errors: what becomes the run's message, e.g. `Analysis spec invalid: metrics[0]: interval must be specified when
/// count > 1`.
pub fn check(run: &AnalysisRun) -> Result<Checked, Unsound> {
    check_spec(&run.spec)
}

/// Returns the metrics of a run to come when they are sound, as [`check`] does.
pub fn check_spec(spec: &AnalysisRunSpec) -> Result<Checked, Unsound> {
    let metrics = spec.metrics.iter().map(|metric| resolve(metric, &spec.args, None));
    let metrics: Vec<Metric> = metrics.collect::<Result<_, _>>().map_err(Unsound::Arguments)?;
    check_metrics(&metrics).map_err(Unsound::Spec)?;
    let patterns = spec.dry_run.iter().map(|dry_run| dry_run.metric_name.as_str());
    let dry_run = select("dryRun", patterns, &metrics).map_err(Unsound::Spec)?;
    let patterns = spec.measurement_retention.iter().map(|retention| retention.metric_name.as_str());
    let matched = select("measurementRetention", patterns, &metrics).map_err(Unsound::Spec)?;
    let mut retained = BTreeMap::new();
    for (names, retention) in matched.into_iter().zip(&spec.measurement_retention) {
        let limit = usize::try_from(retention.limit).ok().filter(|limit| *limit > 0).unwrap_or(RETAINED);
        retained.extend(names.into_iter().map(|name| (name, limit)));
    }
    Ok(Checked { metrics, dry_run: dry_run.into_iter().flatten().collect(), retained })
}

/// Returns the metrics that each pattern matches; a pattern without any is an error.
fn select<'a>(
    field: &str,
    patterns: impl Iterator<Item = &'a str>,
    metrics: &[Metric],
) -> Result<Vec<Vec<String>>, String> {
    patterns
        .enumerate()
        .map(|(index, pattern)| {
            let regex = Regex::new(pattern).map_err(|error| format!("{field}[{index}]: {error}"))?;
            let names = metrics.iter().map(|metric| metric.name.clone());
            let names: Vec<String> = names.filter(|name| regex.is_match(name)).collect();
            if names.is_empty() {
                return Err(format!("{field}[{index}]: Rule didn't match any metric name(s)"));
            }
            Ok(names)
        })
        .collect()
}

fn check_metrics(metrics: &[Metric]) -> Result<(), String> {
    if metrics.is_empty() {
        return Err("no metrics specified".into());
    }
    let mut names = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        if !names.insert(metric.name.as_str()) {
            return Err(format!("metrics[{index}]: duplicate name '{}", metric.name));
        }
        check_metric(metric).map_err(|error| format!("metrics[{index}]: {error}"))?;
    }
    Ok(())
}

fn check_metric(metric: &Metric) -> Result<(), String> {
    let number = |field: &str, value: &Option<IntOrString>| match value {
        Some(value) => value.as_int().map(Some).ok_or_else(|| format!("{field}: {value} is not a number")),
        None => Ok(None),
    };
    let count = number("count", &metric.count)?.unwrap_or(0);
    let failure = number("failureLimit", &metric.failure_limit)?.unwrap_or(0);
    let inconclusive = number("inconclusiveLimit", &metric.inconclusive_limit)?.unwrap_or(0);
    let errors = number("consecutiveErrorLimit", &metric.consecutive_error_limit)?.unwrap_or(0);
    let successes = number("consecutiveSuccessLimit", &metric.consecutive_success_limit)?.unwrap_or(0);
    let duration = |field: &str, text: &str| {
        if text.is_empty() {
            Ok(())
        } else {
            parse_duration(text).map(drop).map_err(|e| format!("invalid {field} string: {e}"))
        }
    };
    duration("interval", &metric.interval)?;
    duration("startDelay", &metric.initial_delay)?;
    let rules = [
        (count > 1 && metric.interval.is_empty(), "interval must be specified when count > 1"),
        (count > 0 && count < failure + successes, "count must be >= failureLimit + consecutiveSuccessLimit"),
        (count > 0 && count < inconclusive, "count must be >= inconclusiveLimit"),
        (failure < -1, "failureLimit must be >= -1"),
        (failure == -1 && successes == 0, "failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        (inconclusive < 0, "inconclusiveLimit must be >= 0"),
        (errors < 0, "consecutiveErrorLimit must be >= 0"),
        (successes < 0, "consecutiveSuccessLimit must be >= 0"),
    ];
    if let Some((_, message)) = rules.iter().find(|(broken, _)| *broken) {
        return Err((*message).into());
    }
    let providers = metric.provider.other.len() + usize::from(metric.provider.web.is_some());
    match providers {
        0 => Err("no provider specified".into()),
        1 => Ok(()),
        _ => Err("multiple providers specified".into()),
    }
}

/// Returns the number of measurements after which a metric is complete; `None` for one that goes on for ever.
pub(crate) fn effective_count(metric: &Metric) -> Option<i64> {
    match metric.count.as_ref().and_then(IntOrString::as_int).unwrap_or(0) {
        0 if metric.interval.is_empty() => Some(1),
        0 => None,
        count => Some(count),
    }
}

impl Limits {
    /// Returns the limits of a checked metric.
    pub(crate) fn of(metric: &Metric) -> Self {
        let number = |value: &Option<IntOrString>, default| {
            value.as_ref().and_then(IntOrString::as_int).unwrap_or(default)
        };
        Self {
            failure: number(&metric.failure_limit, 0),
            inconclusive: number(&metric.inconclusive_limit, 0),
            consecutive_error: number(&metric.consecutive_error_limit, 4),
            consecutive_success: number(&metric.consecutive_success_limit, 0),
            count: effective_count(metric),
        }
    }
}
