//! An operation that changes nothing: what it would do is worked out here, no server is asked.

use api::application::{OperationPhase, OperationState, ResultCode};

use crate::action::Outcome;
use crate::progress::Progress;
use crate::results::{self, Wording, applied_text};
use crate::task::{Request, Task};
use crate::{compare, group};

/// Records what would become of each task.
pub fn next(tasks: &mut [Task], state: &mut OperationState, request: &Request<'_>) -> Progress {
    for task in tasks.iter_mut().filter(|task| task.is_pending()) {
        let (code, text) = match (&task.target, group::kept(task, request)) {
            (None, Some(reason)) => (ResultCode::PruneSkipped, reason.to_owned()),
            (None, None) => (ResultCode::Pruned, "pruned (dry run)".into()),
            (Some(target), _) => {
                let outcome = match &task.live {
                    None => Outcome::Created,
                    Some(live) if compare::differs(target, live, &[]) => Outcome::Configured,
                    Some(_) => Outcome::Unchanged,
                };
                (
                    ResultCode::Synced,
                    format!("{} (dry run)", applied_text(task, &outcome, Wording::ClientSide)),
                )
            }
        };
        results::record_phase(state, task, Some(code), (OperationPhase::Succeeded, text));
    }
    Progress::end(OperationPhase::Succeeded, "successfully synced (no more tasks)")
}
