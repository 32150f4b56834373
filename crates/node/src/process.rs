//! Processes in groups of their own, and those that a crash of the node left behind.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// Name of the file that tells which process runs for a container.
const RECORD: &str = "process";

/// What to start.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(String, String)>,
    pub cwd: PathBuf,
}

/// A running process and everything it started. Dropping it kills them all.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    pid: Option<Pid>,
    record: Option<PathBuf>,
}

impl Group {
    /// Starts a process in a group of its own. With `record` its identity is kept in that directory, so that
    /// [`kill_orphans`] finds it after a crash. Its output waits to be taken.
    pub(crate) fn start(launch: &Launch, record: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new(&launch.program);
        command.args(&launch.args).env_clear().envs(launch.env.iter().cloned()).current_dir(&launch.cwd);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let mut group = Self { child, pid, record: None };
        if let (Some(directory), Some(pid)) = (record, pid) {
            let path = directory.join(RECORD);
            let started = start_time(pid.as_raw_nonzero().get()).unwrap_or_default();
            fs::write(&path, format!("{} {started}\n", pid.as_raw_nonzero()))?;
            group.record = Some(path);
        }
        Ok(group)
    }

    /// Takes the ends of the process's output.
    pub(crate) fn output(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits until the process has ended.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the process to end; what it started is its own affair, as in a container. One that is gone is no error.
    pub(crate) fn terminate(&self) {
        if let Some(pid) = self.pid.filter(|_| self.child.id().is_some()) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Kills the whole group; one that is gone is no error.
    pub(crate) fn kill(&self) {
        if let Some(pid) = self.pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    /// Children that outlived the process go with it.
    fn drop(&mut self) {
        self.kill();
        if let Some(record) = &self.record {
            let _ = fs::remove_file(record);
        }
    }
}

/// Exit code and signal of an ended process: 128 + signal when a signal ended it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Kills the processes that an earlier node started for the containers below `pods` (one directory a pod, with one a
/// container) and that still run. Returns how many groups there were.
///
/// A process is known by its id and its start time together, so a stranger with the same id is left alone.
pub(crate) fn kill_orphans(pods: &Path) -> usize {
    let mut killed = 0;
    for record in records(pods) {
        let text = fs::read_to_string(&record).unwrap_or_default();
        let _ = fs::remove_file(&record);
        let mut words = text.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(pid)), Some(Ok(started))) = (words.next(), words.next()) else { continue };
        let Ok(pid) = i32::try_from(pid) else { continue };
        if !is_ours(pid, started) {
            continue;
        }
        if let Some(pid) = Pid::from_raw(pid) {
            tracing::info!(pid = pid.as_raw_nonzero(), "killing a process left by an earlier node");
            let _ = kill_process_group(pid, Signal::KILL);
            killed += 1;
        }
    }
    killed
}

fn records(pods: &Path) -> Vec<PathBuf> {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let containers = entries(pods).flat_map(|pod| entries(&pod.join("containers")).collect::<Vec<_>>());
    containers.map(|container| container.join(RECORD)).filter(|record| record.is_file()).collect()
}

/// Returns true when the leader still is the process that was started, or when it has gone and members of its group
/// that started after it are left.
fn is_ours(pid: i32, started: u64) -> bool {
    match start_time(pid) {
        Some(time) => time == started,
        None => members(pid).into_iter().any(|member| start_time(member).is_some_and(|time| time >= started)),
    }
}

/// Processes in the group of `pid`.
fn members(pid: i32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|other| stat_field(*other, 5) == Some(u64::try_from(pid).unwrap_or_default())).collect()
}

/// Start of a process in clock ticks since boot; `None` when there is no such process, or only its remains.
fn start_time(pid: i32) -> Option<u64> {
    stat_field(pid, 22)
}

/// Field of `/proc/<pid>/stat` by its number in proc(5), from 4 on. A zombie has none.
fn stat_field(pid: i32, number: usize) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after = text.rsplit_once(')')?.1;
    let mut fields = after.split_whitespace();
    if fields.clone().next() == Some("Z") {
        return None;
    }
    fields.nth(number - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(directory: &Path) -> Group {
        let launch = Launch {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), "sleep 1000 & echo up; wait".into()],
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            cwd: "/".into(),
        };
        Group::start(&launch, Some(directory)).unwrap()
    }

    fn container_dir(root: &Path) -> PathBuf {
        let directory = root.join("uid/containers/main");
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[tokio::test]
    async fn what_a_crash_left_behind_is_killed() {
        let root = tempfile::tempdir().unwrap();
        let directory = container_dir(root.path());
        let mut group = sleeper(&directory);
        let id = group.pid.unwrap().as_raw_nonzero().get();
        assert!(start_time(id).is_some());
        assert_eq!(kill_orphans(root.path()), 1);
        assert_eq!(code(group.wait().await.unwrap()), 137);
        assert_eq!(kill_orphans(root.path()), 0);
    }

    #[tokio::test]
    async fn a_stranger_with_the_same_id_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let directory = container_dir(root.path());
        let group = sleeper(&directory);
        let id = group.pid.unwrap().as_raw_nonzero();
        fs::write(directory.join(RECORD), format!("{id} 1\n")).unwrap();
        assert_eq!(kill_orphans(root.path()), 0);
        assert!(start_time(id.get()).is_some());
    }
}
