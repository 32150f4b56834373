//! Bad sources: each is told by a condition that names what is wrong, nothing is applied, and what was good stays.

use std::time::Duration;

use object::{Object, Value, json};
use runtime::resources::{APPLICATIONS, CONFIG_MAPS, SECRETS};

use crate::http;
use crate::world::{World, condition, config, object};

fn automated() -> Value {
    json!({"syncPolicy": {"automated": {"prune": true, "selfHeal": true}}})
}

/// A world with one ConfigMap that came from the source.
async fn synced() -> World {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    world.create("app", automated()).await;
    world.settled("app", "Synced").await;
    world
}

fn has(kind: &'static str, text: &'static str) -> impl Fn(&Object) -> bool {
    move |app| condition(app, kind).contains(text)
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_read_is_a_comparison_error() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let missing = format!("file://{}/missing", world.folder().display());
    let cases = [
        ("repository", json!({"source": {"repoURL": missing}}), "repository not found: file://"),
        ("revision", json!({"source": {"targetRevision": "v9"}}), "unable to resolve 'v9' to a commit SHA"),
        ("path", json!({"source": {"path": "nope"}}), "nope: app path does not exist"),
        (
            "traversal",
            json!({"source": {"path": "../../etc"}}),
            "../../etc: app path is outside of the repository",
        ),
        ("scheme", json!({"source": {"repoURL": "gopher://x/y"}}), "invalid repository URL"),
    ];
    for (name, change, _) in &cases {
        let mut more = automated();
        patch::merge::apply(&mut more, change);
        world.create(name, more).await;
    }
    for (name, _, text) in cases {
        let app = world.until(name, has("ComparisonError", text)).await;
        assert_eq!(app.str(&["status", "sync", "status"]), "Unknown", "{name}");
        assert_eq!(app.get(&["operation"]), None, "{name}");
        assert!(condition(&app, "ComparisonError").starts_with("Failed to load target state: "));
    }
    assert_eq!(world.names(&CONFIG_MAPS).await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_stops_the_comparison_and_leaves_what_runs() {
    let world = synced().await;
    let bad = [
        (
            "broken.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [1, 2\nother: }\n",
            "broken.yaml",
        ),
        ("no-kind.yaml", "apiVersion: v1\nkind: \"\"\nmetadata:\n  name: x\n", "no-kind.yaml"),
        (
            "no-name.yaml",
            "apiVersion: v1\nkind: ConfigMap\ndata: {}\n",
            "ConfigMap: metadata.name is missing",
        ),
        ("twice.yaml", "apiVersion: v1\nkind: ConfigMap\nkind: Pod\nmetadata:\n  name: x\n", "twice.yaml"),
    ];
    for (file, text, named) in bad {
        world.commit(&[("b.yaml", &config("b", "1")), (file, text)]);
        let app = world.until("app", has("ComparisonError", named)).await;
        assert_eq!(app.str(&["status", "sync", "status"]), "Unknown");
        assert_eq!(world.names(&CONFIG_MAPS).await, ["a"], "neither pruned nor applied");
        world.commit(&[("a.yaml", &config("a", file))]);
        let app = world.settled("app", "Synced").await;
        assert_eq!(condition(&app, "ComparisonError"), "");
    }
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_for_a_while_leaves_the_last_comparison_standing() {
    let world = synced().await;
    let (here, away) = (world.folder().join("sample"), world.folder().join("away"));
    std::fs::rename(&here, &away).unwrap();
    world.pass(170_000).await;
    let app = world.get(&APPLICATIONS, ("argocd", "app")).await.unwrap();
    assert_eq!(app.str(&["status", "sync", "status"]), "Synced");
    assert_eq!(app.items(&["status", "conditions"]).len(), 0);

    let app = world.until("app", has("ComparisonError", "repository not found")).await;
    assert_eq!(app.str(&["status", "sync", "status"]), "Unknown");
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a"]);

    std::fs::rename(&away, &here).unwrap();
    let app = world.settled("app", "Synced").await;
    assert_eq!(app.items(&["status", "conditions"]).len(), 0);
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_git_server_that_hangs_is_given_up() {
    let limit = Duration::from_millis(300);
    let world = World::with(|settings| {
        settings.request_timeout = limit;
        settings.fetch_timeout = limit;
    })
    .await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.git", silent.local_addr().unwrap());
    let mut more = automated();
    patch::merge::apply(&mut more, &json!({"source": {"repoURL": url}}));
    world.create("app", more).await;
    world.until("app", has("ComparisonError", "timed out after 0.3 s waiting for repository")).await;

    world.commit(&[("a.yaml", &config("a", "1"))]);
    world.create("other", automated()).await;
    world.settled("other", "Synced").await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_private_repository_is_read_with_the_credentials_of_a_secret() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let server = http::Server::start(world.folder(), "s3cret").await;
    let mut more = automated();
    patch::merge::apply(&mut more, &json!({"source": {"repoURL": server.url()}}));
    world.create("app", more).await;
    world.until("app", has("ComparisonError", "authentication required")).await;

    let secret = json!({
        "metadata": {"labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {"type": "git", "url": server.url(), "username": "ann", "password": "s3cret"},
    });
    let given = world.now();
    world.apply(&SECRETS, object("v1", "Secret", ("argocd", "repo"), secret)).await;
    world.settled("app", "Synced").await;
    assert!(world.now() < given.after(AT_ONCE), "{}", world.now());
    assert_eq!(world.names(&CONFIG_MAPS).await, ["a"]);
    assert!(server.fetches() > 0);
    world.stop().await;
}

/// Far less than the time between two looks at a repository.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn credentials_of_a_template_that_change_are_used_at_once() {
    let world = World::start().await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let server = http::Server::start(world.folder(), "s3cret").await;
    let prefix = server.url().trim_end_matches("/sample").to_owned();
    let secret = json!({
        "metadata": {"labels": {"argocd.argoproj.io/secret-type": "repo-creds"}},
        "stringData": {"type": "git", "url": prefix, "username": "ann", "password": "wr0ng"},
    });
    world.apply(&SECRETS, object("v1", "Secret", ("argocd", "creds"), secret)).await;
    let mut more = automated();
    patch::merge::apply(&mut more, &json!({"source": {"repoURL": server.url()}}));
    world.create("app", more).await;
    let app = world.until("app", has("ComparisonError", "authentication required")).await;
    assert!(!app.to_value().to_string().contains("wr0ng"));
    world.pass(10_000).await;

    let changed = world.now();
    world.merge(&SECRETS, ("argocd", "creds"), json!({"stringData": {"password": "s3cret"}})).await;
    world.settled("app", "Synced").await;
    assert!(world.now() < changed.after(AT_ONCE), "{}", world.now());

    // a Secret of another repository wakes nobody
    let before = world.writes();
    let other = json!({
        "metadata": {"labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {"url": "https://elsewhere.example/x"},
    });
    world.apply(&SECRETS, object("v1", "Secret", ("argocd", "other"), other)).await;
    world.pass(10_000).await;
    assert_eq!(world.writes(), before + 1, "the Secret itself");
    world.stop().await;
}

/// An `ssh` program that runs what it is asked to on this machine, if it is told to know `git.example`.
fn careful_ssh(folder: &std::path::Path) -> std::path::PathBuf {
    let program = folder.join("ssh");
    let script = "#!/bin/sh\nknown=/dev/null\nlog=/dev/stderr\nbefore=\nfor word; do\n  \
                  case $word in UserKnownHostsFile=*) known=${word#*=};; esac\n  \
                  if [ \"$before\" = -E ]; then log=$word; fi\n  before=$word\ndone\n\
                  grep -q git.example \"$known\" || { echo 'Host key verification failed.' >> \"$log\"; exit 255; }\n\
                  eval \"exec git-upload-pack $word\"\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    program
}

#[tokio::test(start_paused = true)]
async fn a_host_key_that_is_not_known_is_told_and_used_once_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let ssh = careful_ssh(folder.path());
    let world = World::with(|settings| settings.ssh = ssh).await;
    world.commit(&[("a.yaml", &config("a", "1"))]);
    let url = format!("ssh://git@git.example{}/sample", world.folder().display());
    let mut more = automated();
    patch::merge::apply(&mut more, &json!({"source": {"repoURL": url}}));
    world.create("app", more).await;
    let app =
        world.until("app", has("ComparisonError", "cannot be verified: Host key verification failed")).await;
    assert!(condition(&app, "ComparisonError").contains("host key of ssh://git@git.example/"));
    assert_eq!(world.names(&CONFIG_MAPS).await, Vec::<String>::new());

    let given = world.now();
    let hosts = json!({"data": {"ssh_known_hosts": "git.example ssh-ed25519 AAAA"}});
    world
        .apply(&CONFIG_MAPS, object("v1", "ConfigMap", ("argocd", "argocd-ssh-known-hosts-cm"), hosts))
        .await;
    world.settled("app", "Synced").await;
    assert!(world.now() < given.after(AT_ONCE), "{}", world.now());
    world.stop().await;
}
