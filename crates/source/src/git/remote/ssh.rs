//! The `ssh` program that gix speaks through: its key and host keys in a private folder for the time of one call.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use tempfile::TempDir;

use super::Access;
use crate::{Credentials, SourceError, url::Transport};

/// Files that exist as long as this does, and the Git settings that name them.
pub(super) struct Session {
    pub settings: Vec<String>,
    folder: Option<TempDir>,
}

/// Bytes of what `ssh` says that are read.
const SAID: usize = 16 << 10;
/// The file it says it to, rather than to its error output, which is the remote program's too.
const LOG: &str = "log";

impl Session {
    /// Writes the key, if the repository is one of ssh.
    pub(super) fn begin(access: &Access) -> Result<Self, SourceError> {
        let Access { url, credentials, limit, ssh } = access;
        if url.transport() != Transport::Ssh {
            return Ok(Self { settings: Vec::new(), folder: None });
        }
        let fail =
            |error: std::io::Error| SourceError::Cache { url: url.clone(), message: error.to_string() };
        let folder = tempfile::Builder::new()
            .prefix("slipway-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(fail)?;
        let options = options(folder.path(), credentials).map_err(fail)?;
        let (program, limit) = (quoted(ssh), limit.as_secs().max(1));
        let log = quoted(&folder.path().join(LOG));
        let command = format!("{program} {OPTIONS} -E {log} -o ConnectTimeout={limit}{options}");
        let settings = vec![format!("core.sshCommand={command}"), "ssh.variant=ssh".into()];
        Ok(Self { settings, folder: Some(folder) })
    }
}

impl Session {
    /// Returns the lines that the `ssh` program has said so far.
    pub(super) fn said(&self) -> Vec<String> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let text = std::fs::read(folder.path().join(LOG)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[..text.len().min(SAID)]).into_owned();
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }
}

/// Reads no settings, asks nobody, and gives up on a server that stays silent for 15 s.
const OPTIONS: &str = "-F /dev/null -o BatchMode=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=3";

fn options(folder: &Path, credentials: &Credentials) -> std::io::Result<String> {
    let mut options = String::new();
    let mut option = |text: &str| {
        options.push_str(" -o ");
        options.push_str(text);
    };
    if credentials.insecure {
        option("StrictHostKeyChecking=no");
        option("UserKnownHostsFile=/dev/null");
    } else {
        option("StrictHostKeyChecking=yes");
        if !credentials.ssh_known_hosts.is_empty() {
            let path = write(folder, "known_hosts", &credentials.ssh_known_hosts)?;
            option(&format!("UserKnownHostsFile={path}"));
            option("GlobalKnownHostsFile=/dev/null");
        }
    }
    if !credentials.ssh_private_key.is_empty() {
        let path = write(folder, "key", &credentials.ssh_private_key)?;
        option("IdentitiesOnly=yes");
        option("IdentityAgent=none");
        option(&format!("IdentityFile={path}"));
    }
    Ok(options)
}

/// Writes a file that only we can read and returns its path, quoted for the shell.
fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<String> {
    let path = folder.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{}", text.trim_end())?;
    Ok(quoted(&path))
}

/// Quotes a path for the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::RepoUrl;

    fn access(credentials: Credentials) -> Access {
        let url = RepoUrl::parse("git@example.com:a/b.git").unwrap();
        Access { url, credentials, limit: Duration::from_secs(3), ssh: "ssh".into() }
    }

    #[test]
    fn the_key_is_private_and_gone_afterwards() {
        let credentials = Credentials {
            ssh_private_key: "KEY".into(),
            ssh_known_hosts: "HOSTS".into(),
            ..Default::default()
        };
        let session = Session::begin(&access(credentials)).unwrap();
        let folder = session.folder.as_ref().unwrap().path().to_owned();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.join("key")), mode(&folder)), (0o600, 0o700));
        assert_eq!(std::fs::read_to_string(folder.join("key")).unwrap(), "KEY\n");
        let text = session.settings.join(" ");
        assert!(text.contains("StrictHostKeyChecking=yes") && text.contains("IdentityFile='"), "{text}");
        assert!(!text.contains("KEY") && !text.contains("HOSTS"), "{text}");
        drop(session);
        assert!(!folder.exists());
    }

    #[test]
    fn host_keys_are_only_ignored_on_demand() {
        let credentials = Credentials { insecure: true, ..Default::default() };
        let text = Session::begin(&access(credentials)).unwrap().settings.join(" ");
        assert!(text.contains("StrictHostKeyChecking=no") && !text.contains("IdentityFile"), "{text}");
    }
}
