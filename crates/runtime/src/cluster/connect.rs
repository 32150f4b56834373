//! [`Connection`]: which cluster, as whom, and how; in the words of kubectl's flags.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::Config;
use kube::config::{
    AuthInfo, Cluster as NamedServer, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};

use super::{Cluster, ClusterError, rustls_provider};
use crate::Clock;

/// Where the cluster is and who asks. What is absent is taken from the kubeconfig.
#[derive(Clone, Default)]
pub struct Connection {
    /// Kubeconfig file; those of `KUBECONFIG`, else `~/.kube/config`, when absent.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig instead of the current one.
    pub context: Option<String>,
    /// Cluster of the kubeconfig instead of the context's.
    pub cluster: Option<String>,
    /// User of the kubeconfig instead of the context's.
    pub user: Option<String>,
    /// URL of the API server.
    pub server: Option<String>,
    /// Name that the server's certificate must have.
    pub tls_server_name: Option<String>,
    /// File with the certificates that sign the server's.
    pub certificate_authority: Option<PathBuf>,
    /// Whether the server's certificate is not checked.
    pub insecure_skip_tls_verify: bool,
    /// File with the certificate of the client.
    pub client_certificate: Option<PathBuf>,
    /// File with the key of that certificate.
    pub client_key: Option<PathBuf>,
    /// Bearer token. Never logged.
    pub token: Option<String>,
    /// User to act as.
    pub act_as: Option<String>,
    /// Groups to act as.
    pub act_as_groups: Vec<String>,
    /// UID to act as.
    pub act_as_uid: Option<String>,
    /// Longest time a single request may take; watches are not limited.
    pub request_timeout: Option<Duration>,
    /// Whether answers are not compressed.
    pub disable_compression: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("kubeconfig", &self.kubeconfig)
            .field("context", &self.context)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Name of the context that the flags make.
const CHOSEN: &str = "chosen";

impl Cluster {
    /// Returns the cluster that the connection names, from inside a pod that of the pod when nothing else is named.
    ///
    /// Errors: [`ClusterError`] for a kubeconfig that cannot be read, names in it that do not exist, and no cluster at
    /// all.
    pub async fn connect(connection: &Connection, clock: Clock) -> Result<Self, ClusterError> {
        let _ = rustls_provider();
        let mut config = config(connection).await?;
        config.disable_compression |= connection.disable_compression;
        impersonate(&mut config.auth_info, connection);
        if let Some(limit) = connection.request_timeout {
            config.connect_timeout = Some(config.connect_timeout.map_or(limit, |own| own.min(limit)));
        }
        let client =
            kube::Client::try_from(config).map_err(|error| ClusterError::Client(super::chain(&error)))?;
        Ok(Self { limit: connection.request_timeout, ..Self::new(client, clock) })
    }
}

async fn config(connection: &Connection) -> Result<Config, ClusterError> {
    let variable = std::env::var_os("KUBECONFIG");
    let files = files(connection.kubeconfig.as_deref(), variable.as_deref(), std::env::home_dir());
    let found = read(&files, connection.kubeconfig.is_some())?;
    if found.is_none() && connection.server.is_none() {
        return Config::incluster().map_err(|_| ClusterError::NoCluster { looked: names(&files) });
    }
    let chosen = choose(&found.unwrap_or_default(), connection)?;
    let options = KubeConfigOptions { context: Some(CHOSEN.to_owned()), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(chosen, &options)
        .await
        .map_err(|error| ClusterError::Kubeconfig { path: names(&files), cause: super::chain(&error) })
}

/// Returns the files to merge: the one named, those of the variable, or the one in the home directory.
fn files(named: Option<&Path>, variable: Option<&OsStr>, home: Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(path) = named {
        return vec![path.to_owned()];
    }
    let listed: Vec<PathBuf> = variable.into_iter().flat_map(std::env::split_paths).collect();
    let listed: Vec<PathBuf> = listed.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    if listed.is_empty() { home.into_iter().map(|home| home.join(".kube/config")).collect() } else { listed }
}

fn names(files: &[PathBuf]) -> String {
    files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns the files as one: the first that says something wins. Files that do not exist are passed over unless the
/// only one was named; `None` when there is none.
///
/// Source: client-go's loading rules.
fn read(files: &[PathBuf], must_exist: bool) -> Result<Option<Kubeconfig>, ClusterError> {
    let mut merged: Option<Kubeconfig> = None;
    for path in files.iter().filter(|path| must_exist || path.exists()) {
        let failed = |cause| ClusterError::Kubeconfig { path: path.display().to_string(), cause };
        if !path.exists() {
            return Err(failed("no such file".into()));
        }
        let fail = |error: kube::config::KubeconfigError| failed(super::chain(&error));
        let next = Kubeconfig::read_from(path).map_err(fail)?;
        merged = Some(match merged {
            Some(merged) => merged.merge(next).map_err(fail)?,
            None => next,
        });
    }
    Ok(merged)
}

/// Returns a kubeconfig with one context, what the connection makes of the given one.
///
/// Source: client-go's overrides: a certificate authority replaces the data in the file, and none is used when
/// certificates are not checked; a token replaces other ways to log in.
fn choose(kubeconfig: &Kubeconfig, connection: &Connection) -> Result<Kubeconfig, ClusterError> {
    let context = context(kubeconfig, connection)?;
    let mut server = named(&context.cluster, connection.cluster.as_ref(), "cluster", |name| {
        kubeconfig.clusters.iter().find(|entry| entry.name == name).map(|entry| entry.cluster.clone())
    })?;
    let user = context.user.clone().unwrap_or_default();
    let mut auth = named(&user, connection.user.as_ref(), "user", |name| {
        kubeconfig.auth_infos.iter().find(|entry| entry.name == name).map(|entry| entry.auth_info.clone())
    })?;
    override_server(&mut server, connection);
    if server.server.is_none() {
        return Err(ClusterError::NoServer {
            context: connection.context.clone().unwrap_or(context.cluster),
        });
    }
    override_user(&mut auth, connection);
    let context = Context { cluster: CHOSEN.into(), user: Some(CHOSEN.into()), ..context };
    let named_cluster =
        NamedCluster { name: CHOSEN.into(), cluster: Some(server), other: std::collections::BTreeMap::new() };
    let named_user = NamedAuthInfo {
        name: CHOSEN.into(),
        auth_info: Some(auth),
        other: std::collections::BTreeMap::new(),
    };
    let named_context = NamedContext {
        name: CHOSEN.into(),
        context: Some(context),
        other: std::collections::BTreeMap::new(),
    };
    Ok(Kubeconfig {
        clusters: vec![named_cluster],
        auth_infos: vec![named_user],
        contexts: vec![named_context],
        ..Kubeconfig::default()
    })
}

/// Returns the context that is asked for or current; an empty one when there is none.
fn context(kubeconfig: &Kubeconfig, connection: &Connection) -> Result<Context, ClusterError> {
    let asked = connection.context.as_ref();
    let current = kubeconfig.current_context.as_ref().filter(|name| !name.is_empty());
    let Some(name) = asked.or(current) else { return Ok(Context::default()) };
    let found = kubeconfig.contexts.iter().find(|entry| entry.name == *name);
    let missing = || ClusterError::Missing { what: "context", name: name.clone() };
    Ok(found.ok_or_else(missing)?.context.clone().unwrap_or_default())
}

/// Returns the entry that is asked for, else the one of the context; that one may be absent.
fn named<T: Default>(
    of_context: &str,
    asked: Option<&String>,
    what: &'static str,
    find: impl Fn(&str) -> Option<Option<T>>,
) -> Result<T, ClusterError> {
    match asked {
        Some(name) => {
            let missing = || ClusterError::Missing { what, name: name.clone() };
            Ok(find(name).ok_or_else(missing)?.unwrap_or_default())
        }
        None => Ok(find(of_context).flatten().unwrap_or_default()),
    }
}

fn override_server(server: &mut NamedServer, connection: &Connection) {
    let text = |path: &PathBuf| path.display().to_string();
    if let Some(url) = &connection.server {
        server.server = Some(if url.contains("://") { url.clone() } else { format!("http://{url}") });
    }
    if let Some(name) = &connection.tls_server_name {
        server.tls_server_name = Some(name.clone());
    }
    if connection.insecure_skip_tls_verify {
        server.insecure_skip_tls_verify = Some(true);
        (server.certificate_authority, server.certificate_authority_data) = (None, None);
    } else if let Some(path) = &connection.certificate_authority {
        (server.certificate_authority, server.certificate_authority_data) = (Some(text(path)), None);
    }
}

fn override_user(auth: &mut AuthInfo, connection: &Connection) {
    let text = |path: &PathBuf| path.display().to_string();
    if let Some(path) = &connection.client_certificate {
        (auth.client_certificate, auth.client_certificate_data) = (Some(text(path)), None);
    }
    if let Some(path) = &connection.client_key {
        (auth.client_key, auth.client_key_data) = (Some(text(path)), None);
    }
    if let Some(token) = &connection.token {
        auth.token = Some(token.clone().into());
        (auth.token_file, auth.exec, auth.auth_provider) = (None, None, None);
        (auth.username, auth.password) = (None, None);
    }
}

fn impersonate(auth: &mut AuthInfo, connection: &Connection) {
    if let Some(user) = &connection.act_as {
        auth.impersonate = Some(user.clone());
    }
    if let Some(uid) = &connection.act_as_uid {
        auth.impersonate_uid = Some(uid.clone());
    }
    if !connection.act_as_groups.is_empty() {
        auth.impersonate_groups = Some(connection.act_as_groups.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
current-context: one
contexts:
- {name: one, context: {cluster: a, user: u, namespace: shop}}
- {name: two, context: {cluster: b, user: w}}
clusters:
- {name: a, cluster: {server: 'https://a', certificate-authority-data: eA==}}
- {name: b, cluster: {server: 'https://b'}}
users:
- {name: u, user: {username: x, password: y}}
- {name: w, user: {token: t}}
";

    fn chosen(connection: &Connection) -> (NamedServer, AuthInfo, Context) {
        let chosen = choose(&Kubeconfig::from_yaml(FILE).unwrap(), connection).unwrap();
        let (server, user) = (chosen.clusters[0].cluster.clone(), chosen.auth_infos[0].auth_info.clone());
        (server.unwrap(), user.unwrap(), chosen.contexts[0].context.clone().unwrap())
    }

    fn with(change: impl FnOnce(&mut Connection)) -> Connection {
        let mut connection = Connection::default();
        change(&mut connection);
        connection
    }

    #[test]
    fn flags_choose_among_the_entries() {
        let (server, user, context) = chosen(&Connection::default());
        assert_eq!(server.server.as_deref(), Some("https://a"));
        assert_eq!((user.username.as_deref(), context.namespace.as_deref()), (Some("x"), Some("shop")));
        let (server, ..) = chosen(&with(|it| it.context = Some("two".into())));
        assert_eq!(server.server.as_deref(), Some("https://b"));
        let (server, user, context) = chosen(&with(|it| {
            it.cluster = Some("b".into());
            it.user = Some("w".into());
        }));
        assert_eq!(server.server.as_deref(), Some("https://b"));
        assert!(user.token.is_some() && context.namespace.as_deref() == Some("shop"));
    }

    #[test]
    fn flags_replace_parts_of_the_entries() {
        let (server, user, _) = chosen(&with(|it| {
            it.server = Some("localhost:8080".into());
            it.certificate_authority = Some("ca.crt".into());
            it.token = Some("secret".into());
        }));
        assert_eq!(server.server.as_deref(), Some("http://localhost:8080"));
        assert_eq!(server.certificate_authority.as_deref(), Some("ca.crt"));
        assert!(server.certificate_authority_data.is_none());
        assert!(user.token.is_some() && user.username.is_none() && user.password.is_none());
        let (server, ..) = chosen(&with(|it| it.insecure_skip_tls_verify = true));
        assert!(server.certificate_authority_data.is_none());
        assert_eq!(server.insecure_skip_tls_verify, Some(true));
    }

    #[test]
    fn what_is_missing_is_named() {
        let say = |connection: &Connection| {
            choose(&Kubeconfig::from_yaml(FILE).unwrap(), connection).unwrap_err().to_string()
        };
        assert_eq!(say(&with(|it| it.context = Some("x".into()))), "context \"x\" does not exist");
        assert_eq!(say(&with(|it| it.cluster = Some("x".into()))), "cluster \"x\" does not exist");
        assert_eq!(say(&with(|it| it.user = Some("x".into()))), "user \"x\" does not exist");
        let empty = choose(&Kubeconfig::default(), &Connection::default()).unwrap_err().to_string();
        assert!(empty.contains("names no server"), "{empty}");
    }

    #[test]
    fn a_server_needs_no_kubeconfig() {
        let connection = with(|it| it.server = Some("https://x".into()));
        let chosen = choose(&Kubeconfig::default(), &connection).unwrap();
        assert_eq!(chosen.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("https://x"));
    }

    #[test]
    fn several_files_are_one_and_the_first_wins() {
        let folder = std::env::temp_dir().join(format!("slipway-kubeconfig-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (first, second) = (folder.join("first"), folder.join("second"));
        std::fs::write(&first, "clusters: [{name: b, cluster: {server: 'https://first'}}]").unwrap();
        std::fs::write(&second, FILE).unwrap();
        let variable = std::env::join_paths([&first, &folder.join("absent"), &second]).unwrap();
        let all = files(None, Some(&variable), None);
        assert_eq!(all.len(), 3);
        let merged = read(&all, false).unwrap().unwrap();
        let server = merged.clusters.iter().find(|entry| entry.name == "b").unwrap().cluster.clone();
        assert_eq!(server.unwrap().server.as_deref(), Some("https://first"));
        assert_eq!(merged.current_context.as_deref(), Some("one"));
        let gone = read(&files(Some(&folder.join("absent")), None, None), true).unwrap_err();
        assert!(gone.to_string().ends_with("absent: no such file"), "{gone}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_home_directory_is_the_last_resort() {
        let home = || Some(PathBuf::from("/home/a"));
        assert_eq!(files(None, None, home()), [PathBuf::from("/home/a/.kube/config")]);
        assert_eq!(files(None, Some("".as_ref()), home()), [PathBuf::from("/home/a/.kube/config")]);
        assert!(read(&[PathBuf::from("/nowhere/at/all")], false).unwrap().is_none());
    }
}
