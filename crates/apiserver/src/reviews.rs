//! Questions that are asked by creating an object: who am I, what may I do.

use serde_json::{Value, json};

use crate::call::Call;
use crate::field::FieldError;
use crate::managed::{self, Owner};
use crate::status::{Failure, Outcome};

/// Returns the answer, where the object is a question.
pub(crate) fn answer(call: &Call, object: &Value) -> Option<Outcome<Value>> {
    let plural = call.kind().plural.as_str();
    if plural.ends_with("accessreviews") {
        return Some(access(call, object));
    }
    let status = match call.kind().plural.as_str() {
        "selfsubjectrulesreviews" => json!({
            "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
            "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
            "incomplete": false,
        }),
        "selfsubjectreviews" => json!({ "userInfo": {
            "username": "admin", "uid": "admin", "groups": ["system:masters", "system:authenticated"],
        }}),
        _ => return None,
    };
    let mut answer = object.clone();
    if plural == "selfsubjectrulesreviews" {
        answer["spec"] = json!({});
    }
    answer["status"] = status;
    Some(Ok(answer))
}

/// Everything is allowed to the one user there is, and to members of `system:masters`.
fn access(call: &Call, object: &Value) -> Outcome<Value> {
    let spec = &object["spec"];
    let given = |field: &str| spec[field].is_object();
    if given("resourceAttributes") == given("nonResourceAttributes") {
        let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let error = FieldError::invalid("spec.resourceAttributes", &Value::Null, detail);
        let message = format!(".authorization.k8s.io \"\" is invalid: {error}");
        let causes = vec![error.cause()];
        return Err(Failure::new(422, "Invalid", message)
            .with("group", "authorization.k8s.io")
            .with("causes", causes));
    }
    let groups = spec["groups"].as_array().cloned().unwrap_or_default();
    let oneself = call.kind().plural == "selfsubjectaccessreviews";
    let allowed = oneself || groups.contains(&json!("system:masters"));
    let mut plain = object.clone();
    plain.as_object_mut().map(|map| map.remove("status"));
    let mut answer = managed::update(call.kind(), None, plain, &Owner::of(call));
    answer["status"] = json!({ "allowed": allowed });
    Ok(answer)
}
