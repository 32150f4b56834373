//! `undo`.

use object::{Key, Object, Value, json};
use runtime::{Patch, Resource, Selection, resources};

use super::arguments::Undo;
use super::context::{Context, Failure};

const REVISION: &str = "rollout.argoproj.io/revision";
const HASH: &str = "rollouts-pod-template-hash";

/// Writes the pod template of an earlier revision into the Rollout, or into the workload that it refers to.
pub(super) async fn run(options: &Undo, context: &mut Context<'_>) -> Result<(), Failure> {
    let name = &options.name;
    let rollout = context.existing(&resources::ROLLOUTS, name).await?;
    let sets = context
        .cluster
        .list(&resources::REPLICA_SETS, Some(&context.namespace), &Selection::default())
        .await?;
    let set = choose(&rollout, &sets, options.to_revision)?;
    let (resource, holder) = holder(&rollout, context).await?;
    let template = without_hash(set.get(&["spec", "template"]).unwrap_or(&Value::Null));
    let current = without_hash(holder.get(&["spec", "template"]).unwrap_or(&Value::Null));
    let revision = options.to_revision;
    if derives(&current, &template) {
        return context
            .print(&format!("skipped rollback (current template already matches revision {revision})"));
    }
    let patch = Patch::json(json!([{"op": "replace", "path": "/spec/template", "value": template}]));
    let written = context.cluster.patch(resource, &holder.key(), &patch).await;
    written.map_err(|error| Failure::Error(format!("failed restoring revision {revision}: {error}")))?;
    context.print(&format!("rollout '{name}' undo\n"))
}

/// Returns the object that holds the pod template.
pub(super) async fn holder(
    rollout: &Object,
    context: &Context<'_>,
) -> Result<(&'static Resource, Object), Failure> {
    const ROLLOUTS: &Resource = &resources::ROLLOUTS;
    const DEPLOYMENTS: &Resource = &resources::DEPLOYMENTS;
    let name = rollout.str(&["spec", "workloadRef", "name"]);
    let resource = match rollout.str(&["spec", "workloadRef", "kind"]) {
        "" => return Ok((ROLLOUTS, rollout.clone())),
        "Deployment" => DEPLOYMENTS,
        other => {
            return Err(Failure::Error(format!("a workloadRef of kind {other} cannot be changed from here")));
        }
    };
    let key = Key::new(rollout.namespace(), name);
    Ok((resource, context.existing(resource, &key.name).await?))
}

/// Returns the ReplicaSet of `revision`, that of the second highest for 0.
fn choose<'a>(rollout: &Object, sets: &'a [Object], revision: i64) -> Result<&'a Object, Failure> {
    let mut owned: Vec<(i64, &Object)> = sets
        .iter()
        .filter(|set| set.controller_uid() == Some(rollout.uid()))
        .filter_map(|set| Some((set.annotation(REVISION).unwrap_or("0").parse().ok()?, set)))
        .collect();
    owned.sort_by_key(|(revision, _)| std::cmp::Reverse(*revision));
    let (found, message) = if revision > 0 {
        let found = owned.iter().find(|(known, _)| *known == revision);
        (found, format!("unable to find specified revision {revision} in history"))
    } else {
        (owned.get(1), format!("no revision found for rollout {:?}", rollout.name()))
    };
    found.map(|(_, set)| *set).ok_or(Failure::Error(message))
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH);
    }
    template
}

/// Returns true when all that is set in `wanted` is the same in `actual`. Source: `Semantic.DeepDerivative`.
fn derives(wanted: &Value, actual: &Value) -> bool {
    match (wanted, actual) {
        (Value::Null, _) => true,
        (Value::String(text), _) if text.is_empty() => true,
        (Value::Object(wanted), Value::Object(actual)) => {
            wanted.iter().all(|(key, value)| derives(value, actual.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Object(wanted), Value::Null) => wanted.values().all(|value| derives(value, &Value::Null)),
        (Value::Array(wanted), _) if wanted.is_empty() => true,
        (Value::Array(wanted), Value::Array(actual)) => {
            wanted.len() == actual.len() && wanted.iter().zip(actual).all(|(a, b)| derives(a, b))
        }
        (wanted, actual) => wanted == actual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(revision: i64, owner: &str) -> Object {
        Object::from_value(json!({"metadata": {
            "name": format!("set-{revision}"), "annotations": {REVISION: revision.to_string()},
            "ownerReferences": [{"uid": owner, "controller": true}]
        }}))
    }

    #[test]
    fn the_second_highest_revision_is_the_previous_one() {
        let rollout = Object::from_value(json!({"metadata": {"name": "r", "uid": "u"}}));
        let sets = [set(2, "u"), set(10, "u"), set(9, "other"), set(3, "u")];
        assert_eq!(choose(&rollout, &sets, 0).unwrap().name(), "set-3");
        assert_eq!(choose(&rollout, &sets, 2).unwrap().name(), "set-2");
        let missing = Failure::Error("unable to find specified revision 9 in history".into());
        assert_eq!(choose(&rollout, &sets, 9).unwrap_err(), missing);
        let none = Failure::Error("no revision found for rollout \"r\"".into());
        assert_eq!(choose(&rollout, &sets[..1], 0).unwrap_err(), none);
    }

    #[test]
    fn defaults_of_the_server_make_no_difference() {
        let wanted = json!({"spec": {"containers": [{"image": "a", "args": []}], "x": null}});
        let actual =
            json!({"spec": {"containers": [{"image": "a", "imagePullPolicy": "Always"}], "dnsPolicy": "X"}});
        assert!(derives(&wanted, &actual));
        assert!(!derives(&actual, &wanted));
    }
}
