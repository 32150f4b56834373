//! AnalysisRuns and Experiments that have ended: which are kept.

use std::cmp::Reverse;
use std::sync::Arc;

use api::analysis::AnalysisPhase;
use object::{Object, Value};

use super::pass::Pass;
use crate::keys;

/// Returns the phase of an AnalysisRun or an Experiment; none while it has none, or an unknown one.
pub(super) fn phase(object: &Object) -> Option<AnalysisPhase> {
    let text = object.str(&["status", "phase"]);
    api::read(&Value::String(text.to_owned()), "status.phase").ok()
}

/// Returns those that are to be deleted, newest first: finished ones beyond the limits of `spec.analysis`, good and bad ones
/// counted apart, and all whose ReplicaSet is gone.
pub(super) fn beyond_limits<'a>(
    pass: &Pass,
    objects: impl Iterator<Item = &'a Arc<Object>>,
) -> Vec<&'a Arc<Object>> {
    let settings = pass.settings();
    let (mut successful, mut unsuccessful) = (0, 0);
    let mut beyond = |object: &Object| {
        let hash = object.label(keys::HASH);
        let lives = |set: &crate::sets::Set| Some(set.hash.as_str()) == hash && !set.object.is_deleting();
        if !pass.sets.all.iter().any(lives) {
            return true;
        }
        match phase(object) {
            Some(AnalysisPhase::Successful) => {
                successful += 1;
                successful > settings.successful_runs
            }
            Some(AnalysisPhase::Failed | AnalysisPhase::Error | AnalysisPhase::Inconclusive) => {
                unsuccessful += 1;
                unsuccessful > settings.unsuccessful_runs
            }
            None | Some(AnalysisPhase::Pending | AnalysisPhase::Running) => false,
        }
    };
    let mut objects: Vec<_> = objects.collect();
    objects.sort_by_key(|object| (Reverse(object.creation_time()), object.name().to_owned()));
    objects.retain(|object| beyond(object) && !object.is_deleting());
    objects
}
