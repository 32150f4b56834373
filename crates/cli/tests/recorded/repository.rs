//! A Git repository with given files, made by the `git` program.

use std::path::Path;
use std::process::Command;

/// Makes a repository of a copy of `content` with one commit on branch `main`, and returns its URL.
pub fn commit(content: &Path, folder: &Path) -> String {
    copy(content, folder);
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &["add", "."]);
    git(folder, &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "all"]);
    format!("file://{}", folder.display())
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git").arg("-C").arg(folder).args(arguments).status().unwrap();
    assert!(status.success(), "git {arguments:?}: {status}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
