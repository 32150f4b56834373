//! `slipway explain`: why a Rollout is where it is, what would end the wait, what comes next.
//!
//! Nothing is decided here: the cluster is looked at once, and [`rollout::explain`] tells what the planner of the
//! controller makes of it.

mod observe;

use std::time::Duration;

use anyhow::anyhow;
use api::rollout::Rollout;
use clap::{Args, Subcommand, ValueEnum};
use object::{Key, Time, yaml};
use rollout::explain::{Explanation, explain, explain_invalid, explained};
use runtime::{Cluster, Tasks, resources};

use crate::connect::ConnectFlags;
use crate::rollouts::{CLEAR, Watched};
use crate::{Colour, Session};

/// At most so many repaints: one in 500 ms.
const CALM: Duration = Duration::from_millis(500);
/// Times grow old: at least one repaint in this time.
const TICK: Duration = Duration::from_secs(10);

#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    connect: ConnectFlags,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tell what a Rollout waits for, since when, until when, what would unblock it and what comes next.
    #[command(
        aliases = ["ro", "rollouts"],
        after_help = "Examples:\n  slipway explain rollout guestbook\n  slipway explain rollout guestbook -w\n  slipway explain rollout guestbook -o json"
    )]
    Rollout(Options),
}

#[derive(Args, Debug)]
struct Options {
    /// Name of the Rollout.
    name: String,
    /// How to write it.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Tell it again whenever something changes.
    #[arg(short, long)]
    watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// Tells it once, or until the command is ended.
pub(super) async fn run(arguments: Arguments, session: &mut Session) -> anyhow::Result<()> {
    let What::Rollout(options) = arguments.what;
    let cluster = session.connect(arguments.connect.connection()).await?;
    let key = Key::new(&arguments.connect.namespace_in(&cluster), &options.name);
    if !options.watch {
        let told = told(&cluster, &key).await?;
        return print(&written(&told, options.output), session);
    }
    let tasks = Tasks::new();
    let ended = watch(&cluster, &key, options.output, &tasks, session).await;
    tasks.abort();
    ended
}

/// Tells it again and again, ever when something changed; ends when the Rollout is gone.
async fn watch(
    cluster: &Cluster,
    key: &Key,
    output: Output,
    tasks: &Tasks,
    session: &mut Session,
) -> anyhow::Result<()> {
    let mut last = String::new();
    // Fails at once where a watch would try for ever.
    told(cluster, key).await?;
    let mut watched = Watched::open(cluster, tasks, &resources::ROLLOUTS, key).await;
    loop {
        let told = told(cluster, key).await?;
        let text = written(&told, output);
        // Programs are told what changed, people also that time went on.
        let told = match output {
            Output::Text => text.clone(),
            Output::Json | Output::Yaml => written(&Explanation { at: Time::from_unix(0), ..told }, output),
        };
        if told != last {
            let clear = if session.colour == Colour::On && output == Output::Text { CLEAR } else { "" };
            print(&format!("{clear}{text}"), session)?;
            last = told;
        }
        let clock = session.clock.clone();
        clock.sleep(CALM).await;
        tokio::select! {
            biased;
            () = watched.changed() => {}
            () = clock.sleep(TICK) => {}
        }
    }
}

fn print(text: &str, session: &mut Session) -> anyhow::Result<()> {
    session.out.write_all(text.as_bytes())?;
    Ok(session.out.flush()?)
}

fn written(told: &Explanation, output: Output) -> String {
    let value = api::write(told);
    match output {
        Output::Text => told.to_string(),
        Output::Json => format!("{value:#}\n"),
        Output::Yaml => yaml::to_string(&value),
    }
}

/// Returns why the Rollout is where it is, as the cluster is now.
///
/// Errors: there is no such Rollout, or the cluster does not answer.
async fn told(cluster: &Cluster, key: &Key) -> anyhow::Result<Explanation> {
    let object = cluster.get(&resources::ROLLOUTS, key).await?;
    let object = object.ok_or_else(|| {
        let Key { namespace, name } = key;
        anyhow!("rollouts.argoproj.io {name:?} not found in namespace {namespace:?}")
    })?;
    let now: Time = cluster.clock().now();
    let rollout = match Rollout::from_object(&object) {
        Ok(rollout) => rollout,
        Err(error) => {
            let plan = ::rollout::unreadable(&object, &error, now);
            return Ok(explained(&object, &plan, &::rollout::Observed::default(), now));
        }
    };
    let referenced = observe::referenced(cluster, &rollout).await?;
    Ok(match ::rollout::validate(&rollout, &referenced) {
        Ok(checked) => {
            let observed = observe::around(cluster, &checked, referenced).await?;
            explain(&checked, &observed, now)
        }
        Err(problems) => explain_invalid(&rollout, &problems, now),
    })
}
