//! Real processes for scenarios: the `slipway` binary in its roles, and its command line.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object::{Value, json};
use runtime::http::{HttpClient as _, HttpRequest, Names, System, TlsTrust};
use runtime::{Clock, Cluster};
use tokio::process::{Child, Command};

use crate::repository::Repository;
use crate::scenario::{Driver, Future, Ran};

/// Time a server gets until it is ready.
const START: Duration = Duration::from_secs(60);

/// A `slipway` process that serves until it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    /// Starts `slipway <arguments> --ready-file …` and waits until it says it is ready.
    ///
    /// Errors: the process ended or said nothing within a minute; its log is in `<dir>/<name>.log`.
    pub async fn start(slipway: &Path, dir: &Path, name: &str, arguments: &[&str]) -> io::Result<Self> {
        let ready_file = dir.join(format!("{name}.ready.json"));
        let _ = std::fs::remove_file(&ready_file);
        let log = std::fs::File::create(dir.join(format!("{name}.log")))?;
        let mut child = Command::new(slipway)
            .args(arguments)
            .arg("--ready-file")
            .arg(&ready_file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let wait = async {
            loop {
                if let Ok(text) = std::fs::read(&ready_file) {
                    return Ok(serde_json::from_slice(&text)?);
                }
                if let Some(status) = child.try_wait()? {
                    return Err(io::Error::other(format!("slipway {name} ended: {status}")));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let ready = tokio::time::timeout(START, wait).await;
        let ready =
            ready.map_err(|_| io::Error::other(format!("slipway {name} is not ready after {START:?}")))??;
        Ok(Self { child, ready })
    }

    /// Returns what the process said when it became ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Returns the process id.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the process at once, as a crash does.
    pub async fn kill(mut self) {
        // It may have ended by itself; then it is over all the same.
        let _ = self.child.kill().await;
    }

    /// Asks the process to end and waits for it; kills it after 20 s.
    pub async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            let _ = Command::new("kill").arg(id.to_string()).status().await;
        }
        if tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// Builds the images of the sample app in the content store below `dir`: 1.0 red, 2.0 blue, 3.0 blue and not ok.
pub async fn build_images(slipway: &Path, colorapi: &Path, dir: &Path) -> io::Result<()> {
    for (version, color, status) in [("1.0", "red", "ok"), ("2.0", "blue", "ok"), ("3.0", "blue", "nok")] {
        let context = dir.join(format!("image-{version}"));
        std::fs::create_dir_all(&context)?;
        std::fs::copy(colorapi, context.join("colorapi"))?;
        let env = [("COLOR", color), ("STATUS", status), ("VERSION", version)];
        let env: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let recipe = json!({"entrypoint": ["/colorapi"], "env": env});
        let file = dir.join(format!("image-{version}.yaml"));
        std::fs::write(&file, recipe.to_string())?;
        let output = Command::new(slipway)
            .args(["image", "build", "--dir"])
            .arg(dir)
            .args(["--tag", &format!("colorapi:{version}"), "--file"])
            .arg(&file)
            .arg(&context)
            .output()
            .await?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(format!("slipway image build: {text}")));
        }
    }
    Ok(())
}

/// Builds the sample app with cargo, without the network, and returns its binary: it lies beside `slipway`.
pub async fn build_colorapi(slipway: &Path, workspace: &Path) -> io::Result<PathBuf> {
    let folder = slipway.parent().ok_or_else(|| io::Error::other("slipway has no folder"))?;
    let target = folder.parent().ok_or_else(|| io::Error::other("no target folder"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--offline", "--package", "colorapi", "--target-dir"])
        .arg(target)
        .current_dir(workspace)
        .output()
        .await?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(folder.join("colorapi"))
}

/// Plays scenarios with the real command line and real requests through a gateway.
pub struct Processes {
    cluster: Cluster,
    kubeconfig: PathBuf,
    links: PathBuf,
    repository: Repository,
    scenario: PathBuf,
    http: System,
    namespace: String,
    pages: String,
}

/// Sends every request to the gateway.
struct Gateway(SocketAddr);

impl Names for Gateway {
    fn resolve(&self, _host: &str) -> Option<SocketAddr> {
        Some(self.0)
    }
}

impl Processes {
    /// Returns a driver for the cluster of `kubeconfig`, whose Services are reached through `gateway`. Links named as the
    /// tools of users are made below `dir`, and the repository that the scenario in folder `scenario` commits to.
    pub async fn new(
        slipway: &Path,
        dir: &Path,
        kubeconfig: &Path,
        gateway: SocketAddr,
        scenario: &Path,
    ) -> io::Result<Self> {
        let links = dir.join("bin");
        std::fs::create_dir_all(&links)?;
        for name in ["argocd", "kubectl-argo-rollouts", "slipway"] {
            let link = links.join(name);
            let _ = std::fs::remove_file(&link);
            symlink(std::fs::canonicalize(slipway)?, link)?;
        }
        let cluster =
            Cluster::from_kubeconfig(Some(kubeconfig), Clock::system()).await.map_err(io::Error::other)?;
        Ok(Self {
            cluster,
            kubeconfig: kubeconfig.to_owned(),
            links,
            repository: Repository::create(&dir.join("repository"))?,
            scenario: scenario.to_owned(),
            http: System::new(Arc::new(Gateway(gateway))),
            namespace: "default".to_owned(),
            pages: String::new(),
        })
    }

    /// Returns the driver for scenarios of `namespace` whose metrics are answered by the pages at `pages`.
    #[must_use]
    pub fn within(mut self, namespace: &str, pages: SocketAddr) -> Self {
        namespace.clone_into(&mut self.namespace);
        self.pages = format!("http://{pages}");
        self
    }

    /// Returns the folder of the links named as the tools of users.
    pub fn links(&self) -> &Path {
        &self.links
    }
}

impl Driver for Processes {
    fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn pages(&self) -> String {
        self.pages.clone()
    }

    fn commit(&self, folder: &str, message: &str) -> Future<'_, Result<String, String>> {
        let (from, message) = (self.scenario.join(folder), message.to_owned());
        Box::pin(async move {
            self.repository.commit_folder(&from, "deploy", &message).map_err(|error| error.to_string())
        })
    }

    fn repository(&self) -> String {
        self.repository.url()
    }

    fn run(&self, arguments: Vec<String>) -> Future<'_, Result<Ran, String>> {
        Box::pin(async move {
            let (program, rest) = arguments.split_first().ok_or("an empty command")?;
            let output = Command::new(self.links.join(program))
                .args(rest)
                .env("KUBECONFIG", &self.kubeconfig)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output()
                .await
                .map_err(|error| format!("{program}: {error}"))?;
            let exit = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
            let text = [output.stdout, output.stderr].concat();
            Ok(Ran { exit, text: String::from_utf8_lossy(&text).into_owned() })
        })
    }

    fn request(&self, service: &str) -> Future<'_, Result<String, String>> {
        let request = HttpRequest {
            method: "GET".into(),
            url: format!("http://{service}/"),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(5),
            tls: TlsTrust::System,
        };
        Box::pin(async move {
            let response = self.http.send(request).await.map_err(|error| error.to_string())?;
            let body = String::from_utf8_lossy(&response.body).into_owned();
            if response.status == 200 { Ok(body) } else { Err(format!("status {}: {body}", response.status)) }
        })
    }
}
