//! Opening a directory: again, twice, and when what is there is not a store.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use store::{Bytes, Expect, Store, StoreError};

async fn put(store: &Store, key: &str, value: &'static str) -> u64 {
    store.put(key, Bytes::from_static(value.as_bytes()), Expect::Any).await.unwrap().modified
}

#[tokio::test]
async fn data_and_revision_come_back_and_history_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    put(&store, "a", "1").await;
    put(&store, "b", "1").await;
    put(&store, "a", "2").await;
    store.delete("b", Expect::Any).await.unwrap();
    let before = store.range("", None, None, None).unwrap();
    drop(store);

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.range("", None, None, None).unwrap(), before);
    assert_eq!((store.oldest(), store.revision()), (5, 5), "the delete's revision is not given again");
    assert!(matches!(store.watch("", 4), Err(StoreError::Compacted { requested: 4, oldest: 5 })));
    let mut watch = store.watch("", 5).unwrap();
    assert_eq!(put(&store, "b", "3").await, 6);
    assert_eq!(watch.next().await.unwrap().unwrap().revision(), 6);
    assert_eq!(store.get("b").unwrap().created, 6);
}

#[tokio::test]
async fn one_directory_one_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let second = Store::open(dir.path()).unwrap_err();
    let (path, pid) = (dir.path().display(), std::process::id());
    let text = format!("the store in {path} is in use by another process (pid {pid})");
    assert_eq!(second.to_string(), text);
    put(&store, "a", "1").await;
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().revision(), 2);
}

#[tokio::test]
async fn queued_writes_are_finished_before_the_store_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut write = Box::pin(store.put("a", Bytes::from_static(b"1"), Expect::Any));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(write.as_mut().poll(&mut context).is_pending());
    drop(write);
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().get("a").unwrap().value, "1");
}

#[test]
fn what_a_crash_left_of_a_new_store_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("data.redb.draft"), "half a file").unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().revision(), 1);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data.redb");
    std::fs::write(&file, "not a database").unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Io(_)), "{error:?}");
    assert!(error.to_string().starts_with("cannot open the store: "), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"not a database");
}

#[test]
fn a_path_that_is_no_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(&file).unwrap_err();
    assert!(error.to_string().starts_with("cannot open the store's directory: "), "{error}");
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}
