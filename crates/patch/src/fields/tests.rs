use serde_json::json;

use super::*;

fn fields() -> serde_json::Value {
    json!({
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {
            "f:list": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}},
            "f:set": {"v:\"x<y\"".replace('<', "\\u003c"): {}, "v:1": {}},
            "f:indexed": {"i:0": {}},
            "f:replicas": {},
        }
    })
}

#[test]
fn the_wire_form_survives_a_round_trip() {
    let set = Set::from_fields_v1(&fields()).unwrap();
    assert_eq!(set.to_fields_v1(), fields());
    let texts: Vec<String> = set.paths().iter().map(|path| path_text(path)).collect();
    assert_eq!(
        texts,
        [
            ".metadata.labels",
            ".metadata.labels.a",
            ".spec.replicas",
            ".spec.indexed[0]",
            ".spec.list[containerPort=80,protocol=\"TCP\"]",
            ".spec.list[containerPort=80,protocol=\"TCP\"].name",
            ".spec.set[=1]",
            ".spec.set[=\"x<y\"]",
        ]
    );
}

#[test]
fn wrong_wire_forms_are_refused_and_unknown_ones_left_out() {
    assert!(Set::from_fields_v1(&json!({"nothing": {}})).is_err());
    assert!(Set::from_fields_v1(&json!({"v:{": {}})).is_err());
    assert!(Set::from_fields_v1(&json!([])).is_err());
    assert_eq!(Set::from_fields_v1(&json!({"z:new": {"f:a": {}}})).unwrap(), Set::new());
}

#[test]
fn parents_and_children_are_members_by_themselves() {
    let set = |fields| Set::from_fields_v1(&fields).unwrap();
    let both = set(json!({"f:a": {".": {}, "f:b": {}}}));
    let child = set(json!({"f:a": {"f:b": {}}}));
    let parent = set(json!({"f:a": {}}));
    assert_eq!(both.difference(&parent), child);
    assert_eq!(both.difference(&child), parent);
    assert_eq!(child.union(&parent), both);
    assert_eq!(both.intersection(&child), child);
    assert_eq!(child.without_below(&parent), Set::new());
    assert!(!child.has(&[PathElement::field("a")]));
}
