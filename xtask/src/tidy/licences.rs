//! Whose code we build on, and under which terms; known holes in it, where a database is at hand.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;
use spdx::{Expression, ParseMode};

use super::Problem;
use super::graph::{Graph, Package};

/// Terms that an Apache-2.0 program may be built on without further duties than notice.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];
/// Weak copyleft, file by file: kept apart so that each is a decision.
const REVIEWED: [&str; 1] = ["MPL-2.0"];

pub(super) fn check(graph: &Graph) -> Vec<Problem> {
    let foreign = graph.packages.values().filter(|package| !graph.members.contains(&package.id));
    let resolved = foreign.filter(|package| graph.normal.contains_key(&package.id));
    resolved.filter_map(|package| refusal(package).map(|text| Problem::new(title(package), text))).collect()
}

fn title(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// Why a package may not be built on, if so.
fn refusal(package: &Package) -> Option<String> {
    let Some(text) = &package.license else {
        let file = package.license_file.as_deref().unwrap_or("none");
        return Some(format!("names no licence expression (licence file: {file})"));
    };
    match Expression::parse_mode(text, ParseMode::LAX) {
        Ok(expression) if expression.evaluate(|requirement| is_allowed(&requirement.license)) => None,
        Ok(_) => Some(format!("its licence {text} is not among the allowed ones")),
        Err(error) => Some(format!("its licence {text} is unreadable: {}", error.reason)),
    }
}

fn is_allowed(licence: &spdx::LicenseItem) -> bool {
    licence.id().is_some_and(|id| ALLOWED.contains(&id.name) || REVIEWED.contains(&id.name))
}

/// Checks the lock file against a local advisory database, or says that none is here. Never uses the network.
///
/// **Errors**: an advisory applies.
pub(super) fn advisories(root: &Path) -> anyhow::Result<()> {
    let Some(database) = database() else {
        println!("tidy: advisories not checked: no advisory database in the cargo home");
        return Ok(());
    };
    let cargo = Command::new(crate::paths::cargo());
    let mut audit = cargo;
    audit.args(["audit", "--no-fetch", "--stale", "--db"]).arg(&database).current_dir(root);
    if Command::new("cargo-audit").arg("--version").output().is_err() {
        println!("tidy: advisories not checked: cargo-audit is not installed");
        return Ok(());
    }
    ensure!(audit.status()?.success(), "tidy: an advisory applies to a dependency");
    Ok(())
}

fn database() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("advisory-db")).filter(|path| path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(license: Option<&str>) -> Package {
        Package {
            id: "x".to_owned(),
            name: "x".to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            license_file: None,
        }
    }

    #[test]
    fn expressions_are_understood() {
        for fine in ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(MIT OR ISC) AND Unicode-3.0"] {
            assert_eq!(refusal(&package(Some(fine))), None, "{fine}");
        }
        assert_eq!(refusal(&package(Some("Apache-2.0 WITH LLVM-exception"))), None);
        for bad in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "Nonsense-1.0"] {
            assert!(refusal(&package(Some(bad))).is_some(), "{bad}");
        }
        assert!(refusal(&package(None)).is_some());
    }
}
