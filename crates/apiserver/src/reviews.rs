//! Questions that are asked by creating an object: who am I, what may I do.

use serde_json::{Value, json};

use crate::call::Call;

/// Returns the answer, where the object is a question.
pub(crate) fn answer(call: &Call, object: &Value) -> Option<Value> {
    let status = match call.kind().plural.as_str() {
        "selfsubjectaccessreviews" | "subjectaccessreviews" | "localsubjectaccessreviews" => {
            json!({ "allowed": true })
        }
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
    answer["status"] = status;
    Some(answer)
}
