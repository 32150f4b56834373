//! What lets a client in: a random token, the service account key pair, the kubeconfig.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The credential files of one control plane.
pub(super) struct Credentials {
    /// The administrator's bearer token.
    pub(super) token: String,
    /// `--token-auth-file`
    pub(super) tokens: PathBuf,
    /// `--service-account-signing-key-file`
    pub(super) signing_key: PathBuf,
    /// `--service-account-key-file`
    pub(super) verifying_key: PathBuf,
}

/// Makes fresh credentials in a folder, readable by its owner only.
///
/// **Errors**: the folder cannot be written, or the machine gives no randomness.
pub(super) fn create(dir: &Path) -> anyhow::Result<Credentials> {
    let token = random_hex()?;
    let key = rcgen::KeyPair::generate().context("cannot make the service account key")?;
    let place = |name: &str, text: &str| -> anyhow::Result<PathBuf> {
        let path = dir.join(name);
        write_private(&path, text)?;
        Ok(path)
    };
    Ok(Credentials {
        tokens: place("tokens.csv", &format!("{token},admin,admin,\"system:masters\"\n"))?,
        signing_key: place("service-account.key", &key.serialize_pem())?,
        verifying_key: place("service-account.pub", &key.public_key_pem())?,
        token,
    })
}

/// Writes a kubeconfig for the administrator, once the server has written its certificate.
///
/// **Errors**: the certificate cannot be read or the kubeconfig not be written.
pub(super) fn write_kubeconfig(
    path: &Path,
    server: &str,
    certificate: &Path,
    token: &str,
) -> anyhow::Result<()> {
    let authority = STANDARD.encode(fs::read(certificate)?);
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "slipway",
        "clusters": [{"name": "slipway", "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "slipway", "context": {"cluster": "slipway", "user": "admin"}}],
    });
    write_private(path, &serde_json::to_string_pretty(&config)?)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}

fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
}
