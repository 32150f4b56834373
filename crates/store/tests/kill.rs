//! `kill -9` at any moment: what was acknowledged is there, and nothing is there that was not asked for.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use store::{Bytes, Expect, Store};

const DIR: &str = "SLIPWAY_TEST_STORE_DIR";
const ROUND: &str = "SLIPWAY_TEST_STORE_ROUND";
const WRITERS: usize = 4;

/// The process that gets killed: `WRITERS` tasks put and delete without end and print what was acknowledged.
#[test]
#[ignore = "run as a child process by the test below"]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(Path::new(&dir)).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            tasks.spawn(write_forever(store.clone(), format!("{round}/{writer}")));
        }
        tasks.join_all().await;
    });
}

async fn write_forever(store: Store, prefix: String) {
    for number in 0u64.. {
        let key = format!("{prefix}/{number}");
        let value = Bytes::from(key.repeat(1 + usize::try_from(number % 50).unwrap()));
        let entry = store.put(&key, value, Expect::Absent).await.unwrap();
        println!("\nput {key} {}", entry.modified);
        if number % 3 == 2 {
            println!("\ndeleting {key} 0");
            let deleted = store.delete(&key, Expect::At(entry.modified)).await.unwrap();
            println!("\ndeleted {key} {}", deleted.revision);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Known {
    Put(u64),
    Deleting(u64),
    Deleted,
}

/// What the child had told when it died.
#[derive(Default)]
struct Told {
    keys: BTreeMap<String, Known>,
    revision: u64,
}

impl Told {
    fn hear(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split(' ').collect();
        let [verb @ ("put" | "deleting" | "deleted"), key, revision] = words[..] else { return false };
        let revision: u64 = revision.parse().unwrap();
        self.revision = self.revision.max(revision);
        let known = match (verb, self.keys.get(key)) {
            ("put", _) => Known::Put(revision),
            ("deleting", Some(Known::Put(put))) => Known::Deleting(*put),
            _ => Known::Deleted,
        };
        self.keys.insert(key.into(), known);
        true
    }
}

fn spawn(dir: &Path, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the child once it has told `lines` lines; returns all it told until it was dead.
fn kill_after(lines: usize, mut child: Child) -> Told {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut told = Told::default();
    let mut heard = 0;
    let mut line = String::new();
    while heard < lines {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child ended by itself");
        heard += usize::from(told.hear(line.trim_end()));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    // What follows the last line end was cut off by the kill.
    let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        told.hear(line);
    }
    told
}

fn check(store: &Store, round: usize, told: &Told) {
    assert!(store.revision() >= told.revision, "the revision went back");
    for (key, known) in &told.keys {
        let found = store.get(key).map(|entry| entry.modified);
        match known {
            Known::Put(put) => assert_eq!(found, Some(*put), "{key} was acknowledged"),
            Known::Deleting(put) => assert!(found.is_none() || found == Some(*put), "{key}: {found:?}"),
            Known::Deleted => assert_eq!(found, None, "the delete of {key} was acknowledged"),
        }
    }
    let page = store.range(&format!("{round}/"), None, None, None).unwrap();
    let untold = page.entries.iter().filter(|entry| !told.keys.contains_key(&*entry.key)).count();
    assert!(untold <= WRITERS, "{untold} keys that were not yet asked for");
    for entry in page.entries {
        assert!(entry.value.starts_with(entry.key.as_bytes()) && entry.value.len() % entry.key.len() == 0);
    }
}

#[test]
fn kill_nine_loses_no_acknowledged_write() {
    let dir = tempfile::tempdir().unwrap();
    let mut revision = 0;
    for (round, lines) in [1, 2, 3, 5, 8, 13, 40, 77, 150, 301].into_iter().enumerate() {
        let told = kill_after(lines, spawn(dir.path(), round));
        let store = Store::open(dir.path()).unwrap();
        check(&store, round, &told);
        assert!(store.revision() > revision, "each round wrote");
        revision = store.revision();
    }
}
