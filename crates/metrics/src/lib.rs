//! Providers of measurements: where the results come from that `analysis` judges.
//!
//! A provider turns one metric into one [`api::analysis::Measurement`]; it never decides about a metric or a run, and it
//! never fails: what goes wrong is a measurement in error. Start at [`Providers`].

mod web;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::analysis::{AnalysisPhase, Measurement, Metric};
use object::Time;
use runtime::Clock;
use runtime::http::HttpClient;

/// The providers of this process.
#[derive(Clone)]
pub struct Providers {
    http: Arc<dyn HttpClient>,
    clock: Clock,
}

impl Providers {
    /// Returns providers that send their requests through `http`.
    pub fn new(http: Arc<dyn HttpClient>, clock: Clock) -> Self {
        Self { http, clock }
    }

    /// Takes one measurement of a metric whose arguments are filled in, secrets included. A provider that this version
    /// does not have gives a measurement in error that names it.
    pub async fn measure(&self, metric: &Metric) -> Measurement {
        let started = self.clock.now();
        let outcome = match &metric.provider.web {
            Some(web) => web::measure(self.http.as_ref(), web, metric, &self.clock).await,
            None => Err(unknown(metric)),
        };
        finish(outcome, started, self.clock.now())
    }
}

/// A result that was judged.
struct Judged {
    phase: AnalysisPhase,
    /// The result as text, as the status shows it.
    value: String,
    metadata: BTreeMap<String, String>,
}

fn unknown(metric: &Metric) -> String {
    match metric.provider.other.keys().next() {
        Some(name) => {
            format!("metric '{}': provider '{name}' is not supported by this version of slipway", metric.name)
        }
        None => format!("metric '{}': no provider specified", metric.name),
    }
}

fn finish(outcome: Result<Judged, String>, started: Time, finished: Time) -> Measurement {
    let measurement = Measurement {
        started_at: Some(started.to_string()),
        finished_at: Some(finished.to_string()),
        ..Measurement::default()
    };
    match outcome {
        Ok(judged) => Measurement {
            phase: Some(judged.phase),
            value: judged.value,
            metadata: judged.metadata,
            ..measurement
        },
        Err(message) => Measurement { phase: Some(AnalysisPhase::Error), message, ..measurement },
    }
}
