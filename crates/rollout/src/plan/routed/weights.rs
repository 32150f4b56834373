//! `status.canary.weights`: what the routers were last told.

use object::{Map, Value, json};

use super::Carry;
use crate::maths::routed::Carried;
use crate::plan::pass::Pass;
use crate::{Event, Routed};

/// The weights of one pass, as the status holds them.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Weights(Value);

impl Weights {
    /// Returns the weights of what is to be carried.
    ///
    /// Source: `calculateWeightStatus`.
    pub(super) fn new(pass: &Pass, routed: &Routed, carry: &Carry) -> Self {
        let canary = pass.rollout().canary();
        let service = |name: Option<&String>| name.cloned().unwrap_or_default();
        let others: i32 = carry.additional.iter().map(|additional| additional.weight).sum();
        let stable = pass.sets.stable().map(|set| set.hash.clone()).unwrap_or_default();
        let mut value = json!({
            "canary": destination(
                carry.weight,
                &service(canary.map(|canary| &canary.canary_service)),
                &carry.canary,
            ),
            "stable": destination(
                routed.max - carry.weight - others,
                &service(canary.map(|canary| &canary.stable_service)),
                &stable,
            ),
        });
        if !carry.additional.is_empty() {
            let additional = carry.additional.iter();
            let list: Vec<Value> =
                additional.map(|one| destination(one.weight, &one.service, &one.hash)).collect();
            value["additional"] = json!(list);
        }
        Self(value)
    }

    /// Returns the weights that the status holds.
    pub(in crate::plan) fn held(pass: &Pass) -> Option<Carried> {
        carried(pass.status().canary.weights.as_ref()?)
    }

    /// Writes the weights into the pass, and an event when they differ from those of the status.
    pub(super) fn tell(self, pass: &mut Pass, verified: Option<bool>) {
        let mut value = self.0;
        let old = pass.status().canary.weights.clone();
        if old.as_ref().map(plain) != Some(value.clone()) {
            let message = format!("Traffic weight updated {}", change(old.as_ref(), &value));
            pass.events.push(Event::normal("TrafficWeightUpdated", message.trim_end()));
        }
        if let Some(verified) = verified {
            value["verified"] = json!(verified);
        }
        pass.weights = Some(value);
    }
}

/// Returns the weights in `value`.
pub(in crate::plan) fn carried(value: &Value) -> Option<Carried> {
    let weight = |of: &str| value[of]["weight"].as_i64().and_then(|weight| i32::try_from(weight).ok());
    Some(Carried { canary: weight("canary")?, stable: weight("stable").unwrap_or(0) })
}

/// Returns the hashes that weights speak of.
pub(in crate::plan) fn mentioned(weights: &Value) -> Vec<String> {
    let additional = weights["additional"].as_array().into_iter().flatten();
    let all = [&weights["canary"], &weights["stable"]].into_iter().chain(additional);
    all.filter_map(|one| one["podTemplateHash"].as_str()).map(str::to_owned).collect()
}

fn destination(weight: i32, service: &str, hash: &str) -> Value {
    let mut value = Map::new();
    value.insert("weight".into(), json!(weight));
    for (field, text) in [("serviceName", service), ("podTemplateHash", hash)] {
        if !text.is_empty() {
            value.insert(field.into(), json!(text));
        }
    }
    Value::Object(value)
}

/// Returns weights without what the routers said of them.
fn plain(weights: &Value) -> Value {
    let mut weights = weights.clone();
    if let Some(map) = weights.as_object_mut() {
        map.remove("verified");
    }
    weights
}

/// Source: `trafficWeightUpdatedMessage`.
fn change(old: Option<&Value>, new: &Value) -> String {
    let weight = |weights: &Value| weights["canary"]["weight"].as_i64().unwrap_or(0);
    let Some(old) = old else { return format!("to {}", weight(new)) };
    let mut details = Vec::new();
    if weight(old) != weight(new) {
        details.push(format!("from {} to {}", weight(old), weight(new)));
    }
    if old.get("additional") != new.get("additional") {
        let list = new["additional"].as_array().into_iter().flatten();
        let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
        let list: Vec<String> = list
            .map(|one| {
                format!("{{{} {} {}}}", one["weight"], text(one, "serviceName"), text(one, "podTemplateHash"))
            })
            .collect();
        details.push(format!("additional: [{}]", list.join(" ")));
    }
    details.join(", ")
}
