//! Servers that answer nonsense or say no, and repositories with nothing in them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Fixture, http, local};
use source::{Credentials, RepoSpec, RepoUrl, Repositories, Selection, Settings, SourceError};

/// A server that gives this answer to whatever it is asked.
fn answering(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    format!("http://{address}/a.git")
}

fn http_answer(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_server_that_answers_nonsense_is_told_apart_from_none() {
    let advertisement = "application/x-git-upload-pack-advertisement";
    let cases = [
        http_answer("text/html", b"<html>log in first</html>"),
        http_answer(advertisement, b"<html>log in first</html>"),
        http_answer(advertisement, b"001e# service=git-upload-pack\n0000fffe too short"),
        http_answer(advertisement, &[0xff; 10_000]),
        b"\x00\x01\x02 no http at all".to_vec(),
        Vec::new(),
    ];
    for answer in cases {
        let f = local();
        let repositories = Repositories::new(Settings::new(f.cache.path()));
        let spec = RepoSpec::public(RepoUrl::parse(&answering(answer.clone())).unwrap());
        let error = repositories.resolve(&spec, "main").await.unwrap_err();
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
        assert!(matches!(error, SourceError::Unreachable { .. }), "{error}: {shown}");
        assert!(error.to_string().contains(spec.url.as_str()) && error.to_string().len() < 700, "{error}");
        // the cache is as usable as before
        assert!(f.files("guestbook").await.is_ok());
    }
}

#[tokio::test]
async fn an_empty_repository_has_no_revision() {
    let f = local();
    let empty = f.sample.folder().join("empty");
    let made = std::process::Command::new("git").args(["init", "-q", "--bare"]).arg(&empty).status().unwrap();
    assert!(made.success());
    let server = http::Server::start(f.sample.folder(), "").await;
    let remote = Repositories::new(Settings::new(f.cache.path()));
    let urls = [format!("file://{}", empty.display()), server.url().replace("/sample", "/empty")];
    for (url, repositories) in urls.iter().zip([&f.repositories, &remote]) {
        let spec = RepoSpec::public(RepoUrl::parse(url).unwrap());
        for revision in ["HEAD", "", "main", "1.x"] {
            let error = repositories.resolve(&spec, revision).await.unwrap_err();
            assert!(matches!(error, SourceError::RevisionNotFound { .. }), "{url} {revision:?}: {error}");
        }
    }
}

/// An `ssh` program that says something to its log and fails.
fn refusing(folder: &Path, says: &str) -> std::path::PathBuf {
    let program = folder.join("ssh");
    let script = format!(
        "#!/bin/sh\nlog=/dev/stderr\nwhile [ $# -gt 0 ]; do\n  if [ \"$1\" = -E ]; then log=$2; fi\n  shift\ndone\n\
         printf '%s\\r\\n' '{says}' >> \"$log\"\nexit 255\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    program
}

async fn told(says: &str) -> SourceError {
    let mut f: Fixture = local();
    let ssh = refusing(f.sample.folder(), says);
    f.repositories = Repositories::new(Settings { ssh, ..Settings::new(f.cache.path()) });
    f.spec.url = RepoUrl::parse("ssh://git@git.example/a.git").unwrap();
    f.spec.credentials = Credentials { ssh_private_key: "THE KEY".into(), ..Credentials::default() };
    let error = f.resolve("main").await.unwrap_err();
    let id = source::CommitId::parse(&"a".repeat(40)).unwrap();
    let fetched = f.repositories.files(&f.spec, &id, &Selection::all("")).await.unwrap_err();
    assert_eq!(fetched, error, "a fetch tells the same");
    assert!(!error.to_string().contains("THE KEY"), "{error}");
    error
}

#[tokio::test]
async fn what_ssh_says_becomes_a_typed_error() {
    let error = told("git@git.example: Permission denied (publickey).").await;
    assert!(matches!(error, SourceError::AuthenticationRequired { .. }), "{error}");
    let error = told("Host key verification failed.").await;
    assert!(matches!(error, SourceError::HostKey { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "host key of ssh://git@git.example/a.git cannot be verified: Host key verification failed."
    );
    let error = told("ssh: connect to host git.example port 22: Connection refused").await;
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    let error = told("ssh: Could not resolve hostname git.example: Name or service not known").await;
    assert!(error.to_string().contains("Could not resolve hostname"), "{error}");
    let error = told("Load key \"/tmp/key\": error in libcrypto").await;
    assert!(matches!(error, SourceError::InvalidCredentials { .. }), "{error}");
    assert!(error.to_string().ends_with("the private key cannot be read: error in libcrypto"), "{error}");
}
