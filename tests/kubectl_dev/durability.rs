//! What happens to the cluster when its process or its disk fails.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dev::{Dev, example, has, kubectl_is_here, slipway, text};

/// Ids of the processes that run for containers.
fn processes(dir: &Path) -> Vec<String> {
    let entries = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
    let containers = entries(dir.join("pods")).flat_map(|pod| entries(pod.path().join("containers")));
    let records = containers.filter_map(|one| std::fs::read_to_string(one.path().join("process")).ok());
    records.filter_map(|text| text.split_whitespace().next().map(str::to_owned)).collect()
}

/// Returns whether a process of the sample app has this id.
fn is_colorapi(id: &String) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains("colorapi"))
}

#[tokio::test]
async fn a_canary_goes_on_after_its_cluster_was_killed() {
    if !kubectl_is_here() {
        return;
    }
    let guard = tempfile::tempdir().unwrap();
    Dev::images(guard.path()).await;
    let dev = Dev::start(slipway(), guard.path()).await;
    dev.ok(&["apply", "-f", &example("3-rollout")]);
    dev.ok(&["wait", "--for=jsonpath={.status.phase}=Healthy", "rollout/colorapi", "--timeout=60s"]);
    dev.ok(&["apply", "-f", &example("4-blue")]);
    dev.ok(&["wait", "--for=jsonpath={.status.phase}=Paused", "rollout/colorapi", "--timeout=60s"]);
    for number in 0..5 {
        dev.ok(&["create", "configmap", &format!("kept-{number}"), "--from-literal=a=b"]);
    }
    let orphans = processes(guard.path());
    assert_eq!(orphans.iter().filter(|id| is_colorapi(id)).count(), 5, "{orphans:?}");
    let id = dev.server.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-9", &id]).status().unwrap().success());
    drop(dev);

    let dev = Dev::start(slipway(), guard.path()).await;
    assert_eq!(orphans.iter().filter(|id| is_colorapi(id)).count(), 0, "{orphans:?}");
    assert_eq!(dev.ok(&["get", "configmaps", "-o", "name"]).matches("/kept-").count(), 5);
    dev.ok(&["wait", "--for=jsonpath={.status.phase}=Healthy", "rollout/colorapi", "--timeout=90s"]);
    let images = "jsonpath={.items[*].spec.containers[*].image}";
    let images = dev.ok(&["get", "pods", "-l", "app=colorapi", "-o", images]);
    has(&images, &["colorapi:2.0"]);
    has(&dev.ok(&["get", "rollout", "colorapi"]), &["colorapi   5         5         5            5"]);
    dev.server.stop().await;
}

#[tokio::test]
async fn a_full_disk_is_said_and_survived_and_a_folder_has_one_cluster() {
    if !kubectl_is_here() {
        return;
    }
    let guard = tempfile::tempdir().unwrap();
    // A write beyond the limit on file sizes is to fail, as one on a full disk, instead of ending the process.
    let script = guard.path().join("slipway");
    std::fs::write(&script, format!("#!/bin/sh\ntrap '' XFSZ\nexec {} \"$@\"\n", slipway().display()))
        .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let dev = Dev::start(&script, guard.path()).await;
    let id = dev.server.id().unwrap().to_string();

    let folder = guard.path().display().to_string();
    let second = Command::new(slipway()).args(["dev", "--dir", &folder, "--port", "0"]).output().unwrap();
    assert!(!second.status.success());
    has(&text(&second), &["in use by another process", &format!("pid {id}")]);

    let limit = |size: &str| {
        let output =
            Command::new("prlimit").args(["--pid", &id, &format!("--fsize={size}")]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    };
    limit("1:");
    let refused = dev.refused(&["create", "configmap", "lost", "--from-literal=a=b"]);
    has(&refused, &["Internal error occurred: cannot write to the store", "File too large"]);
    has(&dev.ok(&["get", "namespaces"]), &["default"]);
    has(&dev.refused(&["get", "configmap", "lost"]), &["NotFound"]);
    limit("unlimited:");
    dev.ok(&["create", "configmap", "kept", "--from-literal=a=b"]);
    has(&dev.ok(&["get", "configmaps"]), &["kept"]);
    dev.server.stop().await;
}
