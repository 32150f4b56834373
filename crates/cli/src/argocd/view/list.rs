//! The table of Applications.

use std::collections::BTreeMap;

use object::{Object, Value};

use super::{is_automated, project, server, sources, text};
use crate::print::Table;

const COLUMNS: [&str; 11] = [
    "NAME",
    "CLUSTER",
    "NAMESPACE",
    "PROJECT",
    "STATUS",
    "HEALTH",
    "SYNCPOLICY",
    "CONDITIONS",
    "REPO",
    "PATH",
    "TARGET",
];

/// Returns the table of Applications.
pub fn list_table(apps: &[Object]) -> String {
    let mut table = Table::new();
    table.line(COLUMNS);
    for app in apps {
        let source = sources(app).first().copied().unwrap_or(&Value::Null);
        let (name, policy, conditions) = (app.key().to_string(), policy(app), conditions(app));
        table.line([
            name.as_str(),
            server(app),
            app.str(&["spec", "destination", "namespace"]),
            project(app),
            app.str(&["status", "sync", "status"]),
            app.str(&["status", "health", "status"]),
            policy,
            &conditions,
            text(source, "repoURL"),
            text(source, "path"),
            text(source, "targetRevision"),
        ]);
    }
    table.render()
}

fn policy(app: &Object) -> &'static str {
    match (is_automated(app), app.flag(&["spec", "syncPolicy", "automated", "prune"])) {
        (false, _) => "Manual",
        (true, false) => "Auto",
        (true, true) => "Auto-Prune",
    }
}

/// Returns the types of the conditions, each with how often it is there when that is more than once.
fn conditions(app: &Object) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for condition in app.items(&["status", "conditions"]) {
        *counts.entry(text(condition, "type")).or_default() += 1;
    }
    if counts.is_empty() {
        return "<none>".into();
    }
    let words = counts.into_iter().map(|(word, count)| match count {
        1 => word.to_owned(),
        count => format!("{word}({count})"),
    });
    words.collect::<Vec<_>>().join(",")
}
