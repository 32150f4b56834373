//! Server-side apply, and who owns which field.
//!
//! **Source:** `k8s.io/apimachinery/pkg/util/managedfields` over `sigs.k8s.io/structured-merge-diff/v6`. An owner is
//! a manager, with an operation, an API version (updates only) and a subresource. Objects are taken to look the
//! same in every version: there is no conversion.
//!
//! The caller resets what a request may not touch (`status` on the main resource, everything else on `/status`)
//! before calling, so that nobody owns it.

mod error;
mod last_applied;
mod managed;
mod owners;

use serde_json::{Map, Value};

use crate::fields::Set;
use crate::schema::{Schema, TypeRef};
use crate::typed;
pub use error::{ApplyError, ConflictCause};
use managed::{Managed, Owned, Owner};
use owners::{Applied, Conflict, Ownership};

/// Whether an applier takes fields that others own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Force {
    /// Take them.
    Yes,
    /// Fail with [`ApplyError::Conflicts`].
    #[default]
    No,
}

/// Who applies, and how.
#[derive(Debug, Clone, Copy)]
pub struct ApplyOptions<'a> {
    /// The field manager; empty for `unknown`.
    pub manager: &'a str,
    /// What happens on conflicts.
    pub force: Force,
    /// The API version of the request, such as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource of the request, such as `status`.
    pub subresource: Option<&'a str>,
    /// The time of the request, RFC 3339 in UTC with seconds.
    pub now: &'a str,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct UpdateOptions<'a> {
    /// The field manager; empty for `unknown`.
    pub manager: &'a str,
    /// The API version of the request, such as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource of the request, such as `status`.
    pub subresource: Option<&'a str>,
    /// The time of the request, RFC 3339 in UTC with seconds.
    pub now: &'a str,
}

/// Owns what was there before the first tracked write.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// Stands for the manager of a write while it is compared.
const CURRENT: &str = "current-operation";
/// Owns what the oldest of too many updaters owned.
const ANCIENT: &str = "ancient-changes";
/// The most updaters that are told apart.
const MAX_UPDATERS: usize = 10;

/// The object after an apply: `applied` merged into `live`, without what its manager applied before and no longer
/// does, and with `metadata.managedFields` brought up to date. Nothing is defaulted or validated beyond the schema.
///
/// # Errors
/// [`ApplyError::Conflicts`] when others own changed fields, unless forced; [`ApplyError::BadRequest`] and
/// [`ApplyError::Invalid`] for a document that cannot be applied.
pub fn apply(
    live: Option<&Value>,
    applied: &Value,
    options: &ApplyOptions<'_>,
    schema: &Schema,
    ty: &TypeRef,
) -> Result<Value, ApplyError> {
    check(applied, options)?;
    let problems = typed::validate(schema, ty, applied);
    if !problems.is_empty() {
        let (subject, why) = (error::subject(applied), typed::problems_text(&problems));
        return Err(ApplyError::Invalid(format!("failed to create typed patch object ({subject}): {why}")));
    }
    let bare = live.cloned().map_or_else(|| empty(applied), without_managed);
    let mut managed = Managed::decode(live.unwrap_or(&Value::Null))
        .map_err(|why| ApplyError::Invalid(format!("failed to decode managed fields: {why}")))?;
    let at = Ownership { schema, ty, api_version: options.api_version };
    if managed.fields.is_empty() && live.is_some() {
        let write = Write { manager: BEFORE_FIRST_APPLY, subresource: options.subresource, now: options.now };
        track(&mut managed, (None, &bare), write, at).map_err(|why| {
            ApplyError::Invalid(format!("failed to create manager for existing fields: {why}"))
        })?;
    }
    let owner = Owner::applier(options.manager, options.subresource);
    let done = force_own_annotation(at.apply((&bare, applied), &managed, &owner, options.force), || {
        let conflicts_allowed = last_applied::unchanged_fields(&bare, at);
        (options.manager == last_applied::KUBECTL, conflicts_allowed)
    });
    let done = match done {
        Outcome::Done(done) => done,
        Outcome::Again => at.apply((&bare, applied), &managed, &owner, Force::Yes)?,
        Outcome::Failed(error) => return Err(error.into()),
    };
    Ok(finish(done, bare, &managed, &owner, (applied, options)))
}

enum Outcome {
    Done(Applied),
    /// All conflicts are with what `kubectl apply` itself wrote: take them.
    Again,
    Failed(owners::Failure),
}

/// `kubectl apply --server-side` takes over what client-side apply set, as its annotation tells.
fn force_own_annotation(
    first: Result<Applied, owners::Failure>,
    annotation: impl FnOnce() -> (bool, Option<Set>),
) -> Outcome {
    match first {
        Ok(done) => Outcome::Done(done),
        Err(owners::Failure::Conflicts(conflicts)) => match annotation() {
            (true, Some(allowed)) => {
                let rest: Vec<Conflict> =
                    conflicts.into_iter().filter(|conflict| !allowed.has(&conflict.path)).collect();
                if rest.is_empty() {
                    Outcome::Again
                } else {
                    Outcome::Failed(owners::Failure::Conflicts(rest))
                }
            }
            _ => Outcome::Failed(owners::Failure::Conflicts(conflicts)),
        },
        Err(other) => Outcome::Failed(other),
    }
}

fn finish(
    done: Applied,
    bare: Value,
    before: &Managed,
    owner: &Owner,
    (applied, options): (&Value, &ApplyOptions<'_>),
) -> Value {
    let mut managed = Managed { fields: done.fields, times: before.times.clone() };
    strip_meta(&mut managed, owner);
    let mut object = match done.object {
        Some(object) => {
            managed.times.insert(owner.clone(), options.now.to_owned());
            object
        }
        None => bare,
    };
    if options.manager == last_applied::KUBECTL {
        last_applied::renew(&mut object, applied);
    }
    managed.encode_into(&mut object);
    object
}

/// The object after an ordinary write, with `metadata.managedFields` brought up to date.
///
/// `before` is the stored object, none on creation. Where `after` brings managed fields along they are the ones
/// that are changed (an empty list resets them), else those of `before`.
#[must_use]
pub fn update(
    before: Option<&Value>,
    after: Value,
    options: &UpdateOptions<'_>,
    schema: &Schema,
    ty: &TypeRef,
) -> Value {
    let mut managed = Managed::of_write(before, &after, options.subresource);
    let mut object = without_managed(after);
    let is_create = before.is_none_or(|before| before["metadata"]["uid"].as_str().unwrap_or("").is_empty());
    if managed.fields.is_empty() && !is_create {
        return object;
    }
    let live = before.cloned().map(without_managed);
    let at = Ownership { schema, ty, api_version: options.api_version };
    let write = Write { manager: options.manager, subresource: options.subresource, now: options.now };
    if track(&mut managed, (live.as_ref(), &object), write, at).is_ok() {
        managed.cap_updaters(MAX_UPDATERS, ANCIENT);
        managed.encode_into(&mut object);
    }
    object
}

/// One ordinary write.
#[derive(Clone, Copy)]
struct Write<'a> {
    manager: &'a str,
    subresource: Option<&'a str>,
    now: &'a str,
}

/// Gives the writer what it changed, and takes that from the others. Without a `before` the object is created.
fn track(
    managed: &mut Managed,
    (before, after): (Option<&Value>, &Value),
    write: Write<'_>,
    at: Ownership<'_>,
) -> Result<(), String> {
    let current = Owner::updater(CURRENT, at.api_version, write.subresource);
    let complete = |value: &Value| {
        if at.schema.is_custom() { value.clone() } else { typed::completed(at.schema, at.ty, value) }
    };
    let zero = || if at.schema.is_custom() { empty(after) } else { typed::blank(at.schema, at.ty) };
    let before = before.map_or_else(zero, complete);
    managed.fields = at.update((&before, &complete(after)), &managed.fields, &current)?;
    strip_meta(managed, &current);
    if let Some(taken) = managed.fields.remove(&current) {
        let owner = Owner::updater(write.manager, at.api_version, write.subresource);
        let set = match managed.fields.get(&owner) {
            Some(previous) => taken.set.union(&previous.set),
            None => taken.set,
        };
        managed.fields.insert(owner.clone(), Owned { set, ..taken });
        managed.times.insert(owner, write.now.to_owned());
    }
    Ok(())
}

fn check(applied: &Value, options: &ApplyOptions<'_>) -> Result<(), ApplyError> {
    if !applied.is_object() {
        return Err(ApplyError::BadRequest("error decoding YAML: expected an object".to_owned()));
    }
    if applied["apiVersion"] != options.api_version {
        let kind = error::kind_text(applied);
        return Err(ApplyError::BadRequest(format!("invalid object type: {kind}")));
    }
    if applied["metadata"].get("managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(ApplyError::BadRequest("metadata.managedFields must be nil".to_owned()));
    }
    Ok(())
}

/// An object of the same kind and nothing else.
fn empty(like: &Value) -> Value {
    let mut map = Map::new();
    for key in ["apiVersion", "kind"] {
        if let Some(value) = like.get(key) {
            map.insert(key.to_owned(), value.clone());
        }
    }
    Value::Object(map)
}

fn without_managed(mut object: Value) -> Value {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
    object
}

/// Takes from the owner what identifies the object or is the server's.
fn strip_meta(managed: &mut Managed, owner: &Owner) {
    let Some(owned) = managed.fields.remove(owner) else { return };
    let set = owned.set.difference(&managed::never_owned());
    if !set.is_empty() {
        managed.fields.insert(owner.clone(), Owned { set, ..owned });
    }
}

#[cfg(test)]
mod tests;
