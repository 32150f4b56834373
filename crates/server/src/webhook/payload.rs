//! What a Git host sends, read.

use std::collections::BTreeSet;

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use thiserror::Error;

/// Changed files that are kept of one push. Beyond, the push counts as one that names no files: every Application that
/// follows the revision is compared.
const MAX_FILES: usize = 10_000;

/// The Git hosts whose payloads can be told apart, by the header that says so, in the order in which they are looked for.
///
/// **Source:** Argo CD's webhook handler.
const PROVIDERS: [(&str, Provider); 6] = [
    ("x-vss-activityid", Provider::Unsupported("Azure DevOps")),
    ("x-gogs-event", Provider::Unsupported("Gogs and Gitea")),
    ("x-github-event", Provider::GitHub),
    ("x-gitlab-event", Provider::Unsupported("GitLab")),
    ("x-hook-uuid", Provider::Unsupported("Bitbucket Cloud")),
    ("x-event-key", Provider::Unsupported("Bitbucket Server")),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    GitHub,
    Unsupported(&'static str),
}

/// The events that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A branch or a tag moved.
    Push,
    /// The webhook was set up; nothing happened.
    Ping,
}

/// What a payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A branch or a tag moved.
    Push(PushEvent),
    /// Nothing to do.
    Ignored,
}

/// A branch or a tag that moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushEvent {
    /// URLs of the repository.
    pub urls: Vec<String>,
    /// The branch or tag, without `refs/heads/` or `refs/tags/`.
    pub revision: String,
    /// Whether that is the repository's default branch.
    pub touched_head: bool,
    /// Paths in the repository that the commits add, change or remove; empty when not known.
    pub files: BTreeSet<String>,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// No header names a Git host.
    #[error("Unknown webhook event")]
    UnknownEvent,
    /// Webhooks are POST requests.
    #[error("Webhook processing failed")]
    Method,
    /// A Git host that is known but not read yet.
    #[error("Webhook processing failed: webhooks of {0} are not supported yet")]
    Provider(&'static str),
    /// An event of GitHub that is not read.
    #[error("Webhook processing failed: of GitHub's events only push and ping are supported")]
    EventKind,
    /// The payload is empty, cut off, too large or no JSON object of the expected form.
    #[error("Webhook processing failed: payload must be valid JSON under 50 MB")]
    Payload,
    /// The payload is a form.
    #[error("Webhook processing failed: the webhook's content type must be application/json, not a form")]
    Form,
    /// The payload is a push of no repository.
    #[error("Webhook processing failed: the push names no repository.html_url and ref")]
    Incomplete,
    /// The signature is missing or wrong.
    #[error("Webhook processing failed: the signature does not match webhook.github.secret")]
    Signature,
    /// The secret is not known, or more requests come in than can be read.
    #[error("Webhook processing failed: not ready, try again")]
    NotReady,
}

impl Rejection {
    /// Returns the HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnknownEvent
            | Self::Provider(_)
            | Self::EventKind
            | Self::Payload
            | Self::Form
            | Self::Incomplete
            | Self::Signature => StatusCode::BAD_REQUEST,
        }
    }
}

/// Returns what the headers announce, before the body is read.
///
/// **Errors:** a [`Rejection`] when no body could make it acceptable.
pub fn announced(method: &Method, headers: &HeaderMap) -> Result<EventKind, Rejection> {
    let provider =
        PROVIDERS.iter().find(|(name, _)| headers.get(*name).is_some_and(|value| !value.is_empty()));
    let (name, provider) = provider.ok_or(Rejection::UnknownEvent)?;
    if method != Method::POST {
        return Err(Rejection::Method);
    }
    match provider {
        Provider::Unsupported(name) => Err(Rejection::Provider(name)),
        Provider::GitHub if is_form(headers) => Err(Rejection::Form),
        Provider::GitHub => match headers.get(*name).map(http::HeaderValue::as_bytes) {
            Some(b"push") => Ok(EventKind::Push),
            Some(b"ping") => Ok(EventKind::Ping),
            _ => Err(Rejection::EventKind),
        },
    }
}

/// True for what GitHub sends when the webhook is not set to JSON.
fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| {
        kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
    })
}

/// Returns what a payload of GitHub says. Its signature must have been checked.
///
/// **Errors:** [`Rejection::Payload`], [`Rejection::Incomplete`].
pub fn parse(kind: EventKind, body: &[u8]) -> Result<Event, Rejection> {
    match kind {
        EventKind::Ping => {
            serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| Rejection::Payload)?;
            Ok(Event::Ignored)
        }
        EventKind::Push => {
            let push: GitHubPush = serde_json::from_slice(body).map_err(|_| Rejection::Payload)?;
            push.read().map(Event::Push).ok_or(Rejection::Incomplete)
        }
    }
}

#[derive(Deserialize)]
struct GitHubPush {
    #[serde(default, rename = "ref")]
    reference: String,
    #[serde(default)]
    repository: Repository,
    #[serde(default)]
    commits: Option<Vec<Commit>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    html_url: String,
    default_branch: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Commit {
    added: Option<Vec<String>>,
    modified: Option<Vec<String>>,
    removed: Option<Vec<String>>,
}

impl GitHubPush {
    fn read(self) -> Option<PushEvent> {
        if self.repository.html_url.is_empty() || self.reference.is_empty() {
            return None;
        }
        let revision = revision(&self.reference).to_owned();
        let touched_head = revision == self.repository.default_branch;
        Some(PushEvent {
            urls: vec![self.repository.html_url],
            revision,
            touched_head,
            files: files(self.commits.unwrap_or_default()),
        })
    }
}

fn files(commits: Vec<Commit>) -> BTreeSet<String> {
    let lists = commits.into_iter().flat_map(|commit| [commit.added, commit.modified, commit.removed]);
    let files: BTreeSet<String> = lists.flatten().flatten().collect();
    if files.len() > MAX_FILES { BTreeSet::new() } else { files }
}

/// Returns the branch or tag that `reference` is the full name of, or the text itself.
///
/// **Source:** Argo CD takes what follows the second slash.
pub fn revision(reference: &str) -> &str {
    reference.splitn(3, '/').last().unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<Event, Rejection> {
        parse(EventKind::Push, body.as_bytes())
    }

    #[test]
    fn files_of_all_commits_are_gathered() {
        let body = r#"{"ref": "refs/heads/main", "repository": {"html_url": "https://h/o/r", "default_branch": "main"},
            "commits": [{"added": ["a"], "modified": null}, {"removed": ["b", "a"], "modified": ["c"]}]}"#;
        let Ok(Event::Push(push)) = parsed(body) else { panic!("{:?}", parsed(body)) };
        assert_eq!(push.files.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(push.touched_head);
    }

    #[test]
    fn bad_payloads_are_told_apart() {
        assert_eq!(parsed(""), Err(Rejection::Payload));
        assert_eq!(parsed(r#"{"ref": 1}"#), Err(Rejection::Payload));
        assert_eq!(parsed(r#"{"ref": "refs/heads/main", "repo"#), Err(Rejection::Payload));
        assert_eq!(parsed("{}"), Err(Rejection::Incomplete));
        assert_eq!(parsed(&"[".repeat(100_000)), Err(Rejection::Payload));
        assert_eq!(parse(EventKind::Ping, b"zen"), Err(Rejection::Payload));
    }

    #[test]
    fn a_flood_of_files_counts_as_unknown() {
        let names: Vec<String> = (0..=MAX_FILES).map(|n| format!("f{n}")).collect();
        let commit = |names: &[String]| Commit { added: Some(names.to_vec()), ..Commit::default() };
        assert!(files(vec![commit(&names)]).is_empty());
        assert_eq!(files(vec![commit(&names[1..]), commit(&names[1..])]).len(), MAX_FILES);
    }
}
