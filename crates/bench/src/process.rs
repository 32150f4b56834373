//! What a process has used so far, as the kernel counts it.

use std::time::Duration;

use anyhow::Context as _;

use crate::figure::as_float;

/// Clock ticks of `/proc/<pid>/stat` in a second: `USER_HZ`, which is 100 on every Linux that Slipway is built for.
const TICKS: f64 = 100.0;

/// Returns a line of `/proc/<pid>/status`, in MiB.
///
/// **Errors:** the process has ended, or the kernel does not tell.
pub(crate) fn memory(id: u32, field: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: u64 = kibibytes.with_context(|| format!("no {field}"))?.trim().parse()?;
    Ok(as_float(kibibytes) / 1024.0)
}

/// Returns the time that the process and its threads have spent on a core.
///
/// **Errors:** the process has ended.
pub(crate) fn cpu(id: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut next = || ticks.next().context("too short")?.context("no number");
    Ok(Duration::from_secs_f64(as_float(next()? + next()?) / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something() {
        let id = std::process::id();
        assert!(memory(id, "VmRSS").unwrap() > 0.1);
        assert!(cpu(id).unwrap() < Duration::from_secs(3600));
    }
}
