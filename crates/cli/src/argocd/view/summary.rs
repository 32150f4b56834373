//! The key rows about an Application.

use std::fmt::Write as _;

use object::{Object, Value};

use super::{is_automated, project, server, short, sources, text};
use crate::print::Table;

/// What the rows tell beside the Application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Address of the Application's page; no row when unknown.
    pub url: Option<String>,
    /// Sync windows of the project that concern the Application; `None` without a look at the project.
    pub windows: Vec<String>,
}

/// Returns the key rows.
pub fn summary(app: &Object, page: &Page) -> String {
    let mut out = String::new();
    row(&mut out, "Name:", &app.key().to_string());
    row(&mut out, "Project:", project(app));
    row(&mut out, "Server:", server(app));
    row(&mut out, "Namespace:", app.str(&["spec", "destination", "namespace"]));
    if let Some(url) = &page.url {
        row(&mut out, "URL:", url);
    }
    let sources = sources(app);
    let several = !app.items(&["spec", "sources"]).is_empty();
    out.push_str(if several { "Sources:\n" } else { "Source:\n" });
    sources.iter().for_each(|source| source_rows(&mut out, source));
    if page.windows.is_empty() {
        row(&mut out, "SyncWindow:", "Sync Allowed");
    } else {
        row(&mut out, "SyncWindow:", "Not Evaluated");
        row(&mut out, "Assigned Windows:", &page.windows.join(","));
    }
    row(&mut out, "Sync Policy:", policy(app));
    let target = sources.first().map_or("", |source| text(source, "targetRevision"));
    row(&mut out, "Sync Status:", &sync_status(app, target));
    row(&mut out, "Health Status:", app.str(&["status", "health", "status"]));
    out
}

/// Returns the Helm parameters of the source, that at `position` (from 1) of several; empty when it is not Helm.
pub fn parameters(app: &Object, position: Option<usize>) -> String {
    let several = !app.items(&["spec", "sources"]).is_empty();
    let index = if several { position.and_then(|position| position.checked_sub(1)) } else { Some(0) };
    let Some(source) = index.and_then(|index| sources(app).get(index).copied()) else { return String::new() };
    let Some(helm) = source.get("helm") else { return String::new() };
    let mut table = Table::new();
    table.line(["NAME", "VALUE"]);
    for parameter in helm["parameters"].as_array().into_iter().flatten() {
        table.line([text(parameter, "name"), &shortened(text(parameter, "value"))]);
    }
    format!("\n\n{}", table.render())
}

fn shortened(value: &str) -> String {
    if value.chars().count() <= 80 {
        return value.to_owned();
    }
    value.chars().take(77).chain("...".chars()).collect()
}

fn row(out: &mut String, label: &str, value: &str) {
    let _ = writeln!(out, "{label:<20}{value}");
}

fn source_rows(out: &mut String, source: &Value) {
    row(out, "- Repo:", text(source, "repoURL"));
    row(out, "  Target:", text(source, "targetRevision"));
    let values = source["helm"]["valueFiles"].as_array().into_iter().flatten();
    let values = values.filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    let optional = [
        ("  Path:", text(source, "path")),
        ("  Ref:", text(source, "ref")),
        ("  Helm Values:", &values),
        ("  Name Prefix:", text(&source["kustomize"], "namePrefix")),
    ];
    for (label, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
        row(out, label, value);
    }
}

fn policy(app: &Object) -> &'static str {
    match (is_automated(app), app.flag(&["spec", "syncPolicy", "automated", "prune"])) {
        (false, _) => "Manual",
        (true, false) => "Automated",
        (true, true) => "Automated (Prune)",
    }
}

fn sync_status(app: &Object, target: &str) -> String {
    let status = app.str(&["status", "sync", "status"]);
    let revision = app.str(&["status", "sync", "revision"]);
    let mut out = match status {
        "Synced" => format!("{status} to {target}"),
        "OutOfSync" => format!("{status} from {target}"),
        other => other.to_owned(),
    };
    if !is_commit(target) && revision.len() > 7 {
        let _ = write!(out, " ({})", short(revision));
    }
    out
}

fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.chars().all(|character| character.is_ascii_hexdigit())
}
