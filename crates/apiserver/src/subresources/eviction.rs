//! Evicting a pod, as far as disruption budgets allow.
//!
//! **Source:** `pkg/registry/core/pod/storage/eviction.go`.

use object::{LabelSelector, Object};
use serde_json::{Value, json};
use store::Expect;

use crate::call::{Call, Reply};
use crate::intake;
use crate::kinds::{self, Kind};
use crate::status::{Failure, Outcome};
use crate::stored;
use crate::verbs::delete::{self, Options};

/// Evicts the pod, or says why not now.
pub(super) async fn answer(call: &Call) -> Outcome<Reply> {
    let mut body = json!({});
    if !call.body.is_empty() {
        body = intake::parse(&call.body, false).map_err(Failure::bad_request)?.0;
    }
    let pod = call.load()?.0;
    let options = Options::checked(&body["deleteOptions"], call)?;
    let ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed" | "Pending"));
    if !ended && !pod["metadata"]["deletionTimestamp"].is_string() {
        take_from_budgets(call, &pod, &options).await?;
    }
    delete::quietly(call, &call.target, &options).await?;
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Reply::new(201, status))
}

async fn take_from_budgets(call: &Call, pod: &Value, options: &Options) -> Outcome<()> {
    let Some(kind) = kinds::find("policy", "v1", "poddisruptionbudgets") else { return Ok(()) };
    let labels = Object::from_value(pod.clone()).labels();
    let page = call.api.store.range(&kind.scope(&call.target.namespace), None, None, None)?;
    let mut fitting = Vec::new();
    for entry in page.entries {
        let budget = stored::read(&kind, &entry);
        let selector = &budget["spec"]["selector"];
        if !selector.is_null()
            && LabelSelector::from_json(selector).is_ok_and(|selector| selector.matches(&labels))
        {
            fitting.push((budget, entry.modified));
        }
    }
    match fitting.as_slice() {
        [] => Ok(()),
        [(budget, revision)] => take(call, &kind, (budget, *revision), options).await,
        _ => Err(Failure::internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )),
    }
}

async fn take(call: &Call, kind: &Kind, (budget, revision): (&Value, u64), options: &Options) -> Outcome<()> {
    let name = budget["metadata"]["name"].as_str().unwrap_or_default();
    let generation = budget["metadata"]["generation"].as_i64().unwrap_or_default();
    if budget["status"]["observedGeneration"].as_i64().unwrap_or_default() < generation {
        let message = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refused("Cannot evict pod as it would violate the pod's disruption budget.", &message)
            .with("retryAfterSeconds", 10));
    }
    let allowed = budget["status"]["disruptionsAllowed"].as_i64().unwrap_or_default();
    if allowed <= 0 {
        let healthy = budget["status"]["currentHealthy"].as_i64().unwrap_or_default();
        let desired = budget["status"]["desiredHealthy"].as_i64().unwrap_or_default();
        let message =
            format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently");
        return Err(refused("Cannot evict pod as it would violate the pod's disruption budget.", &message));
    }
    if options.dry {
        return Ok(());
    }
    let mut after = budget.clone();
    after["status"]["disruptionsAllowed"] = (allowed - 1).into();
    after["status"]["disruptedPods"][&call.target.name] = call.now().into();
    let key = kind.key(&call.target.namespace, name);
    let put = call.api.store.put(&key, stored::write(kind, &after), Expect::At(revision)).await;
    if put.is_ok() {
        Ok(())
    } else {
        let message = format!("The disruption budget {name} is being changed by others.");
        Err(refused("Cannot evict pod as it would violate the pod's disruption budget.", &message))
    }
}

fn refused(message: &str, cause: &str) -> Failure {
    let causes = json!([{ "reason": "DisruptionBudget", "message": cause }]);
    Failure::new(429, "TooManyRequests", message).with("causes", causes)
}
