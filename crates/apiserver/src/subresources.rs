//! What hangs off an object: status, scale, binding, eviction, logs, finalize.

mod eviction;
mod logs;
mod scale;

use axum::response::Response;
use http::Method;
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::managed::Operation;
use crate::status::{Failure, Outcome};
use crate::verbs::update::{self, Change};
use crate::verbs::{self, patch};
use crate::{encode, intake};

/// Does what a request to a subresource asks for.
pub(crate) async fn answer(call: &Call) -> Outcome<Response> {
    let reply = match (call.target.subresource.as_str(), &call.method) {
        ("log", _) => return logs::answer(call).await,
        ("scale", &Method::GET) => scale::get(call)?,
        ("scale", _) => scale::change(call).await?,
        ("binding", &Method::POST) => bind(call).await?,
        ("eviction", &Method::POST) => eviction::answer(call).await?,
        ("status" | "finalize" | "ephemeralcontainers" | "resize", &Method::GET) => verbs::get(call)?,
        ("status" | "ephemeralcontainers" | "resize", &Method::PATCH) => patch::answer(call).await?,
        ("status" | "finalize" | "ephemeralcontainers" | "resize", &Method::PUT) => {
            update::answer(call).await?
        }
        (name, _) => {
            let message = format!("the server could not find the requested resource: {name} is not served");
            return Err(Failure::new(404, "NotFound", message).with("", Value::Null));
        }
    };
    encode::reply(call, reply)
}

/// Binds a pod to a node.
///
/// **Source:** `pkg/registry/core/pod/storage`, `assignPod`.
async fn bind(call: &Call) -> Outcome<Reply> {
    let (body, _) = intake::parse(&call.body, false).map_err(Failure::bad_request)?;
    let node = body["target"]["name"].as_str().unwrap_or_default().to_owned();
    if node.is_empty() {
        let error = crate::field::FieldError::required("target.name", "");
        return Err(Failure::invalid(call.kind(), &call.target.name, &[error]));
    }
    let now = call.now();
    let annotations = body["metadata"]["annotations"].clone();
    update::run(call, |before| {
        let refuse = |why: String| {
            let mut failure = Failure::conflict(call.kind(), &call.target.name, why);
            failure.message = failure.message.replacen("on pods ", "on pods/binding ", 1);
            failure.with("kind", "pods/binding")
        };
        if before["metadata"]["deletionTimestamp"].is_string() {
            return Err(refuse(format!(
                "pod {} is being deleted, cannot be assigned to a host",
                call.target.name
            )));
        }
        if let Some(bound) = before["spec"]["nodeName"].as_str().filter(|bound| !bound.is_empty()) {
            let why = format!("pod {} is already assigned to node {bound:?}", call.target.name);
            return Err(refuse(why));
        }
        let mut object = before.clone();
        object["spec"]["nodeName"] = node.clone().into();
        for (key, value) in annotations.as_object().into_iter().flatten() {
            object["metadata"]["annotations"][key] = value.clone();
        }
        scheduled(&mut object, &now);
        Ok(Change { object, operation: Operation::Apply })
    })
    .await?;
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Reply::new(201, status))
}

fn scheduled(object: &mut Value, now: &str) {
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
    });
    let mut conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.retain(|condition| condition["type"] != "PodScheduled");
    conditions.push(condition);
    object["status"]["conditions"] = conditions.into();
}
