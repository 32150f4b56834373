//! The Job provider: a Job whose end is the result.
//!
//! Source: `argo-rollouts/metricproviders/job`.

use std::collections::BTreeMap;
use std::time::Duration;

use api::analysis::{AnalysisPhase as Phase, AnalysisRun, Measurement};
use object::{Gvk, Key, Object, Time, Value, json};
use runtime::{ApiError, Cluster, Deletion, Propagation, Selection, resources};
use serde::Deserialize;

use crate::ended;

/// Label of Jobs: uid of the run.
const RUN_UID: &str = "analysisrun.argoproj.io/uid";
/// Annotations of Jobs: name and namespace of the run, name of the metric.
const RUN_NAME: &str = "analysisrun.argoproj.io/name";
const RUN_NAMESPACE: &str = "analysisrun.argoproj.io/namespace";
const METRIC_NAME: &str = "analysisrun.argoproj.io/metric-name";
/// Metadata of measurements: the Job.
const JOB_NAME: &str = "job-name";
const JOB_NAMESPACE: &str = "job-namespace";
/// Longest name of a Job: its pods carry it as a label.
const LONGEST: usize = 63;
/// Why a container waits that will not start by itself.
const HOPELESS: [&str; 3] = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"];

/// The Job of one measurement.
pub(crate) struct Job<'a> {
    pub cluster: &'a Cluster,
    pub run: &'a AnalysisRun,
    /// Name of the metric.
    pub metric: &'a str,
    /// `provider.job`.
    pub config: &'a Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    metadata: Metadata,
    spec: Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Job<'_> {
    /// Creates the Job; one that is there already from this run is taken.
    pub async fn begin(&self, now: Time) -> Measurement {
        let open = Measurement { started_at: Some(now.to_string()), ..Measurement::default() };
        let job = match self.wanted() {
            Ok(job) => job,
            Err(message) => return ended(open, Phase::Error, &message, now),
        };
        if let Err(error) = self.create(&job).await {
            return ended(open, Phase::Error, &error.to_string(), now);
        }
        let metadata = BTreeMap::from([
            (JOB_NAME.to_owned(), job.name().to_owned()),
            (JOB_NAMESPACE.to_owned(), job.namespace().to_owned()),
        ]);
        let resume_at = Some(next_look(now, now).to_string());
        Measurement { phase: Some(Phase::Running), metadata, resume_at, ..open }
    }

    fn wanted(&self) -> Result<Object, String> {
        let config: Config = api::read(self.config, "provider.job").map_err(|error| error.to_string())?;
        let run = &self.run.object;
        let key = Key::new(run.namespace(), &self.name());
        let mut job = Object::new(&Gvk::new("batch", "v1", "Job"), &key);
        let mut labels = config.metadata.labels;
        labels.insert(RUN_UID.to_owned(), run.uid().to_owned());
        let mut annotations = config.metadata.annotations;
        for (name, value) in
            [(RUN_NAME, run.name()), (RUN_NAMESPACE, run.namespace()), (METRIC_NAME, self.metric)]
        {
            annotations.insert(name.to_owned(), value.to_owned());
        }
        job.set(&["metadata", "labels"], json!(labels));
        job.set(&["metadata", "annotations"], json!(annotations));
        job.set(&["metadata", "ownerReferences"], json!([run.controller_reference()]));
        job.set(&["spec"], config.spec);
        Ok(job)
    }

    /// Returns `<uid of the run>.<metric>.<number of the measurement>`, shortened in the middle.
    fn name(&self) -> String {
        let result = self.run.status.metric_results.iter().find(|result| result.name == self.metric);
        let number = result.map_or(1, |result| result.count + result.error + 1).to_string();
        let uid = self.run.object.uid();
        let room = LONGEST.saturating_sub(uid.len() + number.len() + 2);
        let metric: String = self.metric.chars().take(room).collect();
        format!("{uid}.{metric}.{number}")
    }

    async fn create(&self, job: &Object) -> Result<(), ApiError> {
        match self.cluster.create(&resources::JOBS, job).await {
            Err(error) if error.is_already_exists() => {
                let found = self.cluster.get(&resources::JOBS, &job.key()).await?;
                let ours = found.is_some_and(|found| found.controller_uid() == Some(self.run.object.uid()));
                if ours { Ok(()) } else { Err(error) }
            }
            outcome => outcome.map(drop),
        }
    }

    /// Looks how the Job is doing.
    pub async fn resume(&self, open: Measurement, now: Time) -> Measurement {
        let Some(key) = key(&open, self.run.object.namespace()) else {
            return ended(open, Phase::Error, "job metadata reference missing", now);
        };
        let state = match self.cluster.get(&resources::JOBS, &key).await {
            Ok(Some(job)) => state(&job),
            Ok(None) => return ended(open, Phase::Error, &gone(&key), now),
            Err(error) => return ended(open, Phase::Error, &error.to_string(), now),
        };
        if let Some(phase) = state {
            return ended(open, phase, "", now);
        }
        if let Ok(Some(message)) = self.stuck(&key).await {
            return ended(open, Phase::Inconclusive, &message, now);
        }
        let started = open.started_at.as_deref().and_then(|text| Time::parse(text).ok()).unwrap_or(now);
        Measurement { resume_at: Some(next_look(started, now).to_string()), ..open }
    }

    /// Returns the words for a pod of the Job that will never start.
    async fn stuck(&self, job: &Key) -> Result<Option<String>, ApiError> {
        let selection = Selection::labels(&format!("job-name={}", job.name));
        let pods = self.cluster.list(&resources::PODS, Some(&job.namespace), &selection).await?;
        Ok(pods.iter().find_map(hopeless))
    }

    /// Deletes the Job.
    pub async fn terminate(&self, open: Measurement, now: Time) -> Measurement {
        let Some(key) = key(&open, self.run.object.namespace()) else {
            return ended(open, Phase::Error, "job metadata reference missing", now);
        };
        match delete(self.cluster, &key).await {
            Ok(()) => ended(open, Phase::Inconclusive, "Metric Terminated", now),
            Err(error) => ended(open, Phase::Error, &error.to_string(), now),
        }
    }
}

fn gone(key: &Key) -> String {
    format!("job.batch \"{}\" not found", key.name)
}

/// Returns the verdict of a Job that is over.
fn state(job: &Object) -> Option<Phase> {
    let holds = |kind: &str| {
        job.conditions()
            .iter()
            .any(|condition| condition.kind == kind && condition.status == object::ConditionStatus::True)
    };
    if holds("Failed") {
        return Some(Phase::Failed);
    }
    holds("Complete").then_some(Phase::Successful)
}

/// Returns why a pod will never start.
fn hopeless(pod: &Object) -> Option<String> {
    let statuses = |field: &'static str| pod.items(&["status", field]).iter();
    statuses("initContainerStatuses").chain(statuses("containerStatuses")).find_map(|status| {
        let waiting = &status["state"]["waiting"];
        let reason = waiting["reason"].as_str().filter(|reason| HOPELESS.contains(reason))?;
        let container = status["name"].as_str().unwrap_or_default();
        let message = waiting["message"].as_str().unwrap_or_default();
        Some(format!("pod '{}' cannot start container '{container}': {reason}: {message}", pod.name()))
    })
}

/// Returns when to look again: the longer it takes, the more seldom, after the square root of twice the time it has
/// taken, in whole seconds and at least one.
///
/// Example: after 8 s again in 4 s, after an hour in 84 s.
fn next_look(started: Time, now: Time) -> Time {
    let elapsed = now.since(started).as_secs();
    now.after(Duration::from_secs((2 * elapsed).isqrt().max(1)))
}

/// Returns the Job of a measurement; one without namespace is in that of the run.
pub(crate) fn key(measurement: &Measurement, namespace: &str) -> Option<Key> {
    let name = measurement.metadata.get(JOB_NAME).filter(|name| !name.is_empty())?;
    let namespace = measurement.metadata.get(JOB_NAMESPACE).map_or(namespace, String::as_str);
    Some(Key::new(namespace, name))
}

/// Deletes a Job after its pods; one that is not there counts as deleted.
pub(crate) async fn delete(cluster: &Cluster, key: &Key) -> Result<(), ApiError> {
    let deletion = Deletion { propagation: Some(Propagation::Foreground), ..Deletion::default() };
    cluster.delete(&resources::JOBS, key, &deletion).await
}

#[cfg(test)]
mod tests;
