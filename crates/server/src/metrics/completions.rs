//! How long updates of Rollouts took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object::{Object, Time};
use runtime::{Change, Subscription};

use super::series::{Classes, Histogram};

/// Upper bounds of the classes in seconds: half a minute to eight hours, as upstream's.
const BOUNDS: [f64; 11] =
    [30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0];

/// Completion status of an update that another one followed before its end; no Rollout's own status tells it.
const SUPERSEDED: &str = "Superseded";

/// The updates that ended while this process looked, by completion status. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Completions(Arc<Mutex<BTreeMap<String, Taken>>>);

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
        let (Some(old), Some(new)) = (&change.old, &change.new) else { return };
        if let (Some(before), Some(after)) = (time(old, "rolloutStartedAt"), time(new, "rolloutStartedAt"))
            && before != after
            && time(old, "finishedAt").is_none()
        {
            self.add(SUPERSEDED, old, after);
        }
        if let Some(end) = time(new, "finishedAt").filter(|end| time(old, "finishedAt") != Some(*end)) {
            self.add(new.str(&["status", "duration", "completionStatus"]), new, end);
        }
    }

    /// Adds the update that the status of `rollout` tells of and that ended at `end`.
    fn add(&self, completion: &str, rollout: &Object, end: Time) {
        let Some(start) = time(rollout, "rolloutStartedAt") else { return };
        let whole = end.since(start).as_secs_f64();
        let paused = rollout.int(&["status", "duration", "totalManualPauseDurationSeconds"]);
        let mut paused = u32::try_from(paused.unwrap_or_default()).map_or(0.0, f64::from);
        if let Some(since) = time(rollout, "manualPauseStartedAt") {
            paused += end.since(since).as_secs_f64();
        }
        let paused = paused.min(whole);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(completion.to_owned()).or_default();
        for (classes, seconds) in taken.iter_mut().zip([whole, whole - paused, paused]) {
            count(classes, seconds);
        }
    }

    /// Returns the histograms.
    ///
    /// **Source:** `rollout_duration_seconds` and its kind, of Argo Rollouts after 1.10; no series by Rollout.
    pub(super) fn histograms(&self) -> Vec<Histogram> {
        let labels = &["status"];
        let mut histograms = [
            ("rollout_duration_seconds", "Time that updates of a Rollout took"),
            ("rollout_progression_duration_seconds", "The same without manual pauses"),
            ("rollout_manual_pause_duration_seconds", "Time of manual pauses in updates of a Rollout"),
        ]
        .map(|(name, help)| Histogram::new(name, help, labels, &[]));
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (status, taken) in all.iter() {
            for (histogram, classes) in histograms.iter_mut().zip(taken) {
                histogram.set_classes([status], classes.clone());
            }
        }
        histograms.into()
    }
}

/// Returns a time of the status' account of the update.
fn time(rollout: &Object, field: &str) -> Option<Time> {
    Time::parse(rollout.str(&["status", "duration", field])).ok()
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

#[cfg(test)]
mod tests {
    use object::{Key, json};

    use super::*;

    fn at(seconds: &str) -> String {
        format!("2026-01-01T00:{seconds}Z")
    }

    #[test]
    fn updates_that_end_and_those_that_are_followed_count_by_their_end() {
        let rollout = |duration| Arc::new(Object::from_value(json!({"status": {"duration": duration}})));
        let begun = rollout(json!({"rolloutStartedAt": at("00:00"), "manualPauseStartedAt": at("00:10")}));
        let next = rollout(json!({"rolloutStartedAt": at("00:40")}));
        let ended = rollout(json!({"rolloutStartedAt": at("00:40"), "finishedAt": at("02:00"),
            "totalManualPauseDurationSeconds": 20, "completionStatus": "Promoted"}));
        let kept = |state: &Option<Arc<Object>>| state.clone().map(Into::into);
        let seen = Completions::default();
        let key = Key::new("shop", "web");
        let states = [None, Some(begun), Some(next), Some(ended.clone()), Some(ended), None];
        for pair in states.windows(2) {
            seen.see(&Change { key: key.clone(), old: kept(&pair[0]), new: kept(&pair[1]) });
        }
        let all = seen.0.lock().unwrap();
        let sums = |status: &str| all[status].each_ref().map(|classes| (classes.count, classes.sum));
        assert_eq!(sums("Superseded"), [(1, 40.0), (1, 10.0), (1, 30.0)]);
        assert_eq!(sums("Promoted"), [(1, 80.0), (1, 60.0), (1, 20.0)]);
        assert_eq!(all.len(), 2);
    }
}
