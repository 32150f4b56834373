//! How long updates of Rollouts took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object::{Key, Object, Time};
use runtime::{Change, Subscription};

use super::series::{Classes, Histogram};

/// Upper bounds of the classes in seconds: half a minute to a day.
const BOUNDS: [f64; 10] = [30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0];

/// The updates that ended while this process looked, by Rollout and completion status. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Completions(Arc<Mutex<BTreeMap<Key, BTreeMap<String, Taken>>>>);

/// Whole time, time without manual pauses, and manual pauses.
type Taken = [Classes; 3];

impl Completions {
    /// Counts what ends among `changes` of Rollouts, for ever.
    pub(crate) async fn follow(self, mut changes: Subscription) {
        while let Some(change) = changes.next().await {
            self.see(&change);
        }
    }

    /// Takes note of a change. What had ended before the first look at a Rollout does not count, nor does what ended when
    /// it is gone.
    fn see(&self, change: &Change) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(old), Some(new)) = (&change.old, &change.new) else {
            all.remove(&change.key);
            return;
        };
        let at = |object: &Object, field| Time::parse(object.str(&["status", "duration", field])).ok();
        let Some(end) = at(new, "finishedAt").filter(|end| at(old, "finishedAt") != Some(*end)) else {
            return;
        };
        let Some(start) = at(new, "rolloutStartedAt") else { return };
        let whole = end.since(start).as_secs_f64();
        let paused = new.int(&["status", "duration", "totalManualPauseDurationSeconds"]).unwrap_or_default();
        let paused = u32::try_from(paused).map_or(0.0, f64::from).min(whole);
        let status = new.str(&["status", "duration", "completionStatus"]).to_owned();
        let taken = all.entry(change.key.clone()).or_default().entry(status).or_default();
        for (classes, seconds) in taken.iter_mut().zip([whole, whole - paused, paused]) {
            count(classes, seconds);
        }
    }

    /// Returns the histograms.
    ///
    /// **Source:** `rollout_duration_seconds` and its kind, of Argo Rollouts after 1.10; its classes are not known here.
    pub(super) fn histograms(&self) -> Vec<Histogram> {
        let labels = &["namespace", "name", "status"];
        let mut histograms = [
            ("rollout_duration_seconds", "Time that updates of a Rollout took"),
            ("rollout_progression_duration_seconds", "The same without manual pauses"),
            ("rollout_manual_pause_duration_seconds", "Time of manual pauses in updates of a Rollout"),
        ]
        .map(|(name, help)| Histogram::new(name, help, labels, &[]));
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, by_status) in all.iter() {
            for (status, taken) in by_status {
                for (histogram, classes) in histograms.iter_mut().zip(taken) {
                    histogram.set_classes([&key.namespace, &key.name, status], classes.clone());
                }
            }
        }
        histograms.into()
    }
}

fn count(classes: &mut Classes, seconds: f64) {
    if classes.shares.is_empty() {
        classes.shares = BOUNDS.iter().chain(&[f64::INFINITY]).map(|bound| (*bound, 0)).collect();
    }
    classes.sum += seconds;
    classes.count += 1;
    if let Some((_, count)) = classes.shares.iter_mut().find(|(bound, _)| seconds <= *bound) {
        *count += 1;
    }
}
