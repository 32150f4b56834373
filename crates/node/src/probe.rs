//! Probes: how a container is asked how it is, and what the answers mean.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{self, FusedFuture as _};
use object::Value;
use runtime::http::{HttpClient as _, HttpError, HttpRequest, NoNames, System, TlsTrust};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::process::{self, Group, Launch};

/// Output of a command that is kept, in bytes. Source: `pkg/probe/exec` `maxReadLength`.
const MOST_SAID: usize = 10 << 10;
/// Time to hear the end of what an ended command said: what it left running may hold the other end.
const LAST_WORDS: Duration = Duration::from_millis(100);

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
        Err(error) => Err(worded(&error)),
    }
}

/// Returns the error in the words of Go's HTTP client, which Events of a kubelet have.
fn worded(error: &HttpError) -> String {
    match error {
        HttpError::Failed { url, cause, .. } if cause.contains("Connection refused") => {
            let address = url.split('/').nth(2).unwrap_or_default();
            format!("Get \"{url}\": dial tcp {address}: connect: connection refused")
        }
        HttpError::Failed { url, cause, .. } => format!("Get \"{url}\": {cause}"),
        HttpError::Timeout { url, .. } => format!(
            "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        ),
        HttpError::Invalid { .. } | HttpError::TooLarge { .. } => error.to_string(),
    }
}

static CLIENT: std::sync::OnceLock<System> = std::sync::OnceLock::new();

async fn connect(host: &str, port: u16, timeout: Duration) -> Result<(), String> {
    let address = (host, port);
    let connect = tokio::net::TcpStream::connect(address);
    match tokio::time::timeout(timeout, connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(format!("dial tcp {}: connect: connection refused", SocketAddrText(host, port)))
        }
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
    let (stdout, stderr) = group.output();
    let said = Mutex::new(Vec::new());
    let mut ears = std::pin::pin!(future::join(listen(stdout, &said), listen(stderr, &said)).fuse());
    let ended = async {
        tokio::select! {
            status = group.wait() => status,
            never = async { (&mut ears).await; std::future::pending().await } => never,
        }
    };
    let outcome = match tokio::time::timeout(timeout, ended).await {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => format!("{program}: exit code {}", process::code(status)),
        Ok(Err(error)) => return Err(format!("{program}: {error}")),
        Err(_) => return Err(format!("command {:?} timed out", command.join(" "))),
    };
    if !ears.is_terminated() {
        let _ = tokio::time::timeout(LAST_WORDS, ears).await;
    }
    let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
    let said = String::from_utf8_lossy(&said).trim_end().to_owned();
    Err(if said.is_empty() { outcome } else { said })
}

/// Hears a stream to its end, so that the process is not held up, and keeps the beginning.
async fn listen(stream: Option<impl AsyncRead + Unpin>, said: &Mutex<Vec<u8>>) {
    let Some(mut stream) = stream else { return };
    let mut part = vec![0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_SAID.saturating_sub(said.len()).min(length);
        said.extend(part.iter().take(room));
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
