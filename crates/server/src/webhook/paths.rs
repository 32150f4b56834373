//! Whether the files that a push changed matter to an Application.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};

/// Returns the paths of the annotation for a source at `source_path`, each from the repository's root with a leading
/// slash; empty when every file matters.
///
/// **Source:** `GetSourceRefreshPaths` of Argo CD.
///
/// For example `deploy;/shared` of a source at `apps/web` is `/apps/web/deploy` and `/shared`.
pub fn wanted(annotation: &str, source_path: &str) -> Vec<String> {
    let items = annotation.split(';').filter(|item| !item.is_empty());
    items
        .map(|item| match item.strip_prefix('/') {
            Some(item) => absolute(item),
            None => absolute(&format!("{source_path}/{item}")),
        })
        .collect()
}

/// Returns the path with a leading slash, without `.`, `..` and repeated slashes; it never leads out of the root.
pub fn absolute(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Returns true when one of the changed files is one of the wanted paths, is below one or matches one as a glob; also
/// when nothing is known of the files, or every file matters.
///
/// **Source:** `AppFilesHaveChanged` of Argo CD.
pub fn touched(wanted: &[String], changed: &BTreeSet<String>) -> bool {
    if wanted.is_empty() || changed.is_empty() {
        return true;
    }
    let wanted: Vec<Wanted> = wanted.iter().map(|path| Wanted::new(path)).collect();
    changed.iter().any(|file| {
        let file = absolute(file);
        wanted.iter().any(|wanted| wanted.takes(&file))
    })
}

struct Wanted<'p> {
    path: &'p str,
    glob: Option<GlobMatcher>,
}

impl<'p> Wanted<'p> {
    fn new(path: &'p str) -> Self {
        let is_glob = path.contains(['*', '?', '[', '\\']);
        Self { path, glob: if is_glob { glob(path) } else { None } }
    }

    fn takes(&self, file: &str) -> bool {
        let below = file
            .strip_prefix(self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'));
        below || self.glob.as_ref().is_some_and(|glob| glob.is_match(file))
    }
}

/// Returns the pattern as Go's `filepath.Match` reads it: `*` stays in one folder, however often it is repeated, and
/// braces mean themselves; none when it is malformed.
fn glob(pattern: &str) -> Option<GlobMatcher> {
    let mut text = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        match character {
            '*' if text.ends_with('*') && !text.ends_with(r"\*") => {}
            '{' | '}' => text.extend(['\\', character]),
            _ => text.push(character),
        }
    }
    let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
    glob.ok().map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(annotation: &str, changed: &str, expected: bool) {
        let wanted = wanted(annotation, "apps/web");
        assert_eq!(touched(&wanted, &BTreeSet::from([changed.to_owned()])), expected, "{wanted:?}");
    }

    #[test]
    fn paths_are_relative_or_absolute() {
        check(".", "apps/web/x.yaml", true);
        check(".", "apps/website/x.yaml", false);
        check("..", "apps/other/x.yaml", true);
        check("../../../..", "anything", true);
        check("/shared", "shared/x.yaml", true);
        check("/shared", "apps/web/shared/x.yaml", false);
        check("deploy", "apps/web/deploy", true);
        check(";;", "elsewhere", true);
    }

    #[test]
    fn globs_stay_in_one_folder() {
        check("/shared/*-secret.yaml", "shared/a-secret.yaml", true);
        check("/shared/*-secret.yaml", "shared/deep/a-secret.yaml", false);
        check("/shared/**", "shared/deep/x", false);
        check("/a{b,c}", "ab", false);
        check("/a{b*", "a{bc", true);
        check("/x[", "elsewhere", false);
    }
}
