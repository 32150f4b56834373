//! What the controller has used: CPU, memory, requests.

use std::time::Duration;

use anyhow::Context as _;
use testkit::processes::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process;

/// The counter of requests, as the original names it.
const REQUESTS: &str = "controller_clientset_k8s_request_total{";
/// Time until the controller must have answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// A controller's process, and where it tells its metrics.
pub(super) struct Usage {
    id: u32,
    /// Host and port.
    metrics: String,
}

/// What was used up to a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) cpu: Duration,
    /// All but watches and Events.
    pub(super) requests: f64,
    pub(super) events: f64,
}

impl Used {
    /// Returns what was used since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            requests: self.requests - before.requests,
            events: self.events - before.events,
        }
    }
}

impl Usage {
    /// Returns the usage of a controller that is ready.
    ///
    /// **Errors:** it has ended, or does not say where its metrics are.
    pub(super) fn of(controller: &Server) -> anyhow::Result<Self> {
        let address = controller.ready()["metrics"].as_str().context("the controller serves no metrics")?;
        let id = controller.id().context("the controller has ended")?;
        Ok(Self { id, metrics: address.to_owned() })
    }

    /// Returns a line of its `/proc/<pid>/status`, in MiB.
    ///
    /// **Errors:** it has ended.
    pub(super) fn memory(&self, field: &str) -> anyhow::Result<f64> {
        process::memory(self.id, field)
    }

    /// Returns what it has used up to now.
    ///
    /// **Errors:** it has ended, or does not answer.
    pub(super) async fn now(&self) -> anyhow::Result<Used> {
        let cpu = process::cpu(self.id)?;
        let text = tokio::time::timeout(PATIENCE, self.page()).await.context("metrics")??;
        let (mut requests, mut events) = (0.0, 0.0);
        for line in text.lines().filter(|line| line.starts_with(REQUESTS)) {
            let count: f64 =
                line.rsplit(' ').next().and_then(|count| count.parse().ok()).context("no count")?;
            if line.contains("verb=\"Watch\"") {
                continue;
            }
            if line.contains("kind=\"events\"") { events += count } else { requests += count }
        }
        Ok(Used { cpu, requests, events })
    }

    /// Returns the page of metrics, which is longer than what `runtime::http` reads.
    async fn page(&self) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(&self.metrics).await?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
        let mut page = Vec::new();
        stream.read_to_end(&mut page).await?;
        Ok(String::from_utf8_lossy(&page).into_owned())
    }
}
