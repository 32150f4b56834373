//! Counters and histograms with their series.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use runtime::Durations;

/// One growing value for each set of label values.
#[derive(Debug)]
pub(super) struct Counter {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    series: BTreeMap<Vec<String>, f64>,
}

impl Counter {
    /// Returns a counter without series. One whose name does not end in `_total` is told to be of unknown type: the format
    /// would add the ending, and queries know the name without it.
    pub(super) fn new(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, help, labels, series: BTreeMap::new() }
    }

    /// Adds to the series with these label values, in the order of the labels.
    pub(super) fn add<const N: usize>(&mut self, values: [&str; N], value: f64) {
        debug_assert_eq!(N, self.labels.len(), "{}", self.name);
        *self.series.entry(values.map(str::to_owned).to_vec()).or_default() += value;
    }

    /// Writes the counter; nothing when there are no series.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        if self.series.is_empty() {
            return Ok(());
        }
        let (name, kind) = match self.name.strip_suffix("_total") {
            Some(name) => (name, MetricType::Counter),
            None => (self.name, MetricType::Unknown),
        };
        let is_total = name != self.name;
        let mut encoder = encoder.encode_descriptor(name, self.help, None, kind)?;
        for (values, value) in &self.series {
            let labels = pairs(self.labels, values);
            let encoder = encoder.encode_family(&labels)?;
            if is_total {
                ConstCounter::new(*value).encode(encoder)?;
            } else {
                ConstGauge::new(*value).encode(encoder)?;
            }
        }
        Ok(())
    }
}

/// Durations in classes for each set of label values, in seconds.
#[derive(Debug)]
pub(super) struct Histogram {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    /// In milliseconds, ascending; of [`runtime::BOUNDS`].
    bounds: &'static [u64],
    series: BTreeMap<Vec<String>, Classes>,
}

/// What one series of a histogram shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    /// In seconds.
    pub sum: f64,
    pub count: u64,
    /// Upper bounds in seconds, the last infinite, and how much is in each alone.
    pub shares: Vec<(f64, u64)>,
}

impl Histogram {
    /// Returns a histogram without series.
    pub(super) fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
        bounds: &'static [u64],
    ) -> Self {
        Self { name, help, labels, bounds, series: BTreeMap::new() }
    }

    /// Sets the series with these label values, in the order of the labels.
    pub(super) fn set<const N: usize>(&mut self, values: [&str; N], durations: &Durations) {
        let shares = classes(self.bounds, durations);
        let (sum, count) = (durations.sum().as_secs_f64(), durations.count());
        self.set_classes(values, Classes { sum, count, shares });
    }

    /// Sets the series with these label values to what was counted elsewhere.
    pub(super) fn set_classes<const N: usize>(&mut self, values: [&str; N], classes: Classes) {
        debug_assert_eq!(N, self.labels.len(), "{}", self.name);
        self.series.insert(values.map(str::to_owned).to_vec(), classes);
    }

    /// Writes the histogram; nothing when there are no series.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        if self.series.is_empty() {
            return Ok(());
        }
        let mut encoder = encoder.encode_descriptor(self.name, self.help, None, MetricType::Histogram)?;
        for (values, Classes { sum, count, shares }) in &self.series {
            let labels = pairs(self.labels, values);
            encoder.encode_family(&labels)?.encode_histogram::<NoLabelSet>(*sum, *count, shares, None)?;
        }
        Ok(())
    }
}

/// Returns the classes with their upper bounds in seconds and how much is in each alone.
fn classes(bounds: &[u64], durations: &Durations) -> Vec<(f64, u64)> {
    let mut below = 0;
    let mut classes = Vec::new();
    for bound in bounds {
        let up_to = durations.up_to(*bound);
        classes.push((std::time::Duration::from_millis(*bound).as_secs_f64(), up_to - below));
        below = up_to;
    }
    classes.push((f64::INFINITY, durations.count() - below));
    classes
}

fn pairs<'a>(labels: &[&'a str], values: &'a [String]) -> Vec<(&'a str, &'a str)> {
    labels.iter().copied().zip(values.iter().map(String::as_str)).collect()
}
