//! Who names whom: every string of a strategy may be the name of an object.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::rollout::tracks_config;
use object::{Key, Object, Value};
use runtime::Cache;

/// Index of Rollouts by the strings of their strategy and the name of their workload.
pub(crate) const NAMES: &str = "names";
/// Index of Rollouts by what they do with all objects of a kind: [`SELECTS`], [`TRACKS`].
pub(crate) const HABITS: &str = "habits";
/// Under [`HABITS`]: a router takes its objects by their labels.
pub(crate) const SELECTS: &str = "selects";
/// Under [`HABITS`]: ConfigMaps and Secrets are part of a version.
pub(crate) const TRACKS: &str = "tracks";

/// Adds the indices of names to a cache of Rollouts.
pub(crate) fn index(rollouts: &Cache) {
    rollouts.add_index(NAMES, |rollout| {
        let mut names = BTreeSet::new();
        rollout.get(&["spec", "strategy"]).into_iter().for_each(|strategy| strings(strategy, &mut names));
        names.insert(rollout.str(&["spec", "workloadRef", "name"]));
        names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
    });
    rollouts.add_index(HABITS, |rollout| {
        let routing = rollout.get(&["spec", "strategy", "canary", "trafficRouting"]);
        let selects = routing.is_some_and(selects).then_some(SELECTS);
        let tracks = tracks_config(rollout).then_some(TRACKS);
        selects.into_iter().chain(tracks).map(str::to_owned).collect()
    });
}

/// Returns the Rollouts that may name an object: those of its namespace, or all for a cluster-scoped one.
pub(crate) fn of_namespace(rollouts: &Cache, object: &Key) -> Vec<Key> {
    let keys = match object.namespace.as_str() {
        "" => rollouts.indexed_keys(NAMES, &object.name),
        namespace => rollouts.indexed_keys_in(NAMES, &object.name, namespace),
    };
    keys.iter().map(|key| Key::clone(key)).collect()
}

/// Returns the Rollouts that may name an object of another namespace: as `name.namespace`, or by both.
pub(crate) fn of_any_namespace(rollouts: &Cache, Key { namespace, name }: &Key) -> Vec<Key> {
    let by_namespace: BTreeSet<Arc<Key>> = rollouts.indexed_keys(NAMES, namespace).into_iter().collect();
    let both = rollouts.indexed_keys(NAMES, name).into_iter().filter(|key| by_namespace.contains(key));
    let dotted = rollouts.indexed_keys(NAMES, &format!("{name}.{namespace}"));
    both.chain(dotted).map(|key| Key::clone(&key)).collect()
}

/// Puts all strings of `value` into `found`.
pub(crate) fn strings<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => {
            found.insert(text);
        }
        Value::Array(list) => list.iter().for_each(|value| strings(value, found)),
        Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns true when a router takes its objects by their labels.
fn selects(routing: &Value) -> bool {
    match routing {
        Value::Object(map) => map.iter().any(|(key, value)| key.ends_with("Selector") || selects(value)),
        Value::Array(list) => list.iter().any(selects),
        _ => false,
    }
}

/// AnalysisTemplates and ClusterAnalysisTemplates.
pub(crate) struct Templates {
    /// Those of namespaces.
    pub namespaced: Cache,
    /// Those of the cluster.
    pub cluster: Cache,
}

impl Templates {
    /// Returns the templates that `value` may name for a namespace, and those that they name.
    pub fn named(&self, namespace: &str, value: &Value) -> Vec<Arc<Object>> {
        if self.namespaced.is_empty() && self.cluster.is_empty() {
            return Vec::new();
        }
        let mut names = BTreeSet::new();
        strings(value, &mut names);
        let mut left: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        while let Some(name) = left.pop() {
            let own = self.namespaced.get(&Key::new(namespace, &name));
            let shared = self.cluster.get(&Key::new("", &name));
            for template in own.into_iter().chain(shared) {
                let mut nested = BTreeSet::new();
                template.get(&["spec", "templates"]).into_iter().for_each(|it| strings(it, &mut nested));
                left.extend(nested.into_iter().filter(|name| !seen.contains(*name)).map(str::to_owned));
                found.push(template);
            }
            seen.insert(name);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    fn cache(objects: &[Value]) -> Cache {
        let cache = Cache::new();
        index(&cache);
        for (version, object) in (1..).zip(objects) {
            let mut object = Object::from_value(object.clone());
            object.set(&["metadata", "resourceVersion"], format!("{version}"));
            cache.note(object);
        }
        cache
    }

    fn rollout(namespace: &str, name: &str, spec: &Value) -> Value {
        json!({"kind": "Rollout", "metadata": {"namespace": namespace, "name": name, "uid": name}, "spec": spec})
    }

    #[test]
    fn rollouts_are_found_by_what_they_name() {
        let routing = |routing: &Value| json!({"strategy": {"canary": {"trafficRouting": routing}}});
        let rollouts = cache(&[
            rollout("ns", "a", &json!({"strategy": {"canary": {"stableService": "web"}}})),
            rollout("other", "b", &json!({"strategy": {"canary": {"stableService": "web"}}})),
            rollout("ns", "c", &routing(&json!({"istio": {"virtualService": {"name": "mesh.far"}}}))),
            rollout(
                "ns",
                "d",
                &routing(&json!({"plugins": {"g": {"httpRoute": "route", "namespace": "far"}}})),
            ),
            rollout("ns", "e", &json!({"workloadRef": {"kind": "Deployment", "name": "web"}})),
        ]);
        let names = |keys: Vec<Key>| keys.into_iter().map(|key| key.name).collect::<Vec<_>>();
        assert_eq!(names(of_namespace(&rollouts, &Key::new("ns", "web"))), ["a", "e"]);
        assert_eq!(names(of_namespace(&rollouts, &Key::new("", "web"))), ["a", "e", "b"]);
        assert_eq!(names(of_any_namespace(&rollouts, &Key::new("far", "mesh"))), ["c"]);
        assert_eq!(names(of_any_namespace(&rollouts, &Key::new("far", "route"))), ["d"]);
        assert!(of_any_namespace(&rollouts, &Key::new("near", "route")).is_empty());
    }

    #[test]
    fn habits_are_found_too() {
        let plugin = json!({"g": {"httpRouteSelector": {"matchLabels": {"a": "b"}}}});
        let mut tracking = rollout("ns", "t", &json!({}));
        tracking["metadata"]["annotations"] = json!({::rollout::keys::TRACK_CONFIG: "true"});
        let spec = json!({"strategy": {"canary": {"trafficRouting": {"plugins": plugin}}}});
        let rollouts = cache(&[rollout("ns", "s", &spec), tracking]);
        assert_eq!(rollouts.indexed_keys(HABITS, SELECTS)[0].name, "s");
        assert_eq!(rollouts.indexed_keys_in(HABITS, TRACKS, "ns")[0].name, "t");
        assert!(rollouts.indexed_keys_in(HABITS, TRACKS, "other").is_empty());
    }

    #[test]
    fn templates_that_templates_name_are_found_once() {
        let template = |namespace: &str, name: &str, names: &[&str]| {
            let nested: Vec<Value> = names.iter().map(|name| json!({"templateName": name})).collect();
            json!({"metadata": {"namespace": namespace, "name": name, "uid": name}, "spec": {"templates": nested}})
        };
        let templates = Templates {
            namespaced: cache(&[
                template("ns", "a", &["b", "c"]),
                template("ns", "b", &["a"]),
                template("o", "c", &[]),
            ]),
            cluster: cache(&[template("", "c", &[]), template("", "d", &[])]),
        };
        let found = templates.named("ns", &json!({"templates": [{"templateName": "a"}]}));
        let mut names: Vec<_> = found.iter().map(|object| object.key()).collect();
        names.sort();
        assert_eq!(names, [Key::new("", "c"), Key::new("ns", "a"), Key::new("ns", "b")]);
    }
}
