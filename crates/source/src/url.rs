//! [`RepoUrl`]: the address of a Git repository in one spelling.

use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::SourceError;

/// How a repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transport {
    File,
    Http,
    Https,
    Ssh,
}

/// The address of a Git repository, as its owner wrote it but without credentials.
///
/// Two addresses are equal when [`RepoUrl::normalized`] is. **Source:** `NormalizeGitURL` of Argo CD.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoUrl {
    text: String,
    normalized: String,
    transport: Transport,
}

impl RepoUrl {
    /// Returns the address in `text`: `https://`, `http://`, `ssh://`, `file://`, an absolute path or `user@host:path`.
    /// A user and password in an http address are dropped: credentials come from [`crate::Credentials`].
    ///
    /// Errors: [`SourceError::InvalidUrl`].
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        let fail = |reason| SourceError::InvalidUrl { url: without_userinfo(text), reason };
        if text.is_empty() {
            return Err(fail("it is empty"));
        }
        if text.chars().any(char::is_control) || text.starts_with('-') {
            return Err(fail("it holds characters that no URL has"));
        }
        let (transport, rest) = split(text).ok_or_else(|| fail("neither https, http, ssh nor file"))?;
        let text = match transport {
            Transport::Http | Transport::Https => without_userinfo(text),
            Transport::File | Transport::Ssh => text.to_owned(),
        };
        let normalized = normalize(transport, &rest).ok_or_else(|| fail("host or path is missing"))?;
        Ok(Self { text, normalized, transport })
    }

    /// Returns the one spelling: ssh and scp forms as `ssh://user@host/path`, host in lower case, no `.git` at the end.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }

    /// Returns the name of the server, without port, in lower case; empty for a path of this machine.
    pub fn host(&self) -> &str {
        let rest = self.normalized.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        match host.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        }
    }

    /// Returns the address as it was written, without credentials.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the address in the spelling that gix connects to.
    pub(crate) fn for_git(&self) -> &str {
        self.text.strip_prefix("git+").unwrap_or(&self.text)
    }

    pub(crate) fn transport(&self) -> Transport {
        self.transport
    }

    /// Returns the path of a repository on this machine.
    pub(crate) fn local_path(&self) -> Option<PathBuf> {
        (self.transport == Transport::File)
            .then(|| PathBuf::from(self.text.strip_prefix("file://").unwrap_or(&self.text)))
    }
}

/// Returns the transport and what follows the scheme; `host/path` for the scp form.
fn split(text: &str) -> Option<(Transport, String)> {
    let lower = text.to_ascii_lowercase();
    for (scheme, transport) in [
        ("https://", Transport::Https),
        ("http://", Transport::Http),
        ("ssh://", Transport::Ssh),
        ("git+ssh://", Transport::Ssh),
        ("file://", Transport::File),
    ] {
        if lower.starts_with(scheme) {
            return Some((transport, text[scheme.len()..].to_owned()));
        }
    }
    if text.starts_with('/') {
        return Some((Transport::File, text.to_owned()));
    }
    let (host, path) = text.split_once(':')?;
    let scp = !host.is_empty() && !host.contains('/') && !path.starts_with("//") && !path.starts_with(':');
    scp.then(|| (Transport::Ssh, format!("{host}/{}", path.trim_start_matches('/'))))
}

fn normalize(transport: Transport, rest: &str) -> Option<String> {
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    if transport == Transport::File {
        return rest.starts_with('/').then(|| format!("file://{rest}"));
    }
    let (authority, path) = rest.split_once('/')?;
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if host.is_empty() || path.is_empty() || host.starts_with('-') {
        return None;
    }
    let (host, path) = (host.to_ascii_lowercase(), path.trim_start_matches('/'));
    Some(match transport {
        Transport::Ssh if user.is_empty() => format!("ssh://{host}/{path}"),
        Transport::Ssh => format!("ssh://{}@{host}/{path}", user.split(':').next().unwrap_or(user)),
        Transport::Http => format!("http://{host}/{path}"),
        Transport::Https | Transport::File => format!("https://{host}/{path}"),
    })
}

/// Returns the text without `user:password@` after a scheme.
fn without_userinfo(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl PartialEq for RepoUrl {
    fn eq(&self, other: &Self) -> bool {
        self.normalized == other.normalized
    }
}

impl Eq for RepoUrl {}

impl PartialOrd for RepoUrl {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RepoUrl {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.normalized.cmp(&other.normalized)
    }
}

impl FromStr for RepoUrl {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for RepoUrl {
    type Error = SourceError;

    fn try_from(text: String) -> Result<Self, SourceError> {
        Self::parse(&text)
    }
}

impl From<RepoUrl> for String {
    fn from(url: RepoUrl) -> Self {
        url.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn normalized(text: &str) -> String {
        RepoUrl::parse(text).unwrap().normalized().to_owned()
    }

    #[test]
    fn spellings_of_one_repository_are_equal() {
        for text in ["https://GitHub.com/a/B.git", "https://github.com/a/B", "https://x:y@github.com/a/B/"] {
            assert_eq!(normalized(text), "https://github.com/a/B", "{text}");
        }
        for text in ["git@GitHub.com:a/b.git", "ssh://git@github.com/a/b", "git+ssh://git@github.com/a/b.git"]
        {
            assert_eq!(normalized(text), "ssh://git@github.com/a/b", "{text}");
        }
        assert_eq!(normalized("/srv/git/a.git"), "file:///srv/git/a");
        assert_eq!(normalized("http://127.0.0.1:3000/a.git"), "http://127.0.0.1:3000/a");
    }

    #[test]
    fn the_host_is_that_of_the_server() {
        for (text, host) in [
            ("https://GitHub.com/a/b", "github.com"),
            ("http://127.0.0.1:3000/a.git", "127.0.0.1"),
            ("git@git.example:a/b.git", "git.example"),
            ("ssh://git@git.example:2222/a", "git.example"),
            ("/srv/git/a.git", ""),
        ] {
            assert_eq!(RepoUrl::parse(text).unwrap().host(), host, "{text}");
        }
    }

    #[test]
    fn credentials_never_show() {
        let url = RepoUrl::parse("https://me:s3cret@github.com/a/b").unwrap();
        assert!(!format!("{url} {url:?} {}", url.as_str()).contains("s3cret"));
        let error = RepoUrl::parse("ftp://me:s3cret@host/a").unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "github.com/a/b",
            "ftp://h/a",
            "https://",
            "https://host",
            "file://relative",
            "-oProxyCommand=x:y",
            "ssh://-oProxyCommand=x/y",
            "ext::sh -c id",
            "https://h/a\nb",
        ] {
            assert!(RepoUrl::parse(text).is_err(), "{text:?}");
        }
    }
}
