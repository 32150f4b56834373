//! Scenarios: a story as a file, played and observed.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use object::{Value, time, yaml};
use runtime::{Clock, Cluster};
use serde::Deserialize;
use thiserror::Error;

mod act;
mod check;
mod kinds;
mod names;
mod play;
mod seen;

pub use play::{Observed, play, play_step};

/// A scenario that cannot be read, or a step that was not observed.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file is not a scenario.
    #[error("cannot read the scenario: {0}")]
    File(String),
    /// A step did not come about.
    #[error("step {number} ({step}): {problem}")]
    Step {
        /// Number of the step, from 1.
        number: usize,
        /// What the step says.
        step: String,
        /// What was seen instead.
        problem: String,
    },
}

/// A story: its steps in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the story shows.
    pub scenario: String,
    /// Whether it is played on a real control plane too.
    #[serde(default)]
    pub real: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Returns the scenario in a YAML text.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let value = yaml::document(text).map_err(|error| ScenarioError::File(error.to_string()))?;
        Self::deserialize(value).map_err(|error| ScenarioError::File(error.to_string()))
    }
}

/// One step: what is done, then what must be seen within a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The step in a sentence.
    pub step: String,
    /// Time since the start of the scenario to wait for first, as a Go duration.
    #[serde(default)]
    pub at: Option<String>,
    /// Manifests to apply; without a namespace, in that of the scenario.
    #[serde(default)]
    pub apply: Vec<Value>,
    /// Objects to patch.
    #[serde(default)]
    pub patch: Vec<MergePatch>,
    /// Objects to delete.
    #[serde(default)]
    pub delete: Vec<Target>,
    /// Folder, relative to the scenario, that becomes `deploy/` in the repository and is committed.
    #[serde(default)]
    pub commit: Option<String>,
    /// Commands as users type them, run one after the other; `${REPO}` stands for the repository's URL.
    #[serde(default)]
    pub run: Vec<String>,
    /// Texts that the commands must have printed, each somewhere.
    #[serde(default)]
    pub printed: Vec<String>,
    /// Longest time until all expectations hold at once, as a Go duration; 30 s when absent.
    #[serde(default)]
    pub within: Option<String>,
    /// Time for which the expectations must go on to hold.
    #[serde(default)]
    pub hold: Option<String>,
    /// What must be seen.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

impl Step {
    /// Returns the time since the start of the scenario to wait for.
    pub fn at(&self) -> Result<Duration, ScenarioError> {
        self.at.as_deref().map_or(Ok(Duration::ZERO), duration)
    }

    /// Returns the longest time until the expectations hold.
    pub fn within(&self) -> Result<Duration, ScenarioError> {
        self.within.as_deref().map_or(Ok(Duration::from_secs(30)), duration)
    }

    /// Returns the time for which the expectations must hold.
    pub fn hold(&self) -> Result<Duration, ScenarioError> {
        self.hold.as_deref().map_or(Ok(Duration::ZERO), duration)
    }
}

fn duration(text: &str) -> Result<Duration, ScenarioError> {
    time::parse_duration(text).map_err(|error| ScenarioError::File(error.to_string()))
}

/// An object of the scenario's namespace.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// Kind.
    pub kind: String,
    /// API version, for kinds that scenarios do not know.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Name.
    pub name: String,
}

/// A JSON merge patch of an object.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MergePatch {
    /// The object.
    pub of: Target,
    /// Whether its status is patched, which is an endpoint of its own.
    #[serde(default)]
    pub part: Part,
    /// The patch.
    pub merge: Value,
}

/// What of an object a patch is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The object itself.
    #[default]
    Whole,
    /// Its status.
    Status,
    /// Its scale, as autoscalers change it.
    Scale,
}

/// Something that must be seen.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Expectation {
    /// Fields of one object, by JSONPath; a null field must be absent.
    Object {
        /// Kind.
        kind: String,
        /// API version, for kinds that scenarios do not know.
        #[serde(default, rename = "apiVersion")]
        api_version: Option<String>,
        /// Name.
        name: String,
        /// Namespace, `default` when absent.
        #[serde(default)]
        namespace: Option<String>,
        /// JSONPath → value.
        #[serde(default)]
        fields: BTreeMap<String, Value>,
        /// JSONPaths of fields that must be there, whatever their value.
        #[serde(default)]
        present: Vec<String>,
    },
    /// An object that must not exist.
    Absent {
        /// Kind.
        kind: String,
        /// API version, for kinds that scenarios do not know.
        #[serde(default, rename = "apiVersion")]
        api_version: Option<String>,
        /// Name.
        name: String,
        /// Namespace, `default` when absent.
        #[serde(default)]
        namespace: Option<String>,
    },
    /// Ready pods by image.
    Pods {
        /// Label selector.
        selector: String,
        /// Image → number of ready pods; images not named must have none.
        ready: BTreeMap<String, usize>,
    },
    /// Sizes of a Rollout's ReplicaSets.
    Replicas {
        /// The Rollout.
        rollout: String,
        /// Revision → `spec.replicas`; revisions that are not named must have 0.
        revisions: BTreeMap<String, i64>,
    },
    /// Which revision's pods a Service selects.
    Selects {
        /// The Service.
        service: String,
        /// The Rollout.
        rollout: String,
        /// Its revision; 0 for none.
        revision: u32,
    },
    /// Events on an object, in order.
    Events {
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// Each `Reason` or `Reason: message`, the first first; others may stand between them.
        #[serde(default)]
        reasons: Vec<String>,
        /// The same, and no other may stand before, between or after them.
        #[serde(default)]
        exactly: Vec<String>,
        /// Each `Reason` or `Reason: message`; none of them may ever have been told.
        #[serde(default)]
        never: Vec<String>,
    },
    /// How many objects there are.
    Count {
        /// Kind.
        kind: String,
        /// Label selector; all objects of the namespace when absent.
        #[serde(default)]
        selector: String,
        /// How many.
        count: usize,
    },
    /// Shares of answers by colour, in per cent.
    Answers {
        /// Service, as `name.namespace`.
        service: String,
        /// Number of requests to send.
        requests: u32,
        /// Colour → wanted per cent; the observed share may differ by three standard deviations.
        percent: BTreeMap<String, f64>,
    },
}

/// Output of a command.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit code.
    pub exit: u8,
    /// Standard output and error, as they came.
    pub text: String,
}

/// A future of a driver.
pub type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

/// How a scenario acts on its world.
pub trait Driver: Send + Sync {
    /// Returns the cluster, for looking.
    fn cluster(&self) -> &Cluster;

    /// Returns the clock of the world.
    fn clock(&self) -> &Clock {
        self.cluster().clock()
    }

    /// Returns the namespace of the scenario.
    #[expect(clippy::unnecessary_literal_bound, reason = "drivers with a namespace of their own lend it")]
    fn namespace(&self) -> &str {
        "default"
    }

    /// Returns the URL of the pages that answer metrics, without a slash at its end.
    fn pages(&self) -> String {
        String::new()
    }

    /// Commits the folder to the repository and returns the commit id.
    fn commit(&self, folder: &str, message: &str) -> Future<'_, Result<String, String>>;

    /// Returns the URL of the repository.
    fn repository(&self) -> String;

    /// Runs a command line.
    fn run(&self, arguments: Vec<String>) -> Future<'_, Result<Ran, String>>;

    /// Sends one request to a Service and returns the body of the answer.
    fn request(&self, service: &str) -> Future<'_, Result<String, String>>;
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object { kind, name, .. } => write!(f, "{kind} {name}"),
            Self::Absent { kind, name, .. } => write!(f, "no {kind} {name}"),
            Self::Pods { selector, .. } => write!(f, "pods {selector}"),
            Self::Replicas { rollout, .. } => write!(f, "replicas of {rollout}"),
            Self::Selects { service, .. } => write!(f, "pods of {service}"),
            Self::Events { kind, name, .. } => write!(f, "events of {kind} {name}"),
            Self::Count { kind, .. } => write!(f, "number of {kind}"),
            Self::Answers { service, .. } => write!(f, "answers of {service}"),
        }
    }
}
