//! A node: runs the pods that are bound to it, as real processes or by rules, and reports on them.
//!
//! It speaks only the Kubernetes API, so it joins the embedded cluster and a real control plane alike. There is no
//! isolation: containers are plain processes of the user who runs the node, each pod with a loopback address of its
//! own. What a container runtime would give through mount namespaces is given through the environment instead:
//!
//! - `SLIPWAY_POD_IP`: the pod's address, which servers should bind;
//! - `SLIPWAY_ROOTFS`: a directory that holds the container's mounts, each at its `mountPath`;
//! - `SLIPWAY_VOLUME_<NAME>`: the directory of a volume (`-` and `.` in the name become `_`).
//!
//! Never used for work that must be kept apart. Start at [`Node::run`].

mod address;
mod backoff;
mod claim;
mod config;
mod container;
mod environment;
mod events;
pub mod images;
mod kubelet;
mod log;
mod node;
mod pod;
mod pods;
mod probe;
mod process;
mod register;
mod simulate;
mod status;
mod volumes;

pub use claim::Claim;
pub use config::{NodeConfig, Pods};
pub use images::ImageStore;
pub use node::{Node, NodeError};
pub use simulate::{Rule, Rules, RulesError};
