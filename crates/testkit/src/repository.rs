//! Git repositories for scenarios, written with the `git` program.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A Git repository in a folder, with one branch `main`.
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Makes an empty repository in `folder`.
    pub fn create(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let repository = Self { folder: folder.to_owned() };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(repository)
    }

    /// Returns the `file://` URL of the repository.
    pub fn url(&self) -> String {
        format!("file://{}", self.folder.display())
    }

    /// Makes the content of `path` inside the repository equal to the folder `from`, commits, and returns the commit id.
    pub fn commit_folder(&self, from: &Path, path: &str, message: &str) -> io::Result<String> {
        let target = self.folder.join(path);
        if target.exists() {
            std::fs::remove_dir_all(&target)?;
        }
        copy(from, &target)?;
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        let head = self.git(&["rev-parse", "HEAD"])?;
        Ok(String::from_utf8_lossy(&head.stdout).trim().to_owned())
    }

    /// Runs `git` in the repository, independent of the user's configuration.
    fn git(&self, arguments: &[&str]) -> io::Result<Output> {
        let identity = [("NAME", "Ada"), ("EMAIL", "ada@example.com")];
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", &self.folder);
        for (key, value) in identity {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = command.output()?;
        if output.status.success() {
            return Ok(output);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("git {}: {}", arguments.join(" "), text.trim())))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            std::fs::copy(entry.path(), target).map(drop)?
        }
    }
    Ok(())
}
