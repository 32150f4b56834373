//! What was seen before deciding.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use object::{GroupKind, Object, Time};

/// Everything a decision may depend on besides the Application itself.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When it was seen.
    pub now: Time,
    /// How thorough the look was.
    pub level: Level,
    /// What the source says.
    pub target: Target,
    /// Live objects: those that carry this Application's tracking mark, and those that have the key of a target or of
    /// one of its hooks, whoever they belong to. Order does not matter.
    pub live: Vec<Arc<Object>>,
    /// The destination namespace, when there is one and it exists.
    pub namespace: Option<Arc<Object>>,
    /// Kinds the destination cluster serves.
    pub kinds: Kinds,
    /// The AppProject that the spec names, when it exists. The project `default` may be absent: it is wide open.
    pub project: Option<Arc<Object>>,
    /// The destination cluster.
    pub cluster: Cluster,
    /// How this installation is set up.
    pub settings: Settings,
}

/// How thorough a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing that is managed changed.
    Nothing,
    /// A managed object changed: the revision of the last comparison does.
    Recent,
    /// The revision is resolved again, caches may be used.
    Latest,
    /// The revision is resolved again, without caches.
    LatestForced,
}

/// What the source says.
#[derive(Clone, Debug)]
pub enum Target {
    /// Its objects.
    Found {
        /// Resolved revision, a commit.
        revision: String,
        /// Objects in the order of the source; without tracking marks.
        objects: Vec<Object>,
        /// What of the source was left out and may have been meant; told by a condition each.
        left_out: Vec<String>,
        /// `Directory`, `Helm`, `Kustomize` or `Plugin`.
        source_type: &'static str,
    },
    /// It could not be read.
    Failed {
        /// Why; shown after `Failed to load target state: `.
        message: String,
        /// Since when reading it fails without a success in between; `now` the first time.
        since: Time,
    },
}

/// Scope of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Its objects live in namespaces.
    Namespaced,
    /// Its objects live outside namespaces.
    Cluster,
}

/// Kinds that a cluster serves, with their scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub BTreeMap<GroupKind, Scope>);

impl Kinds {
    /// Returns the scope of `kind`; `None` when the cluster does not serve it.
    pub fn scope(&self, kind: &GroupKind) -> Option<Scope> {
        self.0.get(kind).copied()
    }
}

impl FromIterator<(GroupKind, Scope)> for Kinds {
    fn from_iter<I: IntoIterator<Item = (GroupKind, Scope)>>(kinds: I) -> Self {
        Self(kinds.into_iter().collect())
    }
}

/// The destination cluster of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// Known.
    Known {
        /// URL of its API.
        server: String,
    },
    /// Not known, or it cannot be reached.
    Unknown {
        /// Why, for the InvalidSpecError condition.
        message: String,
    },
}

/// How live objects are known to belong to an Application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrackingMethod {
    /// By the annotation `argocd.argoproj.io/tracking-id`.
    #[default]
    Annotation,
    /// By a label.
    Label,
    /// By the annotation; the label is for people.
    AnnotationAndLabel,
}

/// How live objects are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// Annotation or label.
    pub method: TrackingMethod,
    /// Key of the label.
    pub label: String,
    /// Tells apart several installations in one cluster; empty when there is one.
    pub installation: String,
}

/// How this installation is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Namespace of the controller; Applications elsewhere are marked `<namespace>_<name>`.
    pub namespace: String,
    /// How live objects are marked.
    pub tracking: Tracking,
    /// After how long source and cluster are compared again. Default 120 s.
    pub refresh_after: Duration,
    /// How long a failing source leaves the last comparison standing. Default 180 s.
    pub source_grace: Duration,
    /// Least time between two waves that changed something. Default 2 s.
    pub wave_delay: Duration,
    /// First wait between self-heal attempts, its growth and its bound. Default 2 s, 3, 300 s.
    pub self_heal: (Duration, u32, Duration),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: "argocd".into(),
            tracking: Tracking {
                method: TrackingMethod::default(),
                label: "app.kubernetes.io/instance".into(),
                installation: String::new(),
            },
            refresh_after: Duration::from_secs(120),
            source_grace: Duration::from_secs(180),
            wave_delay: Duration::from_secs(2),
            self_heal: (Duration::from_secs(2), 3, Duration::from_secs(300)),
        }
    }
}
