//! The `ssh` program that gix speaks through: its key and host keys in a private folder for the time of one call.

use std::{
    fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, os::unix::fs::PermissionsExt, path::Path,
};

use tempfile::TempDir;

use crate::{Credentials, RepoUrl, SourceError, url::Transport};

/// Files that exist as long as this does, and the Git settings that name them.
pub(super) struct Session {
    pub settings: Vec<String>,
    _folder: Option<TempDir>,
}

impl Session {
    /// Writes the key, if `url` is one of ssh.
    pub(super) fn begin(url: &RepoUrl, credentials: &Credentials) -> Result<Self, SourceError> {
        if url.transport() != Transport::Ssh {
            return Ok(Self { settings: Vec::new(), _folder: None });
        }
        let fail =
            |error: std::io::Error| SourceError::Cache { url: url.clone(), message: error.to_string() };
        let folder = tempfile::Builder::new()
            .prefix("slipway-ssh-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(fail)?;
        let command = command(folder.path(), credentials).map_err(fail)?;
        let settings = vec![format!("core.sshCommand={command}"), "ssh.variant=ssh".into()];
        Ok(Self { settings, _folder: Some(folder) })
    }
}

fn command(folder: &Path, credentials: &Credentials) -> std::io::Result<String> {
    let mut command = String::from(
        "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 \
         -o ForwardAgent=no -o PermitLocalCommand=no",
    );
    let mut option = |text: &str| {
        command.push_str(" -o ");
        command.push_str(text);
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
    Ok(command)
}

/// Writes a file that only we can read and returns its path, quoted for the shell.
fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<String> {
    let path = folder.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{}", text.trim_end())?;
    Ok(format!("'{}'", path.display().to_string().replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_private_and_gone_afterwards() {
        let url = RepoUrl::parse("git@example.com:a/b.git").unwrap();
        let credentials = Credentials {
            ssh_private_key: "KEY".into(),
            ssh_known_hosts: "HOSTS".into(),
            ..Default::default()
        };
        let session = Session::begin(&url, &credentials).unwrap();
        let folder = session._folder.as_ref().unwrap().path().to_owned();
        let mode = std::fs::metadata(folder.join("key")).unwrap().permissions().mode();
        assert_eq!(
            (mode & 0o777, std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777),
            (0o600, 0o700)
        );
        assert_eq!(std::fs::read_to_string(folder.join("key")).unwrap(), "KEY\n");
        let text = session.settings.join(" ");
        assert!(text.contains("StrictHostKeyChecking=yes") && text.contains("IdentityFile='"), "{text}");
        assert!(!text.contains("KEY") && !text.contains("HOSTS"), "{text}");
        drop(session);
        assert!(!folder.exists());
    }

    #[test]
    fn host_keys_are_only_ignored_on_demand() {
        let url = RepoUrl::parse("ssh://git@example.com/a").unwrap();
        let credentials = Credentials { insecure: true, ..Default::default() };
        let text = Session::begin(&url, &credentials).unwrap().settings.join(" ");
        assert!(text.contains("StrictHostKeyChecking=no") && !text.contains("IdentityFile"), "{text}");
    }
}
