//! `get rollout`, `get experiment`.

use std::time::Duration;

use object::{Object, Time};
use runtime::{Resource, Tasks, resources};

use super::arguments::{Get, GetOne};
use super::context::{Context, Failure};
use super::observe::{Watched, related};
use super::view::{Related, experiment_info, render, render_experiment, rollout_info};
use crate::Colour;

/// Clears the terminal and goes to its first line.
pub(crate) const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[0;0H";
/// At most so many repaints: one in 200 ms.
const CALM: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
enum Subject {
    Rollout,
    Experiment,
}

impl Subject {
    fn resource(self) -> &'static Resource {
        const ROLLOUTS: &Resource = &resources::ROLLOUTS;
        const EXPERIMENTS: &Resource = &resources::EXPERIMENTS;
        match self {
            Self::Rollout => ROLLOUTS,
            Self::Experiment => EXPERIMENTS,
        }
    }

    fn missing(self, name: &str) -> Failure {
        missing(&self.resource().kind, name)
    }

    fn text(self, object: &Object, related: &Related, now: Time, colour: Colour) -> String {
        match self {
            Self::Rollout => render(&rollout_info(object, related), now, colour),
            Self::Experiment => render_experiment(&experiment_info(object, related), now, colour),
        }
    }
}

/// Returns the failure for an object that is not there, in the words of a client-side cache.
pub(super) fn missing(kind: &str, name: &str) -> Failure {
    Failure::Error(format!("{}.argoproj.io {name:?} not found", kind.to_lowercase()))
}

/// Shows the object once or until the time is over.
pub(super) async fn run(what: Get, context: &mut Context<'_>) -> Result<(), Failure> {
    let (subject, options) = match what {
        Get::Rollout(options) => (Subject::Rollout, options),
        Get::Experiment(options) => (Subject::Experiment, options),
    };
    let colour = if options.no_color { Colour::Off } else { context.session.colour };
    if options.watch {
        let tasks = Tasks::new();
        let done = watch(subject, &options, colour, &tasks, context).await;
        tasks.abort();
        return done;
    }
    let key = context.key(&options.name);
    let object = context.cluster.get(subject.resource(), &key).await?;
    let object = object.ok_or_else(|| subject.missing(&options.name))?;
    let related = related(&context.cluster, &context.namespace).await?;
    let text = subject.text(&object, &related, context.now(), colour);
    context.print(&text)
}

/// Repaints on changes and each second, until the timeout or for ever.
async fn watch(
    subject: Subject,
    options: &GetOne,
    colour: Colour,
    tasks: &Tasks,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let key = context.key(&options.name);
    // Fails at once where a watch would try for ever.
    context.cluster.get(subject.resource(), &key).await?;
    let mut watched = Watched::open(&context.cluster, tasks, subject.resource(), &key).await;
    if watched.subject.get().is_none() {
        return Err(subject.missing(&options.name));
    }
    let clock = context.session.clock.clone();
    let start = context.now();
    let end =
        (options.timeout_seconds > 0).then(|| start.after(Duration::from_secs(options.timeout_seconds)));
    let (mut painted, mut tick) = (None::<Time>, start.after(Duration::from_secs(1)));
    loop {
        let now = context.now();
        if end.is_some_and(|end| end <= now) {
            return Ok(());
        }
        if painted.is_none_or(|painted| now.since(painted) >= CALM)
            && let Some(object) = watched.subject.get()
        {
            let text = subject.text(&object, &watched.related(), now, colour);
            context.print(&format!("{CLEAR}{text}"))?;
            painted = Some(now);
        }
        tokio::select! {
            biased;
            () = clock.sleep_until(end.unwrap_or(tick).min(tick)) => tick = next(tick, context.now()),
            () = watched.changed() => {}
        }
    }
}

/// Returns the tick after `now`.
fn next(tick: Time, now: Time) -> Time {
    if tick <= now { tick.after(Duration::from_secs(1 + now.since(tick).as_secs())) } else { tick }
}
