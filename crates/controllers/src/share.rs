//! By which key an object is shared out among replicas: that of its Rollout, so that a Rollout, its Experiments and their
//! AnalysisRuns are one replica's.

use object::{Key, Object};
use runtime::Cache;

/// Returns the key of the Rollout that controls the object, else its own. An object that is not there has its own.
pub(crate) fn by_rollout(cache: &Cache) -> impl Fn(&Key) -> Option<Key> + Send + Sync + 'static {
    let cache = cache.clone();
    move |key| {
        Some(cache.get(key).and_then(|object| owner(&object, "Rollout")).unwrap_or_else(|| key.clone()))
    }
}

/// Returns the same for objects that an Experiment may stand between; `None` while that Experiment is not known.
pub(crate) fn by_rollout_or_experiment(
    cache: &Cache,
    experiments: &Cache,
) -> impl Fn(&Key) -> Option<Key> + Send + Sync + 'static {
    let (cache, experiments) = (cache.clone(), experiments.clone());
    move |key| {
        let Some(object) = cache.get(key) else { return Some(key.clone()) };
        let Some(experiment) = owner(&object, "Experiment") else {
            return Some(owner(&object, "Rollout").unwrap_or_else(|| key.clone()));
        };
        let object = experiments.get(&experiment)?;
        Some(owner(&object, "Rollout").unwrap_or(experiment))
    }
}

/// Returns the key that an annotation with the name of a Rollout leads to, else the object's own.
pub(crate) fn by_annotation(
    cache: &Cache,
    annotation: &'static str,
) -> impl Fn(&Key) -> Option<Key> + Send + Sync + 'static {
    let cache = cache.clone();
    move |key| {
        let object = cache.get(key);
        let rollout = object.as_ref().and_then(|object| object.annotation(annotation));
        Some(rollout.map_or_else(|| key.clone(), |name| Key::new(&key.namespace, name)))
    }
}

fn owner(object: &Object, kind: &str) -> Option<Key> {
    let owner = object.controller().filter(|owner| owner.kind == kind)?;
    Some(Key::new(object.namespace(), &owner.name))
}

#[cfg(test)]
mod tests {
    use object::{Value, json};

    use super::*;

    fn owned(kind: &str, name: &str, by: &Value) -> Object {
        Object::from_value(json!({"kind": kind,
            "metadata": {"namespace": "ns", "name": name, "resourceVersion": "1", "ownerReferences": [by]}}))
    }

    fn by(kind: &str, name: &str) -> Value {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "name": name, "uid": name, "controller": true})
    }

    #[test]
    fn a_rollout_and_its_children_go_together() {
        let (runs, experiments) = (Cache::new(), Cache::new());
        let share = by_rollout_or_experiment(&runs, &experiments);
        let key = |name: &str| Key::new("ns", name);
        assert_eq!(share(&key("gone")), Some(key("gone")));
        for object in [
            owned("AnalysisRun", "of-rollout", &by("Rollout", "r")),
            owned("AnalysisRun", "of-experiment", &by("Experiment", "e")),
            owned("AnalysisRun", "alone", &json!({})),
        ] {
            runs.note(object);
        }
        assert_eq!(share(&key("of-rollout")), Some(key("r")));
        assert_eq!(share(&key("alone")), Some(key("alone")));
        assert_eq!(share(&key("of-experiment")), None, "whose Experiment it is, is not known yet");
        experiments.note(owned("Experiment", "e", &by("Rollout", "r")));
        assert_eq!(share(&key("of-experiment")), Some(key("r")));
        assert_eq!(by_rollout(&experiments)(&key("e")), Some(key("r")));
    }
}
