//! Rules that steps make: found by their name, put on top in the order of `managedRoutes`.

use object::{Map, Value};

use crate::json::{keep_or_replace, text};

/// Fields of a rule that a step decides.
const FIELDS: [&str; 4] = ["name", "matches", "filters", "backendRefs"];

/// Returns the name of the `index`th rule that a managed route makes: names must differ within a route.
pub(super) fn rule_name(route: &str, index: usize) -> String {
    if index == 0 { route.to_owned() } else { format!("{route}-{index}") }
}

/// Returns true when `rule` was made by the managed route `name`.
fn is_of(rule: &Value, name: &str) -> bool {
    let Some(rest) = text(rule, "name").strip_prefix(name) else { return false };
    rest.is_empty() || rest.strip_prefix('-').is_some_and(|index| index.parse::<u16>().is_ok())
}

/// Returns true when `rule` was made by one of the managed routes.
pub(super) fn is_managed(rule: &Value, names: &[&str]) -> bool {
    position(rule, names).is_some()
}

/// Returns which of the managed routes made `rule`: an exact name before one with an index.
fn position(rule: &Value, names: &[&str]) -> Option<usize> {
    let exact = names.iter().position(|name| text(rule, "name") == *name);
    exact.or_else(|| names.iter().position(|name| is_of(rule, name)))
}

/// Removes the rules of all managed routes.
pub(super) fn remove(rules: &mut Vec<Value>, names: &[&str]) {
    rules.retain(|rule| !is_managed(rule, names));
}

/// Makes `made` the rules of the managed route `name`. Fields that a step does not decide stay.
pub(super) fn put(rules: &mut Vec<Value>, name: &str, made: Vec<Value>, names: &[&str]) {
    let mut all: Vec<&str> = names.to_vec();
    if !all.contains(&name) {
        all.push(name);
    }
    let is_own = |rule: &Value| position(rule, &all).is_some_and(|position| all[position] == name);
    let old: Vec<Value> = rules.iter().filter(|rule| is_own(rule)).cloned().collect();
    rules.retain(|rule| !is_own(rule));
    let empty = Value::Object(Map::new());
    let kept = made.into_iter().map(|rule| {
        let before = old.iter().find(|before| before["name"] == rule["name"]).unwrap_or(&empty);
        keep_or_replace(before, &rule, &FIELDS)
    });
    let kept: Vec<Value> = kept.collect();
    if kept.is_empty() && old.is_empty() {
        return;
    }
    rules.splice(0..0, kept);
    // Stable: rules of one route keep their order, and so do those that no step has made.
    rules.sort_by_key(|rule| position(rule, &all).unwrap_or(all.len()));
}
