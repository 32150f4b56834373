#![expect(clippy::needless_pass_by_value, reason = "cases read better without references")]

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn works(doc: Value, patch: Value, expected: Value) {
    let mut changed = doc;
    apply(&mut changed, &patch).unwrap();
    assert_eq!(changed, expected);
}

#[track_caller]
fn fails(doc: Value, patch: Value, text: &str) {
    let mut changed = doc.clone();
    let error = apply(&mut changed, &patch).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(changed, doc, "a failed patch changes nothing");
}

#[test]
fn operations_of_the_rfc() {
    works(json!({"a": 1}), json!([{"op": "add", "path": "/b", "value": [2]}]), json!({"a": 1, "b": [2]}));
    works(json!({"a": [1, 3]}), json!([{"op": "add", "path": "/a/1", "value": 2}]), json!({"a": [1, 2, 3]}));
    works(json!({"a": [1]}), json!([{"op": "add", "path": "/a/-", "value": 2}]), json!({"a": [1, 2]}));
    works(json!({"a": [1, 2]}), json!([{"op": "remove", "path": "/a/0"}]), json!({"a": [2]}));
    works(json!({"a": 1}), json!([{"op": "replace", "path": "/a", "value": 2}]), json!({"a": 2}));
    works(json!({"a": 1}), json!([{"op": "move", "from": "/a", "path": "/b"}]), json!({"b": 1}));
    works(
        json!({"a": {"x": 1}}),
        json!([{"op": "copy", "from": "/a", "path": "/b"}]),
        json!({"a": {"x": 1}, "b": {"x": 1}}),
    );
    works(
        json!({"a": {"x": [1]}}),
        json!([{"op": "test", "path": "/a", "value": {"x": [1]}}]),
        json!({"a": {"x": [1]}}),
    );
    works(json!({"a": 1}), json!([{"op": "replace", "path": "", "value": {"b": 2}}]), json!({"b": 2}));
    works(
        json!({"a/b": 1, "c~d": 2}),
        json!([{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/c~0d"}]),
        json!({}),
    );
}

#[test]
fn leniencies_of_the_upstream_library() {
    works(json!({}), json!([{"op": "replace", "path": "/a", "value": 2}]), json!({"a": 2}));
    works(json!({"a": [1, 2]}), json!([{"op": "remove", "path": "/a/-1"}]), json!({"a": [1]}));
    works(json!({"a": [1]}), json!([{"op": "add", "path": "/a/-1", "value": 2}]), json!({"a": [1, 2]}));
    works(json!({}), json!([{"op": "test", "path": "/a", "value": null}]), json!({}));
    works(json!({}), json!([{"op": "add", "path": "/a"}]), json!({"a": null}));
}

#[test]
fn failures_have_the_upstream_texts() {
    fails(
        json!({}),
        json!([{"op": "remove", "path": "/a"}]),
        "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
    );
    fails(
        json!({}),
        json!([{"op": "add", "path": "/a/b", "value": 1}]),
        "add operation does not apply: doc is missing path: \"/a/b\": missing value",
    );
    fails(
        json!({"a": 1}),
        json!([{"op": "test", "path": "/a", "value": 2}]),
        "testing value /a failed: test failed",
    );
    fails(
        json!({"a": []}),
        json!([{"op": "replace", "path": "/a/0", "value": 2}]),
        "replace operation does not apply: doc is missing key: /a/0: missing value",
    );
    fails(
        json!({"a": []}),
        json!([{"op": "add", "path": "/a/x", "value": 2}]),
        "error in add for path: '/a/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
    );
    fails(
        json!({"a": []}),
        json!([{"op": "add", "path": "/a/1", "value": 2}]),
        "error in add for path: '/a/1': Unable to access invalid index: 1: invalid index referenced",
    );
    fails(json!({}), json!([{"op": "jump", "path": "/a"}]), "Unexpected kind: jump");
    fails(json!({}), json!([{"op": "add"}]), "add operation failed to decode path: missing value");
    fails(
        json!({}),
        json!({"op": "add"}),
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    );
}

#[test]
fn later_operations_see_earlier_ones_and_a_failure_undoes_all() {
    let patch = json!([{"op": "add", "path": "/a", "value": {}}, {"op": "add", "path": "/a/b", "value": 1}]);
    works(json!({}), patch, json!({"a": {"b": 1}}));
    let patch = json!([{"op": "add", "path": "/a", "value": 1}, {"op": "remove", "path": "/b"}]);
    fails(
        json!({}),
        patch,
        "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
    );
}

#[test]
fn sizes_are_limited() {
    let operation = json!({"op": "test", "path": "/a", "value": null});
    let many = Value::Array(vec![operation; MAX_OPERATIONS + 1]);
    let error = apply(&mut json!({}), &many).unwrap_err();
    assert_eq!(
        error,
        PatchError::TooLarge("The allowed maximum operations in a JSON patch is 10000, got 10001".to_owned())
    );
    let copies = Value::Array(vec![json!({"op": "copy", "from": "", "path": "/a"}); 1]);
    assert!(apply(&mut json!({}), &copies).is_err(), "the whole document is no source");
    let doubling = Value::Array(vec![json!({"op": "copy", "from": "/a", "path": "/a/-"}); 64]);
    let error = apply(&mut json!({"a": ["x"]}), &doubling).unwrap_err();
    assert!(error.to_string().starts_with("Unable to complete the copy"), "{error}");
}
