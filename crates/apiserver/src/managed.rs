//! Who owns which field: `metadata.managedFields`.

use patch::schema::{Schema, TypeRef};
use serde_json::Value;

use crate::call::Call;
use crate::kinds::Kind;

/// How fields were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// By an ordinary write: the fields that changed are to be owned.
    Update,
    /// By server-side apply, which has already said who owns what.
    Apply,
}

/// Who writes.
pub(crate) struct Owner {
    pub manager: String,
    pub subresource: Option<String>,
    pub now: String,
}

impl Owner {
    pub fn of(call: &Call) -> Self {
        let subresource = Some(call.target.subresource.clone()).filter(|name| !name.is_empty());
        Self { manager: call.query.manager(&call.headers), subresource, now: call.now() }
    }
}

/// Returns the schema of a kind and the type of its objects in it.
pub(crate) fn schema(kind: &Kind) -> (&Schema, TypeRef) {
    let schema = kind.custom.as_ref().map_or(Schema::builtin(), |custom| custom.merging());
    let ty = schema.type_of(&kind.group, &kind.version, &kind.kind);
    (schema, ty.unwrap_or(TypeRef::Untyped))
}

/// Returns `after` with the owners of its fields, given those of `before`.
pub(crate) fn update(kind: &Kind, before: Option<&Value>, after: Value, owner: &Owner) -> Value {
    let (schema, ty) = schema(kind);
    let blank = match (before, &kind.custom) {
        (None, None) => blank(kind),
        _ => None,
    };
    let before = before.or(blank.as_ref());
    let options = patch::apply::UpdateOptions {
        manager: &owner.manager,
        api_version: &kind.api_version(),
        subresource: owner.subresource.as_deref(),
        now: &owner.now,
    };
    let mut object = patch::apply::update(before, after, &options, schema, &ty);
    if owner.subresource.as_deref() == Some("scale") {
        timeless_scale(&mut object);
    }
    object
}

/// Entries of the scale subresource lose their time on the way through it.
///
/// **Source:** `managedfields.NewScaleHandler`.
fn timeless_scale(object: &mut Value) {
    let entries = object["metadata"]["managedFields"].as_array_mut();
    for entry in entries.into_iter().flatten().filter(|entry| entry["subresource"] == "scale") {
        entry.as_object_mut().map(|entry| entry.remove("time"));
    }
}

/// An object of a built-in kind in which nothing is set: what Go has before the first field is read.
fn blank(kind: &Kind) -> Option<Value> {
    let name = crate::go::struct_of(&kind.group, &kind.version, &kind.kind)?;
    let mut value = crate::go::decode(&name, &serde_json::json!({})).ok()?.value;
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.clone().into();
    Some(value)
}
