//! Old ReplicaSets beyond `revisionHistoryLimit`.

use super::pass::Pass;
use crate::{Action, keys};

/// Deletes the oldest that have no pods, and their runs.
pub(super) fn reconcile(pass: &mut Pass) {
    let alive: Vec<_> = pass.sets.others().filter(|set| !set.object.is_deleting()).cloned().collect();
    let excess = alive.len().saturating_sub(pass.settings().revision_history_limit);
    for set in alive.iter().take(excess) {
        let observed = set.object.int(&["status", "observedGeneration"]).unwrap_or(0);
        if set.replicas != 0 || set.size.spec != 0 || observed < set.object.generation() {
            continue;
        }
        pass.actions.push(Action::DeleteReplicaSet { key: set.key(), uid: set.object.uid().to_owned() });
        for experiment in &pass.observed.experiments {
            if experiment.label(keys::HASH) == Some(set.hash.as_str()) && !experiment.is_deleting() {
                let uid = experiment.uid().to_owned();
                pass.actions.push(Action::DeleteExperiment { key: experiment.key(), uid });
            }
        }
        for run in &pass.observed.analysis_runs {
            if run.label(keys::HASH) == Some(set.hash.as_str()) && !run.is_deleting() {
                let action = Action::DeleteAnalysisRun { key: run.key(), uid: run.uid().to_owned() };
                pass.actions.push(action);
            }
        }
    }
    super::config::delete_unused(pass);
}
