//! What is shown of Applications: pure functions of the objects.

mod conditions;
mod history;
mod list;
mod operation;
mod ordered;
mod output;
mod states;
mod summary;
mod tree;

use object::{Object, Value};

pub use history::{history_ids, history_table};
pub use list::list_table;
pub use operation::operation;
pub use output::{Shape, plain, shaped};
pub use states::{Picked, ResourceState, parse_picked, picks, resource_states, resource_table, selected};
pub use summary::{Page, parameters, summary};
pub use tree::{Detail, Node, resource_tree_table, tree_table, with_states};

pub(super) use conditions::conditions;

/// Returns the sources: `spec.sources`, or the one in `spec.source`.
pub fn sources(app: &Object) -> Vec<&Value> {
    let several = app.items(&["spec", "sources"]);
    if several.is_empty() {
        app.get(&["spec", "source"]).into_iter().collect()
    } else {
        several.iter().collect()
    }
}

/// Returns the address of the destination cluster, or its name.
pub fn server(app: &Object) -> &str {
    let server = app.str(&["spec", "destination", "server"]);
    if server.is_empty() { app.str(&["spec", "destination", "name"]) } else { server }
}

/// Returns the project, `default` when none is named.
pub fn project(app: &Object) -> &str {
    let project = app.str(&["spec", "project"]);
    if project.is_empty() { "default" } else { project }
}

/// Returns true when syncs start by themselves.
pub fn is_automated(app: &Object) -> bool {
    let automated = app.get(&["spec", "syncPolicy", "automated"]);
    automated.is_some_and(|automated| !automated.is_null() && automated["enabled"] != false)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Returns an RFC 3339 time as Go prints it, `<nil>` when there is none.
fn go_time(value: Option<&Value>) -> String {
    let time = value.and_then(Value::as_str).and_then(|text| object::Time::parse(text).ok());
    time.map_or_else(|| "<nil>".into(), |time| time.to_string().replace('T', " ").replace('Z', " +0000 UTC"))
}

/// Returns the revision shortened for people.
fn short(revision: &str) -> &str {
    revision.get(..7).unwrap_or(revision)
}
