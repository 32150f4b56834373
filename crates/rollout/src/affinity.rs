//! Anti-affinity between the pods of two versions.
//!
//! Source: Argo Rollouts `utils/replicaset.GenerateReplicaSetAffinity`.

use api::rollout::{AntiAffinity, Rollout};
use object::{Value, json};

use crate::keys;

const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const LISTS: [&str; 2] = [PREFERRED, REQUIRED];

/// Adds to `template` that its pods stay away from those of the stable version, when the strategy says so and there is
/// another stable version than `hash`.
pub(crate) fn inject(template: &mut Value, rollout: &Rollout, hash: &str) {
    let stable = rollout.status.stable_rs.as_str();
    let Some(wanted) = wanted(rollout).filter(|_| !stable.is_empty() && stable != hash) else { return };
    let term = json!({
        "labelSelector": {"matchExpressions": [{"key": keys::HASH, "operator": "In", "values": [stable]}]},
        "namespaces": [rollout.namespace()],
        "topologyKey": "kubernetes.io/hostname",
    });
    let (list, entry) = match &wanted.preferred {
        Some(preferred) => (PREFERRED, json!({"weight": preferred.weight, "podAffinityTerm": term})),
        None => (REQUIRED, term),
    };
    let rules = &mut template["spec"]["affinity"]["podAntiAffinity"][list];
    match rules.as_array_mut() {
        Some(rules) => rules.push(entry),
        None => *rules = json!([entry]),
    }
}

fn wanted(rollout: &Rollout) -> Option<&AntiAffinity> {
    let strategy = &rollout.spec.strategy;
    let of_canary = strategy.canary.as_ref().and_then(|canary| canary.anti_affinity.as_ref());
    of_canary.or_else(|| strategy.blue_green.as_ref()?.anti_affinity.as_ref())
}

/// Takes such rules out of a template, and what is empty without them.
pub(crate) fn strip(template: &mut Value) {
    let Some(affinity) = template.pointer_mut("/spec/affinity") else { return };
    let Some(rules) = affinity.get_mut("podAntiAffinity").and_then(Value::as_object_mut) else { return };
    let mut stripped = false;
    for list in LISTS {
        let Some(entries) = rules.get_mut(list).and_then(Value::as_array_mut) else { continue };
        let before = entries.len();
        entries.retain(|entry| !is_injected(entry));
        stripped |= entries.len() < before;
        if entries.is_empty() && before > 0 {
            rules.remove(list);
        }
    }
    if !stripped {
        return;
    }
    let no_rules = rules.is_empty();
    if let Some(affinity) = affinity.as_object_mut() {
        if no_rules {
            affinity.remove("podAntiAffinity");
        }
        if affinity.is_empty() {
            remove_affinity(template);
        }
    }
}

fn remove_affinity(template: &mut Value) {
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("affinity");
    }
}

fn is_injected(entry: &Value) -> bool {
    injected_values(entry).is_some()
}

/// Returns the hashes that an injected rule stays away from.
fn injected_values(entry: &Value) -> Option<Vec<&str>> {
    let term = entry.get("podAffinityTerm").unwrap_or(entry);
    let expressions = term.pointer("/labelSelector/matchExpressions")?.as_array()?;
    let ours = expressions.iter().find(|expression| expression["key"] == keys::HASH)?;
    Some(ours["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect())
}

/// Returns the affinity that a ReplicaSet's template is to have instead, when its rule is about another version than
/// the stable one; `null` for none.
///
/// Source: `IfInjectedAntiAffinityRuleNeedsUpdate`.
pub(crate) fn renewed(held: &Value, template: &Value, rollout: &Rollout, hash: &str) -> Option<Value> {
    let stable = rollout.status.stable_rs.as_str();
    let lists = LISTS.iter().filter_map(|list| held.pointer("/spec/affinity/podAntiAffinity")?.get(*list));
    let mut rules = lists.filter_map(Value::as_array).flatten().filter_map(injected_values);
    if stable.is_empty() || stable == hash || !rules.any(|values| values != [stable]) {
        return None;
    }
    let mut wanted = template.clone();
    inject(&mut wanted, rollout, hash);
    Some(wanted["spec"]["affinity"].clone())
}

#[cfg(test)]
mod tests {
    use object::Object;

    use super::*;

    fn rollout(strategy: &Value, stable: &str) -> Rollout {
        let value = json!({"metadata": {"name": "r", "namespace": "n"}, "spec": {"strategy": strategy},
            "status": {"stableRS": stable}});
        Rollout::from_object(&Object::from_value(value)).unwrap()
    }

    #[test]
    fn away_from_the_stable_version() {
        let plain = json!({"spec": {"containers": []}});
        let required = json!({"canary": {"antiAffinity": {REQUIRED: {}}}});
        let mut template = plain.clone();
        inject(&mut template, &rollout(&required, ""), "new");
        inject(&mut template, &rollout(&required, "new"), "new");
        assert_eq!(template, plain, "the first version, and the stable one, stay away from nobody");
        inject(&mut template, &rollout(&required, "old"), "new");
        assert_eq!(
            template["spec"]["affinity"]["podAntiAffinity"][REQUIRED],
            json!([{"labelSelector": {"matchExpressions": [{"key": keys::HASH, "operator": "In", "values": ["old"]}]},
                "namespaces": ["n"], "topologyKey": "kubernetes.io/hostname"}])
        );
        assert_eq!(renewed(&template, &plain, &rollout(&required, "old"), "new"), None);
        let renewed = renewed(&template, &plain, &rollout(&required, "older"), "new").unwrap();
        assert!(renewed.to_string().contains("older"));
        strip(&mut template);
        assert_eq!(template, plain);
    }

    #[test]
    fn rules_of_the_user_stay() {
        let rule = json!({"weight": 3, "podAffinityTerm": {"topologyKey": "zone"}});
        let own = json!({"spec": {"affinity": {"podAntiAffinity": {PREFERRED: [rule]}}}});
        let preferred = json!({"blueGreen": {"antiAffinity": {PREFERRED: {"weight": 7}}}});
        let mut template = own.clone();
        inject(&mut template, &rollout(&preferred, "old"), "new");
        assert_eq!(template["spec"]["affinity"]["podAntiAffinity"][PREFERRED][1]["weight"], json!(7));
        strip(&mut template);
        assert_eq!(template, own);
    }
}
