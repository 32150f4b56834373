//! The real kubectl against the server on a port.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use apiserver::{ApiServer, Config, serve};
use runtime::{Clock, Tasks};
use store::Store;

/// A server on a free port, and what kubectl needs to find it.
struct World {
    directory: tempfile::TempDir,
    tasks: Tasks,
    /// Keeps the server's runtime.
    _runtime: tokio::runtime::Runtime,
}

fn kubectl_is_here() -> bool {
    let found = Command::new("kubectl")
        .args(["version", "--client"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let here = found.is_ok_and(|status| status.success());
    if !here {
        eprintln!("NOT RUN: there is no kubectl on PATH");
    }
    here
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let tasks = Tasks::new();
        let config = Config { token: "let-me-in".into(), ..Config::default() };
        let server = ApiServer::new(Store::memory(), Clock::system(), config);
        let endpoint = runtime.block_on(async {
            server.bootstrap().await.unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            serve::tls(&server, listener, &directory.path().join("pki"), &tasks).unwrap()
        });
        endpoint.write_kubeconfig(&directory.path().join("kubeconfig")).unwrap();
        Self { directory, tasks, _runtime: runtime }
    }

    fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .arg("--cache-dir")
            .arg(self.directory.path().join("cache"))
            .args(arguments)
            .env("HOME", self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs kubectl, which must succeed; returns what it printed.
    #[track_caller]
    fn ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned() + &errors
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'nginx:1', ports: [{containerPort: 80}]}]}
";

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: boats, kind: Boat, shortNames: [bt]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Length, type: integer, jsonPath: .spec.length}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [length]
            properties:
              length: {type: integer, minimum: 1, description: How long the boat is.}
";

#[test]
fn kubectl_applies_scales_and_deletes() {
    if !kubectl_is_here() {
        return;
    }
    let world = World::new();
    assert!(world.ok(&["get", "namespaces"], "").contains("kube-system"));
    assert_eq!(world.ok(&["apply", "-f", "-"], DEPLOYMENT), "deployment.apps/web created\n");
    assert_eq!(world.ok(&["apply", "-f", "-"], DEPLOYMENT), "deployment.apps/web unchanged\n");
    let changed = DEPLOYMENT.replace("nginx:1", "nginx:2");
    let difference = world.run(&["diff", "-f", "-"], &changed);
    assert_eq!(difference.status.code(), Some(1), "{}", String::from_utf8_lossy(&difference.stderr));
    assert!(String::from_utf8_lossy(&difference.stdout).contains("+      - image: nginx:2"));
    assert_eq!(world.ok(&["apply", "-f", "-"], &changed), "deployment.apps/web configured\n");
    world.ok(&["scale", "deployment/web", "--replicas=5"], "");
    world.ok(&["label", "deploy", "web", "tier=front"], "");
    world.ok(&["patch", "deploy", "web", "-p", r#"{"spec":{"paused":true}}"#], "");
    let shown = world.ok(
        &["get", "deploy", "web", "-o", "jsonpath={.spec.replicas} {.metadata.labels.tier} {.spec.paused}"],
        "",
    );
    assert_eq!(shown, "5 front true");
    let table = world.ok(&["get", "deploy"], "");
    assert!(
        table.starts_with(
            "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/5     0            0           "
        ),
        "{table}"
    );
    assert_eq!(world.ok(&["delete", "deploy", "web"], ""), "deployment.apps \"web\" deleted\n");
    assert!(!world.run(&["get", "deploy", "web"], "").status.success());
}

#[test]
fn kubectl_applies_on_the_server_and_sees_conflicts() {
    if !kubectl_is_here() {
        return;
    }
    let world = World::new();
    let applied = world.ok(&["apply", "--server-side", "--field-manager=one", "-f", "-"], DEPLOYMENT);
    assert_eq!(applied, "deployment.apps/web serverside-applied\n");
    let other = DEPLOYMENT.replace("replicas: 2", "replicas: 3");
    let refused = world.run(&["apply", "--server-side", "--field-manager=two", "-f", "-"], &other);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("conflict with \"one\": .spec.replicas"));
    world.ok(&["apply", "--server-side", "--force-conflicts", "--field-manager=two", "-f", "-"], &other);
    let typo = DEPLOYMENT.replace("replicas: 2", "replicsa: 2");
    let refused = world.run(&["apply", "-f", "-"], &typo);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("unknown field \"spec.replicsa\""));
}

#[test]
fn kubectl_defines_explains_and_waits() {
    if !kubectl_is_here() {
        return;
    }
    let world = World::new();
    world.ok(&["create", "-f", "-"], DEFINITION);
    world.ok(&["wait", "--for=condition=Established", "crd/boats.example.com", "--timeout=10s"], "");
    assert!(world.ok(&["explain", "boat.spec.length"], "").contains("How long the boat is."));
    let boat = "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: a}\nspec: {length: 7}\n";
    world.ok(&["apply", "-f", "-"], boat);
    let longer = world.ok(&["apply", "-f", "-"], &boat.replace("length: 7", "length: 8"));
    assert_eq!(longer, "boat.example.com/a configured\n");
    world.ok(&["apply", "-f", "-"], boat);
    let table = world.ok(&["get", "bt"], "");
    assert_eq!(table, "NAME   LENGTH\na      7\n");
    let refused = world.run(&["create", "-f", "-"], &boat.replace("length: 7", "length: 0"));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("spec.length in body should be greater than or equal to 1"), "{text}");
    let waiting = world.run(&["wait", "--for=delete", "boat/a", "--timeout=1s"], "");
    assert!(!waiting.status.success());
    world.ok(&["delete", "boat", "a"], "");
    world.ok(&["wait", "--for=delete", "boat/a", "--timeout=5s"], "");
    assert!(world.ok(&["api-resources"], "").contains("boats"));
}

/// Typed commands send protobuf.
#[test]
fn kubectl_creates_what_it_knows_the_types_of() {
    if !kubectl_is_here() {
        return;
    }
    let world = World::new();
    assert_eq!(world.ok(&["create", "namespace", "shop"], ""), "namespace/shop created\n");
    world
        .ok(&["create", "deployment", "web", "--image=a:1", "--replicas=2", "--port=5000", "-n", "shop"], "");
    let query = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}";
    assert_eq!(world.ok(&["get", "deploy", "web", "-n", "shop", "-o", query], ""), "2 5000");
    world.ok(&["create", "configmap", "c", "--from-literal=a=b"], "");
    assert_eq!(world.ok(&["get", "cm", "c", "-o", "jsonpath={.data.a}"], ""), "b");
    world.ok(&["create", "secret", "generic", "s", "--from-literal=a=b"], "");
    assert_eq!(world.ok(&["get", "secret", "s", "-o", "jsonpath={.data.a}"], ""), "Yg==");
    world.ok(&["create", "service", "clusterip", "svc", "--tcp=80:web"], "");
    assert_eq!(world.ok(&["get", "svc", "svc", "-o", "jsonpath={.spec.ports[0].targetPort}"], ""), "web");
    world.ok(&["create", "job", "j", "--image=a:1"], "");
    assert_eq!(world.ok(&["auth", "can-i", "create", "configmaps"], ""), "yes\n");
}

#[test]
fn a_wrong_token_is_refused() {
    if !kubectl_is_here() {
        return;
    }
    let world = World::new();
    let path: &Path = &world.kubeconfig();
    let text = std::fs::read_to_string(path).unwrap().replace("let-me-in", "let-me-im");
    std::fs::write(path, text).unwrap();
    let output = world.run(&["get", "--raw", "/api"], "");
    assert!(!output.status.success());
    assert!(world.run(&["get", "--raw", "/readyz"], "").status.success());
}
