//! Prints how much the store does in a second: `cargo run --release -p store --example throughput`.
#![expect(clippy::disallowed_methods, reason = "measures real time")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use store::{Bytes, Expect, Store, Watch};
use tokio::task::JoinSet;

const RUN: Duration = Duration::from_secs(2);
/// About a Pod's size.
const VALUE: usize = 2048;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Outcome<()> {
    println!("values of {VALUE} bytes over 1,000 keys, {} s each", RUN.as_secs());
    for writers in [1, 16, 256] {
        writes("memory", &Store::memory(), writers).await?;
    }
    // Beside the program: the system's temporary directory need not be on a disk.
    let program = std::env::current_exe()?;
    let dir = tempfile::tempdir_in(program.parent().unwrap_or(Path::new(".")))?;
    for writers in [1, 16, 256] {
        writes("disk", &Store::open(&dir.path().join(writers.to_string()))?, writers).await?;
    }
    for watches in [1, 10, 100] {
        fan_out(watches).await?;
    }
    lists().await
}

async fn writes(name: &str, store: &Store, writers: usize) -> Outcome<()> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        tasks.spawn(write_until(store.clone(), writer, start + RUN));
    }
    let written = tasks.join_all().await.into_iter().sum::<Outcome<u32>>()?;
    let rate = f64::from(written) / start.elapsed().as_secs_f64();
    println!("{name:>7}  {writers:>4} writers  {rate:>10.0} writes/s");
    Ok(())
}

async fn write_until(store: Store, writer: usize, end: Instant) -> Outcome<u32> {
    let value = Bytes::from(vec![7; VALUE]);
    let mut written = 0;
    while Instant::now() < end {
        let key = format!("/registry/pods/default/{:03}", (writer * 37 + written as usize) % 1000);
        store.put(&key, value.clone(), Expect::Any).await?;
        written += 1;
        // A store in memory never waits: let the others have a turn.
        tokio::task::yield_now().await;
    }
    Ok(written)
}

/// Writes while `watches` watch all of it; each burst of writes waits until all watches have it.
async fn fan_out(watches: usize) -> Outcome<()> {
    let store = Store::memory();
    let seen = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..watches {
        let watch = store.watch("/registry/pods/", store.revision())?;
        tasks.spawn(count(watch, seen.clone()));
    }
    let start = Instant::now();
    let mut written = 0;
    while start.elapsed() < RUN {
        written += burst(&store).await?;
        while seen.load(Ordering::Relaxed) < written * watches {
            tokio::task::yield_now().await;
        }
    }
    drop(store);
    tasks.join_all().await.into_iter().collect::<Outcome<()>>()?;
    let per_second = |count| Outcome::Ok(f64::from(u32::try_from(count)?) / RUN.as_secs_f64());
    let (writes, events) = (per_second(written)?, per_second(written * watches)?);
    println!("fan-out  {watches:>4} watches  {writes:>10.0} writes/s  {events:>10.0} events/s");
    Ok(())
}

async fn count(mut watch: Watch, seen: Arc<AtomicUsize>) -> Outcome<()> {
    while let Some(change) = watch.next().await {
        change?;
        seen.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn burst(store: &Store) -> Outcome<usize> {
    for key in 0..64 {
        store.put(&format!("/registry/pods/default/{key}"), vec![7; VALUE].into(), Expect::Any).await?;
    }
    Ok(64)
}

async fn lists() -> Outcome<()> {
    let store = Store::memory();
    for key in 0..10_000 {
        store.put(&format!("/registry/pods/default/{key:05}"), vec![7; VALUE].into(), Expect::Any).await?;
    }
    let start = Instant::now();
    let mut listed = 0u32;
    while start.elapsed() < RUN {
        listed += u32::try_from(store.range("/registry/pods/", None, Some(500), None)?.entries.len())?;
    }
    println!("  lists  500 of 10,000  {:>10.0} entries/s", f64::from(listed) / start.elapsed().as_secs_f64());
    Ok(())
}
