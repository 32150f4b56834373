//! Which annotations which Rollout has made, in an annotation of the Ingress.

use std::collections::{BTreeMap, BTreeSet};

use object::Object;

use super::{action, parsed};
use crate::keys::MANAGED_ALB;
use crate::{Change, Problem, Reference, Routed};

type Owned = BTreeMap<String, Vec<String>>;

fn read(object: &Object) -> Result<Owned, Problem> {
    match object.annotation(MANAGED_ALB) {
        None | Some("") => Ok(Owned::new()),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            Problem::at(&Reference::of(object), "metadata.annotations", format!("{MANAGED_ALB}: {error}"))
        }),
    }
}

/// Records that the Rollout has made the annotations.
pub(super) fn add(object: &mut Object, rollout: &str, keys: &[String]) -> Result<(), Problem> {
    let mut owned = read(object)?;
    let own = owned.entry(rollout.to_owned()).or_default();
    for key in keys {
        if !own.contains(key) {
            own.push(key.clone());
        }
    }
    action::put(object, MANAGED_ALB, &action::text(&owned));
    Ok(())
}

/// Records that the annotations are gone.
pub(super) fn remove(object: &mut Object, rollout: &str, keys: &[String]) -> Result<(), Problem> {
    let mut owned = read(object)?;
    if let Some(own) = owned.get_mut(rollout) {
        own.retain(|key| !keys.contains(key));
        action::put(object, MANAGED_ALB, &action::text(&owned));
    }
    Ok(())
}

/// Returns the write that gives an Ingress back: annotations of Rollouts that no longer name it lead wholly to the
/// stable Service again, and are forgotten. `users` are the Rollouts that still name the Ingress.
///
/// Source: Argo Rollouts `ingress/alb.go`: it keeps the last target group, which is the stable one's.
pub fn released(ingress: &Object, users: &BTreeSet<String>) -> Option<Change> {
    let mut owned = read(ingress).ok()?;
    let gone: Vec<String> = owned.keys().filter(|rollout| !users.contains(*rollout)).cloned().collect();
    let mut object = ingress.clone();
    for rollout in &gone {
        for key in owned.remove(rollout).unwrap_or_default() {
            reset(&mut object, &key);
        }
    }
    if owned.is_empty() {
        object.remove(&["metadata", "annotations", MANAGED_ALB]);
    } else {
        action::put(&mut object, MANAGED_ALB, &action::text(&owned));
    }
    let mut routed = Routed::default();
    routed.patch(ingress, &object);
    routed.changes.pop()
}

fn reset(object: &mut Object, key: &str) {
    let Some(before) = object.annotation(key).map(parsed) else { return };
    let groups = before["ForwardConfig"]["TargetGroups"].as_array();
    let Some(last) = groups.and_then(|groups| groups.last()).filter(|_| key.contains("/actions.")) else {
        return;
    };
    let mut last = last.clone();
    last["Weight"] = 100.into();
    let mut action = before.clone();
    action["ForwardConfig"]["TargetGroups"] = vec![last].into();
    action::put(object, key, &action.to_string());
}
