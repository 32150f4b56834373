//! `cargo xtask tidy`: the rules of this tree that no compiler checks. The same runs as a test.

mod architecture;
mod edges;
mod graph;
mod licences;
mod sources;

use std::fmt;
use std::path::Path;

use anyhow::ensure;

use graph::Graph;

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    /// The file, crate or package it is about.
    place: String,
    /// What is wrong, and what the rule is.
    text: String,
}

impl Problem {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Checks the checkout and prints each broken rule.
///
/// **Errors**: a rule is broken, or the tree cannot be read.
pub(crate) fn run() -> anyhow::Result<()> {
    let (problems, looked_at) = problems(&crate::paths::workspace())?;
    for problem in &problems {
        println!("{problem}");
    }
    ensure!(problems.is_empty(), "tidy: {} problems", problems.len());
    println!("tidy: nothing to complain about in {looked_at}");
    licences::advisories(&crate::paths::workspace())
}

/// The broken rules, and in how much they were looked for.
fn problems(root: &Path) -> anyhow::Result<(Vec<Problem>, String)> {
    let graph = Graph::load(root)?;
    let files = sources::files(root)?;
    let mut problems = edges::check(&graph);
    problems.extend(licences::check(&graph));
    problems.extend(sources::check(root, &files)?);
    problems.extend(architecture::check(root));
    problems.sort();
    let (crates, packages) = (graph.members.len(), graph.normal.len());
    Ok((problems, format!("{crates} crates, {} files and {packages} packages", files.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let (problems, _) = problems(&crate::paths::workspace()).unwrap();
        let text: Vec<_> = problems.iter().map(Problem::to_string).collect();
        assert!(problems.is_empty(), "{}", text.join("\n"));
    }
}
