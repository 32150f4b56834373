#![expect(clippy::needless_pass_by_value, reason = "cases read better without references")]

use serde_json::{Value, json};

use super::*;
use crate::schema::{Schema, TypeRef};

fn deployment() -> TypeRef {
    Schema::builtin().type_of("apps", "v1", "Deployment").unwrap()
}

fn pod_spec() -> TypeRef {
    TypeRef::named("core.v1.PodSpec")
}

#[track_caller]
fn works(ty: &TypeRef, doc: Value, patch: Value, expected: Value) {
    let mut changed = doc;
    apply(&mut changed, &patch, Schema::builtin(), ty).unwrap();
    assert_eq!(changed, expected);
}

#[track_caller]
fn fails(ty: &TypeRef, doc: Value, patch: Value, text: &str) {
    let mut changed = doc.clone();
    let error = apply(&mut changed, &patch, Schema::builtin(), ty).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(changed, doc, "a failed patch changes nothing");
}

#[test]
fn containers_merge_by_name_and_new_ones_come_as_the_patch_has_them() {
    works(
        &pod_spec(),
        json!({"containers": [{"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}),
        json!({"containers": [{"name": "c"}, {"name": "a", "image": "a:2", "env": [{"name": "Y", "value": "2"}]}]}),
        json!({"containers": [
            {"name": "c"},
            {"name": "a", "image": "a:2", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]},
            {"name": "b"},
        ]}),
    );
}

#[test]
fn lists_without_a_merge_key_are_replaced() {
    works(
        &pod_spec(),
        json!({"tolerations": [{"key": "a"}], "containers": [{"name": "a", "args": ["1", "2"]}]}),
        json!({"tolerations": [{"key": "b"}], "containers": [{"name": "a", "args": ["3"]}]}),
        json!({"tolerations": [{"key": "b"}], "containers": [{"name": "a", "args": ["3"]}]}),
    );
}

#[test]
fn directives_delete_and_replace() {
    let doc = json!({"containers": [{"name": "a"}, {"name": "b"}], "nodeSelector": {"x": "1"}});
    works(
        &pod_spec(),
        doc.clone(),
        json!({"containers": [{"name": "a", "$patch": "delete"}]}),
        json!({"containers": [{"name": "b"}], "nodeSelector": {"x": "1"}}),
    );
    works(
        &pod_spec(),
        doc.clone(),
        json!({"containers": [{"name": "z"}, {"$patch": "replace"}], "nodeSelector": {"$patch": "replace", "y": "2"}}),
        json!({"containers": [{"name": "z"}], "nodeSelector": {"y": "2"}}),
    );
    works(
        &pod_spec(),
        doc.clone(),
        json!({"nodeSelector": {"$patch": "delete"}}),
        json!({"containers": [{"name": "a"}, {"name": "b"}], "nodeSelector": {}}),
    );
    works(&pod_spec(), doc, json!({"containers": null}), json!({"nodeSelector": {"x": "1"}}));
}

#[test]
fn scalars_are_added_deleted_and_ordered() {
    let meta = TypeRef::named("meta.v1.ObjectMeta");
    works(
        &meta,
        json!({"finalizers": ["a", "b"]}),
        json!({"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}),
        json!({"finalizers": ["c", "b"]}),
    );
    works(
        &meta,
        json!({"finalizers": ["a", "b", "z"]}),
        json!({"$setElementOrder/finalizers": ["c", "a", "b"], "finalizers": ["c"]}),
        json!({"finalizers": ["c", "a", "b", "z"]}),
    );
}

#[test]
fn the_order_list_orders_and_server_only_elements_keep_their_place() {
    works(
        &pod_spec(),
        json!({"containers": [{"name": "a"}, {"name": "server"}, {"name": "b"}]}),
        json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "a", "image": "x"}]}),
        json!({"containers": [{"name": "server"}, {"name": "b"}, {"name": "a", "image": "x"}]}),
    );
}

#[test]
fn retained_keys_clear_the_others() {
    works(
        &deployment(),
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        json!({"spec": {"strategy": {"type": "Recreate"}}}),
    );
    fails(
        &deployment(),
        json!({"spec": {"strategy": {"type": "RollingUpdate"}}}),
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}}),
        "invalid patch format of retainKeys",
    );
}

#[test]
fn nulls_of_a_new_object_are_dropped() {
    works(
        &deployment(),
        json!({}),
        json!({"spec": {"replicas": null, "paused": true}}),
        json!({"spec": {"paused": true}}),
    );
}

#[test]
fn wrong_patches_are_told_as_upstream() {
    let doc = json!({"containers": [{"name": "a"}]});
    fails(
        &pod_spec(),
        doc.clone(),
        json!({"containers": [{"image": "x"}]}),
        "map: map[image:x] does not contain declared merge key: name",
    );
    fails(
        &pod_spec(),
        doc.clone(),
        json!({"containers": [{"name": "a", "$patch": "jump"}]}),
        "unknown patch type: jump in map: map[$patch:jump name:a]",
    );
    fails(
        &pod_spec(),
        doc,
        json!({"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]}),
        "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
    );
}

#[test]
fn a_three_way_patch_removes_only_what_was_applied_before() {
    let original = json!({"spec": {"replicas": 3, "paused": true, "template": {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b"}]}}}});
    let modified = json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "a", "image": "a:2"}]}}}});
    let current = json!({"spec": {"replicas": 5, "paused": true, "template": {"spec": {"containers": [
        {"name": "injected"}, {"name": "a", "image": "a:1", "imagePullPolicy": "Always"}, {"name": "b"}]}}}});
    let (schema, ty) = (Schema::builtin(), deployment());
    let patch = three_way(&original, &modified, &current, schema, &ty).unwrap();
    assert_eq!(
        patch,
        json!({"spec": {"replicas": 3, "paused": null, "template": {"spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "image": "a:2"}, {"name": "b", "$patch": "delete"}],
        }}}})
    );
    let mut live = current;
    apply(&mut live, &patch, schema, &ty).unwrap();
    assert_eq!(
        live,
        json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [
            {"name": "injected"}, {"name": "a", "image": "a:2", "imagePullPolicy": "Always"}]}}}})
    );
    let again = three_way(&modified, &modified, &live, schema, &ty).unwrap();
    let mut unchanged = live.clone();
    apply(&mut unchanged, &again, schema, &ty).unwrap();
    assert_eq!(unchanged, live, "nothing is left to do");
}

#[test]
fn a_three_way_patch_retains_keys_and_deletes_scalars() {
    let (schema, ty) = (Schema::builtin(), deployment());
    let original =
        json!({"metadata": {"finalizers": ["x", "y"]}, "spec": {"strategy": {"type": "RollingUpdate"}}});
    let modified = json!({"metadata": {"finalizers": ["y"]}, "spec": {"strategy": {"type": "Recreate"}}});
    let current = json!({"metadata": {"finalizers": ["x", "y"]}, "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let patch = three_way(&original, &modified, &current, schema, &ty).unwrap();
    assert_eq!(
        patch,
        json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["x"], "$setElementOrder/finalizers": ["y"]},
            "spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
        })
    );
    let mut live = current;
    apply(&mut live, &patch, schema, &ty).unwrap();
    assert_eq!(live, modified);
}
