//! What a write needs and leaves, the same in memory and on disk.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::time::Duration;

use store::{Bytes, Deleted, Entry, Expect, Limits, Store, StoreError};

fn stores() -> (tempfile::TempDir, Vec<Store>) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Store::open(dir.path()).unwrap();
    (dir, vec![Store::memory(), disk])
}

fn entry(key: &str, value: &'static str, created: u64, modified: u64) -> Entry {
    Entry { key: key.into(), value: Bytes::from_static(value.as_bytes()), created, modified }
}

async fn put(store: &Store, key: &str, value: &'static str, expect: Expect) -> Result<Entry, StoreError> {
    store.put(key, Bytes::from_static(value.as_bytes()), expect).await
}

#[tokio::test]
async fn a_new_store_is_at_revision_one() {
    let (_dir, stores) = stores();
    for store in stores {
        assert_eq!((store.oldest(), store.revision()), (1, 1));
        let page = store.range("", None, None, None).unwrap();
        assert_eq!((page.entries.len(), page.revision, page.more, page.remaining), (0, 1, false, 0));
    }
}

#[tokio::test]
async fn each_write_takes_one_revision_and_each_refusal_none() {
    let (_dir, stores) = stores();
    for store in stores {
        assert_eq!(put(&store, "a", "1", Expect::Absent).await.unwrap(), entry("a", "1", 2, 2));
        assert_eq!(put(&store, "a", "2", Expect::At(2)).await.unwrap(), entry("a", "2", 2, 3));
        assert_eq!(put(&store, "a", "3", Expect::Present).await.unwrap(), entry("a", "3", 2, 4));

        let refused = [
            put(&store, "a", "x", Expect::Absent).await.unwrap_err(),
            put(&store, "a", "x", Expect::At(3)).await.unwrap_err(),
            put(&store, "b", "x", Expect::Present).await.unwrap_err(),
            put(&store, "b", "x", Expect::At(4)).await.unwrap_err(),
            store.delete("a", Expect::At(3)).await.unwrap_err(),
            store.delete("b", Expect::Any).await.unwrap_err(),
            store.delete("b", Expect::Absent).await.unwrap_err(),
            store.delete("a", Expect::Absent).await.unwrap_err(),
        ];
        let texts: Vec<String> = refused.iter().map(ToString::to_string).collect();
        let conflict = "key \"a\" was expected at revision 3 but is at 4";
        let (exists, missing) = ("key \"a\" already exists", "key \"b\" does not exist");
        assert_eq!(texts, [exists, conflict, missing, missing, conflict, missing, missing, exists]);
        assert_eq!(store.revision(), 4);

        let gone = store.delete("a", Expect::At(4)).await.unwrap();
        assert_eq!(gone, Deleted { entry: entry("a", "3", 2, 4), revision: 5 });
        assert_eq!(store.get("a"), None);
        assert_eq!(put(&store, "a", "4", Expect::Any).await.unwrap(), entry("a", "4", 6, 6));
    }
}

#[tokio::test]
async fn pages_are_of_one_snapshot() {
    let (_dir, stores) = stores();
    for store in stores {
        for key in ["p/a", "p/b", "p/c", "p/d", "q/a"] {
            put(&store, key, "1", Expect::Any).await.unwrap();
        }
        let first = store.range("p/", None, Some(2), None).unwrap();
        assert_eq!((first.revision, first.more, first.remaining), (6, true, 2));
        store.delete("p/c", Expect::Any).await.unwrap();
        put(&store, "p/bb", "1", Expect::Any).await.unwrap();
        put(&store, "p/d", "2", Expect::Any).await.unwrap();
        let after = first.entries.last().unwrap().key.clone();
        let second = store.range("p/", Some(&after), Some(2), Some(first.revision)).unwrap();
        assert_eq!(second.entries, [entry("p/c", "1", 4, 4), entry("p/d", "1", 5, 5)]);
        assert_eq!((second.revision, second.more, second.remaining), (6, false, 0));
    }
}

#[tokio::test]
async fn a_page_may_start_anywhere() {
    let store = Store::memory();
    for key in ["a", "p/a", "p/b", "q"] {
        put(&store, key, "1", Expect::Any).await.unwrap();
    }
    let keys = |after, limit| {
        let page = store.range("p/", after, limit, None).unwrap();
        (page.entries.iter().map(|entry| entry.key.to_string()).collect::<Vec<_>>(), page.remaining)
    };
    let all = || vec!["p/a".to_owned(), "p/b".to_owned()];
    assert_eq!(keys(Some("a"), None), (all(), 0));
    assert_eq!(keys(Some("p/"), None), (all(), 0));
    assert_eq!(keys(Some("p/a"), None), (vec!["p/b".to_owned()], 0));
    assert_eq!(keys(Some("q"), None), (Vec::new(), 0));
    assert_eq!(keys(None, Some(0)), (Vec::new(), 2));
}

#[tokio::test]
async fn too_large_keys_and_values_are_refused() {
    let limits = Limits { key_bytes: 8, value_bytes: 4, ..Limits::default() };
    let store = Store::memory_with(limits);
    put(&store, "12345678", "1234", Expect::Any).await.unwrap();
    let key = put(&store, "123456789", "", Expect::Any).await.unwrap_err();
    assert_eq!(key.to_string(), "the key of key \"123456789\" has 9 bytes, more than the 8 allowed");
    let value = put(&store, "k", "12345", Expect::Any).await.unwrap_err();
    assert_eq!(value.to_string(), "the value of key \"k\" has 5 bytes, more than the 4 allowed");
    assert_eq!(store.revision(), 2);
}

/// Many writers read, add one and write back what they read: with conflicts retried, no addition may be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_lose_no_update() {
    let (_dir, stores) = stores();
    for store in stores {
        put(&store, "n", "0", Expect::Absent).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        (0..8).for_each(|_| drop(tasks.spawn(add(store.clone(), 25))));
        let conflicts: usize = tasks.join_all().await.into_iter().sum();
        assert_eq!(store.get("n").unwrap().value, "200");
        assert_eq!(store.revision(), 2 + 200, "{conflicts} conflicts took no revision");
    }
}

async fn add(store: Store, times: usize) -> usize {
    let mut conflicts = 0;
    let mut done = 0;
    while done < times {
        let found = store.get("n").unwrap();
        let number: u32 = std::str::from_utf8(&found.value).unwrap().parse().unwrap();
        tokio::task::yield_now().await;
        match store.put("n", (number + 1).to_string().into(), Expect::At(found.modified)).await {
            Ok(_) => done += 1,
            Err(StoreError::Conflict { .. }) => conflicts += 1,
            Err(other) => panic!("{other}"),
        }
    }
    conflicts
}

/// Writes that wait together are decided in order, one on top of the other.
#[tokio::test]
async fn of_many_creators_one_wins() {
    let (_dir, stores) = stores();
    for store in stores {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let store = store.clone();
            tasks.spawn(async move { put(&store, "k", "1", Expect::Absent).await });
        }
        let answers = tasks.join_all().await;
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        let lost = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Exists { .. }))).count();
        assert_eq!((won, lost, store.revision()), (1, 49, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_memory_store_writes_without_waiting() {
    let store = Store::memory();
    let write = put(&store, "a", "1", Expect::Any);
    let written = tokio::time::timeout(Duration::ZERO, write).await;
    assert_eq!(written.unwrap().unwrap().modified, 2);
}
