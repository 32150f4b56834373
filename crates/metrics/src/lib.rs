//! Providers of measurements: where the results come from that `analysis` judges.
//!
//! A provider turns one metric into one [`api::analysis::Measurement`]; it never decides about a metric or a run, and it
//! never fails: what goes wrong is a measurement in error. Start at [`Providers`].

mod job;
mod prometheus;
mod web;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::analysis::{AnalysisPhase, AnalysisRun, Measurement, Metric};
use object::Time;
use runtime::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use runtime::{ApiError, Clock, Cluster};

/// The providers of this process.
#[derive(Clone)]
pub struct Providers {
    http: Arc<dyn HttpClient>,
    clock: Clock,
    jobs: Option<Cluster>,
    prometheus: String,
}

impl Providers {
    /// Returns providers that send their requests through `http`, without Jobs.
    pub fn new(http: Arc<dyn HttpClient>, clock: Clock) -> Self {
        Self { http, clock, jobs: None, prometheus: String::new() }
    }

    /// Returns them with Jobs that run in this cluster.
    #[must_use]
    pub fn with_jobs(mut self, cluster: Cluster) -> Self {
        self.jobs = Some(cluster);
        self
    }

    /// Returns them asking the Prometheus at this address when a metric names none
    /// (`ARGO_ROLLOUTS_PROMETHEUS_ADDRESS`).
    #[must_use]
    pub fn with_prometheus(mut self, address: &str) -> Self {
        address.clone_into(&mut self.prometheus);
        self
    }

    /// Takes one measurement of a metric of `run` whose arguments are filled in, secrets included; that of a Job is only
    /// begun. A provider that this version does not have gives a measurement in error that names it.
    pub async fn begin(&self, run: &AnalysisRun, metric: &Metric) -> Measurement {
        let started = self.clock.now();
        match self.job(run, metric) {
            Some(job) => job.begin(started).await,
            None => finish(self.judged(metric).await, started, self.clock.now()),
        }
    }

    /// Looks at a measurement that is under way.
    pub async fn resume(&self, run: &AnalysisRun, metric: &Metric, open: Measurement) -> Measurement {
        match self.job(run, metric) {
            Some(job) => job.resume(open, self.clock.now()).await,
            None => open,
        }
    }

    /// Ends a measurement that is under way.
    pub async fn terminate(&self, run: &AnalysisRun, metric: &Metric, open: Measurement) -> Measurement {
        match self.job(run, metric) {
            Some(job) => job.terminate(open, self.clock.now()).await,
            None => ended(open, AnalysisPhase::Successful, "Metric Terminated", self.clock.now()),
        }
    }

    /// Returns facts about a metric whose arguments are filled in, for its result.
    pub fn facts(&self, metric: &Metric) -> BTreeMap<String, String> {
        prometheus::facts(metric)
    }

    /// Deletes what measurements that are not kept any longer have left behind.
    ///
    /// Errors: a Job cannot be deleted.
    pub async fn forget(&self, run: &AnalysisRun, dropped: &[Measurement]) -> Result<(), ApiError> {
        let Some(cluster) = &self.jobs else { return Ok(()) };
        for measurement in dropped {
            if let Some(key) = job::key(measurement, run.object.namespace()) {
                job::delete(cluster, &key).await?;
            }
        }
        Ok(())
    }

    fn job<'a>(&'a self, run: &'a AnalysisRun, metric: &'a Metric) -> Option<job::Job<'a>> {
        let config = metric.provider.other.get("job")?;
        Some(job::Job { cluster: self.jobs.as_ref()?, run, metric: &metric.name, config })
    }

    async fn judged(&self, metric: &Metric) -> Result<Judged, String> {
        if let Some(web) = &metric.provider.web {
            return web::measure(self.http.as_ref(), web, metric, &self.clock).await;
        }
        if let Some(config) = metric.provider.other.get("prometheus") {
            let config = prometheus::Config::read(config, &self.prometheus)?;
            return prometheus::measure(self.http.as_ref(), &config, metric, self.clock.now()).await;
        }
        Err(unknown(metric))
    }
}

/// A result that was judged.
struct Judged {
    phase: AnalysisPhase,
    /// The result as text, as the status shows it.
    value: String,
    metadata: BTreeMap<String, String>,
}

/// Returns the words for a metric whose provider is none or not one of ours.
fn unknown(metric: &Metric) -> String {
    let words = format!("no valid provider in metric '{}'", metric.name);
    match metric.provider.other.keys().next() {
        Some(name) => format!("{words}: provider '{name}' is not supported by this version of slipway"),
        None => words,
    }
}

fn finish(outcome: Result<Judged, String>, started: Time, finished: Time) -> Measurement {
    let measurement = Measurement { started_at: Some(started.to_string()), ..Measurement::default() };
    match outcome {
        Ok(judged) => {
            let measurement = Measurement { value: judged.value, metadata: judged.metadata, ..measurement };
            ended(measurement, judged.phase, "", finished)
        }
        Err(message) => ended(measurement, AnalysisPhase::Error, &message, finished),
    }
}

/// Returns the measurement with its end.
fn ended(measurement: Measurement, phase: AnalysisPhase, message: &str, now: Time) -> Measurement {
    Measurement {
        phase: Some(phase),
        message: message.to_owned(),
        finished_at: Some(now.to_string()),
        ..measurement
    }
}

/// Sends the request and holds the client to the request's own time, so that none can hold up a run.
async fn send(http: &dyn HttpClient, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let (method, url, timeout) = (request.method.clone(), request.url.clone(), request.timeout);
    let answer = tokio::time::timeout(timeout, http.send(request)).await;
    answer.unwrap_or_else(|_| Err(HttpError::Timeout { method, url, timeout }))
}
