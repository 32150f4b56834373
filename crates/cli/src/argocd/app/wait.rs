//! `app wait`.

use super::names;
use super::sync::picked;
use super::watch::{Goal, Watch, watch};
use crate::argocd::arguments::Wait;
use crate::argocd::context::{Context, Failure};

/// Waits for the Applications one after the other.
pub(super) async fn run(options: &Wait, context: &mut Context<'_>) -> Result<(), Failure> {
    if options.names.is_empty() && options.selector.is_none() {
        return Err(Failure::usage(&["app", "wait"]));
    }
    let picked = picked(&options.resources)?;
    let goal = goal(options);
    for name in names(&options.names, options.selector.as_deref(), context).await? {
        let key = context.key(&name);
        let wait =
            Watch { name: &name, goal, picked: &picked, timeout: options.timeout, output: &options.output };
        watch(&key, &wait, context).await?;
    }
    Ok(())
}

/// Returns what is waited for: in sync, healthy and at rest when nothing is named.
fn goal(options: &Wait) -> Goal {
    let goal = Goal {
        sync: options.sync,
        health: options.health,
        operation: options.operation,
        suspended: options.suspended,
        degraded: options.degraded,
        delete: options.delete,
    };
    if goal == Goal::default() && !options.hydrated {
        Goal { sync: true, health: true, operation: true, ..goal }
    } else {
        goal
    }
}
