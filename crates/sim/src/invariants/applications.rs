//! What must hold of Applications and AnalysisRuns from one change to the next.

use std::collections::BTreeSet;

use object::{Object, Value};
use runtime::Change;

use super::scene::Kind;

/// Returns what one change of an Application breaks.
pub(super) fn problems(change: &Change) -> Vec<String> {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return Vec::new() };
    [one_operation(old, new), history(old, new)].into_iter().flatten().collect()
}

/// Returns the revision of a change of the spec.
pub(super) fn spec_change(change: &Change) -> Option<u64> {
    let (old, new) = (change.old.as_ref()?, change.new.as_ref()?);
    (old.get(&["spec"]) != new.get(&["spec"])).then(|| new.resource_version().parse().ok()).flatten()
}

fn one_operation(old: &Object, new: &Object) -> Option<String> {
    let state = |app: &Object, field: &'static str| app.str(&["status", "operationState", field]).to_owned();
    let running = |app: &Object| state(app, "phase") == "Running";
    let (before, after) = (state(old, "startedAt"), state(new, "startedAt"));
    (running(old) && running(new) && before != after).then(|| {
        format!(
            "one change in flight: the operation of {before} was replaced by that of {after} while it ran"
        )
    })
}

/// Ids of the history never repeat, and a new entry has the next id.
fn history(old: &Object, new: &Object) -> Option<String> {
    let (before, after) = (ids(old), ids(new));
    let added = after.iter().filter(|id| !before.contains(id)).copied().collect::<Vec<_>>();
    let next = before.last().map_or(0, |last| last + 1);
    let unique = after.iter().collect::<BTreeSet<_>>().len() == after.len();
    let right = unique && (added.is_empty() || added == [next]);
    (!right).then(|| format!("no lost write: the history's ids went from {before:?} to {after:?}"))
}

fn ids(app: &Object) -> Vec<i64> {
    // upstream leaves out an id of 0
    let entries = app.items(&["status", "history"]).iter();
    entries.map(|entry| entry.get("id").and_then(Value::as_i64).unwrap_or(0)).collect()
}

/// Returns whether more than one analysis of a kind, or more than one Experiment, runs for a Rollout.
pub(super) fn open(kind: Kind, all: &[&Object]) -> Option<String> {
    let running = |run: &&&Object| {
        let phase = run.str(&["status", "phase"]);
        matches!(phase, "" | "Pending" | "Running") && !run.flag(&["spec", "terminate"])
    };
    let types: &[Option<&str>] =
        if kind == Kind::Experiment { &[None] } else { &[Some("Background"), Some("Step")] };
    for kind in types {
        let open = all.iter().filter(running).filter(|run| run.label("rollout-type") == *kind);
        let names: Vec<&str> = open.map(|run| run.name()).collect();
        if names.len() > 1 {
            return Some(format!("one change in flight: {} run at once", names.join(", ")));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object::json;

    use super::*;

    fn change(old: &Value, new: &Value) -> Change {
        let app = |status: &Value| {
            let value = json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "status": status
            });
            Some(Arc::new(Object::parse(value).unwrap()))
        };
        let key = object::Key::new("argocd", "a");
        Change { key, old: app(old).map(Into::into), new: app(new).map(Into::into) }
    }

    fn operation(phase: &str, started: &str) -> Value {
        json!({"operationState": {"phase": phase, "startedAt": started}})
    }

    #[test]
    fn an_operation_ends_before_the_next_begins() {
        let (first, second) = ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z");
        let replaced = change(&operation("Running", first), &operation("Running", second));
        assert_eq!(problems(&replaced).len(), 1);
        let next = change(&operation("Succeeded", first), &operation("Running", second));
        assert_eq!(problems(&next), Vec::<String>::new());
    }

    #[test]
    fn the_history_grows_by_one() {
        let history =
            |ids: &[i64]| json!({"history": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()});
        assert_eq!(problems(&change(&history(&[3, 4]), &history(&[4, 5]))), Vec::<String>::new());
        assert_eq!(problems(&change(&json!({}), &history(&[0]))), Vec::<String>::new());
        assert_eq!(problems(&change(&history(&[3, 4]), &history(&[3, 4, 6]))).len(), 1);
        assert_eq!(problems(&change(&history(&[3, 4]), &history(&[3, 4, 4]))).len(), 1);
    }
}
