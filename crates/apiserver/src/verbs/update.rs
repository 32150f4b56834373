//! PUT, and the second half of every other change of an object.

use serde_json::{Value, json};
use store::{Expect, StoreError};

use crate::call::{Call, Reply};
use crate::managed::{self, Operation, Owner};
use crate::query::Effect;
use crate::status::{Failure, Outcome};
use crate::{intake, meta, strategy};

/// How often a change without a version is tried again when others write, too.
const ATTEMPTS: usize = 30;

/// A changed object, and who changed it.
pub(crate) struct Change {
    pub object: Value,
    pub operation: Operation,
}

/// Replaces the object by that of the body.
pub(crate) async fn answer(call: &Call) -> Outcome<Reply> {
    let taken = intake::object(call)?;
    check_name(call, &taken.object)?;
    let wanted = taken.object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    if wanted.is_empty() && strategy::needs_version(call.kind()) {
        call.load()?;
        let error = crate::field::FieldError {
            path: "metadata.resourceVersion".into(),
            problem: crate::field::Problem::Invalid,
            value: Some("0".into()),
            detail: "must be specified for an update".into(),
        };
        let mut failure = Failure::invalid(call.kind(), &call.target.name, &[error]);
        failure.message =
            failure.message.replacen(&call.kind().qualified_kind(), &call.kind().qualified(), 1);
        return Err(failure.with("kind", call.kind().plural.clone()));
    }
    let updated =
        run(call, |_| Ok(Change { object: taken.object.clone(), operation: Operation::Update })).await?;
    Ok(Reply::new(200, updated).warning(taken.warnings))
}

fn check_name(call: &Call, object: &Value) -> Outcome<()> {
    let (kind, target) = (call.kind(), &call.target);
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    match text("name") {
        "" => {
            return Err(Failure::bad_request(
                "the name of the object ( based on URL) was undeterminable: name must be provided"
                    .to_string(),
            ));
        }
        name if name != target.name => {
            return Err(Failure::bad_request(format!(
                "the name of the object ({name}) does not match the name on the URL ({})",
                target.name
            )));
        }
        _ => {}
    }
    let namespace = text("namespace");
    if kind.namespaced && !namespace.is_empty() && namespace != target.namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// Changes the object by `change`, again and again while others change it in between and the new object names no
/// version; returns it as stored.
pub(crate) async fn run(call: &Call, change: impl Fn(&Value) -> Outcome<Change>) -> Outcome<Value> {
    for _ in 0..ATTEMPTS {
        let (before, revision) = call.load()?;
        let changed = change(&before)?;
        let version = changed.object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        check_preconditions(call, &before, &changed.object)?;
        if !version.is_empty() && version != revision.to_string() {
            return Err(Failure::modified(call.kind(), &call.target.name));
        }
        match commit(call, &before, changed, revision).await {
            Err(Lost::Race) => {}
            Err(Lost::Refused(failure)) => return Err(failure),
            Ok(object) => return Ok(object),
        }
    }
    Err(Failure::modified(call.kind(), &call.target.name))
}

fn check_preconditions(call: &Call, before: &Value, after: &Value) -> Outcome<()> {
    let (found, wanted) = (&before["metadata"]["uid"], &after["metadata"]["uid"]);
    match (found.as_str(), wanted.as_str()) {
        (Some(found), Some(wanted)) if !wanted.is_empty() && found != wanted => {
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: /registry{}, ResourceVersion: 0, AdditionalErrorMsg: \
                 Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}",
                registry_key(call)
            );
            Err(Failure::conflict(call.kind(), &call.target.name, why))
        }
        _ => Ok(()),
    }
}

/// The key that upstream's store has for the object.
fn registry_key(call: &Call) -> String {
    let kind = call.kind();
    let key = call.key();
    let short = key.strip_prefix(&format!("/{}", kind.group)).unwrap_or(&key);
    if kind.custom.is_some() { key } else { short.to_owned() }
}

enum Lost {
    Race,
    Refused(Failure),
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

/// Brings what the client sent in line with what only the server may say.
fn prepare(call: &Call, before: &Value, change: Change) -> Outcome<Value> {
    let (kind, mut after) = (call.kind(), change.object);
    meta::keep(before, &mut after);
    strategy::isolate(call, before, &mut after);
    if change.operation == Operation::Update {
        after = managed::update(kind, Some(before), after, &Owner::of(call));
    }
    strategy::before_update(call, before, &mut after)?;
    Ok(after)
}

async fn commit(call: &Call, before: &Value, change: Change, revision: u64) -> Result<Value, Lost> {
    let kind = call.kind();
    let mut after = prepare(call, before, change)?;
    let errors = strategy::validate(call, &after, Some(before));
    if !errors.is_empty() {
        return Err(Failure::invalid(kind, &call.target.name, &errors).into());
    }
    let version = json!(revision.to_string());
    after["metadata"]["resourceVersion"] = version;
    if meta::same(before, &after) {
        return Ok(before.clone());
    }
    if call.query.effect()? == Effect::DryRun {
        return Ok(after);
    }
    let key = call.key();
    if meta::is_finished(&after) {
        return match call.api.store.delete(&key, Expect::At(revision)).await {
            Ok(_) => Ok(after),
            Err(StoreError::Conflict { .. } | StoreError::Missing { .. }) => Err(Lost::Race),
            Err(error) => Err(Failure::from(error).into()),
        };
    }
    let bytes = crate::stored::write(kind, &after);
    meta::check_size(call, bytes.len())?;
    crate::depth::of_value(&after, call.api.config.limits.depth)?;
    match call.api.store.put(&key, bytes, Expect::At(revision)).await {
        Ok(entry) => {
            after["metadata"]["resourceVersion"] = json!(entry.modified.to_string());
            Ok(after)
        }
        Err(StoreError::Conflict { .. } | StoreError::Missing { .. }) => Err(Lost::Race),
        Err(error) => Err(Failure::from(error).into()),
    }
}
