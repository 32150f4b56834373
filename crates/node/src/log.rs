//! Output of containers: written in the CRI log format, cut off by size, read back for `kubectl logs`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use object::Time;
use runtime::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

pub(crate) mod read;

/// A log file starts over at this size; one older file is kept.
const MAX_FILE: u64 = 10 << 20;
/// Longest line that is kept whole, in bytes; longer ones are cut into parts. Source: containerd's default.
const MAX_LINE: u64 = 16 << 10;

/// Path of the log of a container's run below the container's directory.
pub(crate) fn path(container: &Path, restart: u32) -> PathBuf {
    container.join(format!("{restart}.log"))
}

/// Path of the older part of a log.
fn older(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

/// Removes the logs of runs before the previous one.
pub(crate) fn prune(container: &Path, restart: u32) {
    if let Some(old) = restart.checked_sub(2) {
        let path = path(container, old);
        let _ = fs::remove_file(older(&path));
        let _ = fs::remove_file(path);
    }
}

/// The log of one run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    file: Arc<Mutex<Rotating>>,
    clock: Clock,
}

impl Log {
    /// Opens the log at `path`, going on with what is there.
    pub(crate) fn open(path: PathBuf, clock: Clock) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(Rotating { path, file, size })), clock })
    }

    /// Copies `stream` (`stdout` or `stderr`) until it ends.
    pub(crate) async fn copy(self, stream: &'static str, from: Option<impl AsyncRead + Unpin>) {
        let Some(from) = from else { return };
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => self.write(stream, &line),
            }
        }
    }

    fn write(&self, stream: &str, line: &[u8]) {
        let now = self.clock.now();
        let (text, tag) = match line.strip_suffix(b"\n") {
            Some(text) => (text, 'F'),
            None => (line, 'P'),
        };
        let mut entry = format!("{:.9} {stream} {tag} ", now.timestamp()).into_bytes();
        entry.extend_from_slice(text);
        entry.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write(&entry) {
            tracing::debug!(%error, "output of a container not kept");
        }
    }
}

struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Rotating {
    fn write(&mut self, entry: &[u8]) -> io::Result<()> {
        if self.size + entry.len() as u64 > MAX_FILE {
            fs::rename(&self.path, older(&self.path))?;
            self.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            self.size = 0;
        }
        self.file.write_all(entry)?;
        self.size += entry.len() as u64;
        Ok(())
    }
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub time: Time,
    pub stamp: String,
    pub text: Vec<u8>,
    /// The line ends here; if not, the next part belongs to it.
    pub full: bool,
}

/// Returns the line in an entry of the CRI format, `None` when it is not one.
pub(crate) fn parse(entry: &[u8]) -> Option<Line> {
    let mut parts = entry.splitn(4, |byte| *byte == b' ');
    let stamp = std::str::from_utf8(parts.next()?).ok()?.to_owned();
    let (_stream, tag) = (parts.next()?, parts.next()?);
    let text = parts.next().unwrap_or_default().to_vec();
    Some(Line { time: Time::parse(&stamp).ok()?, stamp, text, full: tag == b"F" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_kept_and_long_ones_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path(), 0);
        let log = Log::open(path.clone(), Clock::system()).unwrap();
        let mut input = b"one\n".to_vec();
        input.extend(std::iter::repeat_n(b'x', 20_000));
        input.push(b'\n');
        log.copy("stdout", Some(&input[..])).await;
        let text = fs::read(&path).unwrap();
        let lines: Vec<Line> = text.split(|byte| *byte == b'\n').filter_map(parse).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!((lines[0].text.as_slice(), lines[0].full), (b"one".as_slice(), true));
        assert!(!lines[1].full && lines[2].full);
    }

    #[test]
    fn a_file_starts_over_at_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path(), 0);
        let log = Log::open(path.clone(), Clock::system()).unwrap();
        log.file.lock().unwrap().size = MAX_FILE - 1;
        log.write("stdout", b"new\n");
        assert!(older(&path).exists());
        assert!(fs::read_to_string(&path).unwrap().ends_with("F new\n"));
    }
}
