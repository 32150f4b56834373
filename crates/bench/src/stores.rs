//! Writes and watches of the store.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use store::{Bytes, Expect, Store, StoreError, Watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::figure::Figure;

/// Time for each figure.
const RUN: Duration = Duration::from_secs(2);
/// Bytes of a value: about a Pod's.
const VALUE: usize = 2048;
/// Writes that the watches have to follow at a time: a watch may not fall behind further than the history goes back.
const BURST: u64 = 64;
const PREFIX: &str = "/registry/pods/";

/// Measures a store in memory, and one on the disk that holds this program.
///
/// **Errors:** the store fails.
pub(crate) async fn measure(print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
    // Beside the program: the system's temporary directory need not be on a disk.
    let program = std::env::current_exe()?;
    let dir = tempfile::tempdir_in(program.parent().unwrap_or(Path::new(".")))?;
    let open = |name: String| Store::open(&dir.path().join(name));
    for writers in [1, 16, 256] {
        print(writes("memory", &Store::memory(), writers).await?);
    }
    for writers in [1, 16, 256] {
        print(writes("disk", &open(format!("writes-{writers}"))?, writers).await?);
    }
    for watches in [1, 10, 100] {
        fan_out("memory", Store::memory(), watches, print).await?;
    }
    for watches in [1, 10, 100] {
        fan_out("disk", open(format!("watches-{watches}"))?, watches, print).await?;
    }
    print(lists().await?);
    Ok(())
}

async fn writes(medium: &str, store: &Store, writers: u64) -> anyhow::Result<Figure> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        tasks.spawn(write_until(store.clone(), writer, start + RUN));
    }
    let written = tasks.join_all().await.into_iter().sum::<Result<u64, StoreError>>()?;
    let what = format!("store on {medium}, {writers} writers");
    Ok(Figure::rate(what, written, start.elapsed(), "writes/s"))
}

async fn write_until(store: Store, writer: u64, end: Instant) -> Result<u64, StoreError> {
    let value = Bytes::from(vec![7; VALUE]);
    let mut written = 0;
    while Instant::now() < end {
        store.put(&key(writer * 37 + written), value.clone(), Expect::Any).await?;
        written += 1;
        // A store in memory never waits: let the others have a turn.
        tokio::task::yield_now().await;
    }
    Ok(written)
}

/// Writes in bursts; each waits until all watches have it.
async fn fan_out(
    medium: &str,
    store: Store,
    watches: u64,
    print: &mut dyn FnMut(Figure),
) -> anyhow::Result<()> {
    let seen = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..watches {
        tasks.spawn(count(store.watch(PREFIX, store.revision())?, seen.clone()));
    }
    let (start, mut written) = (Instant::now(), 0);
    while start.elapsed() < RUN {
        burst(&store).await?;
        written += BURST;
        while seen.load(Ordering::Relaxed) < written * watches {
            tokio::task::yield_now().await;
        }
    }
    let took = start.elapsed();
    drop(store);
    tasks.join_all().await.into_iter().collect::<Result<(), StoreError>>()?;
    let what = format!("store on {medium}, {watches} watches");
    print(Figure::rate(format!("{what}: seen by all"), written, took, "writes/s"));
    print(Figure::rate(format!("{what}: delivered"), written * watches, took, "events/s"));
    Ok(())
}

async fn count(mut watch: Watch, seen: Arc<AtomicU64>) -> Result<(), StoreError> {
    while let Some(change) = watch.next().await {
        change?;
        seen.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Writes side by side, so that a disk can take them together.
async fn burst(store: &Store) -> Result<(), StoreError> {
    let mut writes = JoinSet::new();
    for number in 0..BURST {
        let store = store.clone();
        writes.spawn(
            async move { store.put(&key(number), vec![7; VALUE].into(), Expect::Any).await.map(drop) },
        );
    }
    writes.join_all().await.into_iter().collect()
}

async fn lists() -> anyhow::Result<Figure> {
    let store = Store::memory();
    for number in 0..10_000 {
        store.put(&format!("{PREFIX}default/{number:05}"), vec![7; VALUE].into(), Expect::Any).await?;
    }
    let (start, mut listed) = (Instant::now(), 0);
    while start.elapsed() < RUN {
        listed += u64::try_from(store.range(PREFIX, None, Some(500), None)?.entries.len())?;
    }
    Ok(Figure::rate("store, pages of 500 of 10,000", listed, start.elapsed(), "entries/s"))
}

fn key(number: u64) -> String {
    format!("{PREFIX}default/{:03}", number % 1000)
}
