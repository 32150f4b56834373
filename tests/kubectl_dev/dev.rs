//! A running `slipway dev` and kubectl for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use testkit::processes::{Server, build_colorapi, build_images};

/// Returns whether kubectl is on PATH; without it the tests are not run, which is a failure in CI.
pub fn kubectl_is_here() -> bool {
    let found = Command::new("kubectl").args(["version", "--client"]).output();
    let here = found.is_ok_and(|output| output.status.success());
    if !here {
        eprintln!("NOT RUN: there is no kubectl on PATH");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI needs kubectl");
    }
    here
}

/// A cluster in a folder of its own.
pub struct Dev {
    pub server: Server,
    pub dir: PathBuf,
}

/// The binary under test.
pub fn slipway() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_slipway"))
}

/// Path of a file or folder of the examples.
pub fn example(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/j1").join(path).display().to_string()
}

impl Dev {
    /// Starts `program dev` on free ports with the cluster in `dir`.
    pub async fn start(program: &Path, dir: &Path) -> Self {
        let folder = dir.display().to_string();
        let arguments = ["dev", "--dir", &folder, "--port", "0", "--gateway-port", "0"];
        let server = Server::start(program, dir, "dev", &arguments).await;
        let log = || std::fs::read_to_string(dir.join("dev.log")).unwrap_or_default();
        let server = server.unwrap_or_else(|error| panic!("{error}\n{}", log()));
        Self { server, dir: dir.to_owned() }
    }

    /// Builds the images of the sample app in `dir`.
    pub async fn images(dir: &Path) {
        let colorapi = build_colorapi(slipway(), Path::new(env!("CARGO_MANIFEST_DIR"))).await.unwrap();
        build_images(slipway(), &colorapi, dir).await.unwrap();
    }

    /// Returns kubectl for this cluster.
    pub fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .arg("--cache-dir")
            .arg(self.dir.join("cache"))
            .args(arguments)
            .env("HOME", &self.dir)
            .env("KUBECONFIG", self.dir.join("kubeconfig"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs kubectl, which must succeed; returns what it printed, warnings included.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments).output().unwrap();
        assert!(output.status.success(), "kubectl {arguments:?}: {}", text(&output));
        text(&output)
    }

    /// Runs kubectl with a file, which must succeed.
    #[track_caller]
    pub fn with_file(&self, arguments: &[&str], content: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let path = file.path().display().to_string();
        self.ok(&[arguments, &["-f", &path]].concat())
    }

    /// Runs kubectl, which must fail; returns what it printed.
    #[track_caller]
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments).output().unwrap();
        assert!(!output.status.success(), "kubectl {arguments:?}: {}", text(&output));
        text(&output)
    }
}

/// A kubectl that goes on printing.
pub struct Following {
    child: Child,
    output: BufReader<ChildStdout>,
    seen: String,
}

impl Following {
    /// Starts kubectl and waits for the first line it prints.
    pub fn start(dev: &Dev, arguments: &[&str]) -> Self {
        let mut child = dev.kubectl(arguments).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut seen = String::new();
        output.read_line(&mut seen).unwrap();
        Self { child, output, seen }
    }

    /// Waits until kubectl ends by itself; returns all that it printed.
    pub fn end(mut self) -> String {
        self.output.read_to_string(&mut self.seen).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut self.seen).unwrap();
        self.child.wait().unwrap();
        self.seen
    }
}

/// Standard output, then standard error.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// Checks that all of `parts` are in `text`.
#[track_caller]
pub fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
