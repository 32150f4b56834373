//! What a real API server (1.36.3) made of objects is no difference; a changed field always is one.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use diff::{MANAGER, Options, compare, normal};
use object::{Object, Value};
use patch::apply::{ApplyOptions, Force};
use patch::schema::{Schema, Type, TypeRef};

struct Case {
    name: String,
    target: Object,
    /// As made by a plain create, by client-side apply, and by server-side apply.
    lives: [Object; 3],
}

fn cases() -> Vec<Case> {
    let recorded: Value = serde_json::from_str(include_str!("defaulted.json")).unwrap();
    let cases = recorded.as_array().unwrap().iter().map(|case| {
        let target = Object::from_value(case["target"].clone());
        let live = Object::from_value(case["live"].clone());
        let mut annotated = live.clone();
        let text = target.to_value().to_string();
        annotated.set_annotation("kubectl.kubernetes.io/last-applied-configuration", &text);
        let owned = applied(&target, &live);
        Case { name: case["name"].as_str().unwrap().to_owned(), target, lives: [live, annotated, owned] }
    });
    cases.collect()
}

fn applied(target: &Object, live: &Object) -> Object {
    let gvk = live.gvk();
    let known = Schema::builtin().type_of(&gvk.group, &gvk.version, &gvk.kind);
    let ty = known.unwrap_or_else(|| TypeRef::inline(Type::Untyped));
    let (version, now) = (target.api_version().to_owned(), "2026-11-21T12:00:00Z");
    let options =
        ApplyOptions { manager: MANAGER, force: Force::Yes, api_version: &version, subresource: None, now };
    // The server fills in its defaults again after the merge: what it had stays.
    let merged =
        patch::apply::apply(Some(&live.to_value()), &target.to_value(), &options, Schema::builtin(), &ty)
            .unwrap();
    let mut owned = live.clone();
    owned.set(&["metadata", "managedFields"], merged["metadata"]["managedFields"].clone());
    owned
}

#[test]
fn what_the_server_filled_in_is_no_difference() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (live, mode) in case.lives.iter().zip(["two-way", "three-way", "server-side"]) {
            let comparison = compare(&case.target, live, &Options::default());
            if comparison.drifted {
                let text = normal(Some(&comparison.live), Some(&comparison.predicted));
                wrong.push(format!("{} {mode}:\n{text}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases drift\n{}", wrong.len(), wrong.join("\n"));
}

/// Pointers to the strings, numbers and booleans of `value`.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(at.to_owned()),
    }
}

fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => (!flag).into(),
        Value::Number(number) => (number.as_f64().unwrap_or_default() + 7.0).into(),
        other => format!("{}7", other.as_str().unwrap_or_default()).into(),
    }
}

/// Fields that are not the target's to say: identity, and what is never compared.
fn counts(pointer: &str) -> bool {
    let never = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/status", "/stringData"];
    !never.iter().any(|prefix| pointer.starts_with(prefix))
}

#[test]
fn a_field_changed_in_the_cluster_is_a_difference() {
    let mut missed = Vec::new();
    let mut tried = 0;
    for case in cases() {
        let mut pointers = Vec::new();
        leaves(&case.target.to_value(), "", &mut pointers);
        for pointer in pointers.iter().filter(|pointer| counts(pointer)) {
            for (live, mode) in case.lives.iter().zip(["two-way", "three-way", "server-side"]) {
                let mut value = live.to_value();
                // Lists may be in another order than in the target: such leaves are found at no pointer.
                let Some(leaf) = value.pointer_mut(pointer) else { continue };
                *leaf = changed(leaf);
                tried += 1;
                if !compare(&case.target, &Object::from_value(value), &Options::default()).drifted {
                    missed.push(format!("{} {mode} {pointer}", case.name));
                }
            }
        }
    }
    assert!(tried > 500, "only {tried} changes tried");
    assert!(missed.is_empty(), "{} of {tried} missed:\n{}", missed.len(), missed.join("\n"));
}
