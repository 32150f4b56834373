//! Counters of the syncs that ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::application::{DEFAULT_PROJECT, IN_CLUSTER};
use object::{Key, Object, Time};
use runtime::{Change, Subscription};

use super::series::Counter;

/// The syncs that ended while this process looked, by Application. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Syncs(Arc<Mutex<BTreeMap<Key, Ended>>>);

#[derive(Debug, Default)]
struct Ended {
    project: String,
    /// By phase and whether nothing was to be changed.
    counts: BTreeMap<(String, bool), u64>,
    seconds: f64,
}

impl Syncs {
    /// Counts what ends among `changes` of Applications, for ever.
    pub(crate) async fn follow(self, mut changes: Subscription) {
        while let Some(change) = changes.next().await {
            self.see(&change);
        }
    }

    /// Takes note of a change. What had ended before the first look at an Application does not count, nor does what ended
    /// when it is gone.
    fn see(&self, change: &Change) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(old), Some(new)) = (&change.old, &change.new) else {
            all.remove(&change.key);
            return;
        };
        if finished(old) == finished(new) || finished(new).is_empty() {
            return;
        }
        let state = |field| new.str(&["status", "operationState", field]);
        if !matches!(state("phase"), "Succeeded" | "Failed" | "Error") {
            return;
        }
        let dry_run = new.get(&["status", "operationState", "operation", "sync", "dryRun"]);
        let ended = all.entry(change.key.clone()).or_default();
        ended.project = match new.str(&["spec", "project"]) {
            "" => DEFAULT_PROJECT.into(),
            project => project.into(),
        };
        let kind = (state("phase").to_owned(), dry_run.is_some_and(|value| value == true));
        *ended.counts.entry(kind).or_default() += 1;
        if let (Ok(from), Ok(to)) = (Time::parse(state("startedAt")), Time::parse(state("finishedAt"))) {
            ended.seconds += to.since(from).as_secs_f64();
        }
    }

    /// Returns the counters.
    ///
    /// **Source:** `argocd_app_sync_total`, `argocd_app_sync_duration_seconds_total`.
    pub(super) fn counters(&self) -> Vec<Counter> {
        let mut total = Counter::new(
            "argocd_app_sync_total",
            "Syncs of an Application that ended",
            &["namespace", "name", "project", "dest_server", "phase", "dry_run"],
        );
        let mut seconds = Counter::new(
            "argocd_app_sync_duration_seconds_total",
            "Time that syncs of an Application took",
            &["namespace", "name", "project", "dest_server"],
        );
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (Key { namespace, name }, Ended { project, counts, seconds: took }) in all.iter() {
            for ((phase, dry_run), count) in counts {
                let dry_run = if *dry_run { "true" } else { "false" };
                let labels = [namespace, name, project, IN_CLUSTER, phase, dry_run];
                total.add(labels, u32::try_from(*count).map_or(f64::MAX, f64::from));
            }
            seconds.add([namespace, name, project, IN_CLUSTER], *took);
        }
        vec![total, seconds]
    }
}

fn finished(application: &Object) -> &str {
    application.str(&["status", "operationState", "finishedAt"])
}

#[cfg(test)]
mod tests {
    use object::{Value, json};

    use super::*;

    fn change(old: Option<Value>, new: Option<Value>) -> Change {
        let app = |state: Value| {
            let metadata = json!({"namespace": "argocd", "name": "a"});
            Arc::new(Object::from_value(json!({"metadata": metadata, "status": {"operationState": state}})))
        };
        Change {
            key: Key::new("argocd", "a"),
            old: old.map(app).map(Into::into),
            new: new.map(app).map(Into::into),
        }
    }

    fn counts(syncs: &Syncs) -> Vec<(String, bool, u64)> {
        let all = syncs.0.lock().unwrap();
        let counts = all.values().flat_map(|ended| &ended.counts);
        counts.map(|((phase, dry), count)| (phase.clone(), *dry, *count)).collect()
    }

    #[test]
    fn each_end_counts_once_and_goes_with_its_application() {
        let syncs = Syncs::default();
        let state = |phase: &str, finished: Value, dry: bool| {
            json!({"phase": phase, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": finished,
                "operation": {"sync": {"dryRun": dry}}})
        };
        let (running, done) =
            (state("Running", Value::Null, false), state("Succeeded", json!("2026-01-01T00:00:05Z"), false));
        syncs.see(&change(None, Some(done.clone())));
        assert_eq!(counts(&syncs), [], "it ended before");
        syncs.see(&change(Some(running.clone()), Some(done.clone())));
        syncs.see(&change(Some(done.clone()), Some(done.clone())));
        syncs.see(&change(Some(done.clone()), Some(running.clone())));
        let waits = state("Running", json!("2026-01-01T00:00:09Z"), false);
        syncs.see(&change(Some(running.clone()), Some(waits)));
        syncs.see(&change(Some(running), Some(state("Failed", json!("2026-01-01T00:00:07Z"), true))));
        assert_eq!(counts(&syncs), [("Failed".into(), true, 1), ("Succeeded".into(), false, 1)]);
        assert!((syncs.0.lock().unwrap().values().next().unwrap().seconds - 12.0).abs() < 1e-9);
        syncs.see(&change(Some(done), None));
        assert_eq!(counts(&syncs), []);
    }
}
