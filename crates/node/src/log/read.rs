//! Reading logs as `kubectl logs` asks.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use object::Time;

use super::{older, parse};

/// What part of a log is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Only this many last lines.
    pub tail: Option<usize>,
    /// Only lines from this time on.
    pub since: Option<Time>,
    /// Only this many bytes.
    pub limit: Option<usize>,
    /// Each line with its time.
    pub timestamps: bool,
    /// Go on with what is written later.
    pub follow: bool,
    /// The run before the present one.
    pub previous: bool,
}

/// Wait before a followed file is looked at again.
pub(crate) const POLL: Duration = Duration::from_millis(100);

/// A log that is being read.
pub(crate) struct Reading {
    path: PathBuf,
    ask: Ask,
    offset: u64,
    left: usize,
    /// The last line went out without its end.
    partial: bool,
}

impl Reading {
    /// Starts to read the log at `path`.
    pub(crate) fn new(path: PathBuf, ask: Ask) -> Self {
        let left = ask.limit.unwrap_or(usize::MAX);
        Self { path, ask, offset: 0, left, partial: false }
    }

    /// Returns what is there now, within the limits that were asked for.
    pub(crate) fn first(&mut self) -> io::Result<Vec<u8>> {
        let mut lines = VecDeque::new();
        for path in [older(&self.path), self.path.clone()] {
            let is_current = path == self.path;
            let read = entries(&path, 0)?;
            if is_current {
                self.offset = read.1;
            }
            for entry in read.0 {
                lines.push_back(entry);
                if self.ask.tail.is_some_and(|tail| lines.len() > tail) {
                    lines.pop_front();
                }
            }
        }
        Ok(self.render(lines))
    }

    /// Returns what was written since the last call; a file that started over is read from its beginning.
    pub(crate) fn more(&mut self) -> io::Result<Vec<u8>> {
        let size = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if size < self.offset {
            self.offset = 0;
        }
        let (lines, offset) = entries(&self.path, self.offset)?;
        self.offset = offset;
        Ok(self.render(lines))
    }

    /// Returns true when all that was asked for has been given.
    pub(crate) fn is_full(&self) -> bool {
        self.left == 0
    }

    fn render(&mut self, entries: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut out = Vec::new();
        for line in entries.into_iter().filter_map(|entry| parse(&entry)) {
            if self.ask.since.is_some_and(|since| line.time < since) {
                continue;
            }
            if self.ask.timestamps && !self.partial {
                out.extend_from_slice(line.stamp.as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(&line.text);
            if line.full {
                out.push(b'\n');
            }
            self.partial = !line.full;
        }
        out.truncate(self.left);
        self.left -= out.len();
        out
    }
}

/// Returns the complete lines of a file from `offset` on, and where they end. A file that is not there has none.
fn entries(path: &Path, offset: u64) -> io::Result<(Vec<Vec<u8>>, u64)> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        other => other?,
    };
    file.seek(SeekFrom::Start(offset))?;
    let (mut reader, mut lines, mut end) = (BufReader::new(file.take(64 << 20)), Vec::new(), offset);
    loop {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok((lines, end));
        }
        end += read as u64;
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(dir: &Path) -> PathBuf {
        let path = dir.join("0.log");
        let line = |second: u32, tag: char, text: &str| {
            format!("2026-01-01T00:00:0{second}.0Z stdout {tag} {text}\n")
        };
        fs::write(
            &path,
            [line(1, 'F', "one"), line(2, 'P', "two-"), line(2, 'F', "two"), line(3, 'F', "three")].concat(),
        )
        .unwrap();
        path
    }

    fn read(ask: Ask) -> String {
        let dir = tempfile::tempdir().unwrap();
        String::from_utf8(Reading::new(file(dir.path()), ask).first().unwrap()).unwrap()
    }

    #[test]
    fn parts() {
        assert_eq!(read(Ask::default()), "one\ntwo-two\nthree\n");
        assert_eq!(read(Ask { tail: Some(1), ..Ask::default() }), "three\n");
        assert_eq!(read(Ask { limit: Some(5), ..Ask::default() }), "one\nt");
        let since = Time::parse("2026-01-01T00:00:03Z").ok();
        assert_eq!(read(Ask { since, timestamps: true, ..Ask::default() }), "2026-01-01T00:00:03.0Z three\n");
    }

    #[test]
    fn following_sees_only_what_is_new_even_when_the_file_starts_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path());
        let mut reading = Reading::new(path.clone(), Ask { follow: true, ..Ask::default() });
        reading.first().unwrap();
        assert!(reading.more().unwrap().is_empty());
        fs::write(&path, "2026-01-01T00:00:09Z stdout F new\n2026-01-01T00:00:09Z stdout F hal").unwrap();
        assert_eq!(reading.more().unwrap(), b"new\n");
    }
}
