//! Reading logs as `kubectl logs` asks.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt;
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
    /// The file that `offset` is in, by its number; the same name may mean another one later.
    file: u64,
    left: usize,
    /// The last line went out without its end.
    partial: bool,
}

impl Reading {
    /// Starts to read the log at `path`.
    pub(crate) fn new(path: PathBuf, ask: Ask) -> Self {
        let left = ask.limit.unwrap_or(usize::MAX);
        Self { path, ask, offset: 0, file: 0, left, partial: false }
    }

    /// Returns what is there now, within the limits that were asked for.
    pub(crate) fn first(&mut self) -> io::Result<Vec<u8>> {
        let mut lines = VecDeque::new();
        for path in [older(&self.path), self.path.clone()] {
            let read = entries(&path, 0)?;
            if path == self.path {
                (self.offset, self.file) = (read.end, read.file);
            }
            for entry in read.lines {
                lines.push_back(entry);
                if self.ask.tail.is_some_and(|tail| lines.len() > tail) {
                    lines.pop_front();
                }
            }
        }
        Ok(self.render(lines))
    }

    /// Returns what was written since the last call. Of a log that started over the rest of the older part comes first;
    /// a file that was emptied is read from its beginning.
    pub(crate) fn more(&mut self) -> io::Result<Vec<u8>> {
        let metadata = std::fs::metadata(&self.path).ok();
        let file = metadata.as_ref().map_or(0, MetadataExt::ino);
        let mut lines = Vec::new();
        if file != self.file {
            let rest = entries(&older(&self.path), self.offset)?;
            if rest.file == self.file {
                lines = rest.lines;
            }
            self.offset = 0;
        } else if metadata.is_some_and(|metadata| metadata.len() < self.offset) {
            self.offset = 0;
        }
        let read = entries(&self.path, self.offset)?;
        (self.offset, self.file) = (read.end, read.file);
        lines.extend(read.lines);
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

/// The complete lines of a file from some offset on.
#[derive(Default)]
struct Entries {
    lines: Vec<Vec<u8>>,
    /// Where they end.
    end: u64,
    /// Number of the file, 0 when it is not there.
    file: u64,
}

fn entries(path: &Path, offset: u64) -> io::Result<Entries> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries::default()),
        other => other?,
    };
    let mut read = Entries { lines: Vec::new(), end: offset, file: file.metadata()?.ino() };
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::new(file.take(64 << 20));
    loop {
        let mut line = Vec::new();
        let length = reader.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok(read);
        }
        read.end += length as u64;
        read.lines.push(line);
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

    #[test]
    fn following_loses_nothing_when_the_log_starts_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path());
        let mut reading = Reading::new(path.clone(), Ask { follow: true, ..Ask::default() });
        reading.first().unwrap();
        let line = |text: &str| format!("2026-01-01T00:00:09Z stdout F {text}\n");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, before + &line("last of the old")).unwrap();
        fs::rename(&path, older(&path)).unwrap();
        fs::write(&path, (0..20).map(|number| line(&number.to_string())).collect::<String>()).unwrap();
        let text = String::from_utf8(reading.more().unwrap()).unwrap();
        assert!(text.starts_with("last of the old\n0\n1\n") && text.ends_with("\n19\n"), "{text}");
        assert!(reading.more().unwrap().is_empty());
    }
}
