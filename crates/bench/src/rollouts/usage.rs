//! What the controller has used: CPU, memory, requests.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use runtime::http::{HttpClient as _, HttpRequest, NoNames, System, TlsTrust};
use testkit::processes::Server;

use crate::process;

/// The counter of requests, as the original names it.
const REQUESTS: &str = "controller_clientset_k8s_request_total{";
/// Time until the controller must have answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// A controller's process, and where it tells its metrics.
pub(super) struct Usage {
    id: u32,
    metrics: String,
    http: System,
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
        Ok(Self {
            id,
            metrics: format!("http://{address}/metrics"),
            http: System::new(std::sync::Arc::new(NoNames)),
        })
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
        let request = HttpRequest {
            method: "GET".into(),
            url: self.metrics.clone(),
            headers: vec![],
            body: Bytes::new(),
            timeout: PATIENCE,
            tls: TlsTrust::System,
        };
        let answer = self.http.send(request).await.map_err(|error| anyhow::anyhow!("{error}"))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
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
}
