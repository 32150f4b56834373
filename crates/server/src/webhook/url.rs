//! Whether a source's repository is the one that was pushed to.

use regex::{Regex, RegexBuilder};
use source::RepoUrl;

/// A user name before the host; ASCII only, as in Go, which also keeps the compiled expression small.
const USER: &str = "[0-9A-Za-z_.][0-9A-Za-z_.-]{0,30}[0-9A-Za-z_.$-]?";
/// Largest compiled expression, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// Tells the spellings of one repository from other repositories: http, https, ssh and scp, with and without a user, a
/// port and `.git`, with the `ssh.` and `altssh.` hosts that some Git hosts have.
///
/// **Source:** `GetWebURLRegex` of Argo CD. Beyond it, `file://` URLs are matched as `source` normalises them.
#[derive(Debug)]
pub enum RepoMatcher {
    /// A repository of a host.
    Remote(Regex),
    /// A repository of this machine.
    Local(RepoUrl),
}

impl RepoMatcher {
    /// Returns the matcher of the repository whose page is `url`; none when the URL has no host or no path.
    pub fn new(url: &str) -> Option<Self> {
        if url.starts_with("file://") {
            return RepoUrl::parse(url).ok().map(Self::Local);
        }
        let (_, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let host = host(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        if host.is_empty() || path.is_empty() {
            return None;
        }
        let (host, path) = (regex::escape(host), regex::escape(path));
        let pattern =
            format!(r"^((https?|ssh)://)?({USER}@)?((alt)?ssh\.)?{host}(:[0-9]+)?[:/]{path}(\.git)?$");
        let expression = RegexBuilder::new(&pattern).case_insensitive(true).size_limit(MAX_SIZE).build();
        expression.ok().map(Self::Remote)
    }

    /// Returns true when `repo_url`, the `repoURL` of a source, is that repository.
    pub fn matches(&self, repo_url: &str) -> bool {
        match self {
            Self::Remote(expression) => expression.is_match(repo_url),
            Self::Local(url) => {
                RepoUrl::parse(repo_url).is_ok_and(|other| other.normalized() == url.normalized())
            }
        }
    }
}

/// Returns the host of `host[:port]`; of an IPv6 address, what is between the brackets, as Go's `Hostname` does.
fn host(authority: &str) -> &str {
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    authority.split(':').next().unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_repositories_match_in_any_spelling() {
        let matcher = RepoMatcher::new("file:///srv/repo.git").unwrap();
        assert!(matcher.matches("/srv/repo") && matcher.matches("file:///srv/repo.git"));
        assert!(!matcher.matches("file:///srv/other") && !matcher.matches("https://srv/repo"));
    }

    #[test]
    fn urls_without_a_repository_match_nothing() {
        for url in ["", "https://host", "https://host/", "nonsense", "https:///path"] {
            assert!(RepoMatcher::new(url).is_none(), "{url}");
        }
    }

    #[test]
    fn what_looks_like_a_pattern_is_text() {
        let matcher = RepoMatcher::new("https://h/(a+)+$").unwrap();
        assert!(matcher.matches("https://h/(a+)+$.git") && !matcher.matches("https://h/aaaa"));
    }
}
