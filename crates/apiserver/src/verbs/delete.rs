//! DELETE: at once, gracefully, or when finalizers are done.

use http::StatusCode;
use serde_json::{Value, json};
use store::{Expect, StoreError};

use crate::call::{Call, Reply, Target};
use crate::go;
use crate::kinds::Kind;
use crate::query::Effect;
use crate::status::{Failure, Outcome};
use crate::{meta, stored};

const ATTEMPTS: usize = 30;

/// How to delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub grace: Option<i64>,
    pub propagation: Option<String>,
    pub uid: Option<String>,
    pub version: Option<String>,
    pub dry: bool,
}

impl Options {
    /// Returns the options of the body and the query.
    pub fn of(call: &Call) -> Outcome<Self> {
        let mut body = json!({});
        if !call.body.is_empty() {
            body = serde_json::from_slice(&call.body).map_err(|error| {
                let why = crate::intake::go_syntax(&error, &call.body);
                Failure::bad_request(format!("couldn't get version/kind; json parse error: {why}"))
            })?;
            if let Some(other) = body["kind"].as_str().filter(|name| !matches!(*name, "" | "DeleteOptions")) {
                let version = body["apiVersion"].as_str().unwrap_or_default();
                return Err(Failure::bad_request(format!(
                    "no kind {other:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
                )));
            }
            body = go::decode("meta.v1.DeleteOptions", &body)
                .map_err(|why| {
                    Failure::bad_request(format!(
                        "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: {why}"
                    ))
                })?
                .value;
        }
        Self::checked(&body, call)
    }

    /// Returns the options in `body`, completed by the query.
    pub fn checked(body: &Value, call: &Call) -> Outcome<Self> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let mut options = Self {
            grace: body["gracePeriodSeconds"].as_i64(),
            propagation: text(&body["propagationPolicy"]),
            uid: text(&body["preconditions"]["uid"]),
            version: text(&body["preconditions"]["resourceVersion"]),
            dry: body["dryRun"].as_array().is_some_and(|list| !list.is_empty()),
        };
        if let Some(orphan) = body["orphanDependents"].as_bool() {
            if let Some(policy) = &options.propagation {
                return Err(both(policy));
            }
            options.propagation = Some(if orphan { "Orphan" } else { "Background" }.to_owned());
        }
        options.dry |= call.query.effect()? == Effect::DryRun;
        if let Ok(seconds) = call.query.get("gracePeriodSeconds").parse() {
            options.grace = Some(seconds);
        }
        if call.query.has("propagationPolicy") {
            options.propagation = Some(call.query.get("propagationPolicy").to_owned());
        }
        match options.propagation.as_deref() {
            None | Some("Orphan" | "Background" | "Foreground") => Ok(options),
            Some(other) => Err(wrong_policy(other)),
        }
    }
}

fn both(policy: &str) -> Failure {
    let detail = "orphanDependents and deletionPropagation cannot be both set";
    let error = crate::field::FieldError::invalid("propagationPolicy", &json!(policy), detail);
    let message = format!("DeleteOptions.meta.k8s.io \"\" is invalid: {error}");
    Failure::new(422, "Invalid", message)
        .with("group", "meta.k8s.io")
        .with("kind", "DeleteOptions")
        .with("causes", vec![error.cause()])
}

fn wrong_policy(found: &str) -> Failure {
    let allowed = ["Foreground", "Background", "Orphan", "nil"];
    let error = crate::field::FieldError::not_supported("propagationPolicy", &json!(found), &allowed);
    let message = format!("DeleteOptions.meta.k8s.io \"\" is invalid: {error}");
    Failure::new(422, "Invalid", message)
        .with("group", "meta.k8s.io")
        .with("kind", "DeleteOptions")
        .with("causes", vec![error.cause()])
}

/// What became of an object.
enum Deleted {
    Gone(Value),
    /// It waits for its grace period or its finalizers.
    Waiting(Value),
}

/// Deletes the object.
pub(crate) async fn answer(call: &Call) -> Outcome<Reply> {
    let options = Options::of(call)?;
    let kind = call.kind();
    let name = &call.target.name;
    if kind.id() == "/namespaces" && ["default", "kube-system", "kube-public"].contains(&name.as_str()) {
        let message = format!("namespaces {name:?} is forbidden: this namespace may not be deleted");
        return Err(Failure::new(403, "Forbidden", message).about(kind, name));
    }
    match run(call, &call.target, &options).await? {
        Deleted::Waiting(object) => Ok(Reply::new(200, object).warning(orphans(kind, &options))),
        Deleted::Gone(object) if returns_object(kind) => Ok(Reply::new(200, object)),
        Deleted::Gone(object) => Ok(Reply::new(200, success(kind, &object))),
    }
}

/// Jobs leave their pods unless told otherwise, and say so.
fn orphans(kind: &Kind, options: &Options) -> Vec<String> {
    let text = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove \
                them or set propagationPolicy=Orphan to suppress this warning";
    let silent = kind.id() != "batch/jobs" || options.propagation.is_some() || options.dry;
    if silent { Vec::new() } else { vec![text.to_owned()] }
}

/// Deletes the object of `target`; for callers that have already answered.
pub(crate) async fn quietly(call: &Call, target: &Target, options: &Options) -> Outcome<()> {
    run(call, target, options).await.map(drop)
}

fn returns_object(kind: &Kind) -> bool {
    kind.group.is_empty()
        && matches!(
            kind.plural.as_str(),
            "pods"
                | "services"
                | "serviceaccounts"
                | "podtemplates"
                | "replicationcontrollers"
                | "persistentvolumeclaims"
                | "persistentvolumes"
                | "resourcequotas"
        )
        && kind.plural != "replicationcontrollers"
        || kind.group == "storage.k8s.io"
}

fn success(kind: &Kind, object: &Value) -> Value {
    let mut details = json!({
        "name": object["metadata"]["name"], "kind": kind.plural, "uid": object["metadata"]["uid"],
    });
    if !kind.group.is_empty() {
        details["group"] = kind.group.clone().into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// Deletes every object that the request selects; returns the list of them.
pub(crate) async fn collection(call: &Call) -> Outcome<Reply> {
    let options = Options::of(call)?;
    let mut list = super::list::all(call)?;
    let mut deleted = Vec::new();
    for object in list["items"].as_array().cloned().unwrap_or_default() {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let target = Target {
            kind: call.kind().clone(),
            namespace: text("namespace"),
            name: text("name"),
            subresource: String::new(),
        };
        match run(call, &target, &options).await {
            Ok(Deleted::Gone(_) | Deleted::Waiting(_)) => deleted.push(object),
            Err(failure) if failure.code == StatusCode::NOT_FOUND.as_u16() => {}
            Err(failure) => return Err(failure),
        }
    }
    list["items"] = match call.kind().custom {
        Some(_) => deleted.into(),
        None => super::list::without_type(deleted),
    };
    Ok(Reply::new(200, list))
}

/// Deletes the objects that a definition defines.
async fn instances(call: &Call, definition: &str) -> Outcome<()> {
    let Some((plural, group)) = definition.split_once('.') else { return Ok(()) };
    let kinds = call.api.customs.all(&call.api.store);
    let Some(kind) = kinds.iter().find(|kind| kind.plural == plural && kind.group == group) else {
        return Ok(());
    };
    for entry in call.api.store.range(&kind.prefix(), None, None, None)?.entries {
        let object = stored::read(kind, &entry);
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        let target = Target { kind: kind.clone(), namespace, name, subresource: String::new() };
        match Box::pin(run(call, &target, &Options::default())).await {
            Err(failure) if failure.code != 404 => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}

/// Deletes a definition: marked first, then its objects, then itself. It is shown as it was when it was marked.
async fn definition(call: &Call, target: &Target, options: &Options) -> Outcome<Deleted> {
    let kind = &target.kind;
    let key = kind.key("", &target.name);
    let entry = call.api.store.get(&key).ok_or_else(|| Failure::not_found(kind, &target.name))?;
    let mut object = stored::read(kind, &entry);
    check_preconditions(kind, &object, options)?;
    object["metadata"]["deletionTimestamp"] = call.now().into();
    if let Some(conditions) = object["status"]["conditions"].as_array_mut() {
        conditions.push(json!({
            "type": "Terminating", "status": "True", "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
            "lastTransitionTime": call.now(),
        }));
    }
    object["metadata"]["finalizers"] = json!(["customresourcecleanup.apiextensions.k8s.io"]);
    let marked = call.api.store.put(&key, stored::write(kind, &object), Expect::At(entry.modified)).await;
    let marked = marked.map_err(|error| match error {
        StoreError::Conflict { .. } | StoreError::Missing { .. } => Failure::modified(kind, &target.name),
        other => other.into(),
    })?;
    instances(call, &target.name).await?;
    call.api.store.delete(&key, Expect::Any).await?;
    object["metadata"]["resourceVersion"] = marked.modified.to_string().into();
    Ok(Deleted::Waiting(object))
}

async fn run(call: &Call, target: &Target, options: &Options) -> Outcome<Deleted> {
    let kind = &target.kind;
    if kind.plural == "customresourcedefinitions" && !options.dry {
        return definition(call, target, options).await;
    }
    let key = kind.key(&target.namespace, &target.name);
    for _ in 0..ATTEMPTS {
        let entry = call.api.store.get(&key).ok_or_else(|| Failure::not_found(kind, &target.name))?;
        let before = stored::read(kind, &entry);
        check_preconditions(kind, &before, options)?;
        let after = marked(call, kind, &before, options);
        let gone = meta::is_finished(&after);
        if options.dry {
            return Ok(if gone { Deleted::Gone(after) } else { Deleted::Waiting(after) });
        }
        if !gone && meta::same(&before, &after) {
            return Ok(Deleted::Waiting(before));
        }
        let at = Expect::At(entry.modified);
        let done = if gone {
            call.api.store.delete(&key, at).await.map(|deleted| deleted.revision)
        } else {
            call.api.store.put(&key, stored::write(kind, &after), at).await.map(|entry| entry.modified)
        };
        match done {
            Ok(revision) if gone && kind.id() == "/pods" => {
                let mut last = after;
                last["metadata"]["resourceVersion"] = revision.to_string().into();
                return Ok(Deleted::Gone(last));
            }
            Ok(revision) if gone => {
                let mut last = before;
                last["metadata"]["resourceVersion"] = revision.to_string().into();
                return Ok(Deleted::Gone(last));
            }
            Ok(revision) => {
                let mut after = after;
                after["metadata"]["resourceVersion"] = revision.to_string().into();
                return Ok(Deleted::Waiting(after));
            }
            Err(StoreError::Conflict { .. } | StoreError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::modified(kind, &target.name))
}

fn check_preconditions(kind: &Kind, before: &Value, options: &Options) -> Outcome<()> {
    let metadata = &before["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    let name = text("name");
    let refuse = |field: &str, wanted: &str, tail: &str| {
        let found = text(if field == "UID" { "uid" } else { "resourceVersion" });
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the {field} in the precondition ({wanted}) does not match \
             the {field} in record ({found}). The object might have been {tail}",
            kind.qualified_kind()
        );
        Err(Failure::new(409, "Conflict", message).about(kind, name).with("kind", kind.kind.clone()))
    };
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != text("uid")) {
        return refuse("UID", wanted, "deleted and then recreated");
    }
    if let Some(wanted) = options.version.as_deref().filter(|wanted| *wanted != text("resourceVersion")) {
        return refuse("ResourceVersion", wanted, "modified");
    }
    Ok(())
}

/// The object with its deletion noted: time, grace period, and the finalizers of the propagation policy.
fn marked(call: &Call, kind: &Kind, before: &Value, options: &Options) -> Value {
    let mut after = before.clone();
    finalizers(kind, &mut after, options);
    let metadata = &mut after["metadata"];
    let period = grace(kind, before, options);
    if metadata["deletionTimestamp"].is_string() {
        let current = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or_default();
        if options.grace.is_some() && period < current {
            let until = call.api.clock.now().after(seconds(period));
            metadata["deletionTimestamp"] = until.to_string().into();
            metadata["deletionGracePeriodSeconds"] = period.into();
        }
        return after;
    }
    metadata["deletionTimestamp"] = call.api.clock.now().after(seconds(period)).to_string().into();
    metadata["deletionGracePeriodSeconds"] = period.into();
    if let Some(generation) = metadata["generation"].as_i64().filter(|generation| *generation > 0) {
        metadata["generation"] = (generation + 1).into();
    }
    if kind.kind == "Namespace" && kind.group.is_empty() {
        after["metadata"].as_object_mut().map(|map| map.remove("deletionGracePeriodSeconds"));
        after["status"]["phase"] = "Terminating".into();
    }
    after
}

fn seconds(period: i64) -> std::time::Duration {
    std::time::Duration::from_secs(u64::try_from(period).unwrap_or_default())
}

/// How long the object may take to end: only pods that run somewhere may.
fn grace(kind: &Kind, object: &Value, options: &Options) -> i64 {
    if kind.id() != "/pods" {
        return 0;
    }
    let unbound = object["spec"]["nodeName"].as_str().is_none_or(str::is_empty);
    let ended = matches!(object["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    if unbound || ended {
        return 0;
    }
    let period = options.grace.or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_i64());
    period.map_or(30, |period| if period < 0 { 1 } else { period })
}

const POLICY_FINALIZERS: [(&str, &str); 2] = [("Orphan", "orphan"), ("Foreground", "foregroundDeletion")];

fn finalizers(kind: &Kind, object: &mut Value, options: &Options) {
    let default = (kind.id() == "batch/jobs").then_some("Orphan");
    let Some(policy) = options.propagation.as_deref().or(default) else { return };
    if kind.id() == "/namespaces" || kind.id() == "/events" {
        return;
    }
    let list = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let other = |name: &Value| !POLICY_FINALIZERS.iter().any(|(_, finalizer)| name == finalizer);
    let mut list: Vec<Value> = list.into_iter().filter(other).collect();
    if let Some((_, finalizer)) = POLICY_FINALIZERS.iter().find(|(name, _)| *name == policy) {
        list.push((*finalizer).into());
    }
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    if list.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".into(), list.into());
    }
}
