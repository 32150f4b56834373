//! Which Applications a push concerns.

use object::{Object, Value};
use source::revision::Constraint;

use super::paths;
use super::payload::{PushEvent, revision};
use super::url::RepoMatcher;

/// Annotation that names the paths, separated by `;`, whose changes matter: relative to the source's path, or to the
/// repository when they start with a slash; globs are allowed.
pub const PATHS_ANNOTATION: &str = "argocd.argoproj.io/manifest-generate-paths";

/// What a push means to one Application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relevance {
    /// None of its sources follows what was pushed.
    Unrelated,
    /// A source follows it, but none of the files that matter to the Application changed.
    Untouched,
    /// A source follows it: the Application is to be compared.
    Refresh,
    /// The dry source of its hydrator follows it: it is to be hydrated.
    Hydrate,
}

impl Relevance {
    /// Returns true when the Application is to be compared.
    pub fn refreshes(self) -> bool {
        match self {
            Self::Refresh | Self::Hydrate => true,
            Self::Unrelated | Self::Untouched => false,
        }
    }
}

/// A push that is ready to be held against Applications.
#[derive(Debug)]
pub struct Pushed<'e> {
    event: &'e PushEvent,
    repositories: Vec<RepoMatcher>,
}

impl<'e> Pushed<'e> {
    /// Returns the push with its URLs made comparable.
    pub fn new(event: &'e PushEvent) -> Self {
        let repositories = event.urls.iter().filter_map(|url| RepoMatcher::new(url)).collect();
        Self { event, repositories }
    }

    /// Returns what the push means to `application`. A source that is written wrongly follows nothing.
    ///
    /// **Source:** `HandleEvent` of Argo CD's webhook handler.
    pub fn relevance(&self, application: &Object) -> Relevance {
        let annotation = application.annotation(PATHS_ANNOTATION).unwrap_or_default();
        let Some(hydrator) = application.get(&["spec", "sourceHydrator"]).filter(|value| !value.is_null())
        else {
            let sources = sources(application).into_iter();
            let each = sources.map(|source| self.of_source(source, &source["targetRevision"], annotation));
            return each.max().unwrap_or(Relevance::Unrelated);
        };
        let (dry, sync) = (&hydrator["drySource"], &hydrator["syncSource"]);
        let wet = self.of_hydrated(sync, &dry["repoURL"]);
        if wet == Relevance::Refresh {
            return wet;
        }
        match self.of_source(dry, &dry["targetRevision"], annotation) {
            Relevance::Refresh => Relevance::Hydrate,
            other => other.max(wet),
        }
    }

    fn of_source(&self, source: &Value, target: &Value, annotation: &str) -> Relevance {
        let wanted = paths::wanted(annotation, text(&source["path"]));
        self.follow(text(&source["repoURL"]), text(target), &wanted)
    }

    /// The hydrator's output matters only where it is written.
    fn of_hydrated(&self, sync: &Value, repo_url: &Value) -> Relevance {
        let path = text(&sync["path"]);
        let wanted = if path.is_empty() { Vec::new() } else { vec![paths::absolute(path)] };
        self.follow(text(repo_url), text(&sync["targetBranch"]), &wanted)
    }

    fn follow(&self, repo_url: &str, target: &str, wanted: &[String]) -> Relevance {
        let follows = revision_matches(target, self.event) && self.is_repository(repo_url);
        match follows {
            false => Relevance::Unrelated,
            true if paths::touched(wanted, &self.event.files) => Relevance::Refresh,
            true => Relevance::Untouched,
        }
    }

    fn is_repository(&self, repo_url: &str) -> bool {
        self.repositories.iter().any(|repository| repository.matches(repo_url))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns `spec.sources`, or when there are none, `spec.source`.
fn sources(application: &Object) -> Vec<&Value> {
    match application.items(&["spec", "sources"]) {
        [] => application.get(&["spec", "source"]).into_iter().collect(),
        sources => sources.iter().collect(),
    }
}

/// Returns true when a source with this `targetRevision` follows the branch or tag that was pushed: `HEAD` (or nothing)
/// the default branch, a name the branch or tag of that name, a version constraint every tag that it admits.
pub fn revision_matches(target: &str, push: &PushEvent) -> bool {
    let prefixes = ["refs/heads/", "refs/tags/"];
    let full = prefixes.iter().any(|prefix| target.starts_with(prefix));
    let target = if full { revision(target) } else { target };
    if target.is_empty() || target == "HEAD" {
        return push.touched_head;
    }
    target == push.revision || admits(target, &push.revision)
}

fn admits(constraint: &str, tag: &str) -> bool {
    let version = source::revision::version(tag);
    Constraint::parse(constraint)
        .zip(version)
        .is_some_and(|(constraint, version)| constraint.matches(&version))
}
