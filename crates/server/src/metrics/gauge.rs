//! A gauge with its series.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// One value for each set of label values.
#[derive(Debug)]
pub(super) struct Gauge {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    /// By label values, so that no series is told twice, whatever objects say.
    series: BTreeMap<Vec<String>, i64>,
}

impl Gauge {
    /// Returns a gauge without series.
    pub(super) fn new(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, help, labels, series: BTreeMap::new() }
    }

    /// Sets the series with these label values, in the order of the labels.
    pub(super) fn set<const N: usize>(&mut self, values: [&str; N], value: i64) {
        debug_assert_eq!(N, self.labels.len(), "{}", self.name);
        self.series.insert(values.map(str::to_owned).to_vec(), value);
    }

    /// Sets one series for each phase of `phases`, the last label: 1 for `current`, 0 for the others.
    pub(super) fn set_phase(&mut self, values: &[&str], phases: &[&str], current: &str) {
        debug_assert_eq!(values.len() + 1, self.labels.len(), "{}", self.name);
        for phase in phases {
            let values = values.iter().chain([phase]).map(|&value| value.to_owned()).collect();
            self.series.insert(values, i64::from(*phase == current));
        }
    }

    /// Writes the gauge; nothing when there are no series.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        if self.series.is_empty() {
            return Ok(());
        }
        let mut encoder = encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?;
        for (values, value) in &self.series {
            let labels: Vec<(&str, &str)> =
                self.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
            ConstGauge::new(*value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
