//! A repository made by the `git` program in a temporary folder.

use std::{path::Path, process::Command};

use tempfile::TempDir;

pub struct Sample {
    folder: TempDir,
}

impl Sample {
    pub fn new() -> Self {
        let sample = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(sample.root()).unwrap();
        sample.git(&["init", "-q", "-b", "main"]);
        sample
    }

    /// The folder that holds the repository `sample`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("sample")
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.root().display())
    }

    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", self.folder.path())
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|key| (key, "Ann")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|key| (key, "ann@example.com")))
            .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|key| (key, "2026-01-02T03:04:05Z")))
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn link(&self, target: &str, path: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    #[track_caller]
    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    #[track_caller]
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }
}
