//! `abort`, `retry`, `pause`, `restart`, `terminate`: one patch each.

use std::time::Duration;

use object::json;
use object::time::human_duration;
use runtime::{Patch, resources};

use super::arguments::{Retry, Terminate};
use super::context::{Context, Failure};

/// Sets `status.abort`.
pub(super) async fn abort(names: &[String], context: &mut Context<'_>) -> Result<(), Failure> {
    let patch = Patch::merge(json!({"status": {"abort": true}}));
    for name in names {
        context.patch_status(&resources::ROLLOUTS, name, &patch).await?;
        context.print(&format!("rollout '{name}' aborted\n"))?;
    }
    Ok(())
}

/// Takes an abort back, or forgets what an Experiment did.
pub(super) async fn retry(what: Retry, context: &mut Context<'_>) -> Result<(), Failure> {
    let (names, resource, patch, word) = match what {
        Retry::Rollout { names } => {
            (names, &resources::ROLLOUTS, json!({"status": {"abort": false}}), "rollout")
        }
        Retry::Experiment { names } => {
            (names, &resources::EXPERIMENTS, json!({"status": null}), "experiment")
        }
    };
    let patch = Patch::merge(patch);
    for name in names {
        context.patch_status(resource, &name, &patch).await?;
        context.print(&format!("{word} '{name}' retried\n"))?;
    }
    Ok(())
}

/// Sets `spec.paused`.
pub(super) async fn pause(names: &[String], context: &mut Context<'_>) -> Result<(), Failure> {
    let patch = Patch::merge(json!({"spec": {"paused": true}}));
    for name in names {
        context.cluster.patch(&resources::ROLLOUTS, &context.key(name), &patch).await?;
        context.print(&format!("rollout '{name}' paused\n"))?;
    }
    Ok(())
}

/// Sets `spec.restartAt` to `after` from now.
pub(super) async fn restart(
    names: &[String],
    after: Duration,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let at = context.now().after(after);
    let patch = Patch::merge(json!({"spec": {"restartAt": at.to_string()}}));
    for name in names {
        context.cluster.patch(&resources::ROLLOUTS, &context.key(name), &patch).await?;
        context.print(&format!("rollout '{name}' restarts in {}\n", human_duration(after)))?;
    }
    Ok(())
}

/// Sets `spec.terminate`.
pub(super) async fn terminate(what: Terminate, context: &mut Context<'_>) -> Result<(), Failure> {
    // "retried" is what the existing tool says of an Experiment; scripts may wait for it.
    let (names, resource, word, done) = match what {
        Terminate::AnalysisRun { names } => (names, &resources::ANALYSIS_RUNS, "analysisRun", "terminated"),
        Terminate::Experiment { names } => (names, &resources::EXPERIMENTS, "experiment", "retried"),
    };
    let patch = Patch::merge(json!({"spec": {"terminate": true}}));
    for name in names {
        context.cluster.patch(resource, &context.key(&name), &patch).await?;
        context.print(&format!("{word} '{name}' {done}\n"))?;
    }
    Ok(())
}
