//! A Git repository with given files, made by the `git` program.

use std::path::Path;
use std::process::Command;

/// Makes the recorded repository of its content: branch main with tag v1.0.0, and branch next with tag v1.1.0, which has
/// another image and one file less. Returns its URL.
pub fn recorded(content: &Path, folder: &Path) -> String {
    copy(content, folder);
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    commit(folder, "v1.0.0");
    git(folder, &["checkout", "--quiet", "-b", "next"]);
    let deployment = folder.join("guestbook/deployment.yaml");
    let text = std::fs::read_to_string(&deployment).unwrap();
    std::fs::write(&deployment, text.replace("guestbook:v1", "guestbook:v2")).unwrap();
    std::fs::remove_file(folder.join("prune-me/extra.yaml")).unwrap();
    commit(folder, "v1.1.0");
    git(folder, &["checkout", "--quiet", "main"]);
    format!("file://{}", folder.display())
}

fn commit(folder: &Path, tag: &str) {
    git(folder, &["add", "--all", "."]);
    git(folder, &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", tag]);
    git(folder, &["tag", tag]);
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git").arg("-C").arg(folder).args(arguments).status().unwrap();
    assert!(status.success(), "git {arguments:?}: {status}");
}

pub fn copy(from: &Path, to: &Path) {
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
