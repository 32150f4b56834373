//! The thin shell around the pure crates: time, tasks, the Kubernetes client, watch caches and work queues.
//!
//! Everything that waits, spawns or talks goes through here, so that the same controllers run in production, in one
//! process with the embedded cluster, and under virtual time. Nothing here decides anything about a Rollout or an
//! Application. Start at [`Controller`] and [`Cluster`].

mod activity;
mod admission;
mod cache;
mod clock;
mod cluster;
mod controller;
mod discovery;
mod error;
mod events;
pub mod http;
mod leader;
mod queue;
mod resource;
pub mod shards;
mod tally;
mod tasks;
mod watches;

pub use activity::{Activity, BOUNDS, Durations, Ending, Passes, Work};
pub use admission::{Admission, Bounds, Lane};
pub use cache::{Cache, Change, IndexBy, Kept, Subscription};
pub use clock::{Clock, Skew};
pub use cluster::{
    Cluster, ClusterError, Connection, Deletion, Eviction, FieldValidation, Patch, Propagation, Selection,
    Subresource,
};
pub use controller::{Controller, Failure, Next, Reconcile, controller_keys};
pub use discovery::Discovery;
pub use error::ApiError;
pub use events::{EventType, Recorder};
pub use leader::{Leadership, LeadershipConfig};
pub use queue::{Order, Queue};
pub use resource::{Resource, resources};
pub use shards::{ShardConfig, Shards};
pub use tally::{EventKind, RequestKind, Tally};
pub use tasks::Tasks;
pub use watches::Watches;
