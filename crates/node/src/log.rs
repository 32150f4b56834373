//! Output of containers: written in the CRI log format, cut off by size, read back for `kubectl logs`.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The logs that are being written now. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writing(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Writing {
    /// Notes that a run with its log at `path` has begun; it ends when the answer is dropped.
    pub(crate) fn begin(&self, path: &Path) -> Written {
        self.lock().insert(path.to_owned());
        Written { writing: self.clone(), path: path.to_owned() }
    }

    /// Returns true while the run goes on.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.lock().contains(path)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log that is being written as long as this lives.
#[derive(Debug)]
pub(crate) struct Written {
    writing: Writing,
    path: PathBuf,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.writing.lock().remove(&self.path);
    }
}

/// The log of one run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    file: Arc<Mutex<Rotating>>,
    clock: Clock,
    lost: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// Opens the log at `path`, going on with what is there. What cannot be written, for example on a full disk, is
    /// left out and does not stop the container; `lost` is told the cause, once until writing works again.
    pub(crate) fn open(path: PathBuf, clock: Clock, lost: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let mut file = Rotating { path, file: None, size: 0, missing: 0 };
        if let Err(error) = file.opened() {
            tracing::warn!(path = %file.path.display(), %error, "the log of a container cannot be opened");
        }
        Self { file: Arc::new(Mutex::new(file)), clock, lost: Arc::new(lost) }
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
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = file.catch_up(now).and_then(|()| file.write(&entry(now, stream, line)));
        let Err(error) = outcome else { return };
        file.missing += 1;
        if file.missing == 1 {
            tracing::warn!(path = %file.path.display(), %error, "output of a container is lost");
            drop(file);
            (self.lost)(&error.to_string());
        }
    }
}

/// Returns a line, with or without its end, as an entry of the CRI format.
fn entry(now: Time, stream: &str, line: &[u8]) -> Vec<u8> {
    let (text, tag) = match line.strip_suffix(b"\n") {
        Some(text) => (text, 'F'),
        None => (line, 'P'),
    };
    let mut entry = format!("{:.9} {stream} {tag} ", now.timestamp()).into_bytes();
    entry.extend_from_slice(text);
    entry.push(b'\n');
    entry
}

struct Rotating {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    /// Entries that could not be written since the last one that could.
    missing: u64,
}

impl Rotating {
    /// Says in the log how much is missing, before it goes on.
    fn catch_up(&mut self, now: Time) -> io::Result<()> {
        if self.missing > 0 {
            let told = format!("slipway: {} lines of output are missing here\n", self.missing);
            self.write(&entry(now, "stderr", told.as_bytes()))?;
            self.missing = 0;
        }
        Ok(())
    }

    fn write(&mut self, entry: &[u8]) -> io::Result<()> {
        if self.size + entry.len() as u64 > MAX_FILE {
            self.file = None;
            fs::rename(&self.path, older(&self.path))?;
        }
        let written = self.opened()?.write_all(entry);
        if written.is_ok() {
            self.size += entry.len() as u64;
        } else if let Some(file) = self.file.take() {
            // Half an entry would spoil the next one.
            let _ = file.set_len(self.size);
        }
        written
    }

    fn opened(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            self.size = file.metadata()?.len();
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
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
        let log = Log::open(path.clone(), Clock::system(), |why| panic!("{why}"));
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
        let log = Log::open(path.clone(), Clock::system(), |why| panic!("{why}"));
        log.file.lock().unwrap().size = MAX_FILE - 1;
        log.write("stdout", b"new\n");
        assert!(older(&path).exists());
        assert!(fs::read_to_string(&path).unwrap().ends_with("F new\n"));
    }

    #[test]
    fn a_full_disk_loses_lines_and_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path(), 0);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let (told, seen) = std::sync::mpsc::channel();
        let log = Log::open(path.clone(), Clock::system(), move |why| told.send(why.to_owned()).unwrap());
        log.write("stdout", b"one\n");
        log.write("stdout", b"two\n");
        fs::remove_file(&path).unwrap();
        log.write("stdout", b"three\n");
        let seen: Vec<String> = seen.try_iter().collect();
        assert_eq!(seen, ["No space left on device (os error 28)"]);
        let text = fs::read(&path).unwrap();
        let lines: Vec<Line> = text.split(|byte| *byte == b'\n').filter_map(parse).collect();
        let lines: Vec<String> =
            lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect();
        assert_eq!(lines, ["slipway: 2 lines of output are missing here", "three"]);
    }

    #[test]
    fn a_log_is_being_written_while_its_run_goes_on() {
        let writing = Writing::default();
        let run = writing.begin(Path::new("/a/0.log"));
        assert!(writing.has(Path::new("/a/0.log")) && !writing.has(Path::new("/a/1.log")));
        drop(run);
        assert!(!writing.has(Path::new("/a/0.log")));
    }
}
