//! Series of Applications.

use std::sync::Arc;

use api::application::{DEFAULT_PROJECT, IN_CLUSTER, IN_CLUSTER_NAME};
use object::Object;
use source::RepoUrl;

use super::gauge::Gauge;

const INFO: &[&str] = &[
    "namespace",
    "name",
    "project",
    "autosync_enabled",
    "repo",
    "dest_server",
    "dest_namespace",
    "sync_status",
    "health_status",
    "operation",
];

/// Returns the series of these Applications. **Source:** the collector of Argo CD.
pub(super) fn gauges(applications: impl Iterator<Item = Arc<Object>>) -> Vec<Gauge> {
    let mut info = Gauge::new("argocd_app_info", "Information about an Application", INFO);
    for application in applications {
        let application = &*application;
        info.set(
            [
                application.namespace(),
                application.name(),
                or(application.str(&["spec", "project"]), DEFAULT_PROJECT),
                autosync(application),
                &repository(application),
                server(application),
                application.str(&["spec", "destination", "namespace"]),
                or(application.str(&["status", "sync", "status"]), "Unknown"),
                or(application.str(&["status", "health", "status"]), "Unknown"),
                operation(application),
            ],
            1,
        );
    }
    vec![info]
}

fn or<'t>(text: &'t str, default: &'t str) -> &'t str {
    if text.is_empty() { default } else { text }
}

fn autosync(application: &Object) -> &'static str {
    match application.get(&["spec", "syncPolicy", "automated"]) {
        Some(automated) if !automated.is_null() && automated["enabled"] != false => "true",
        _ => "false",
    }
}

/// Returns the first source's repository in its one spelling; never a password that somebody wrote into a URL.
fn repository(application: &Object) -> String {
    let first = application.items(&["spec", "sources"]).first();
    let url = match first {
        Some(source) => source["repoURL"].as_str().unwrap_or_default(),
        None => application.str(&["spec", "source", "repoURL"]),
    };
    match RepoUrl::parse(url) {
        Ok(url) => url.normalized().to_owned(),
        Err(_) => url.rsplit('@').next().unwrap_or_default().to_owned(),
    }
}

fn server(application: &Object) -> &str {
    let server = application.str(&["spec", "destination", "server"]);
    let in_cluster = application.str(&["spec", "destination", "name"]) == IN_CLUSTER_NAME;
    if server.is_empty() && in_cluster { IN_CLUSTER } else { server }
}

fn operation(application: &Object) -> &'static str {
    let syncs = application.get(&["operation", "sync"]).is_some_and(|sync| !sync.is_null());
    match application.is_deleting() {
        true => "delete",
        false if syncs => "sync",
        false => "",
    }
}
