//! The latest operation.

use std::fmt::Write as _;
use std::time::Duration;

use object::time::format_duration;
use object::{Object, Time, Value};

use super::go_time;

/// Returns the rows about the latest operation, empty when there was none.
pub fn operation(app: &Object, now: Time) -> String {
    let Some(state) = app.get(&["status", "operationState"]) else { return String::new() };
    let mut out = String::new();
    let mut row = |label: &str, value: &str| {
        let _ = writeln!(out, "{label:<20}{value}");
    };
    if let Some(result) = state.get("syncResult").filter(|result| !result.is_null()) {
        row("Operation:", "Sync");
        row("Sync Revision:", &revision(result));
    }
    row("Phase:", state["phase"].as_str().unwrap_or_default());
    row("Start:", &go_time(state.get("startedAt")));
    row("Finished:", &go_time(state.get("finishedAt")));
    row("Duration:", &format_duration(duration(state, now)));
    if let Some(message) = state["message"].as_str().filter(|message| !message.is_empty()) {
        row("Message:", message);
    }
    out
}

fn revision(result: &Value) -> String {
    let revisions = result["revisions"].as_array().filter(|_| result["sources"].is_array());
    match revisions {
        Some(revisions) => revisions.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        None => result["revision"].as_str().unwrap_or_default().to_owned(),
    }
}

/// Returns how long the operation took or takes, in whole seconds.
fn duration(state: &Value, now: Time) -> Duration {
    let time = |field: &str| state[field].as_str().and_then(|text| Time::parse(text).ok());
    let end = time("finishedAt").unwrap_or_else(|| now.whole_seconds());
    time("startedAt").map(|start| end.since(start.whole_seconds())).unwrap_or_default()
}
