//! Conditions of an Application.

use object::Object;

use super::{go_time, text};
use crate::print::Table;

/// Returns the table of conditions, empty without conditions.
pub(in super::super) fn conditions(app: &Object) -> String {
    let all = app.items(&["status", "conditions"]);
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.line(["CONDITION", "MESSAGE", "LAST TRANSITION"]);
    for condition in all {
        let time = go_time(condition.get("lastTransitionTime"));
        table.line([text(condition, "type"), text(condition, "message"), &time]);
    }
    table.render()
}
