//! Rules that steps make: found by their name, put on top in the order of `managedRoutes`.

use object::Value;

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

/// Returns true when `rule` has no name and says what one of `made` says: older definitions of routes know no names of
/// rules, and the API server drops them.
fn is_nameless(rule: &Value, made: &[Value]) -> bool {
    rule.get("name").is_none() && made.iter().any(|made| keep_or_replace(rule, made, &FIELDS[1..]) == *rule)
}

/// Removes the rules of all managed routes, also those of `made` that have lost their name.
pub(super) fn remove(rules: &mut Vec<Value>, names: &[&str], made: &[Value]) {
    rules.retain(|rule| !is_managed(rule, names) && !is_nameless(rule, made));
}

/// A managed route whose rules are put into a route.
pub(super) struct Put<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its rules; none removes it.
    pub(super) made: Vec<Value>,
    /// The rules that all steps of this name make.
    pub(super) all_steps: Vec<Value>,
}

impl Put<'_> {
    /// Makes the rules those of the managed route, in the order of `managedRoutes`. Fields that a step does not decide
    /// stay.
    pub(super) fn into(self, rules: &mut Vec<Value>, names: &[&str]) {
        let mut all: Vec<&str> = names.to_vec();
        if !all.contains(&self.name) {
            all.push(self.name);
        }
        let is_own = |rule: &Value| {
            position(rule, &all).is_some_and(|position| all[position] == self.name)
                || is_nameless(rule, &self.made)
                || is_nameless(rule, &self.all_steps)
        };
        let old: Vec<Value> = rules.iter().filter(|rule| is_own(rule)).cloned().collect();
        // Rules without names have no order to be put into; where they say what they should, they stay.
        let stay = old.iter().all(|rule| is_nameless(rule, &self.made)) && old.len() == self.made.len();
        if stay {
            return;
        }
        rules.retain(|rule| !is_own(rule));
        rules.splice(0..0, self.made.iter().map(|rule| kept(&old, rule)));
        // Stable: rules of one route keep their order, and so do those that no step has made.
        rules.sort_by_key(|rule| position(rule, &all).unwrap_or(all.len()));
    }
}

/// Returns `made` with what only the rule before it has; that rule itself when it says the same.
fn kept(old: &[Value], made: &Value) -> Value {
    let nameless = || old.iter().find(|old| is_nameless(old, std::slice::from_ref(made)));
    match old.iter().find(|old| old["name"] == made["name"]) {
        Some(before) => keep_or_replace(before, made, &FIELDS),
        None => nameless().unwrap_or(made).clone(),
    }
}
