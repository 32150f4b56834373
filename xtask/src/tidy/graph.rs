//! The packages and their normal dependencies, as cargo resolved them for this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// All packages that the workspace needs here.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// By package id.
    pub(super) packages: BTreeMap<String, Package>,
    /// The packages of this workspace.
    pub(super) members: BTreeSet<String>,
    /// What each needs to be built and run; neither dev- nor build-dependencies.
    pub(super) normal: BTreeMap<String, BTreeSet<String>>,
}

/// What the rules look at.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) license_file: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl Graph {
    /// Asks cargo; the network is used only where packages were never fetched.
    ///
    /// **Errors**: cargo fails; its own words are in the message.
    pub(super) fn load(root: &Path) -> anyhow::Result<Self> {
        let host = host()?;
        let mut output = metadata(root, &["--filter-platform", &host, "--offline"])?;
        if !output.status.success() {
            output = metadata(root, &["--filter-platform", &host])?;
        }
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
        let is_normal = |dependency: &Dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
        let normal = |node: Node| {
            let wanted = node.deps.into_iter().filter(is_normal).map(|dependency| dependency.pkg).collect();
            (node.id, wanted)
        };
        Ok(Self {
            packages: metadata.packages.into_iter().map(|package| (package.id.clone(), package)).collect(),
            members: metadata.workspace_members,
            normal: metadata.resolve.nodes.into_iter().map(normal).collect(),
        })
    }

    /// The package's name, or its id where it is unknown.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.packages.get(id).map_or(id, |package| package.name.as_str())
    }

    /// What a package needs directly.
    pub(super) fn needs(&self, id: &str) -> impl Iterator<Item = &String> {
        self.normal.get(id).into_iter().flatten()
    }

    /// The packages that the given ones need, directly or not, each with the one that brought it in.
    pub(super) fn closure<'a>(&'a self, from: &'a str) -> BTreeMap<&'a str, &'a str> {
        let mut found = BTreeMap::new();
        let mut pending = vec![from];
        while let Some(id) = pending.pop() {
            for next in self.needs(id) {
                if !found.contains_key(next.as_str()) {
                    found.insert(next.as_str(), id);
                    pending.push(next);
                }
            }
        }
        found
    }
}

fn metadata(root: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(crate::paths::cargo());
    command.args(["metadata", "--format-version", "1"]).args(arguments).current_dir(root);
    command.output().context("cannot run cargo")
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}
