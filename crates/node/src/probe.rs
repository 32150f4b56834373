//! Probes: how a container is asked how it is, and what the answers mean.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use object::Value;
use runtime::http::{HttpClient as _, HttpError, HttpRequest, NoNames, System, TlsTrust};

use crate::process::{self, Group, Launch};

/// A probe of a container's spec, with upstream's defaults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Probe {
    pub action: Action,
    pub initial_delay: Duration,
    pub period: Duration,
    pub timeout: Duration,
    /// Grace period of the stop that a failure leads to, where it is not the pod's.
    pub grace: Option<Duration>,
    successes: u32,
    failures: u32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// A request that must be answered with 200–399.
    Http { url: String, headers: Vec<(String, String)> },
    /// A connection that must be accepted.
    Tcp { host: String, port: u16 },
    /// A command that must exit with 0.
    Exec(Vec<String>),
    /// Waits, then is well: `sleep` of a preStop hook.
    Sleep(Duration),
}

impl Probe {
    /// Returns the probe in `spec`; `None` when there is none, or one that asks nothing known.
    pub(crate) fn read(spec: &Value, container: &Value, ip: Ipv4Addr) -> Option<Self> {
        let number = |field: &str, default: u64| spec[field].as_u64().unwrap_or(default);
        let count = |field: &str, default: u64| u32::try_from(number(field, default)).unwrap_or(1).max(1);
        Some(Self {
            action: Action::read(spec, container, ip)?,
            initial_delay: Duration::from_secs(number("initialDelaySeconds", 0)),
            period: Duration::from_secs(number("periodSeconds", 10).max(1)),
            timeout: Duration::from_secs(number("timeoutSeconds", 1).max(1)),
            grace: spec["terminationGracePeriodSeconds"].as_u64().map(Duration::from_secs),
            successes: count("successThreshold", 1),
            failures: count("failureThreshold", 3),
        })
    }
}

impl Action {
    /// Returns the action in a probe or a lifecycle handler.
    pub(crate) fn read(spec: &Value, container: &Value, ip: Ipv4Addr) -> Option<Self> {
        let host = |spec: &Value| spec["host"].as_str().filter(|host| !host.is_empty()).map(str::to_owned);
        if let Some(command) = spec["exec"]["command"].as_array() {
            return Some(Self::Exec(
                command.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect(),
            ));
        }
        if let Some(seconds) = spec["sleep"]["seconds"].as_u64() {
            return Some(Self::Sleep(Duration::from_secs(seconds)));
        }
        if spec["tcpSocket"].is_object() {
            let tcp = &spec["tcpSocket"];
            let host = host(tcp).unwrap_or_else(|| ip.to_string());
            return Some(Self::Tcp { host, port: port(&tcp["port"], container)? });
        }
        let http = spec.get("httpGet").filter(|http| http.is_object())?;
        let scheme = http["scheme"].as_str().unwrap_or("HTTP").to_lowercase();
        let host = host(http).unwrap_or_else(|| ip.to_string());
        let path = http["path"].as_str().unwrap_or("/");
        let path = path.strip_prefix('/').unwrap_or(path);
        let url = format!("{scheme}://{host}:{}/{path}", port(&http["port"], container)?);
        let headers = http["httpHeaders"].as_array().into_iter().flatten().filter_map(|header| {
            Some((
                header["name"].as_str()?.to_owned(),
                header["value"].as_str().unwrap_or_default().to_owned(),
            ))
        });
        Some(Self::Http { url, headers: headers.collect() })
    }

    /// Runs the action of a probe.
    ///
    /// Errors: why it is not well, as a sentence.
    pub(crate) async fn run(&self, launch: &Launch, timeout: Duration) -> Result<(), String> {
        match self {
            Self::Http { url, headers } => match get(url, headers, ("kube-probe/1.36", timeout)).await? {
                200..400 => Ok(()),
                status => Err(format!("HTTP probe failed with statuscode: {status}")),
            },
            Self::Tcp { host, port } => connect(host, *port, timeout).await,
            Self::Exec(command) => exec(command, launch, timeout).await,
            Self::Sleep(duration) => {
                tokio::time::sleep(*duration).await;
                Ok(())
            }
        }
    }

    /// Runs the action of a lifecycle hook, to which any answer is as good as another. Source: kubelet
    /// `lifecycle/handlers.go`.
    ///
    /// Errors: why it failed, as a sentence.
    pub(crate) async fn hook(&self, launch: &Launch, timeout: Duration) -> Result<(), String> {
        match self {
            Self::Http { url, headers } => {
                get(url, headers, ("kube-lifecycle/1.36", timeout)).await.map(drop)
            }
            Self::Tcp { .. } | Self::Exec(_) | Self::Sleep(_) => self.run(launch, timeout).await,
        }
    }
}

/// Returns a port given by number or by its name in the container.
fn port(value: &Value, container: &Value) -> Option<u16> {
    let number = match value {
        Value::String(name) => {
            let mut ports = container["ports"].as_array().into_iter().flatten();
            let named = ports.find(|port| port["name"] == name.as_str());
            named.and_then(|port| port["containerPort"].as_u64()).or_else(|| name.parse().ok())
        }
        other => other.as_u64(),
    };
    u16::try_from(number?).ok()
}

/// Returns the status of the answer.
async fn get(
    url: &str,
    headers: &[(String, String)],
    (agent, timeout): (&str, Duration),
) -> Result<u16, String> {
    let mut headers = headers.to_vec();
    headers.push(("connection".into(), "close".into()));
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        headers.push(("user-agent".into(), agent.to_owned()));
    }
    let request = HttpRequest {
        method: "GET".into(),
        url: url.to_owned(),
        headers,
        body: Bytes::new(),
        timeout,
        tls: TlsTrust::Anybody,
    };
    let client = CLIENT.get_or_init(|| System::new(std::sync::Arc::new(NoNames)));
    match client.send(request).await {
        Ok(answer) => Ok(answer.status),
        Err(HttpError::Failed { url, cause, .. }) => Err(format!("Get \"{url}\": {cause}")),
        Err(error) => Err(error.to_string()),
    }
}

static CLIENT: std::sync::OnceLock<System> = std::sync::OnceLock::new();

async fn connect(host: &str, port: u16, timeout: Duration) -> Result<(), String> {
    let address = (host, port);
    let connect = tokio::net::TcpStream::connect(address);
    match tokio::time::timeout(timeout, connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("dial tcp {host}:{port}: {error}")),
        Err(_) => Err(format!("dial tcp {}: i/o timeout", SocketAddrText(host, port))),
    }
}

struct SocketAddrText<'a>(&'a str, u16);

impl std::fmt::Display for SocketAddrText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.parse() {
            Ok(ip) => write!(f, "{}", SocketAddr::new(ip, self.1)),
            Err(_) => write!(f, "{}:{}", self.0, self.1),
        }
    }
}

async fn exec(command: &[String], launch: &Launch, timeout: Duration) -> Result<(), String> {
    let Some((program, args)) = command.split_first() else { return Err("no command".into()) };
    let launch = Launch {
        program: crate::container::program(program, launch),
        args: args.iter().map(Into::into).collect(),
        ..launch.clone()
    };
    let mut group = Group::start(&launch, None).map_err(|error| format!("{program}: {error}"))?;
    match tokio::time::timeout(timeout, group.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{program}: exit code {}", process::code(status))),
        Ok(Err(error)) => Err(format!("{program}: {error}")),
        Err(_) => Err(format!("command {program:?} timed out")),
    }
}

/// Counts answers against the thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    well: bool,
    run: u32,
}

impl Tally {
    /// Returns a tally that starts with this result, as if it had been so for ever.
    pub(crate) fn starting(well: bool) -> Self {
        Self { well, run: 0 }
    }

    /// Takes an answer in; returns the result when it has just been reached.
    ///
    /// Example: with `failureThreshold: 3` the third failure in a row turns well into unwell. Source: kubelet
    /// `prober/worker.go`.
    pub(crate) fn take(&mut self, probe: &Probe, answer: bool) -> Option<bool> {
        if answer == self.well {
            self.run = 0;
            return None;
        }
        self.run += 1;
        let threshold = if answer { probe.successes } else { probe.failures };
        if self.run < threshold {
            return None;
        }
        *self = Self::starting(answer);
        Some(answer)
    }
}

#[cfg(test)]
mod tests;
