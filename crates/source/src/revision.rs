//! What a target revision means, given the references of a repository. Pure.

use std::fmt;

use object::Value;
use serde::{Deserialize, Serialize};

mod constraint;

pub use constraint::{Constraint, version};

/// The full id of a commit: 40 hexadecimal digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl CommitId {
    /// Returns the id in `text`, none when it is not 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 40 && is_hex(text)).then(|| Self(text.to_ascii_lowercase()))
    }

    /// Returns the 40 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CommitId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{} is not a commit id", Value::String(text)))
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.0
    }
}

/// A reference of a repository: full name and the commit it leads to, tags and symbolic references followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `HEAD`, `refs/heads/main`, `refs/tags/v1` …
    pub name: String,
    /// The commit.
    pub commit: CommitId,
}

/// What a revision turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A commit.
    Commit(CommitId),
    /// Seven or more hexadecimal digits that match no reference: perhaps the beginning of a commit id.
    Abbreviated(String),
    /// Several references have commits that begin so.
    Ambiguous,
    /// Nothing.
    Nothing,
}

/// Returns the meaning of `revision`: a full commit id is taken as is, empty is `HEAD`, a version constraint is the
/// greatest matching tag, then full and short names (branches before tags), then the beginning of a commit id.
///
/// **Source:** `LsRemote` of Argo CD. Example: `1.x` with tags `v1.2.0`, `v1.10.0`, `v2.0.0` is `v1.10.0`.
pub fn resolve(revision: &str, references: &[Reference]) -> Resolution {
    let revision = if revision.is_empty() { "HEAD" } else { revision };
    if let Some(id) = CommitId::parse(revision) {
        return Resolution::Commit(id);
    }
    if let Some(found) = greatest_tag(revision, references).or_else(|| by_name(revision, references)) {
        return Resolution::Commit(found.commit.clone());
    }
    if revision.len() >= 7 && revision.len() < 40 && is_hex(revision) {
        return by_prefix(&revision.to_ascii_lowercase(), references);
    }
    Resolution::Nothing
}

fn by_name<'a>(revision: &str, references: &'a [Reference]) -> Option<&'a Reference> {
    ["", "refs/heads/", "refs/tags/", "refs/", "refs/remotes/"]
        .into_iter()
        .find_map(|prefix| references.iter().find(|r| r.name.strip_prefix(prefix) == Some(revision)))
}

fn greatest_tag<'a>(revision: &str, references: &'a [Reference]) -> Option<&'a Reference> {
    let constraint = Constraint::parse(revision)?;
    references
        .iter()
        .filter_map(|r| Some((constraint::version(r.name.strip_prefix("refs/tags/")?)?, r)))
        .filter(|(version, _)| constraint.matches(version))
        .max_by(|(a, _), (b, _)| a.cmp_precedence(b))
        .map(|(_, reference)| reference)
}

fn by_prefix(prefix: &str, references: &[Reference]) -> Resolution {
    let mut found = references.iter().map(|r| &r.commit).filter(|id| id.0.starts_with(prefix));
    match found.next() {
        None => Resolution::Abbreviated(prefix.to_owned()),
        Some(first) if found.all(|other| other == first) => Resolution::Commit(first.clone()),
        Some(_) => Resolution::Ambiguous,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> CommitId {
        CommitId::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn references() -> Vec<Reference> {
        [
            ("HEAD", 'a'),
            ("refs/heads/main", 'a'),
            ("refs/heads/both", 'b'),
            ("refs/heads/1.x-fixes", '9'),
            ("refs/pull/7/head", 'c'),
            ("refs/tags/both", 'd'),
            ("refs/tags/v1.2.0", '1'),
            ("refs/tags/1.10.0", '2'),
            ("refs/tags/v2.0.0-rc.1", '3'),
            ("refs/tags/v2.0.0", '4'),
            ("refs/tags/v3.0.0-beta", '5'),
        ]
        .into_iter()
        .map(|(name, digit)| Reference { name: name.into(), commit: id(digit) })
        .collect()
    }

    #[test]
    fn names_constraints_and_ids() {
        for (revision, digit) in [
            ("", 'a'),
            ("HEAD", 'a'),
            ("main", 'a'),
            ("refs/heads/main", 'a'),
            ("heads/main", 'a'),
            ("both", 'b'),
            ("refs/tags/both", 'd'),
            ("pull/7/head", 'c'),
            ("v1.2.0", '1'),
            ("1.x", '2'),
            ("^1.2", '2'),
            ("~1.2.0", '1'),
            ("*", '4'),
            (">=1.2 <2", '2'),
            (">2.0.0-0", '5'),
            ("1.x-fixes", '9'),
            ("ffffffffffffffffffffffffffffffffffffffff", 'f'),
            ("4444444", '4'),
        ] {
            assert_eq!(resolve(revision, &references()), Resolution::Commit(id(digit)), "{revision:?}");
        }
    }

    #[test]
    fn what_matches_nothing() {
        assert_eq!(resolve("no-such-branch", &references()), Resolution::Nothing);
        assert_eq!(resolve("9.x", &references()), Resolution::Nothing);
        assert_eq!(resolve("abcdef", &references()), Resolution::Nothing);
        assert_eq!(resolve("ABCDEF0", &references()), Resolution::Abbreviated("abcdef0".into()));
    }
}
