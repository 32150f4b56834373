//! The control plane's processes: started with a log file, remembered by pid, stopped for certain.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// The API server takes up to a minute to stop on SIGTERM; nobody waits for that.
const GRACE: Duration = Duration::from_secs(5);
/// How often a stopping process is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// A process that may outlive the program that started it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Started {
    /// What it is called; its log is named so.
    pub(super) name: String,
    pid: i32,
    /// The program's file, by which a recycled pid is told apart.
    program: PathBuf,
}

/// Starts a program with its output going to `<dir>/<name>.log`, out of reach of the terminal's signals.
///
/// **Errors**: the program cannot be started or its log not be written.
pub(super) fn start(
    name: &str,
    program: &Path,
    arguments: &[String],
    dir: &Path,
) -> anyhow::Result<(Started, Child)> {
    let log = File::create(log(dir, name))?;
    let child = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let pid = i32::try_from(child.id())?;
    Ok((Started { name: name.to_owned(), pid, program: fs::canonicalize(program)? }, child))
}

/// Where a program's output is.
pub(super) fn log(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.log"))
}

/// The last lines of a program's output.
pub(super) fn log_tail(dir: &Path, name: &str) -> String {
    let text = fs::read(log(dir, name)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

impl Started {
    /// Asks the process to end, if it is still the one that was started.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends the process at once.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Whether the process that was started still runs.
    pub(super) fn is_running(&self) -> bool {
        let proc = PathBuf::from(format!("/proc/{}", self.pid));
        let same = fs::read_link(proc.join("exe")).is_ok_and(|exe| exe == self.program);
        let zombie = fs::read_to_string(proc.join("stat"))
            .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
        same && !zombie
    }

    fn signal(&self, signal: Signal) {
        if self.is_running()
            && let Some(pid) = Pid::from_raw(self.pid)
        {
            // It may end between the look and the signal; then there is nothing left to do.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Ends all processes, the last started first: politely, then for certain.
pub(super) async fn stop_all(processes: &[Started]) {
    for process in processes.iter().rev() {
        process.terminate();
        let mut left = GRACE;
        while process.is_running() && !left.is_zero() {
            tokio::time::sleep(GLANCE).await;
            left = left.saturating_sub(GLANCE);
        }
        process.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_stopped_no_longer_runs() {
        let dir = tempfile::tempdir().unwrap();
        let (started, mut child) =
            start("sleep", Path::new("/bin/sleep"), &["600".to_owned()], dir.path()).unwrap();
        // Until it has become the program, it is still a copy of this one.
        while !started.is_running() {
            tokio::task::yield_now().await;
        }
        stop_all(std::slice::from_ref(&started)).await;
        child.wait().unwrap();
        assert!(!started.is_running());
    }

    #[test]
    fn a_recycled_pid_is_not_ours() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let other = Started { name: "x".to_owned(), pid, program: PathBuf::from("/bin/not-this-test") };
        assert!(!other.is_running());
    }
}
