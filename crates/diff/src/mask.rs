//! Secrets as they may be shown.

use object::{Map, Object, Value};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const SHORTEST: usize = 8;
const STEP: usize = 4;

/// The sides of a comparison of Secrets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Secrets {
    /// What the source says.
    pub target: Option<Object>,
    /// What the cluster has.
    pub live: Option<Object>,
}

/// Returns `secrets` with every value replaced by plus signs, so that equality stays visible: per key the first value
/// seen becomes 8 of them, each further distinct one 4 more. Other kinds come back as they are.
///
/// Source: gitops-engine `HideSecretData`; the order is target, live, target's last-applied, live's last-applied. A
/// last-applied annotation that is not JSON is replaced whole.
pub fn mask(secrets: &Secrets) -> Secrets {
    let is_secret = |object: &Option<Object>| {
        object.as_ref().is_none_or(|object| object.kind() == "Secret" && object.gvk().group.is_empty())
    };
    let mut masked = secrets.clone();
    if !is_secret(&masked.target) || !is_secret(&masked.live) {
        return masked;
    }
    for object in [&mut masked.target, &mut masked.live].into_iter().flatten() {
        *object = crate::normalize(object);
    }
    let last = |object: &Option<Object>| {
        object.as_ref()?.annotation(LAST_APPLIED).map(|text| serde_json::from_str::<Value>(text).ok())
    };
    let mut applied = [last(&masked.target), last(&masked.live)];
    let mut seen: Map<String, Value> = Map::new();
    for object in [&mut masked.target, &mut masked.live].into_iter().flatten() {
        hide(object.as_map_mut(), &mut seen);
    }
    for map in applied.iter_mut().flatten().flatten().filter_map(Value::as_object_mut) {
        hide(map, &mut seen);
    }
    for (object, applied) in [&mut masked.target, &mut masked.live].into_iter().zip(applied) {
        if let (Some(object), Some(applied)) = (object, applied) {
            let text = applied.map_or_else(|| "+".repeat(SHORTEST), |value| value.to_string());
            object.set_annotation(LAST_APPLIED, &text);
        }
    }
    masked
}

/// Replaces the values of `data`; `seen` holds per key the distinct values met so far, in order.
fn hide(object: &mut Map<String, Value>, seen: &mut Map<String, Value>) {
    let Some(Value::Object(data)) = object.get_mut("data") else { return };
    for (key, value) in data {
        let Value::Array(values) = seen.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new())) else {
            continue;
        };
        let at = values.iter().position(|other| other == value).unwrap_or_else(|| {
            values.push(value.clone());
            values.len() - 1
        });
        *value = Value::String("+".repeat(SHORTEST + STEP * at));
    }
}
