//! `/metrics`: what the watch caches hold, as Prometheus series with the names and labels of Argo Rollouts and Argo CD.
//!
//! Every gauge is made of an object when it is asked for, so none outlives its object. Counters and histograms tell what the
//! process did since it started: how its controllers fared ([`runtime::Activity`]) and which syncs ended ([`Syncs`]).

use std::pin::Pin;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{StatusCode, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use runtime::{Activity, Cache, Watches};

use gauge::Gauge;

mod activity;
mod analysis;
mod application;
mod asked;
mod completions;
mod gauge;
mod rollout;
mod series;
mod syncs;

pub use completions::Completions;
use series::{Counter, Histogram};
pub use syncs::Syncs;

/// The text format that is answered with.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The caches that series are made of; what is absent has no series.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Rollouts.
    pub rollouts: Option<Cache>,
    /// AnalysisRuns.
    pub analysis_runs: Option<Cache>,
    /// AnalysisTemplates and ClusterAnalysisTemplates.
    pub templates: Vec<Cache>,
    /// Experiments.
    pub experiments: Option<Cache>,
    /// Applications.
    pub applications: Option<Cache>,
    /// What the controllers have done.
    pub activity: Option<Activity>,
    /// What ended in the Applications; counts once it is followed, as [`crate::serve`] does.
    pub syncs: Syncs,
    /// What ended in the Rollouts; counts once it is followed, as [`crate::serve`] does.
    pub completions: Completions,
    /// What is watched: what the cluster lacks, and what was asked of it.
    pub watches: Option<Watches>,
}

impl Sources {
    fn gauges(&self) -> Vec<Gauge> {
        let mut gauges = Vec::new();
        if let Some(rollouts) = &self.rollouts {
            gauges
                .push(version("argo_rollouts_controller_info", "Running version of the Rollout controller"));
            gauges.push(version("build_info", "Running version"));
            gauges.extend(rollout::gauges(rollouts.iter()));
        }
        if let Some(runs) = &self.analysis_runs {
            gauges.extend(analysis::runs(runs.iter()));
        }
        if !self.templates.is_empty() {
            gauges.extend(analysis::templates(self.templates.iter().flat_map(Cache::iter)));
        }
        if let Some(experiments) = &self.experiments {
            gauges.extend(analysis::experiments(experiments.iter()));
        }
        if let Some(applications) = &self.applications {
            gauges.push(version("argocd_info", "Running version of the Application controller"));
            gauges.extend(application::gauges(applications.iter()));
        }
        if let Some(watches) = &self.watches {
            let labels = &["group", "resource"];
            let mut lacks =
                Gauge::new("slipway_unserved_resources", "Resources that the cluster does not know", labels);
            for resource in watches.unserved().keys() {
                lacks.set([&resource.group, &resource.plural], 1);
            }
            gauges.push(lacks);
            gauges.extend(asked::gauges(watches));
        }
        gauges
    }

    /// Returns what has to run for what ends to be counted.
    pub(crate) fn follow(&self) -> Vec<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let mut all: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
        if let Some(applications) = &self.applications {
            all.push(Box::pin(self.syncs.clone().follow(applications.subscribe())));
        }
        if let Some(rollouts) = &self.rollouts {
            all.push(Box::pin(self.completions.clone().follow(rollouts.subscribe())));
        }
        all
    }

    /// Returns all series as OpenMetrics text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        let mut page = Page {
            gauges: self.gauges(),
            counters: self.syncs.counters(),
            histograms: self.completions.histograms(),
        };
        if let Some(watches) = &self.watches {
            page.counters.extend(asked::counters(watches.cluster().tally()));
        }
        if let Some(activity) = &self.activity {
            let done = activity::done(activity);
            page.gauges.extend(done.gauges);
            page.counters.extend(done.counters);
            page.histograms.extend(done.histograms);
        }
        registry.register_collector(Box::new(page));
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// One scrape.
#[derive(Debug)]
struct Page {
    gauges: Vec<Gauge>,
    counters: Vec<Counter>,
    histograms: Vec<Histogram>,
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        self.gauges.iter().try_for_each(|gauge| gauge.encode(&mut encoder))?;
        self.counters.iter().try_for_each(|counter| counter.encode(&mut encoder))?;
        self.histograms.iter().try_for_each(|histogram| histogram.encode(&mut encoder))
    }
}

fn version(name: &'static str, help: &'static str) -> Gauge {
    let mut gauge = Gauge::new(name, help, &["version"]);
    gauge.set([env!("CARGO_PKG_VERSION")], 1);
    gauge
}

/// Returns the route `/metrics`.
pub fn router(sources: Sources) -> Router {
    Router::new().route("/metrics", get(page)).with_state(sources)
}

async fn page(State(sources): State<Sources>) -> Response {
    match sources.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
