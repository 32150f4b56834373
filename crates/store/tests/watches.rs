//! Watches: nothing lost, nothing out of order, nobody held up.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use store::{Bytes, Change, ChangeKind, Expect, Limits, Store, StoreError, Watch};

/// Returns what `next` gives without waiting.
fn poll(watch: &mut Watch) -> Poll<Option<Result<Change, StoreError>>> {
    pin!(watch.next()).poll(&mut Context::from_waker(Waker::noop()))
}

fn revisions(watch: &mut Watch) -> Vec<u64> {
    let mut seen = Vec::new();
    while let Poll::Ready(Some(change)) = poll(watch) {
        seen.push(change.unwrap().revision());
    }
    seen
}

async fn put(store: &Store, key: &str, value: &'static str) {
    store.put(key, Bytes::from_static(value.as_bytes()), Expect::Any).await.unwrap();
}

#[tokio::test]
async fn a_watch_tells_what_changed_and_what_was_before() {
    let store = Store::memory();
    let mut watch = store.watch("a/", 1).unwrap();
    put(&store, "a/x", "1").await;
    put(&store, "b/x", "1").await;
    put(&store, "a/x", "2").await;
    store.delete("a/x", Expect::Any).await.unwrap();

    let created = watch.next().await.unwrap().unwrap();
    assert_eq!(created.kind, ChangeKind::Put { created: true });
    assert_eq!((created.revision(), created.previous.clone()), (2, None));
    let updated = watch.next().await.unwrap().unwrap();
    assert_eq!(updated.kind, ChangeKind::Put { created: false });
    assert_eq!((updated.entry.created, updated.entry.modified), (2, 4));
    assert_eq!(updated.previous, Some(created.entry));
    let deleted = watch.next().await.unwrap().unwrap();
    assert_eq!(deleted.kind, ChangeKind::Delete);
    assert_eq!((&*deleted.entry.value, deleted.entry.created, deleted.entry.modified), (&b"2"[..], 2, 5));
    assert_eq!(deleted.previous, Some(updated.entry));
    assert!(poll(&mut watch).is_pending());
}

#[tokio::test]
async fn a_watch_starts_at_any_revision_and_goes_on_live() {
    let dir = tempfile::tempdir().unwrap();
    for store in [Store::memory(), Store::open(dir.path()).unwrap()] {
        for _ in 0..200 {
            put(&store, "k", "1").await;
        }
        let mut watches: Vec<Watch> = (1..=201).map(|from| store.watch("k", from).unwrap()).collect();
        put(&store, "k", "2").await;
        for (watch, from) in watches.iter_mut().zip(1u64..) {
            assert_eq!(revisions(watch), (from + 1..=202).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn a_waiting_watch_is_woken() {
    let dir = tempfile::tempdir().unwrap();
    for store in [Store::memory(), Store::open(dir.path()).unwrap()] {
        let mut watch = store.watch("", 1).unwrap();
        let waiting = tokio::task::JoinSet::from_iter([async move { watch.next().await }]);
        tokio::task::yield_now().await;
        put(&store, "k", "1").await;
        assert_eq!(waiting.join_all().await[0].clone().unwrap().unwrap().revision(), 2);
    }
}

#[tokio::test]
async fn progress_never_runs_ahead_of_what_was_delivered() {
    let store = Store::memory();
    let mut watch = store.watch("a/", 1).unwrap();
    for key in ["a/1", "a/2", "b/1", "b/2"] {
        put(&store, key, "1").await;
    }
    assert_eq!(watch.progress(), 1);
    assert!(poll(&mut watch).is_ready());
    assert_eq!(watch.progress(), 2);
    assert!(poll(&mut watch).is_ready());
    assert_eq!(watch.progress(), 3);
    assert!(poll(&mut watch).is_pending());
    assert_eq!(watch.progress(), 5, "changes under other prefixes count as delivered");
}

#[tokio::test]
async fn bounds_of_the_history_are_told() {
    let store = Store::memory();
    for _ in 0..9 {
        put(&store, "k", "1").await;
    }
    store.compact(6);
    assert_eq!((store.oldest(), store.revision()), (6, 10));
    assert_eq!(revisions(&mut store.watch("", 6).unwrap()), [7, 8, 9, 10]);
    let texts = [
        store.watch("", 5).unwrap_err().to_string(),
        store.range("", None, None, Some(5)).unwrap_err().to_string(),
        store.watch("", 11).unwrap_err().to_string(),
        store.range("", None, None, Some(11)).unwrap_err().to_string(),
    ];
    let old = "revision 5 has been compacted, the oldest kept is 6";
    let new = "revision 11 is in the future, the store is at 10";
    assert_eq!(texts, [old, old, new, new]);
    store.compact(3);
    assert_eq!(store.oldest(), 6, "compaction never goes back");
    store.compact(99);
    assert_eq!(store.oldest(), 10);
}

#[tokio::test]
async fn a_watch_that_was_overtaken_by_compaction_says_so_and_ends() {
    let limits = Limits { history_revisions: 100, ..Limits::default() };
    let store = Store::memory_with(limits);
    let mut watch = store.watch("", 1).unwrap();
    for _ in 0..500 {
        put(&store, "k", "1").await;
    }
    assert_eq!((store.oldest(), store.revision()), (401, 501));
    let Poll::Ready(Some(Err(error))) = poll(&mut watch) else { panic!("events were lost in silence") };
    assert!(matches!(error, StoreError::Compacted { requested: 1, oldest: 401 }), "{error}");
    assert!(matches!(poll(&mut watch), Poll::Ready(None)));
}

#[tokio::test]
async fn history_is_bounded_in_bytes() {
    let limits = Limits { history_bytes: 1 << 20, ..Limits::default() };
    let store = Store::memory_with(limits);
    for _ in 0..100 {
        store.put("k", vec![7; 100 << 10].into(), Expect::Any).await.unwrap();
    }
    let kept = store.revision() - store.oldest();
    assert!((5..=10).contains(&kept), "{kept} values of 100 KiB kept in 1 MiB");
}

#[tokio::test]
async fn watches_end_with_the_store_after_delivering_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    for store in [Store::memory(), Store::open(dir.path()).unwrap()] {
        let mut watch = store.watch("", 1).unwrap();
        put(&store, "k", "1").await;
        drop(store);
        assert_eq!(watch.next().await.unwrap().unwrap().revision(), 2);
        assert!(watch.next().await.is_none());
    }
}

/// With many writers and watches at once, on many threads, each watch sees each revision once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_under_load() {
    let dir = tempfile::tempdir().unwrap();
    for store in [Store::memory(), Store::open(dir.path()).unwrap()] {
        let mut watches = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let mut watch = store.watch("", 1).unwrap();
            watches.spawn(async move {
                for revision in 2..=801 {
                    assert_eq!(watch.next().await.unwrap().unwrap().revision(), revision);
                }
            });
        }
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4 {
            let store = store.clone();
            writers.spawn(async move {
                for _ in 0..200 {
                    put(&store, &format!("k{writer}"), "1").await;
                    tokio::task::yield_now().await;
                }
            });
        }
        writers.join_all().await;
        watches.join_all().await;
    }
}

/// Which of many waiting watches goes on first is the same each time: simulations rely on it.
#[tokio::test(start_paused = true)]
async fn watches_wake_in_the_order_in_which_they_wait() {
    let store = Store::memory();
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut watches = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (mut watch, order) = (store.watch("", 1).unwrap(), order.clone());
        watches.spawn(async move {
            watch.next().await.unwrap().unwrap();
            order.lock().unwrap().push(number);
        });
    }
    tokio::task::yield_now().await;
    put(&store, "k", "1").await;
    watches.join_all().await;
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
}
