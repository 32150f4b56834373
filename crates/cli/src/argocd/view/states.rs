//! The resources of an Application with what the latest operation did to them.

use std::collections::BTreeMap;

use object::{Object, Value};

use super::text;
use crate::print::Table;

/// A row of the table of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceState {
    /// API group, empty for core.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty when cluster-scoped.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Sync status, or the phase of a hook.
    pub status: String,
    /// Health, or the result of a hook.
    pub health: String,
    /// Type of the hook.
    pub hook: String,
    /// What the operation said.
    pub message: String,
}

impl ResourceState {
    /// Returns what makes it the same resource at another time.
    pub fn key(&self) -> [&str; 4] {
        [&self.group, &self.kind, &self.namespace, &self.name]
    }

    /// Takes what is not empty and different in `newer`; returns whether there was anything.
    pub fn merge(&mut self, newer: &Self) -> bool {
        let pairs = [
            (&mut self.status, &newer.status),
            (&mut self.health, &newer.health),
            (&mut self.hook, &newer.hook),
            (&mut self.message, &newer.message),
        ];
        let mut changed = false;
        for (old, new) in pairs {
            if !new.is_empty() && old != new {
                old.clone_from(new);
                changed = true;
            }
        }
        changed
    }

    fn of(resource: &Value) -> Self {
        let field = |name| text(resource, name).to_owned();
        Self {
            group: field("group"),
            kind: field("kind"),
            namespace: field("namespace"),
            name: field("name"),
            status: field("status"),
            health: text(&resource["health"], "status").to_owned(),
            ..Self::default()
        }
    }
}

/// Returns the resources: those of the latest operation in its order, then the others by key.
///
/// Source: `getResourceStates`. A hook shows its phase and result instead of status and health.
pub fn resource_states(app: &Object, picked: &[Picked]) -> Vec<ResourceState> {
    let known = app.items(&["status", "resources"]).iter().map(ResourceState::of);
    let mut known: BTreeMap<[String; 4], ResourceState> =
        known.map(|state| (state.key().map(str::to_owned), state)).collect();
    let mut states = Vec::new();
    for result in app.items(&["status", "operationState", "syncResult", "resources"]) {
        let mut state = ResourceState::of(result);
        let hook = text(result, "hookType");
        let found = known.remove(&state.key().map(str::to_owned)).filter(|_| hook.is_empty());
        state.health.clone_from(&state.status);
        state.status = text(result, "hookPhase").to_owned();
        if let Some(found) = found {
            (state.status, state.health) = (found.status, found.health);
        }
        hook.clone_into(&mut state.hook);
        text(result, "message").clone_into(&mut state.message);
        states.push(state);
    }
    states.extend(known.into_values());
    states.retain(|state| picks(picked, state));
    states
}

/// Returns the table of resources, empty when there are none.
pub fn resource_table(app: &Object) -> String {
    if app.items(&["status", "resources"]).is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.line(["GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "HOOK", "MESSAGE"]);
    for state in resource_states(app, &[]) {
        let ResourceState { group, kind, namespace, name, status, health, hook, message } = state;
        table.line([group, kind, namespace, name, status, health, hook, message]);
    }
    table.render()
}

/// A filter of resources: `GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME`, with `!` before to leave them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// API group; `*` for any.
    pub group: String,
    /// Kind; `*` for any.
    pub kind: String,
    /// Namespace; empty for any.
    pub namespace: String,
    /// Name; `*` for any.
    pub name: String,
    /// Whether these are left out.
    pub exclude: bool,
}

/// Returns the filter in `text`.
///
/// Errors: a sentence that shows the form wanted.
pub fn parse_picked(text: &str) -> Result<Picked, String> {
    let (exclude, body) = match text.strip_prefix('!') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let parts: Vec<&str> = body.split(':').collect();
    let [group, kind, name] = parts[..] else {
        return Err(format!("resource should have GROUP:KIND:NAME, but instead got: {body}"));
    };
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    if name.contains('/') {
        return Err(format!(
            "resource with namespace should have GROUP:KIND:NAMESPACE/NAME, but instead got: {body}"
        ));
    }
    let owned = |text: &str| text.to_owned();
    Ok(Picked {
        group: owned(group),
        kind: owned(kind),
        namespace: owned(namespace),
        name: owned(name),
        exclude,
    })
}

/// Returns true when the filters leave the resource in: one that includes matches (or none includes), and none that
/// excludes does.
///
/// Source: `argo.IncludeResource`.
pub fn picks(picked: &[Picked], state: &ResourceState) -> bool {
    let is = |pattern: &str, text: &str| pattern == "*" || pattern == text;
    let matches = |filter: &&Picked| {
        is(&filter.group, &state.group)
            && is(&filter.kind, &state.kind)
            && is(&filter.name, &state.name)
            && (filter.namespace.is_empty() || is(&filter.namespace, &state.namespace))
    };
    let (excluding, including): (Vec<&Picked>, Vec<&Picked>) =
        picked.iter().partition(|filter| filter.exclude);
    (including.is_empty() || including.iter().any(matches)) && !excluding.iter().any(matches)
}

/// Returns the resources of the Application that the filters leave in.
pub fn selected(app: &Object, picked: &[Picked]) -> Vec<ResourceState> {
    let all = app.items(&["status", "resources"]).iter().map(ResourceState::of);
    all.filter(|state| picks(picked, state)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn filters_take_in_and_leave_out() {
        let state = ResourceState { kind: "Service".into(), name: "a".into(), ..ResourceState::default() };
        let takes = |text: &str| picks(&[parse_picked(text).unwrap()], &state);
        assert!(takes(":Service:a") && takes("*:*:*") && takes("!:Service:b"));
        assert!(!takes(":Service:b") && !takes("apps:Service:a") && !takes("!:Service:a"));
        let text = "resource should have GROUP:KIND:NAME, but instead got: a/b";
        assert_eq!(parse_picked("a/b").unwrap_err(), text);
    }

    #[test]
    fn hooks_show_their_phase_and_resources_their_status() {
        let app = Object::from_value(json!({"status": {
            "resources": [{"kind": "ConfigMap", "name": "a", "status": "OutOfSync", "health": {"status": "Missing"}},
                          {"kind": "ConfigMap", "name": "0", "status": "Synced"}],
            "operationState": {"syncResult": {"resources": [
                {"kind": "Job", "name": "h", "hookType": "PreSync", "hookPhase": "Running", "status": "Synced"},
                {"kind": "ConfigMap", "name": "a", "hookPhase": "Running", "status": "Synced", "message": "made"}]}}}}));
        let rows: Vec<_> = resource_states(&app, &[])
            .into_iter()
            .map(|state| [state.name, state.status, state.health, state.message].join(" "))
            .collect();
        assert_eq!(rows, ["h Running Synced ", "a OutOfSync Missing made", "0 Synced  "]);
    }
}
