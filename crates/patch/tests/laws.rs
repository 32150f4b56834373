//! Laws that hold for any document.

use patch::apply::{ApplyOptions, Force, UpdateOptions, apply, update};
use patch::fields::Set;
use patch::schema::{Schema, TypeRef};
use patch::{json, merge, strategic};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Documents without nulls, which a merge patch cannot say.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..5i64).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from)
    ];
    let inner = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map("[a-d]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    btree_map("[a-d]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// Image, environment and arguments.
type Container = (Option<String>, Option<Vec<Value>>, Vec<String>);

fn containers() -> impl Strategy<Value = Value> {
    let env = btree_map("[X-Z]", "[a-c]", 0..3).prop_map(|map| {
        map.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>()
    });
    let container = (proptest::option::of("[a-c]"), proptest::option::of(env), vec("[a-c]", 0..2));
    btree_map("[a-d]", container, 1..4).prop_map(|map| {
        let one = |(name, (image, env, args)): (String, Container)| {
            let mut container = json!({"name": name});
            if let Some(image) = image {
                container["image"] = json!(image);
            }
            if let Some(env) = env.filter(|env| !env.is_empty()) {
                container["env"] = json!(env);
            }
            if !args.is_empty() {
                container["args"] = json!(args);
            }
            container
        };
        Value::Array(map.into_iter().map(one).collect())
    })
}

/// Deployments as people apply them.
fn deployments() -> impl Strategy<Value = Value> {
    let labels = btree_map("[a-c]", "[a-c]", 1..3);
    let finalizers = proptest::collection::btree_set("[a-c]", 0..3);
    (containers(), labels, finalizers, proptest::option::of(0..3u32), any::<bool>()).prop_map(
        |(containers, labels, finalizers, replicas, paused)| {
            let mut object = json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "a", "labels": labels},
                "spec": {"paused": paused, "selector": {"matchLabels": {"a": "b"}},
                    "template": {"spec": {"containers": containers}}},
            });
            if !finalizers.is_empty() {
                object["metadata"]["finalizers"] = json!(finalizers);
            }
            if let Some(replicas) = replicas {
                object["spec"]["replicas"] = json!(replicas);
            }
            object
        },
    )
}

fn kind() -> (&'static Schema, TypeRef) {
    let schema = Schema::builtin();
    (schema, schema.type_of("apps", "v1", "Deployment").expect("a built-in kind"))
}

fn by(manager: &str, force: Force) -> ApplyOptions<'_> {
    ApplyOptions { manager, force, api_version: "apps/v1", subresource: None, now: "2026-11-21T10:00:00Z" }
}

fn bare(mut object: Value) -> Value {
    object["metadata"].as_object_mut().expect("metadata").remove("managedFields");
    object
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_applied_gives_the_target(from in documents(), to in documents()) {
        let mut changed = from.clone();
        if let Some(patch) = merge::diff(&from, &to) {
            merge::apply(&mut changed, &patch);
        }
        prop_assert_eq!(changed, to);
    }

    #[test]
    fn adding_and_removing_leaves_nothing(doc in documents(), value in documents()) {
        let mut changed = doc.clone();
        let patch = json!([{"op": "add", "path": "/new", "value": value}, {"op": "test", "path": "/new", "value": value},
            {"op": "copy", "from": "/new", "path": "/copy"}, {"op": "remove", "path": "/copy"}, {"op": "move", "from": "/new", "path": "/moved"},
            {"op": "remove", "path": "/moved"}]);
        json::apply(&mut changed, &patch).unwrap();
        prop_assert_eq!(changed, doc);
    }

    #[test]
    fn a_strategic_difference_applied_gives_the_target(from in deployments(), to in deployments()) {
        let (schema, ty) = kind();
        let patch = strategic::two_way(&from, &to, schema, &ty).unwrap();
        let mut changed = from;
        strategic::apply(&mut changed, &patch, schema, &ty).unwrap();
        prop_assert_eq!(changed, to);
    }

    #[test]
    fn a_three_way_patch_of_the_own_changes_gives_the_target(from in deployments(), to in deployments()) {
        let (schema, ty) = kind();
        let patch = strategic::three_way(&from, &to, &from, schema, &ty).unwrap();
        let mut changed = from;
        strategic::apply(&mut changed, &patch, schema, &ty).unwrap();
        prop_assert_eq!(changed, to);
    }

    #[test]
    fn applying_twice_is_applying_once(live in deployments(), config in deployments()) {
        let (schema, ty) = kind();
        let live = apply(None, &live, &by("other", Force::No), schema, &ty).unwrap();
        let once = apply(Some(&live), &config, &by("me", Force::Yes), schema, &ty).unwrap();
        let later = ApplyOptions { now: "2026-11-21T11:00:00Z", ..by("me", Force::No) };
        prop_assert_eq!(apply(Some(&once), &config, &later, schema, &ty).unwrap(), once);
    }

    #[test]
    fn a_sole_applier_gets_what_it_applies(first in deployments(), second in deployments()) {
        let (schema, ty) = kind();
        let once = apply(None, &first, &by("me", Force::No), schema, &ty).unwrap();
        prop_assert_eq!(bare(once.clone()), first);
        let twice = apply(Some(&once), &second, &by("me", Force::No), schema, &ty).unwrap();
        prop_assert_eq!(bare(twice), second);
    }

    #[test]
    fn conflicts_are_exactly_the_others_changed_leaves(live in deployments(), config in deployments()) {
        let (schema, ty) = kind();
        let live = apply(None, &live, &by("other", Force::No), schema, &ty).unwrap();
        let forced = apply(Some(&live), &config, &by("me", Force::Yes), schema, &ty).unwrap();
        match apply(Some(&live), &config, &by("me", Force::No), schema, &ty) {
            Ok(object) => prop_assert_eq!(object, forced),
            Err(error) => {
                prop_assert!(error.to_string().contains("conflict with \"other\"") || error.to_string().contains("conflicts with \"other\""), "{}", error);
                prop_assert_ne!(bare(live), bare(forced));
            }
        }
    }

    #[test]
    fn what_a_writer_changes_it_owns_and_can_be_read_again(before in deployments(), after in deployments()) {
        let (schema, ty) = kind();
        let write = |manager| UpdateOptions { manager, api_version: "apps/v1", subresource: None, now: "2026-11-21T10:00:00Z" };
        let mut live = update(None, before, &write("one"), schema, &ty);
        live["metadata"]["uid"] = json!("u");
        let mut next = after.clone();
        next["metadata"]["uid"] = json!("u");
        let written = update(Some(&live), next.clone(), &write("two"), schema, &ty);
        prop_assert_eq!(bare(written.clone()), next);
        for entry in written["metadata"]["managedFields"].as_array().unwrap() {
            let set = Set::from_fields_v1(&entry["fieldsV1"]).unwrap();
            prop_assert!(!set.is_empty());
            prop_assert_eq!(&set.to_fields_v1(), &entry["fieldsV1"]);
        }
    }
}
