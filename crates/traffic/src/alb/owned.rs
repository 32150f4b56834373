//! Which annotations which Rollout has made, in an annotation of the Ingress.

use std::collections::{BTreeMap, BTreeSet};

use object::Object;

use super::{action, header};
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

/// Returns the write that gives an Ingress back: what Rollouts that no longer name it have made leads wholly to the
/// stable Service again, their header routes go, and they are forgotten. `users` are the Rollouts that still name the
/// Ingress. Nothing when none has left it, or when the record cannot be read.
///
/// Source: Argo Rollouts `ingress/alb.go`.
pub fn released(ingress: &Object, users: &BTreeSet<String>) -> Option<Change> {
    let mut owned = read(ingress).ok()?;
    let gone: Vec<String> = owned.keys().filter(|rollout| !users.contains(*rollout)).cloned().collect();
    let mut object = ingress.clone();
    for rollout in &gone {
        reset(&mut object, &owned.remove(rollout).unwrap_or_default());
    }
    if gone.is_empty() {
        return None;
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

fn reset(object: &mut Object, keys: &[String]) {
    let headers: Vec<&str> = keys.iter().filter_map(|key| Some(key.split_once("/conditions.")?.1)).collect();
    header::remove_paths(object, &headers);
    for key in keys {
        let route = key.split_once("/actions.").map(|(_, name)| name);
        if route.is_none_or(|name| headers.contains(&name)) {
            object.remove(&["metadata", "annotations", key]);
        } else if let Some(alone) = object.annotation(key).and_then(action::last_alone) {
            object.set_annotation(key, &alone);
        }
    }
}
