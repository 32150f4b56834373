//! Fields that a Rollout writes into objects that Git declares too.
//!
//! The selector of a Service is atomic under server-side apply: applying Git's would take the pods' hash out that the
//! Rollout has put in, and the two would fight for ever. Slipway runs both sides, so it knows better: what the Rollout
//! owns stays as it is, without any `ignoreDifferences`.

use object::Object;

/// Annotation of Services that a Rollout manages.
const MANAGED: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Key that the Rollout puts into their selectors.
const HASH: &str = "rollouts-pod-template-hash";

/// Copies what a Rollout owns in `live` into `target`.
pub fn keep(target: &mut Object, live: &Object) {
    let service = target.kind() == "Service" && target.api_version() == "v1";
    if !service || live.annotation(MANAGED).is_none() || target.get(&["spec", "selector", HASH]).is_some() {
        return;
    }
    if let Some(hash) = live.get(&["spec", "selector", HASH]).cloned() {
        target.set(&["spec", "selector", HASH], hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::{Value, json};

    fn service(selector: &Value, annotations: &Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "annotations": annotations},
            "spec": {"selector": selector}
        }))
    }

    #[test]
    fn the_hash_stays_only_where_a_rollout_manages_the_service() {
        let live = json!({"app": "x", HASH: "abc"});
        for (annotations, expected) in
            [(json!({MANAGED: "colorapi"}), live.clone()), (json!({}), json!({"app": "x"}))]
        {
            let mut target = service(&json!({"app": "x"}), &json!({}));
            keep(&mut target, &service(&live, &annotations));
            assert_eq!(target.get(&["spec", "selector"]), Some(&expected));
        }
    }

    #[test]
    fn what_git_says_about_the_hash_wins() {
        let mut target = service(&json!({HASH: "git"}), &json!({}));
        keep(&mut target, &service(&json!({HASH: "live"}), &json!({MANAGED: "r"})));
        assert_eq!(target.str(&["spec", "selector", HASH]), "git");
    }
}
