//! Building the control plane, the kubelet and Contour from their Go modules, once.

use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::go;

/// The Kubernetes that transcripts are recorded from and scenarios are proven on.
pub(crate) const KUBERNETES: &str = "v1.36.3";
/// Its staging modules are published under this version.
const STAGING: &str = "v0.36.3";
/// The etcd that this Kubernetes is tested with.
const ETCD: &str = "v3.6.8";
/// How often a build by another process is asked whether it is over.
const WAIT: Duration = Duration::from_millis(500);
/// Programs that are built together.
struct Set {
    /// Their folder below the version's.
    home: &'static str,
    /// The file that makes `go mod tidy` keep what they need.
    tools: &'static str,
    /// The commands of the Kubernetes module among them.
    commands: &'static [&'static str],
    /// Name and package of the others.
    others: &'static [(&'static str, &'static str)],
}

const CONTROL_PLANE: Set = Set {
    home: "",
    tools: TOOLS_GO,
    commands: &["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
    others: &[("etcd", "go.etcd.io/etcd/server/v3")],
};

const NODE: Set = Set {
    home: "node",
    tools: NODE_TOOLS_GO,
    commands: &["kubelet"],
    others: &[("pause", "slipway.dev/kube/pause")],
};

/// Returns the folder with the control plane's programs, building them if that was not done before.
///
/// Two callers never build at once: the second waits for the first. The first build takes about five minutes on
/// two cores.
///
/// **Errors**: no Go toolchain can be had, the modules cannot be fetched, or they do not build.
pub(crate) async fn programs() -> anyhow::Result<PathBuf> {
    built(&CONTROL_PLANE).await
}

/// Returns the folder with `kubelet` and `pause`, the program of a pod's sandbox, building them if that was not done before.
///
/// **Errors**: as [`programs`].
pub(crate) async fn node_programs() -> anyhow::Result<PathBuf> {
    built(&NODE).await
}

async fn built(set: &Set) -> anyhow::Result<PathBuf> {
    let cache = crate::paths::cache()?.join("kube");
    let home = cache.join(KUBERNETES).join(set.home);
    let bin = home.join("bin");
    fs::create_dir_all(&bin)?;
    let _lock = lock(&home.join("lock")).await?;
    let stamp = bin.join("stamp");
    let recipe = recipe(set);
    if fs::read_to_string(&stamp).is_ok_and(|built| built == recipe) {
        return Ok(bin);
    }
    build(set, &go::find(&cache)?, &home.join("src"), &bin).await?;
    fs::write(stamp, recipe)?;
    Ok(bin)
}

/// Everything that decides what the programs are; a different recipe means building again.
fn recipe(set: &Set) -> String {
    let tools = set.tools;
    format!("kubernetes {KUBERNETES} staging {STAGING} etcd {ETCD}\n{tools}{}\n", linker_flags())
}

/// Waits until nobody else holds the file; held until it is closed.
///
/// **Errors**: the file cannot be made or locked.
pub(super) async fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut waiting = false;
    while let Err(error) = file.try_lock() {
        if let TryLockError::Error(error) = error {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
        if !std::mem::replace(&mut waiting, true) {
            eprintln!("kube: another process is building the control plane; waiting for it");
        }
        tokio::time::sleep(WAIT).await;
    }
    Ok(file)
}

async fn build(set: &Set, go: &Path, src: &Path, bin: &Path) -> anyhow::Result<()> {
    eprintln!("kube: building {KUBERNETES}: {} into {} (once)", set.commands.join(", "), bin.display());
    fs::create_dir_all(src.join("pause"))?;
    fs::write(src.join("tools.go"), set.tools)?;
    fs::write(src.join("pause/main.go"), PAUSE_GO)?;
    fs::write(src.join("go.mod"), go_mod(&staging_modules(go, src)?))?;
    step(go, src, &["mod", "tidy"]).await?;
    let bin = bin.to_string_lossy();
    let flags = linker_flags();
    let commands: Vec<_> = set.commands.iter().map(|name| format!("k8s.io/kubernetes/cmd/{name}")).collect();
    let mut arguments = vec!["build", "-ldflags", &flags, "-o", &bin];
    arguments.extend(commands.iter().map(String::as_str));
    step(go, src, &arguments).await?;
    for (name, package) in set.others {
        step(go, src, &["build", "-ldflags", "-s -w", "-o", &format!("{bin}/{name}"), package]).await?;
    }
    Ok(())
}

fn command(go: &Path, src: &Path) -> Command {
    let mut command = Command::new(go);
    command.current_dir(src).env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
    command
}

/// Fetches a module; returns its folder.
///
/// **Errors**: there is no such version, or it cannot be fetched.
pub(super) fn module(go: &Path, src: &Path, module: &str) -> anyhow::Result<PathBuf> {
    Ok(downloaded(go, src, module, "Dir")?.into())
}

/// Builds a command of any module into `<home>/bin`.
///
/// **Errors**: it cannot be fetched or does not build.
pub(super) async fn install(go: &Path, home: &Path, package: &str) -> anyhow::Result<()> {
    let mut command = command(go, home);
    command.env("GOBIN", home.join("bin"));
    go_step(command, home, &["install", package]).await
}

async fn step(go: &Path, src: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    go_step(command(go, src), src, arguments).await
}

/// Runs `go <arguments>` and tells of it.
async fn go_step(mut command: Command, src: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    eprintln!("kube: go {}", arguments.join(" "));
    let log = src.join("build.log");
    command.args(arguments).stderr(File::create(&log)?);
    let status = crate::child::run(command).await.context("cannot run go")?;
    ensure!(status.success(), "`go {}` failed:\n{}", arguments.join(" "), tail(&log));
    Ok(())
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(30).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// The modules that the Kubernetes module itself replaces by folders of its repository.
fn staging_modules(go: &Path, src: &Path) -> anyhow::Result<Vec<String>> {
    fs::write(src.join("go.mod"), "module slipway.dev/kube\n\ngo 1.26.0\n")?;
    let path = downloaded(go, src, &format!("k8s.io/kubernetes@{KUBERNETES}"), "GoMod")?;
    Ok(staged(&fs::read_to_string(path)?))
}

/// Downloads a module; returns what `go` says of it under `key`.
fn downloaded(go: &Path, src: &Path, module: &str, key: &str) -> anyhow::Result<String> {
    eprintln!("kube: go mod download {module}");
    let output =
        command(go, src).args(["mod", "download", "-json", module]).output().context("cannot run go")?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let path = answer.get(key).and_then(serde_json::Value::as_str).with_context(|| {
        format!("cannot fetch {module}: {answer} {}", String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(path.to_owned())
}

/// The `k8s.io/… v0.0.0` lines of a go.mod.
fn staged(go_mod: &str) -> Vec<String> {
    let mut modules: Vec<_> = go_mod
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let module = words.next().filter(|name| name.starts_with("k8s.io/"))?;
            (words.next() == Some("v0.0.0")).then(|| module.to_owned())
        })
        .collect();
    modules.sort();
    modules.dedup();
    modules
}

fn go_mod(staging: &[String]) -> String {
    let mut text = format!(
        "module slipway.dev/kube\n\ngo 1.26.0\n\nrequire (\n\tgo.etcd.io/etcd/server/v3 {ETCD}\n\
         \tk8s.io/kubernetes {KUBERNETES}\n)\n\nreplace (\n"
    );
    for module in staging {
        let _ = writeln!(text, "\t{module} v0.0.0 => {module} {STAGING}");
    }
    text.push_str(")\n");
    text
}

/// Without its version clients cannot parse what the server says it is.
fn linker_flags() -> String {
    let mut numbers = KUBERNETES.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let set = |name: &str, value: &str| format!("-X k8s.io/component-base/version.{name}={value}");
    ["-s -w".to_owned(), set("gitVersion", KUBERNETES), set("gitMajor", major), set("gitMinor", minor)]
        .into_iter()
        .chain([set("gitTreeState", "clean")])
        .collect::<Vec<_>>()
        .join(" ")
}

/// Makes `go mod tidy` keep what the commands need.
const TOOLS_GO: &str = r#"//go:build tools

package tools

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	_ "k8s.io/kubernetes/cmd/kube-scheduler/app"
)
"#;

const NODE_TOOLS_GO: &str = r#"//go:build tools

package tools

import _ "k8s.io/kubernetes/cmd/kubelet/app"
"#;

/// What a pod's sandbox runs: nothing, until it is told to end.
const PAUSE_GO: &str = r#"package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	<-told
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreleased_modules_are_replaced() {
        let text = "require (\n\tk8s.io/api v0.0.0\n\tk8s.io/klog/v2 v2.130.1\n\tother.dev/x v0.0.0\n\tk8s.io/api v0.0.0\n)";
        assert_eq!(staged(text), ["k8s.io/api"]);
        assert!(go_mod(&staged(text)).contains("\tk8s.io/api v0.0.0 => k8s.io/api v0.36.3\n"));
    }

    #[test]
    fn the_server_knows_its_version() {
        assert!(linker_flags().ends_with(
            "version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 \
             -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/component-base/version.gitTreeState=clean"
        ));
    }
}
