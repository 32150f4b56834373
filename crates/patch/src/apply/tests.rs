#![expect(clippy::needless_pass_by_value, reason = "cases read better without references")]

use serde_json::{Value, json};

use super::*;

fn deployments() -> (&'static Schema, TypeRef) {
    let schema = Schema::builtin();
    (schema, schema.type_of("apps", "v1", "Deployment").unwrap())
}

fn by<'a>(manager: &'a str, now: &'a str) -> ApplyOptions<'a> {
    ApplyOptions { manager, force: Force::No, api_version: "apps/v1", subresource: None, now }
}

fn writes<'a>(manager: &'a str, now: &'a str) -> UpdateOptions<'a> {
    UpdateOptions { manager, api_version: "apps/v1", subresource: None, now }
}

fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n"}, "spec": spec})
}

#[track_caller]
fn applied(live: Option<&Value>, config: &Value, options: &ApplyOptions<'_>) -> Value {
    let (schema, ty) = deployments();
    apply(live, config, options, schema, &ty).unwrap()
}

#[track_caller]
fn refused(live: Option<&Value>, config: &Value, options: &ApplyOptions<'_>) -> ApplyError {
    let (schema, ty) = deployments();
    apply(live, config, options, schema, &ty).unwrap_err()
}

fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| {
            format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())
        })
        .collect()
}

fn fields(object: &Value, manager: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["manager"] == manager).unwrap();
    found["fieldsV1"].clone()
}

const T1: &str = "2026-11-21T10:00:00Z";
const T2: &str = "2026-11-21T10:00:01Z";

#[test]
fn the_first_apply_creates_and_owns_what_it_says() {
    let config = deployment(json!({"replicas": 1, "template": {"spec": {"containers": [
        {"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]}}}));
    let object = applied(None, &config, &by("me", T1));
    assert_eq!(object["spec"], config["spec"]);
    assert_eq!(
        object["metadata"]["managedFields"],
        json!([{
            "manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "time": T1, "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {}, "f:ports": {
                    "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}},
            }}}}},
        }])
    );
}

#[test]
fn a_create_owns_as_the_real_server_says() {
    let (schema, ty) = deployments();
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "labels": {"app": "a"}},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "a"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [
                {"name": "c", "image": "i", "resources": {}}], "securityContext": {}}},
        },
        "status": {},
    });
    let object = update(None, object, &writes("kubectl-create", T1), schema, &ty);
    assert_eq!(
        fields(&object, "kubectl-create"),
        json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:replicas": {}, "f:selector": {},
                "f:strategy": {"f:type": {}, "f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}, "f:resources": {}}},
                        "f:securityContext": {}},
                },
            },
        })
    );
}

#[test]
fn one_conflict_has_the_upstream_text() {
    let (schema, ty) = deployments();
    let created = update(
        None,
        deployment(json!({"replicas": 1})),
        &writes("kubectl-client-side-apply", T1),
        schema,
        &ty,
    );
    let config = deployment(json!({"replicas": 2}));
    let error = refused(Some(&created), &config, &by("me", T2));
    assert_eq!(
        error.to_string(),
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.replicas"
    );
    assert_eq!(
        error,
        ApplyError::Conflicts(vec![ConflictCause {
            manager: "kubectl-client-side-apply".to_owned(),
            field: ".spec.replicas".to_owned(),
            message: "conflict with \"kubectl-client-side-apply\" using apps/v1".to_owned(),
        }])
    );
    let forced = applied(Some(&created), &config, &ApplyOptions { force: Force::Yes, ..by("me", T2) });
    assert_eq!(forced["spec"]["replicas"], 2);
    assert_eq!(managers(&forced), ["me Apply"], "the other owned nothing else");
}

#[test]
fn many_conflicts_are_grouped_by_manager() {
    let base = applied(None, &deployment(json!({"replicas": 1, "paused": true})), &by("a", T1));
    let base = applied(Some(&base), &deployment(json!({"minReadySeconds": 3})), &by("b", T1));
    let config = deployment(json!({"replicas": 2, "paused": false, "minReadySeconds": 4}));
    assert_eq!(
        refused(Some(&base), &config, &by("me", T2)).to_string(),
        "Apply failed with 3 conflicts: conflicts with \"a\":\n- .spec.paused\n- .spec.replicas\n\
         conflicts with \"b\":\n- .spec.minReadySeconds"
    );
}

#[test]
fn what_is_no_longer_applied_goes_unless_others_own_it() {
    let first = deployment(json!({"replicas": 1, "paused": true, "template": {"spec": {"containers": [
        {"name": "c", "image": "i", "args": ["x"]}, {"name": "d", "image": "i"}]}}}));
    let object = applied(None, &first, &by("me", T1));
    let object = applied(Some(&object), &deployment(json!({"paused": true})), &by("other", T1));
    assert_eq!(managers(&object), ["other Apply", "me Apply"], "equal values are owned together");
    let second = deployment(
        json!({"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}),
    );
    let object = applied(Some(&object), &second, &by("me", T2));
    assert_eq!(
        object["spec"],
        json!({"replicas": 1, "paused": true, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}})
    );
}

#[test]
fn an_element_that_others_own_parts_of_stays_with_those() {
    let first = deployment(json!({"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}));
    let object = applied(None, &first, &by("me", T1));
    let other = deployment(json!({"template": {"spec": {"containers": [{"name": "c", "args": ["x"]}]}}}));
    let object = applied(Some(&object), &other, &by("other", T1));
    let object = applied(Some(&object), &deployment(json!({})), &by("me", T2));
    assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "c", "args": ["x"]}]));
    assert_eq!(fields(&object, "me"), json!({"f:spec": {}}), "an empty object is owned itself");
}

#[test]
fn an_apply_that_changes_nothing_keeps_object_and_time() {
    let config = deployment(json!({"replicas": 1}));
    let object = applied(None, &config, &by("me", T1));
    assert_eq!(applied(Some(&object), &config, &by("me", T2)), object);
}

#[test]
fn a_write_takes_what_it_changes_and_drops_what_it_removes() {
    let (schema, ty) = deployments();
    let config = deployment(json!({"replicas": 1, "paused": true}));
    let mut object = applied(None, &config, &by("me", T1));
    object["metadata"]["uid"] = json!("u");
    let mut after = object.clone();
    after["spec"] = json!({"replicas": 5});
    let object = update(Some(&object), after, &writes("hpa", T2), schema, &ty);
    assert_eq!(managers(&object), ["hpa Update"], "me owns nothing any more");
    assert_eq!(fields(&object, "hpa"), json!({"f:spec": {"f:replicas": {}}}));
    let same = update(Some(&object), object.clone(), &writes("idle", T2), schema, &ty);
    assert_eq!(same, object, "who changes nothing owns nothing");
}

#[test]
fn subresources_and_versions_are_owners_of_their_own() {
    let (schema, ty) = deployments();
    let mut object = update(None, deployment(json!({"replicas": 1})), &writes("m", T1), schema, &ty);
    object["metadata"]["uid"] = json!("u");
    let mut after = object.clone();
    after["status"] = json!({"replicas": 1});
    let options = UpdateOptions { subresource: Some("status"), ..writes("m", T2) };
    let object = update(Some(&object), after, &options, schema, &ty);
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["subresource"], "status");
    let config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "status": {"replicas": 2}});
    assert_eq!(
        refused(Some(&object), &config, &by("me", T2)).to_string(),
        "Apply failed with 1 conflict: conflict with \"m\" with subresource \"status\" using apps/v1: .status.replicas"
    );
}

#[test]
fn managed_fields_are_kept_reset_and_protected() {
    let (schema, ty) = deployments();
    let mut object = applied(None, &deployment(json!({"replicas": 1})), &by("me", T1));
    object["metadata"]["uid"] = json!("u");
    let mut bare = object.clone();
    bare["metadata"].as_object_mut().unwrap().remove("managedFields");
    let kept = update(Some(&object), bare.clone(), &writes("m", T2), schema, &ty);
    assert_eq!(kept, object, "a client that does not know them does not lose them");
    bare["metadata"]["managedFields"] = json!([{}]);
    let reset = update(Some(&object), bare, &writes("m", T2), schema, &ty);
    assert!(reset["metadata"].get("managedFields").is_none());
    assert_eq!(
        refused(None, &object, &by("me", T1)),
        ApplyError::BadRequest("metadata.managedFields must be nil".to_owned())
    );
    let next = applied(Some(&reset), &deployment(json!({"paused": true})), &by("me", T2));
    assert_eq!(managers(&next), ["me Apply", "before-first-apply Update"]);
}

#[test]
fn unknown_fields_and_duplicates_are_refused() {
    let error = refused(None, &deployment(json!({"wrong": 1})), &by("me", T1));
    assert_eq!(
        error.to_string(),
        "failed to create typed patch object (n/a; apps/v1, Kind=Deployment): .spec.wrong: field not declared in schema"
    );
    let twice = json!({"template": {"spec": {"containers": [{"name": "c"}, {"name": "c"}]}}});
    assert_eq!(
        refused(None, &deployment(twice), &by("me", T1)).to_string(),
        "failed to create typed patch object (n/a; apps/v1, Kind=Deployment): \
         .spec.template.spec.containers: duplicate entries for key [name=\"c\"]"
    );
    let error = refused(None, &deployment(json!({"replicas": "many"})), &by("me", T1));
    assert!(
        error.to_string().ends_with(".spec.replicas: expected numeric (int or float), got string"),
        "{error}"
    );
}

#[test]
fn too_many_updaters_become_ancient() {
    let (schema, ty) = deployments();
    let mut object = update(None, deployment(json!({"replicas": 1})), &writes("m00", T1), schema, &ty);
    object["metadata"]["uid"] = json!("u");
    for index in 1..=12 {
        let mut after = object.clone();
        after["metadata"]["labels"][format!("l{index}")] = json!("x");
        let (manager, now) = (format!("m{index:02}"), format!("2026-11-21T10:01:{index:02}Z"));
        object = update(Some(&object), after, &writes(&manager, &now), schema, &ty);
    }
    let names = managers(&object);
    assert_eq!(names.len(), 10);
    assert_eq!(names[0], "ancient-changes Update");
    assert_eq!(names[9], "m12 Update");
}

#[test]
fn kubectl_takes_over_what_its_annotation_tells() {
    let (schema, ty) = deployments();
    let mut first = deployment(json!({"replicas": 1, "paused": true}));
    let annotation = first.to_string();
    first["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": annotation});
    let live = update(None, first, &writes("kubectl-client-side-apply", T1), schema, &ty);
    let config = deployment(json!({"replicas": 3, "paused": true}));
    assert!(matches!(refused(Some(&live), &config, &by("me", T2)), ApplyError::Conflicts(_)));
    let object = applied(Some(&live), &config, &by("kubectl", T2));
    assert_eq!(object["spec"]["replicas"], 3);
    let text = object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
        .as_str()
        .unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), config);
}

#[test]
fn custom_resources_use_their_own_rules() {
    let schema =
        Schema::from_crd(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "items": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "properties": {"id": {"type": "integer"}, "v": {"type": "string"}}}},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "free": {"x-kubernetes-preserve-unknown-fields": true}}}}}));
    let ty = schema.type_of("x.io", "v1", "Thing").unwrap();
    let thing = |spec: Value| json!({"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec});
    let options = |manager| ApplyOptions {
        manager,
        force: Force::No,
        api_version: "x.io/v1",
        subresource: None,
        now: T1,
    };
    let one = thing(json!({"items": [{"id": 1, "v": "a"}], "tags": ["x"], "free": {"a": [1], "b": 2}}));
    let two = thing(json!({"items": [{"id": 2, "v": "b"}], "tags": ["y"]}));
    let object = apply(None, &one, &options("one"), &schema, &ty).unwrap();
    let object = apply(Some(&object), &two, &options("two"), &schema, &ty).unwrap();
    assert_eq!(object["spec"]["items"], json!([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}]));
    assert_eq!(object["spec"]["tags"], json!(["x", "y"]));
    assert_eq!(
        fields(&object, "one"),
        json!({"f:spec": {
            "f:items": {"k:{\"id\":1}": {".": {}, "f:id": {}, "f:v": {}}}, "f:tags": {"v:\"x\"": {}},
            "f:free": {"f:a": {}, "f:b": {}}}})
    );
    let object = apply(Some(&object), &thing(json!({"tags": ["z"]})), &options("one"), &schema, &ty).unwrap();
    assert_eq!(object["spec"], json!({"items": [{"id": 2, "v": "b"}], "tags": ["y", "z"]}));
}
