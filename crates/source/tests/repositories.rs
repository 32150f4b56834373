//! [`source::Repositories`] against repositories made by the `git` program, on disk and over http.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end")]

#[path = "repositories/http.rs"]
mod http;
#[path = "repositories/refused.rs"]
mod refused;
#[path = "repositories/sample.rs"]
mod sample;

use std::time::Duration;

use sample::Sample;
use source::{
    CommitId, Credentials, FileKind, Limits, LocalRepositories, RepoSpec, RepoUrl, Repositories, Selection,
    Settings, SourceError,
    manifests::{self, DirectoryOptions},
};

struct Fixture {
    sample: Sample,
    cache: tempfile::TempDir,
    repositories: Repositories,
    spec: RepoSpec,
}

/// A repository with one commit, read in place.
fn local() -> Fixture {
    let sample = Sample::new();
    sample.write("guestbook/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n");
    sample.write("guestbook/sub/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n");
    sample.write("guestbook/README.md", "words\n");
    sample.commit("first");
    let cache = tempfile::tempdir().unwrap();
    let settings = Settings { local: LocalRepositories::Read, ..Settings::new(cache.path()) };
    let spec = RepoSpec::public(RepoUrl::parse(&sample.url()).unwrap());
    Fixture { sample, cache, repositories: Repositories::new(settings), spec }
}

impl Fixture {
    #[track_caller]
    fn resolve(&self, revision: &str) -> impl Future<Output = Result<CommitId, SourceError>> {
        self.repositories.resolve(&self.spec, revision)
    }

    async fn files(&self, path: &str) -> Result<source::Tree, SourceError> {
        let head = self.resolve("HEAD").await?;
        self.repositories.files(&self.spec, &head, &Selection::all(path)).await
    }
}

#[tokio::test(start_paused = true)]
async fn revisions_resolve_to_commits() {
    let f = local();
    let first = f.sample.head();
    f.sample.git(&["tag", "v1.0.0"]);
    f.sample.git(&["tag", "-a", "v1.2.0", "-m", "annotated"]);
    f.sample.write("guestbook/a.yaml", "changed: true\n");
    f.sample.commit("second");
    f.sample.git(&["tag", "v2.0.0"]);
    let second = f.sample.head();
    for (revision, expected) in [
        ("", &second),
        ("HEAD", &second),
        ("main", &second),
        ("refs/heads/main", &second),
        ("v1.0.0", &first),
        ("v1.2.0", &first),
        ("1.x", &first),
        ("*", &second),
        (first.as_str(), &first),
        (&first[..7], &first),
        (&second[..12], &second),
    ] {
        assert_eq!(f.resolve(revision).await.unwrap().as_str(), expected, "{revision:?}");
    }
    let error = f.resolve("no-such-branch").await.unwrap_err();
    assert_eq!(error.to_string(), "unable to resolve 'no-such-branch' to a commit SHA: revision not found");
    assert!(matches!(f.resolve("0123456789").await, Err(SourceError::RevisionNotFound { .. })));
}

#[tokio::test(start_paused = true)]
async fn files_are_those_of_the_commit() {
    let f = local();
    let first = f.resolve("main").await.unwrap();
    f.sample.write("guestbook/a.yaml", "new\n");
    f.sample.commit("second");
    let selection = Selection::all("guestbook");
    let old = f.repositories.files(&f.spec, &first, &selection).await.unwrap();
    let new = f.files("./guestbook/").await.unwrap();
    assert_eq!(old.entries.keys().collect::<Vec<_>>(), ["README.md", "a.yaml", "sub/b.yaml"]);
    assert_eq!(new.bytes("a.yaml").unwrap().as_ref(), b"new\n");
    assert_ne!(old.bytes("a.yaml"), new.bytes("a.yaml"));
    let picked = manifests::read(&old, &DirectoryOptions::default()).unwrap();
    assert_eq!(manifests::parse(&picked).unwrap()[0].name(), "a");
}

#[tokio::test(start_paused = true)]
async fn metadata_tells_who_and_when() {
    let f = local();
    f.sample.git(&["tag", "v1"]);
    let head = f.resolve("HEAD").await.unwrap();
    let metadata = f.repositories.metadata(&f.spec, &head).await.unwrap();
    assert_eq!(metadata.author, "Ann <ann@example.com>");
    assert_eq!(metadata.date.to_string(), "2026-01-02T03:04:05Z");
    assert_eq!((metadata.message.as_str(), metadata.tags), ("first", vec!["v1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn paths_stay_in_the_repository() {
    let f = local();
    assert_eq!(f.files("nope").await.unwrap_err().to_string(), "nope: app path does not exist");
    assert!(matches!(f.files("guestbook/a.yaml").await, Err(SourceError::NotADirectory { .. })));
    for path in ["../etc", "/etc", "guestbook/../../x", ".."] {
        let error = f.files(path).await.unwrap_err();
        assert!(matches!(error, SourceError::PathEscapes { .. }), "{path}: {error}");
    }
    assert_eq!(f.files("guestbook/../guestbook/sub").await.unwrap().entries.len(), 1);
    assert_eq!(f.files(".").await.unwrap().entries.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn links_are_followed_inside_the_repository() {
    let f = local();
    f.sample.link("../guestbook/a.yaml", "links/file.yaml");
    f.sample.link("../guestbook/sub", "links/folder");
    f.sample.link("folder/b.yaml", "links/through.yaml");
    f.sample.link("nowhere", "links/dangling.yaml");
    f.sample.link("links/folder", "alias");
    f.sample.commit("links");
    let tree = f.files("links").await.unwrap();
    let names = ["dangling.yaml", "file.yaml", "folder", "through.yaml"];
    assert_eq!(tree.entries.keys().collect::<Vec<_>>(), names);
    assert_eq!(tree.entries["dangling.yaml"].kind, FileKind::DanglingLink { target: "nowhere".into() });
    assert!(tree.entries["file.yaml"].bytes.ends_with(b"name: a\n"));
    assert!(tree.entries["through.yaml"].bytes.ends_with(b"name: b\n"));
    assert_eq!(tree.entries["folder"].kind, FileKind::FolderLink { target: "guestbook/sub".into() });
    assert_eq!(f.files("alias").await.unwrap().entries.keys().collect::<Vec<_>>(), ["b.yaml"]);
}

#[tokio::test(start_paused = true)]
async fn submodules_are_seen_and_not_entered() {
    let f = local();
    let commit = f.sample.head();
    f.sample.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},guestbook/vendor")]);
    f.sample.git(&["commit", "-q", "-m", "submodule"]);
    let tree = f.files("guestbook").await.unwrap();
    assert_eq!(tree.entries["vendor"].kind, FileKind::Submodule);
    let error = f.files("guestbook/vendor").await.unwrap_err();
    assert!(matches!(error, SourceError::PathNotFound { .. } | SourceError::NotADirectory { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn links_that_leave_the_repository_are_errors() {
    for target in ["/etc/passwd", "../../etc/passwd", "../up", "b.yaml"] {
        let f = local();
        f.sample.link("../..", "up");
        f.sample.link("a.yaml", "bad/b.yaml");
        f.sample.link(target, "bad/a.yaml");
        f.sample.commit("bad link");
        let error = f.files("bad").await.unwrap_err();
        let looped = target == "b.yaml";
        assert!(error.to_string().contains("file: bad/a.yaml"), "{target}: {error}");
        assert_eq!(matches!(error, SourceError::SymlinkLoop { .. }), looped, "{target}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn sizes_and_counts_are_limited() {
    let f = local();
    f.sample.write("guestbook/big.yaml", &"x".repeat(100_000));
    f.sample.write("guestbook/image.png", &"x".repeat(100_000));
    f.sample.commit("big");
    let head = f.resolve("HEAD").await.unwrap();
    let with = |limits| Selection { limits, ..Selection::manifests("guestbook") };
    let read = |selection| {
        let (repositories, spec, head) = (&f.repositories, &f.spec, &head);
        async move { repositories.files(spec, head, &selection).await }
    };
    let fits = read(with(Limits { bytes: 150_000, ..Limits::default() })).await.unwrap();
    assert!(!fits.entries.contains_key("image.png"));
    let large = read(with(Limits { bytes: 99_999, ..Limits::default() })).await.unwrap_err();
    assert!(matches!(&large, SourceError::TooLarge { file, .. } if file == "big.yaml"), "{large}");
    let many = read(with(Limits { entries: 2, ..Limits::default() })).await.unwrap_err();
    assert!(matches!(many, SourceError::TooMany { limit: 2, .. }), "{many}");
    let deep = read(with(Limits { depth: 0, ..Limits::default() })).await.unwrap_err();
    assert!(matches!(deep, SourceError::TooMany { what: "nested folders", .. }), "{deep}");
}

#[tokio::test(start_paused = true)]
async fn local_repositories_are_refused_by_default() {
    let f = local();
    let repositories = Repositories::new(Settings::new(f.cache.path()));
    let error = repositories.resolve(&f.spec, "HEAD").await.unwrap_err();
    assert!(matches!(error, SourceError::LocalRefused { .. }), "{error}");
    let missing = RepoSpec::public(RepoUrl::parse("/no/such/repository").unwrap());
    let error = f.repositories.resolve(&missing, "HEAD").await.unwrap_err();
    assert_eq!(error.to_string(), "repository not found: /no/such/repository");
}

#[tokio::test]
async fn a_hanging_http_server_costs_no_more_than_the_limit() {
    a_hanging_server("http://").await;
}

#[tokio::test]
async fn a_hanging_ssh_server_costs_no_more_than_the_limit() {
    if std::process::Command::new("ssh").arg("-V").output().is_err() {
        eprintln!("NOT TESTED: there is no ssh program");
        return;
    }
    a_hanging_server("ssh://git@").await;
}

/// The server accepts (the kernel does) and never answers.
async fn a_hanging_server(scheme: &str) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{scheme}{}/a.git", listener.local_addr().unwrap());
    let cache = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(300);
    let settings = Settings { request_timeout: limit, fetch_timeout: limit, ..Settings::new(cache.path()) };
    let repositories = Repositories::new(settings);
    let spec = RepoSpec::public(RepoUrl::parse(&url).unwrap());
    let error = repositories.resolve(&spec, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Timeout { .. }), "{error}");
    let id = CommitId::parse(&"a".repeat(40)).unwrap();
    let error = repositories.files(&spec, &id, &Selection::all("")).await.unwrap_err();
    assert!(matches!(error, SourceError::Timeout { .. }), "{error}");
}

struct Remote {
    f: Fixture,
    server: http::Server,
}

/// The same repository behind http; `password` empty lets everybody in.
async fn remote(password: &str) -> Remote {
    let mut f = local();
    let server = http::Server::start(f.sample.folder(), password).await;
    f.repositories = Repositories::new(Settings::new(f.cache.path()));
    f.spec.url = RepoUrl::parse(&server.url()).unwrap();
    f.spec.credentials =
        Credentials { username: "ann".into(), password: password.into(), ..Credentials::default() };
    Remote { f, server }
}

#[tokio::test]
async fn http_resolves_and_fetches_what_is_new() {
    let Remote { f, server } = remote("").await;
    let first = f.files("guestbook").await.unwrap();
    assert_eq!(first.entries.len(), 3);
    f.sample.write("guestbook/a.yaml", "new\n");
    f.sample.commit("second");
    assert_eq!(f.files("guestbook").await.unwrap().bytes("a.yaml").unwrap().as_ref(), b"new\n");
    let fetches = server.fetches();
    let head = CommitId::parse(&f.sample.head()).unwrap();
    f.repositories.files(&f.spec, &head, &Selection::all("guestbook")).await.unwrap();
    assert_eq!(server.fetches(), fetches, "a commit that is there is not fetched");
    assert_eq!(f.repositories.metadata(&f.spec, &head).await.unwrap().message, "second");
    assert_eq!(f.resolve(&head.as_str()[..8]).await.unwrap(), head);
}

#[tokio::test]
async fn commits_that_were_rewritten_away_are_still_found() {
    let Remote { f, server: _server } = remote("").await;
    let first = f.resolve("HEAD").await.unwrap();
    f.sample.git(&["commit", "-q", "--amend", "-m", "rewritten"]);
    let old = f.repositories.files(&f.spec, &first, &Selection::all("guestbook")).await.unwrap();
    assert_eq!(old.entries.len(), 3);
    let absent = CommitId::parse(&"a".repeat(40)).unwrap();
    let error = f.repositories.files(&f.spec, &absent, &Selection::all("")).await.unwrap_err();
    assert!(matches!(error, SourceError::RevisionNotFound { .. }), "{error}");
}

#[tokio::test]
async fn passwords_are_asked_for_and_never_shown() {
    let Remote { mut f, server: _server } = remote("s3cret").await;
    assert_eq!(f.files("guestbook").await.unwrap().entries.len(), 3);
    let head = CommitId::parse(&f.sample.head()).unwrap();
    for wrong in ["", "wr0ng"] {
        f.spec.credentials.password = wrong.into();
        if wrong.is_empty() {
            f.spec.credentials = Credentials::default();
        }
        let error = f.resolve("main").await.unwrap_err();
        assert!(matches!(error, SourceError::AuthenticationRequired { .. }), "{error}");
        assert!(!format!("{error:?} {error}").contains("wr0ng"));
        f.spec.credentials.username = "ann".into();
    }
    f.spec.credentials = Credentials::default();
    let error = f.repositories.files(&f.spec, &head, &Selection::all("")).await.unwrap_err();
    assert!(matches!(error, SourceError::AuthenticationRequired { .. }), "cached for others: {error}");
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_told_from_a_server_that_is_not() {
    let Remote { mut f, server } = remote("").await;
    f.spec.url = RepoUrl::parse(&server.url().replace("/sample", "/nope")).unwrap();
    let error = f.resolve("main").await.unwrap_err();
    assert!(matches!(error, SourceError::RepositoryNotFound { .. }), "{error}");
    let url = server.url();
    drop(server);
    f.spec.url = RepoUrl::parse(&url).unwrap();
    let error = f.resolve("main").await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn concurrent_callers_share_one_fetch() {
    let Remote { f, server } = remote("").await;
    let head = f.resolve("HEAD").await.unwrap();
    let selection = Selection::all("guestbook");
    let read = || f.repositories.files(&f.spec, &head, &selection);
    let (a, b, c) = tokio::join!(read(), read(), read());
    assert!(a.is_ok() && a == b && b == c);
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_anew() {
    let Remote { f, server } = remote("").await;
    f.files("guestbook").await.unwrap();
    let caches = std::fs::read_dir(f.cache.path()).unwrap().map(|entry| entry.unwrap().path());
    let cache = caches.into_iter().find(|path| !path.ends_with("empty.git")).unwrap();
    let packs = std::fs::read_dir(cache.join("objects/pack")).unwrap();
    for pack in packs.map(|entry| entry.unwrap().path()).filter(|path| path.extension().unwrap() == "pack") {
        let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        std::fs::set_permissions(&pack, permissions).unwrap();
        let length = std::fs::metadata(&pack).unwrap().len();
        std::fs::write(&pack, vec![0; usize::try_from(length).unwrap()]).unwrap();
    }
    assert_eq!(f.files("guestbook").await.unwrap().entries.len(), 3);
    // a process that was killed leaves its locks
    std::fs::write(cache.join("packed-refs.lock"), "").unwrap();
    f.sample.write("guestbook/c.yaml", "c\n");
    f.sample.commit("second");
    assert_eq!(f.files("guestbook").await.unwrap().entries.len(), 4);
    assert!(server.fetches() >= 3);
}

#[tokio::test]
async fn a_repository_over_the_quota_is_refused_and_not_kept() {
    let Remote { mut f, server: _server } = remote("").await;
    let settings = Settings { repository_bytes: 100, ..Settings::new(f.cache.path()) };
    f.repositories = Repositories::new(settings);
    let error = f.files("guestbook").await.unwrap_err();
    assert!(matches!(error, SourceError::RepositoryTooLarge { limit: 100, .. }), "{error}");
    let left = std::fs::read_dir(f.cache.path()).unwrap().count();
    assert_eq!(left, 1, "only the empty repository is left");
}

#[tokio::test]
async fn settings_that_tls_cannot_use_are_told() {
    let Remote { mut f, server: _server } = remote("").await;
    f.spec.credentials = Credentials { tls_client_key: "no key".into(), ..Credentials::default() };
    let error = f.resolve("main").await.unwrap_err();
    assert!(matches!(error, SourceError::InvalidCredentials { .. }), "{error}");
}

#[tokio::test]
async fn bearer_tokens_are_sent() {
    let Remote { mut f, server: _server } = remote("s3cret").await;
    f.spec.credentials = Credentials { bearer_token: "s3cret".into(), ..Credentials::default() };
    assert_eq!(f.files("guestbook").await.unwrap().entries.len(), 3);
}

/// A program in place of ssh notes its arguments and the key, and runs the command here.
#[tokio::test]
async fn ssh_gets_the_key_and_the_host() {
    let mut f = local();
    let (program, notes) = (f.sample.folder().join("ssh"), f.sample.folder().join("notes"));
    let script = format!(
        "#!/bin/sh\nfor word; do\n  echo \"$word\" >> '{0}'\n  case $word in IdentityFile=*) cat \"${{word#*=}}\" >> '{0}';; \
         esac\ndone\neval \"exec git-upload-pack $word\"\n",
        notes.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    f.repositories = Repositories::new(Settings { ssh: program, ..Settings::new(f.cache.path()) });
    let path = f.sample.folder().join("sample").display().to_string();
    f.spec.url = RepoUrl::parse(&format!("ssh://git@example.com:2222{path}")).unwrap();
    f.spec.credentials = Credentials { ssh_private_key: "THE KEY".into(), ..Credentials::default() };
    assert_eq!(f.files("guestbook").await.unwrap().entries.len(), 3);
    let notes = std::fs::read_to_string(notes).unwrap();
    for expected in ["THE KEY", "StrictHostKeyChecking=yes", "BatchMode=yes", "-p2222", "git@example.com"] {
        assert!(notes.lines().any(|line| line == expected), "{expected}: {notes}");
    }
}
