//! The store against the simplest thing that could be right: a list of whole maps, one per revision.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use store::{Bytes, Change, ChangeKind, Entry, Expect, Limits, Store, StoreError};

const KEYS: [&str; 6] = ["a", "a/1", "a/2", "b/1", "b/1/x", "c"];
const PREFIXES: [&str; 5] = ["", "a", "a/", "b/", "zz"];

#[derive(Clone, Debug)]
enum Op {
    Put(&'static str, Vec<u8>, Want),
    Delete(&'static str, Want),
    Compact(u64),
    Reopen,
}

/// An expectation; `At` counts back from the revision the key is really at, 0 hitting it.
#[derive(Clone, Copy, Debug)]
enum Want {
    Absent,
    Present,
    Any,
    At(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let key = || prop::sample::select(&KEYS[..]);
    let want = || prop_oneof![1 => Just(Want::Absent), 1 => Just(Want::Present), 4 => Just(Want::Any), 2 => (0u64..2).prop_map(Want::At)];
    prop_oneof![
        12 => (key(), vec(any::<u8>(), 0..20), want()).prop_map(|(key, value, want)| Op::Put(key, value, want)),
        5 => (key(), want()).prop_map(|(key, want)| Op::Delete(key, want)),
        1 => (0u64..50).prop_map(Op::Compact),
        1 => Just(Op::Reopen),
    ]
}

type Map = BTreeMap<&'static str, Entry>;

struct Model {
    /// The map at each revision; index 0 is revision 1.
    maps: Vec<Map>,
    changes: Vec<Change>,
    oldest: u64,
}

impl Model {
    fn new() -> Self {
        Self { maps: vec![Map::new()], changes: Vec::new(), oldest: 1 }
    }

    fn revision(&self) -> u64 {
        self.maps.len() as u64
    }

    fn at(&self, revision: u64) -> &Map {
        &self.maps[usize::try_from(revision).unwrap() - 1]
    }

    fn expect(&self, key: &str, want: Want) -> Expect {
        match want {
            Want::Absent => Expect::Absent,
            Want::Present => Expect::Present,
            Want::Any => Expect::Any,
            Want::At(back) => {
                Expect::At(self.at(self.revision()).get(key).map_or(9, |entry| entry.modified) - back)
            }
        }
    }

    /// Returns the word for the refusal, if there is one.
    fn refuses(&self, key: &str, expect: Expect) -> Option<&'static str> {
        let found = self.at(self.revision()).get(key);
        match (expect, found) {
            (Expect::Absent, Some(_)) => Some("Exists"),
            (Expect::Present | Expect::At(_), None) => Some("Missing"),
            (Expect::At(wanted), Some(entry)) if entry.modified != wanted => Some("Conflict"),
            _ => None,
        }
    }

    fn put(&mut self, key: &'static str, value: &[u8], expect: Expect) -> Result<Entry, &'static str> {
        self.refuses(key, expect).map_or(Ok(()), Err)?;
        let mut map = self.at(self.revision()).clone();
        let modified = self.revision() + 1;
        let created = map.get(key).map_or(modified, |old| old.created);
        let entry = Entry { key: key.into(), value: Bytes::copy_from_slice(value), created, modified };
        let previous = map.insert(key, entry.clone());
        let kind = ChangeKind::Put { created: previous.is_none() };
        self.maps.push(map);
        self.changes.push(Change { kind, entry: entry.clone(), previous });
        Ok(entry)
    }

    fn delete(&mut self, key: &'static str, expect: Expect) -> Result<Entry, &'static str> {
        self.refuses(key, expect).map_or(Ok(()), Err)?;
        let mut map = self.at(self.revision()).clone();
        let old = map.remove(key).ok_or("Missing")?;
        let entry = Entry { modified: self.revision() + 1, ..old.clone() };
        self.maps.push(map);
        self.changes.push(Change { kind: ChangeKind::Delete, entry, previous: Some(old.clone()) });
        Ok(old)
    }

    fn page(&self, prefix: &str, after: Option<&str>, at: u64) -> Vec<Entry> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.at(at).range::<str, _>((start, Bound::Unbounded));
        range.filter(|(key, _)| key.starts_with(prefix)).map(|(_, entry)| entry.clone()).collect()
    }
}

fn word(error: &StoreError) -> &'static str {
    match error {
        StoreError::Exists { .. } => "Exists",
        StoreError::Missing { .. } => "Missing",
        StoreError::Conflict { .. } => "Conflict",
        other => panic!("{other}"),
    }
}

/// The store under test; on disk where it has a directory.
struct Subject {
    store: Option<Store>,
    dir: Option<tempfile::TempDir>,
    limits: Limits,
}

impl Subject {
    fn new(disk: bool, limits: Limits) -> Self {
        let dir = disk.then(|| tempfile::tempdir().unwrap());
        let mut subject = Self { store: None, dir, limits };
        subject.reopen();
        subject
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(match &self.dir {
            Some(dir) => Store::open_with(dir.path(), self.limits).unwrap(),
            None => Store::memory_with(self.limits),
        });
    }
}

async fn step(subject: &mut Subject, model: &mut Model, op: Op) {
    match op {
        Op::Put(key, value, want) => {
            let expect = model.expect(key, want);
            let got = subject.store().put(key, value.clone().into(), expect).await;
            assert_eq!(got.map_err(|error| word(&error)), model.put(key, &value, expect));
        }
        Op::Delete(key, want) => {
            let expect = model.expect(key, want);
            let got = subject.store().delete(key, expect).await;
            let wanted = model.delete(key, expect);
            if let Ok(deleted) = &got {
                assert_eq!(deleted.revision, model.revision());
            }
            assert_eq!(got.map(|deleted| deleted.entry).map_err(|error| word(&error)), wanted);
        }
        Op::Compact(up_to) => {
            subject.store().compact(up_to);
            model.oldest = model.oldest.max(up_to.min(model.revision()));
        }
        Op::Reopen if subject.dir.is_some() => {
            subject.reopen();
            model.oldest = model.revision();
        }
        Op::Reopen => {}
    }
    let kept = u64::try_from(subject.limits.history_revisions).unwrap();
    model.oldest = model.oldest.max(model.revision().saturating_sub(kept));
}

fn check(store: &Store, model: &Model) {
    assert_eq!((store.oldest(), store.revision()), (model.oldest, model.revision()));
    for key in KEYS {
        assert_eq!(store.get(key).as_ref(), model.at(model.revision()).get(key));
    }
    for revision in 1..=model.revision() {
        for prefix in PREFIXES {
            snapshot(store, model, prefix, revision);
            watch(store, model, prefix, revision);
        }
    }
}

fn snapshot(store: &Store, model: &Model, prefix: &str, at: u64) {
    let whole = store.range(prefix, None, None, Some(at));
    if at < model.oldest {
        assert!(matches!(whole, Err(StoreError::Compacted { requested, .. }) if requested == at));
        return;
    }
    assert_eq!(whole.unwrap().entries, model.page(prefix, None, at));
    for after in KEYS {
        let page = store.range(prefix, Some(after), Some(1), Some(at)).unwrap();
        let wanted = model.page(prefix, Some(after), at);
        assert_eq!(page.entries, wanted[..wanted.len().min(1)]);
        assert_eq!((page.remaining, page.more), (wanted.len().saturating_sub(1), wanted.len() > 1));
    }
}

fn watch(store: &Store, model: &Model, prefix: &str, from: u64) {
    let watch = store.watch(prefix, from);
    if from < model.oldest {
        assert!(matches!(watch, Err(StoreError::Compacted { requested, .. }) if requested == from));
        return;
    }
    let mut watch = watch.unwrap();
    let mut seen = Vec::new();
    while let Some(change) = watch.try_next() {
        seen.push(change.unwrap());
        assert_eq!(watch.progress(), seen.last().unwrap().revision());
    }
    let wanted = model.changes.iter().filter(|c| c.revision() > from && c.entry.key.starts_with(prefix));
    assert_eq!(seen, wanted.cloned().collect::<Vec<_>>());
    assert_eq!(watch.progress(), model.revision());
}

fn run(disk: bool, history_revisions: usize, ops: Vec<Op>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let limits = Limits { history_revisions, ..Limits::default() };
    let (mut subject, mut model) = (Subject::new(disk, limits), Model::new());
    for op in ops {
        runtime.block_on(step(&mut subject, &mut model, op));
    }
    check(subject.store(), &model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_is_as_the_model(ops in vec(op(), 0..60), history in option::of(1usize..30)) {
        run(false, history.unwrap_or(1000), ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn disk_is_as_the_model(ops in vec(op(), 0..40), history in option::of(1usize..30)) {
        run(true, history.unwrap_or(1000), ops);
    }
}
