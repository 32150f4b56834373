//! What was deployed before.

use object::{Object, Value};

use super::{go_time, short, text};
use crate::print::Table;

/// Returns the ids of the history, one a line.
pub fn history_ids(app: &Object) -> String {
    app.items(&["status", "history"]).iter().map(|entry| entry["id"].to_string() + "\n").collect()
}

/// Returns the history, one block for each repository in the order they came up.
pub fn history_table(app: &Object) -> String {
    let mut repositories: Vec<(String, Vec<[String; 3]>)> = Vec::new();
    for entry in app.items(&["status", "history"]) {
        let date = go_time(entry.get("deployedAt"));
        for (source, revision) in deployed(entry) {
            let repository = text(source, "repoURL");
            let target = text(source, "targetRevision");
            let revision = if revision.len() >= 7 {
                format!("{target} ({})", short(revision))
            } else {
                target.to_owned()
            };
            let line = [entry["id"].to_string(), date.clone(), revision];
            match repositories.iter_mut().find(|(known, _)| known == repository) {
                Some((_, lines)) => lines.push(line),
                None => repositories.push((repository.to_owned(), vec![line])),
            }
        }
    }
    let mut table = Table::new();
    for (index, (repository, lines)) in repositories.into_iter().enumerate() {
        if index > 0 {
            table.line([""]);
        }
        table.line(["SOURCE", &repository]);
        table.line(["ID", "DATE", "REVISION"]);
        lines.into_iter().for_each(|line| table.line(line));
    }
    table.render()
}

/// Returns the sources of an entry with the revisions that they were at.
fn deployed(entry: &Value) -> Vec<(&Value, &str)> {
    let Some(sources) = entry["sources"].as_array().filter(|sources| !sources.is_empty()) else {
        return vec![(&entry["source"], text(entry, "revision"))];
    };
    let revisions = entry["revisions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let revision = |index: usize| {
        let known = revisions.get(index).filter(|_| revisions.len() == sources.len());
        known.and_then(Value::as_str).unwrap_or_default()
    };
    sources.iter().enumerate().map(|(index, source)| (source, revision(index))).collect()
}
