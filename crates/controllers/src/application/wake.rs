//! Which Applications a change of something else concerns, so that none has to wait for its next turn.

use api::application::DEFAULT_PROJECT;
use object::{Key, Object, Value};
use runtime::{Cache, Change};
use source::{RepoUrl, RepositorySecret};
use sync::Level;

use super::Requests;
use super::target::read_secret;

/// Wakes the Applications of a project that changed.
pub fn of_project(
    applications: Cache,
    requests: Requests,
) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    move |change| {
        if !differs(change, "spec") {
            return vec![];
        }
        let is_of = |app: &Object| match app.str(&["spec", "project"]) {
            "" => change.key.name == DEFAULT_PROJECT,
            project => change.key.name == project,
        };
        wake(&applications, &requests, Level::Recent, is_of)
    }
}

/// Wakes the Applications whose repository may be read with credentials that changed.
pub fn of_credentials(
    applications: Cache,
    requests: Requests,
) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    move |change| {
        if !differs(change, "data") && !differs(change, "metadata") {
            return vec![];
        }
        let both = change.old.iter().chain(&change.new);
        let secrets: Vec<RepositorySecret> = both.filter_map(|secret| read_secret(secret)).collect();
        let uses = |url: &RepoUrl| secrets.iter().any(|secret| secret.concerns(url));
        wake(&applications, &requests, Level::Latest, |app| urls(app).iter().any(uses))
    }
}

/// Wakes the Applications whose repository could not be read, when what servers are known by changes.
pub fn of_trust(
    applications: Cache,
    requests: Requests,
) -> impl Fn(&Change) -> Vec<Key> + Send + Sync + 'static {
    move |change| {
        let failed = |app: &Object| {
            let conditions = app.items(&["status", "conditions"]);
            conditions.iter().any(|condition| condition["type"] == "ComparisonError")
        };
        if differs(change, "data") { wake(&applications, &requests, Level::Latest, failed) } else { vec![] }
    }
}

/// Returns true when a part of the object changed; that of one that came or went has.
fn differs(change: &Change, part: &str) -> bool {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => old.get(&[part]) != new.get(&[part]),
        (None | Some(_), None | Some(_)) => true,
    }
}

fn urls(app: &Object) -> Vec<RepoUrl> {
    let one = app.get(&["spec", "source"]).into_iter();
    let sources = one.chain(app.items(&["spec", "sources"]));
    let texts = sources.filter_map(|source| source.get("repoURL").and_then(Value::as_str));
    texts.filter_map(|text| RepoUrl::parse(text).ok()).collect()
}

fn wake(
    applications: &Cache,
    requests: &Requests,
    level: Level,
    concerned: impl Fn(&Object) -> bool,
) -> Vec<Key> {
    let concerned = applications.iter().filter(|app| concerned(app));
    let keys: Vec<Key> = concerned.map(|app| app.key()).collect();
    keys.iter().for_each(|key| requests.note(key, level));
    keys
}
