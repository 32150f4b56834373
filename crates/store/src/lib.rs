//! An embedded multi-version key-value store in the style of etcd: the state of the dev cluster.
//!
//! One revision counter covers all keys and grows by exactly one with each write. The latest value of each key,
//! plus a bounded history of changes, are held in memory; a store opened on a directory also keeps the latest values
//! on disk and acknowledges a write only once it is there. Snapshots of past revisions and watches are answered
//! from the history.
//!
//! It must never: acknowledge a write that is not yet durable, show a write that may still fail, hand out a revision
//! twice, drop an event in silence (a watch that fell behind ends with [`StoreError::Compacted`]), read a clock, or
//! know anything of Kubernetes.
//!
//! List, then watch on from there; nothing between the two is missed:
//!
//! ```
//! use store::{Bytes, Expect, Store, StoreError};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), StoreError> {
//! let store = Store::memory();
//! store.put("pods/a", Bytes::from("1"), Expect::Absent).await?;
//! let page = store.range("pods/", None, Some(500), None)?;
//! let mut watch = store.watch("pods/", page.revision)?;
//! let entry = &page.entries[0];
//! store.put("pods/a", Bytes::from("2"), Expect::At(entry.modified)).await?;
//! let change = watch.next().await.expect("the store is open")?;
//! assert_eq!((&change.entry.value[..], change.previous.as_ref()), (&b"2"[..], Some(entry)));
//! # Ok(())
//! # }
//! ```
//!
//! Start reading at [`Store`]; then `batch.rs` (what a write decides), `state.rs` (what readers see), `writer.rs`
//! (group commit) and `disk.rs` (what survives).

mod batch;
mod directory;
mod disk;
mod entry;
mod error;
mod history;
mod limits;
mod shared;
mod state;
mod store;
mod watch;
mod writer;

pub use bytes::Bytes;
pub use entry::{Change, ChangeKind, Deleted, Entry, Expect, Page, Revision};
pub use error::{IoFailure, StoreError};
pub use limits::Limits;
pub use store::Store;
pub use watch::Watch;
