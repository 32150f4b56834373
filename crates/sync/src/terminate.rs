//! Stops an operation: hooks that run are deleted.

use api::application::{OperationPhase, OperationState};
use health::{Builtin, Status};

use crate::progress::{self, Progress};
use crate::results;
use crate::task::Task;

/// Returns the deletions of running hooks and the end of the operation.
///
/// Source: gitops-engine `Terminate`.
pub fn next(tasks: &mut [Task], state: &mut OperationState) -> Progress {
    let mut actions = Vec::new();
    for task in tasks.iter_mut().filter(|task| task.hook && task.live.is_some() && task.is_running()) {
        actions.extend(progress::release(task));
        let health = task.live.as_deref().and_then(|live| health::assess(live, &Builtin));
        let running = health
            .as_ref()
            .is_some_and(|health| matches!(health.status, Status::Progressing | Status::Suspended));
        let reached = match health {
            Some(health) if !running => match health.status {
                Status::Degraded | Status::Unknown => (OperationPhase::Failed, health.message),
                _ => (OperationPhase::Succeeded, health.message),
            },
            _ => {
                actions.extend(progress::delete(task));
                (OperationPhase::Succeeded, "Deleted".into())
            }
        };
        results::record_phase(state, task, None, reached);
    }
    let mut end = Progress::end(OperationPhase::Failed, "Operation terminated");
    end.actions = actions;
    end
}
