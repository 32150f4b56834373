//! [`Session`]: what a command works with.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use runtime::{Clock, Cluster, ClusterError, Connection};

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
    pub out: Box<dyn Write + Send + Sync>,
    /// Talk: errors, warnings, progress.
    pub err: Box<dyn Write + Send + Sync>,
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
    /// Returns the session of this process: its standard streams, the wall clock, colours where a terminal shows them.
    pub fn of_process() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = if !plain && std::io::stdout().is_terminal() { Colour::On } else { Colour::Off };
        Self {
            out: Box::new(std::io::stdout()),
            err: Box::new(std::io::stderr()),
            clock: Clock::system(),
            colour,
            cluster: None,
            kubeconfig: None,
        }
    }

    /// Prints an error with its causes and returns the exit code for it.
    pub fn fail(&mut self, error: &anyhow::Error) -> Exit {
        let _ = writeln!(self.err, "error: {error:#}");
        Exit::FAILED
    }

    /// Prints what clap says of a command line: help to standard output, errors to standard error.
    pub fn usage(&mut self, error: &clap::Error) -> Exit {
        let text = error.render();
        if error.use_stderr() {
            let _ = write!(self.err, "{text}");
            return Exit(2);
        }
        let _ = write!(self.out, "{text}");
        Exit::OK
    }

    /// Returns the cluster of this session, connecting on first use.
    pub async fn cluster(&mut self) -> Result<Cluster, ClusterError> {
        if let Some(cluster) = &self.cluster {
            return Ok(cluster.clone());
        }
        self.connect(Connection::default()).await
    }

    /// Returns the cluster of this session: the one given beforehand, else the one that `connection` names.
    pub async fn connect(&mut self, mut connection: Connection) -> Result<Cluster, ClusterError> {
        if let Some(cluster) = &self.cluster {
            return Ok(cluster.clone());
        }
        if connection.kubeconfig.is_none() {
            connection.kubeconfig.clone_from(&self.kubeconfig);
        }
        let cluster = Cluster::connect(&connection, self.clock.clone()).await?;
        self.cluster = Some(cluster.clone());
        Ok(cluster)
    }
}
