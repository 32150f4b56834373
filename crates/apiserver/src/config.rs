//! What an API server is told when it is made.

use std::sync::Arc;
use std::time::Duration;

use object::Object;
use serde_json::{Value, json};

/// Settings of an [`ApiServer`](crate::ApiServer).
#[derive(Clone)]
pub struct Config {
    /// The bearer token that requests over TLS must carry. In process nothing is asked for.
    pub token: String,
    /// What `/version` answers.
    pub version: Value,
    /// How much one request may take.
    pub limits: Limits,
    /// Where a node's logs are found.
    pub node: NodeEndpoint,
    /// What uids and generated names are made from; equal seeds give equal names.
    pub seed: u64,
    /// Whether endpoints may have loopback addresses.
    pub loopback_endpoints: Loopback,
}

/// What becomes of a loopback address in an EndpointSlice or in Endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loopback {
    /// The object is refused, as upstream does.
    #[default]
    Refused,
    /// It is an address like any other: for a cluster whose pods have no others.
    Allowed,
}

/// How much one request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// The largest object in the store, in bytes.
    pub object: usize,
    /// How deep a body may be nested.
    pub depth: usize,
    /// How long a client may take to send a body.
    pub upload: Duration,
    /// How long a watch lasts that does not say.
    pub watch: Duration,
    /// How often a watch that allows bookmarks gets one.
    pub bookmark: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 3 * 1024 * 1024,
            object: 3 * 512 * 1024,
            depth: 100,
            upload: Duration::from_secs(30),
            watch: Duration::from_secs(1800),
            bookmark: Duration::from_secs(60),
        }
    }
}

/// Returns the base URL of a node's kubelet endpoint, such as `http://127.0.0.1:10250`; `None` when it has none.
pub type NodeEndpoint = Arc<dyn Fn(&Object) -> Option<String> + Send + Sync>;

impl Default for Config {
    /// Returns the version of Kubernetes whose answers are given, upstream's limits, an unusable token and a random seed.
    fn default() -> Self {
        Self {
            token: String::new(),
            version: json!({
                "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
                "minCompatibilityMajor": "1", "minCompatibilityMinor": "35", "gitVersion": "v1.36.3",
                "gitCommit": "slipway", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
                "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
            }),
            limits: Limits::default(),
            node: Arc::new(kubelet),
            seed: random_seed(),
            loopback_endpoints: Loopback::Refused,
        }
    }
}

/// The `InternalIP` and the kubelet's port of the node's status, over http.
fn kubelet(node: &Object) -> Option<String> {
    let addresses = node.items(&["status", "addresses"]);
    let internal = addresses.iter().find(|address| address["type"] == "InternalIP")?["address"].as_str()?;
    let port = node.int(&["status", "daemonEndpoints", "kubeletEndpoint", "Port"])?;
    Some(format!("http://{internal}:{port}"))
}

fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
