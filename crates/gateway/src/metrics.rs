//! What the backends answered, in Prometheus form.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object::Key;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Series that are kept at most; requests of further pods are not counted.
const MAX_SERIES: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
struct Answered {
    namespace: String,
    service: String,
    pod: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
struct Took {
    namespace: String,
    service: String,
    pod: String,
}

/// The counters. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    answered: Family<Answered, Counter>,
    took: Family<Took, Histogram, fn() -> Histogram>,
    series: Arc<Mutex<BTreeSet<Answered>>>,
}

impl Metrics {
    /// Returns counters without a series.
    pub(crate) fn new() -> Self {
        let answered = Family::<Answered, Counter>::default();
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let took = Family::<Took, Histogram, fn() -> Histogram>::new_with_constructor(histogram);
        let mut registry = Registry::with_prefix("slipway_gateway");
        registry.register("requests", "Requests by backend pod and class of status", answered.clone());
        registry.register("request_duration_seconds", "Time to the head of the answer", took.clone());
        Self { registry: Arc::new(registry), answered, took, series: Arc::default() }
    }

    /// Counts an answer with `status` of `pod` after `duration`.
    pub(crate) fn count(&self, service: &Key, pod: &str, status: u16, duration: Duration) {
        let answered = Answered {
            namespace: service.namespace.clone(),
            service: service.name.clone(),
            pod: pod.to_owned(),
            code: format!("{}xx", status / 100),
        };
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if series.len() >= MAX_SERIES && !series.contains(&answered) {
            return;
        }
        self.answered.get_or_create(&answered).inc();
        self.took.get_or_create(&took(&answered)).observe(duration.as_secs_f64());
        series.insert(answered);
    }

    /// Removes the series of a pod that is gone.
    pub(crate) fn forget(&self, pod: &Key) {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.retain(|answered| {
            let gone = answered.namespace == pod.namespace && answered.pod == pod.name;
            if gone {
                self.answered.remove(answered);
                self.took.remove(&took(answered));
            }
            !gone
        });
    }

    /// Returns all series as OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn took(answered: &Answered) -> Took {
    let Answered { namespace, service, pod, code: _ } = answered.clone();
    Took { namespace, service, pod }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_come_and_go_with_their_pods() {
        let (metrics, service) = (Metrics::new(), Key::new("shop", "web"));
        for (pod, status) in [("a", 200), ("a", 204), ("a", 503), ("b", 200)] {
            metrics.count(&service, pod, status, Duration::from_millis(3));
        }
        let text = metrics.text();
        let line = r#"slipway_gateway_requests_total{namespace="shop",service="web",pod="a",code="2xx"} 2"#;
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains(r#"request_duration_seconds_count{namespace="shop",service="web",pod="a"} 3"#),
            "{text}"
        );
        metrics.forget(&Key::new("shop", "a"));
        let text = metrics.text();
        assert!(!text.contains(r#"pod="a""#) && text.contains(r#"pod="b""#), "{text}");
    }
}
