//! POST: a new object.

use serde_json::{Value, json};
use store::{Expect, StoreError};

use crate::call::{Call, Reply};
use crate::managed::{self, Owner};
use crate::meta;
use crate::query::Effect;
use crate::status::{Failure, Outcome};
use crate::{intake, reviews, strategy};

/// How often another name is generated when one is taken.
const ATTEMPTS: usize = 8;

/// Creates the object of the body.
pub(crate) async fn answer(call: &Call) -> Outcome<Reply> {
    if call.kind().namespaced && call.target.namespace.is_empty() {
        return Err(Failure::no_method());
    }
    let taken = intake::object(call)?;
    if let Some(review) = reviews::answer(call, &taken.object) {
        return Ok(Reply::new(201, review?));
    }
    let body = named(call, taken.object)?;
    let created = run(call, body, managed::Operation::Update).await?;
    Ok(Reply::new(201, created).warning(taken.warnings))
}

/// Checks what a new object says of its name, namespace and version against the path.
fn named(call: &Call, mut object: Value) -> Outcome<Value> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let namespace = text("namespace");
    if call.kind().namespaced {
        if !namespace.is_empty() && namespace != call.target.namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        object["metadata"]["namespace"] = call.target.namespace.clone().into();
    } else if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    Ok(object)
}

/// Creates `object`, of which `operation` tells who owns its fields; returns it as stored.
pub(crate) async fn run(call: &Call, object: Value, operation: managed::Operation) -> Outcome<Value> {
    let kind = call.kind();
    meta::check_namespace(call, &object)?;
    if object["metadata"]["resourceVersion"].as_str().is_some_and(|version| !version.is_empty()) {
        let message = "resourceVersion should not be set on objects to be created";
        return Err(Failure::new(500, "", message));
    }
    let object = match operation {
        managed::Operation::Apply => object,
        managed::Operation::Update => {
            let owner = Owner::of(call);
            let status = kind.has_status().then(|| object.get("status").cloned()).flatten();
            let mut plain = object;
            strip_status(&mut plain, status.is_some());
            let mut owned = managed::update(kind, None, plain, &owner);
            if let Some(status) = status {
                owned["status"] = status;
            }
            owned
        }
    };
    let generated = object["metadata"]["name"].as_str().unwrap_or_default().is_empty();
    let mut attempt = 0;
    loop {
        match once(call, object.clone()).await {
            Err(failure) if generated && failure.reason == "AlreadyExists" && attempt < ATTEMPTS => {
                attempt += 1
            }
            outcome => return outcome,
        }
    }
}

fn strip_status(object: &mut Value, present: bool) {
    if let Some(map) = object.as_object_mut().filter(|_| present) {
        map.remove("status");
    }
}

/// The name is taken, perhaps by an object on its way out.
fn taken(call: &Call, key: &str, name: &str) -> Failure {
    let mut failure = Failure::already_exists(call.kind(), name);
    let there = call.api.store.get(key).map(|entry| crate::stored::read(call.kind(), &entry));
    if there.is_some_and(|object| object["metadata"]["deletionTimestamp"].is_string()) {
        failure.message.insert_str(0, "object is being deleted: ");
    }
    failure
}

async fn once(call: &Call, mut object: Value) -> Outcome<Value> {
    let kind = call.kind();
    meta::begin(call, &mut object);
    strategy::before_create(call, &mut object)?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let errors = strategy::validate(call, &object, None);
    if !errors.is_empty() {
        return Err(Failure::invalid(kind, &name, &errors));
    }
    let key = kind.key(&call.target.namespace, &name);
    if call.query.effect()? == Effect::DryRun {
        if call.api.store.get(&key).is_some() {
            return Err(Failure::already_exists(kind, &name));
        }
        return Ok(object);
    }
    let bytes = crate::stored::write(kind, &object);
    meta::check_size(call, bytes.len())?;
    crate::depth::of_value(&object, call.api.config.limits.depth)?;
    match call.api.store.put(&key, bytes, Expect::Absent).await {
        Ok(entry) => {
            if kind.plural == "customresourcedefinitions" {
                crate::crd::establish(call, &key, &entry).await?;
            }
            object["metadata"]["resourceVersion"] = json!(entry.modified.to_string());
            if kind.is_new_event() {
                object = crate::stored::read(kind, &entry);
            }
            Ok(object)
        }
        Err(StoreError::Exists { .. }) => Err(taken(call, &key, &name)),
        Err(error) => Err(error.into()),
    }
}
