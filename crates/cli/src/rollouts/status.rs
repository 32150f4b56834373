//! `status`.

use object::{Object, Time};
use runtime::{Clock, Tasks, resources};

use super::arguments::Status;
use super::context::{Context, Failure};
use super::get::missing;
use super::observe::One;
use super::view::phase::{Phase, phase};

/// Prints the phase, each time it changes when asked to wait; fails for a degraded Rollout and when the time is over.
pub(super) async fn run(options: Status, context: &mut Context<'_>) -> Result<(), Failure> {
    let last = if options.watch {
        let tasks = Tasks::new();
        let last = watch(&options, &tasks, context).await;
        tasks.abort();
        last?
    } else {
        let key = context.key(&options.name);
        let rollout = context.cluster.get(&resources::ROLLOUTS, &key).await?;
        let phase = phase(&rollout.ok_or_else(|| missing("Rollout", &options.name))?);
        let line = if phase.is_final() { phase.word.clone() } else { line(&phase) };
        context.print(&format!("{line}\n"))?;
        phase
    };
    if last.is_degraded() {
        let message = last.message;
        let text = format!("The rollout is in a degraded state with message: {message}");
        return Err(Failure::Error(text));
    }
    Ok(())
}

fn line(phase: &Phase) -> String {
    if phase.message.is_empty() { phase.word.clone() } else { format!("{} - {}", phase.word, phase.message) }
}

async fn watch(options: &Status, tasks: &Tasks, context: &mut Context<'_>) -> Result<Phase, Failure> {
    let key = context.key(&options.name);
    // Fails at once where a watch would try for ever.
    context.cluster.get(&resources::ROLLOUTS, &key).await?;
    let mut one = One::open(&context.cluster, tasks, &resources::ROLLOUTS, &key).await;
    let mut rollout = Some(one.get().ok_or_else(|| missing("Rollout", &options.name))?);
    let clock = context.session.clock.clone();
    let end = (!options.timeout.is_zero()).then(|| context.now().after(options.timeout));
    let mut shown = None;
    loop {
        let now = rollout.as_deref().map(|rollout: &Object| phase(rollout));
        if let Some(now) = now.filter(|now| shown.as_ref() != Some(now)) {
            context.print(&format!("{}\n", line(&now)))?;
            if now.is_final() {
                return Ok(now);
            }
            shown = Some(now);
        }
        tokio::select! {
            biased;
            () = timeout(&clock, end) => {
                return Err(Failure::Error("Rollout status watch exceeded timeout".into()));
            }
            () = one.changed() => rollout = one.get(),
        }
    }
}

/// Waits until `end`, for ever when there is none.
async fn timeout(clock: &Clock, end: Option<Time>) {
    match end {
        Some(end) => clock.sleep_until(end).await,
        None => std::future::pending().await,
    }
}
