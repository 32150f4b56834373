//! Level 3: Contour and Envoy in front of the pods, told of by Gateway API.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use object::{Object, yaml};
use serde_json::{Value, json};

use super::{Cluster, client, flags};
use crate::kube::parts::{self, Contour};
use crate::kube::ports;

/// Remembers where requests go.
const GATEWAY: &str = "gateway";
/// Where the Gateway is, and its name.
const NAMESPACE: &str = "projectcontour";
const NAME: &str = "front";
/// Contour binds a listener's port so much higher where it is no privileged one.
const SHIFT: u16 = 8000;

impl Cluster {
    /// Starts Contour and Envoy with one Gateway, and returns once Envoy hears of routes.
    pub(super) async fn start_front(&mut self) -> anyhow::Result<()> {
        let (contour, envoy) = (parts::contour().await?, parts::envoy().await?);
        let ports: [u16; 6] = ports::free()?;
        let [port, xds, .., stats] = ports;
        self.apply_all(&contour, port).await?;
        self.spawn(&contour.program, &contour_flags(ports))?;
        self.bootstrap(&contour, xds)?;
        let program = envoy.display().to_string();
        let words = [
            &program,
            "-c",
            "envoy.json",
            "--use-dynamic-base-id",
            "--log-level",
            "warning",
            "--concurrency",
            "1",
        ];
        let names = ["--service-cluster", NAME, "--service-node", NAME];
        let all: Vec<_> = words.into_iter().chain(names).map(str::to_owned).collect();
        // Apart, because it ends with who started it.
        self.spawn_apart("envoy", &all)?;
        // The Gateway's own port is only bound once there is a route; what Contour told Envoy first is this one.
        let told = SocketAddr::from(([127, 0, 0, 1], stats));
        self.until("Envoy", async || tokio::net::TcpStream::connect(told).await.is_ok()).await?;
        Ok(fs::write(self.dir.join(GATEWAY), format!("127.0.0.1:{port}"))?)
    }

    /// Where requests to the Gateway go; none below level 3.
    pub(crate) fn gateway(&self) -> Option<String> {
        fs::read_to_string(self.dir.join(GATEWAY)).ok()
    }

    /// Applies the definitions, then the Gateway that listens on `port`.
    async fn apply_all(&self, contour: &Contour, port: u16) -> anyhow::Result<()> {
        let client = client(&self.kubeconfig()).await?;
        for file in &contour.definitions {
            for definition in yaml::documents(&fs::read_to_string(file)?)? {
                let definition = Object::parse(definition)?;
                let place =
                    format!("apiextensions.k8s.io/v1/customresourcedefinitions/{}", definition.name());
                apply(&client, &format!("/apis/{place}"), &definition.to_value())
                    .await
                    .with_context(|| format!("cannot apply {}", definition.name()))?;
            }
        }
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        apply(&client, &format!("/api/v1/namespaces/{NAMESPACE}"), &namespace).await?;
        let group = "/apis/gateway.networking.k8s.io/v1";
        let gateway = format!("{group}/namespaces/{NAMESPACE}/gateways/{NAME}");
        for (path, object) in
            [(format!("{group}/gatewayclasses/{NAME}"), class()), (gateway, gateway_of(port))]
        {
            // Served a moment after the definition is there.
            self.until("the Gateway API", async || apply(&client, &path, &object).await.is_ok()).await?;
        }
        Ok(())
    }

    /// Writes the configurations of both.
    fn bootstrap(&self, contour: &Contour, xds: u16) -> anyhow::Result<()> {
        let config = json!({"gateway": {"gatewayRef": {"namespace": NAMESPACE, "name": NAME}}});
        fs::write(self.dir.join("contour.yaml"), config.to_string())?;
        let mut bootstrap = Command::new(&contour.program);
        bootstrap.current_dir(&self.dir).args(["bootstrap", "envoy.json", "--namespace", NAMESPACE]);
        bootstrap.args(flags(&[
            ("xds-address", "127.0.0.1"),
            ("xds-port", &xds.to_string()),
            ("admin-address", &self.dir.join("envoy-admin.sock").display().to_string()),
        ]));
        parts::run(bootstrap)
    }
}

fn class() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": NAME},
        "spec": {"controllerName": "projectcontour.io/gateway-controller"},
    })
}

fn gateway_of(port: u16) -> Value {
    let routes = json!({"namespaces": {"from": "All"}});
    let listener = json!({"name": "http", "protocol": "HTTP", "port": port - SHIFT, "allowedRoutes": routes});
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"gatewayClassName": NAME, "listeners": [listener]},
    })
}

fn contour_flags([_, xds, metrics, health, debug, stats]: [u16; 6]) -> Vec<String> {
    let mut all: Vec<String> = ["serve", "--no-incluster", "--insecure", "--disable-leader-election"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let local = "127.0.0.1";
    all.extend(flags(&[
        ("kubeconfig", "kubeconfig"),
        ("config-path", "contour.yaml"),
        ("xds-address", local),
        ("xds-port", &xds.to_string()),
        ("http-address", local),
        ("http-port", &metrics.to_string()),
        ("health-address", local),
        ("health-port", &health.to_string()),
        ("debug-http-address", local),
        ("debug-http-port", &debug.to_string()),
        ("stats-address", local),
        ("stats-port", &stats.to_string()),
        ("envoy-service-http-address", local),
        ("envoy-service-https-address", local),
    ]));
    all
}

async fn apply(client: &kube::Client, path: &str, object: &Value) -> anyhow::Result<()> {
    let request = http::Request::patch(format!("{path}?fieldManager=slipway-xtask&force=true"))
        .header("content-type", "application/apply-patch+yaml")
        .body(object.to_string().into_bytes())?;
    client.request::<Value>(request).await?;
    Ok(())
}

/// What the front leaves in a folder beside logs.
pub(super) fn files() -> [PathBuf; 4] {
    [GATEWAY, "contour.yaml", "envoy.json", "envoy-admin.sock"].map(|name| Path::new(name).to_path_buf())
}
