//! Subsets of a DestinationRule, which tell pods apart by their hash.

use api::rollout::IstioDestinationRule;
use object::{Map, Object, Value, json};

use crate::json::{list_mut, text};
use crate::keys::{HASH, MANAGED_BY};
use crate::{Additional, Event, Wanted};

/// Returns the DestinationRule with the hashes that are wanted, and the event that tells of it.
///
/// Subsets of Experiments that are over go; they are known by the hash among their labels. Others that nobody knows
/// stay, unlike upstream's.
pub(super) fn updated(found: &Object, config: &IstioDestinationRule, wanted: &Wanted<'_>) -> (Object, Event) {
    let mut object = found.clone();
    object.set_annotation(MANAGED_BY, wanted.rollout.name());
    let additional = wanted.weight.as_ref().map(|weight| weight.sorted()).unwrap_or_default();
    if object.get(&["spec", "subsets"]).is_none() && !additional.is_empty() {
        object.set(&["spec", "subsets"], json!([]));
    }
    if let Some(subsets) = list_mut(&mut object, &["spec", "subsets"]) {
        subsets
            .retain(|subset| is_known(subset, config, &additional) || subset["labels"].get(HASH).is_none());
        for subset in subsets.iter_mut() {
            if let Some(hash) = hash_of(subset, config, &additional, wanted) {
                set_hash(subset, hash);
            }
        }
        for one in &additional {
            if !subsets.iter().any(|subset| text(subset, "name") == one.service) {
                subsets.push(json!({"name": one.service, "labels": {HASH: one.hash}}));
            }
        }
    }
    let (canary, stable) = (&wanted.canary.hash, &wanted.stable.hash);
    let message = format!(
        "DestinationRule {} subset updated ({}: {canary}, {}: {stable})",
        config.name, config.canary_subset_name, config.stable_subset_name
    );
    (object, Event::normal("UpdatedDestinationRule", message))
}

fn is_known(subset: &Value, config: &IstioDestinationRule, additional: &[&Additional]) -> bool {
    let name = text(subset, "name");
    name == config.canary_subset_name
        || name == config.stable_subset_name
        || config.additional_subset_names.iter().any(|kept| kept == name)
        || additional.iter().any(|one| one.service == name)
}

fn hash_of<'a>(
    subset: &Value,
    config: &IstioDestinationRule,
    additional: &[&'a Additional],
    wanted: &'a Wanted<'_>,
) -> Option<&'a str> {
    let name = text(subset, "name");
    if name == config.canary_subset_name {
        return Some(&wanted.canary.hash);
    }
    if name == config.stable_subset_name {
        return Some(&wanted.stable.hash);
    }
    additional.iter().find(|one| one.service == name).map(|one| one.hash.as_str())
}

fn set_hash(subset: &mut Value, hash: &str) {
    let Value::Object(subset) = subset else { return };
    if hash.is_empty() {
        if let Some(labels) = subset.get_mut("labels").and_then(Value::as_object_mut) {
            labels.remove(HASH);
        }
        return;
    }
    let labels = subset.entry("labels").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(labels) = labels {
        labels.insert(HASH.to_owned(), hash.into());
    }
}
