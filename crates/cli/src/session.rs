//! [`Session`]: what a command works with.

use std::io::Write;
use std::path::PathBuf;

use runtime::{Clock, Cluster, ClusterError};

/// Exit code of a command, as the existing tools use them: 0 success, 1 error, 20 for argocd's fatal errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Success.
    pub const OK: Self = Self(0);
    /// Failure.
    pub const FAILED: Self = Self(1);
}

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI colours.
    On,
    /// Plain text.
    Off,
}

/// The world of one command: where it writes, what time it is, which cluster it talks to.
pub struct Session {
    /// Data.
    pub out: Box<dyn Write + Send>,
    /// Talk: errors, warnings, progress.
    pub err: Box<dyn Write + Send>,
    /// The clock.
    pub clock: Clock,
    /// Whether `out` is a terminal that shows colours; `NO_COLOR` and `TERM=dumb` are already considered.
    pub colour: Colour,
    /// The cluster, when it is given beforehand (in process); otherwise it comes from `kubeconfig`.
    pub cluster: Option<Cluster>,
    /// `--kubeconfig`; the environment decides when absent.
    pub kubeconfig: Option<PathBuf>,
}

impl Session {
    /// Returns the cluster of this session, connecting on first use.
    pub async fn cluster(&mut self) -> Result<Cluster, ClusterError> {
        if let Some(cluster) = &self.cluster {
            return Ok(cluster.clone());
        }
        let cluster = Cluster::from_kubeconfig(self.kubeconfig.as_deref(), self.clock.clone()).await?;
        self.cluster = Some(cluster.clone());
        Ok(cluster)
    }
}
