//! PATCH: the four ways to change part of an object.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use http::header;
use patch::PatchError;
use patch::apply::{ApplyError, ApplyOptions, Force};
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::field::FieldError;
use crate::intake::{self, Strict};
use crate::managed::{self, Operation, Owner};
use crate::status::{Failure, Outcome};
use crate::verbs::create;
use crate::verbs::update::{self, Change};

/// A patch, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// A patch as it came in.
struct Patch<'a> {
    call: &'a Call,
    format: Format,
    value: Value,
    duplicates: Vec<String>,
    /// What was odd about the last object it made.
    warnings: Mutex<Vec<String>>,
}

/// Changes the object by the patch in the body; an apply makes it when it is not there.
pub(crate) async fn answer(call: &Call) -> Outcome<Reply> {
    let patch = Patch::read(call)?;
    if patch.format == Format::Apply
        && call.api.store.get(&call.key()).is_none()
        && call.target.subresource.is_empty()
    {
        match patch.create().await {
            Err(failure) if failure.reason == "AlreadyExists" => {}
            outcome => return outcome,
        }
    }
    let changed = update::run(call, |before| patch.change(before)).await?;
    Ok(Reply::new(200, changed).warning(patch.warned()))
}

impl<'a> Patch<'a> {
    fn read(call: &'a Call) -> Outcome<Self> {
        let format = format(call)?;
        if format == Format::Apply && call.query.get("fieldManager").is_empty() {
            let error = FieldError::required("fieldManager", "is required for apply patch");
            let message = format!("PatchOptions.meta.k8s.io \"\" is invalid: {error}");
            return Err(Failure::new(422, "Invalid", message)
                .with("group", "meta.k8s.io")
                .with("kind", "PatchOptions")
                .with("causes", vec![error.cause()]));
        }
        if format != Format::Apply && call.query.has("force") {
            let error = FieldError::forbidden("force", "may not be specified for non-apply patch");
            let message = format!("PatchOptions.meta.k8s.io \"\" is invalid: {error}");
            return Err(Failure::new(422, "Invalid", message)
                .with("group", "meta.k8s.io")
                .with("kind", "PatchOptions")
                .with("causes", vec![error.cause()]));
        }
        let (value, duplicates) = match format {
            Format::Apply => intake::parse(&call.body, true)
                .map_err(|why| Failure::bad_request(format!("error decoding YAML: {why}")))?,
            _ => match serde_json::from_slice(&call.body) {
                Ok(value) => (value, crate::duplicates::find(&call.body)),
                Err(error) => {
                    let why = intake::go_syntax(&error, &call.body);
                    return Err(Failure::bad_request(format!("error decoding patch: {why}")));
                }
            },
        };
        Ok(Self { call, format, value, duplicates, warnings: Mutex::default() })
    }

    fn remember(&self, warnings: Vec<String>) {
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
    }

    fn warned(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn typed(&self, value: Value) -> Outcome<Value> {
        let level = self.call.query.strictness()?;
        let strict = Strict { level, duplicates: self.duplicates.clone() };
        let taken = intake::typed(self.call.kind(), value, &strict)?;
        self.remember(taken.warnings);
        Ok(taken.object)
    }

    fn change(&self, before: &Value) -> Outcome<Change> {
        if self.format == Format::Apply {
            let object = self.typed(self.applied(Some(before))?)?;
            return Ok(Change { object, operation: Operation::Apply });
        }
        let mut object = before.clone();
        let (schema, ty) = managed::schema(self.call.kind());
        let patched = match self.format {
            Format::Json => patch::json::apply(&mut object, &self.value),
            Format::Strategic => patch::strategic::apply(&mut object, &self.value, schema, &ty),
            Format::Merge | Format::Apply if !self.value.is_object() => {
                return Err(Failure::bad_request(
                    "json: cannot unmarshal array into Go value of type map[string]interface {}",
                ));
            }
            Format::Merge | Format::Apply => {
                patch::merge::apply(&mut object, &self.value);
                Ok(())
            }
        };
        patched.map_err(refused)?;
        self.check_identity(&object)?;
        let shown = match self.format {
            Format::Strategic => go_text(&self.value),
            Format::Json | Format::Merge | Format::Apply => object.to_string(),
        };
        let object = self.typed(object).map_err(|failure| unfit(failure, &shown))?;
        Ok(Change { object, operation: Operation::Update })
    }

    fn check_identity(&self, object: &Value) -> Outcome<()> {
        let (target, name) = (&self.call.target, &object["metadata"]["name"]);
        if name.as_str() == Some(target.name.as_str()) {
            return Ok(());
        }
        Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            name.as_str().unwrap_or_default(),
            target.name
        )))
    }

    fn applied(&self, live: Option<&Value>) -> Outcome<Value> {
        let (call, kind) = (self.call, self.call.kind());
        let owner = Owner::of(call);
        let api_version = kind.api_version();
        let (schema, ty) = managed::schema(kind);
        let force = if call.query.flag("force") { Force::Yes } else { Force::No };
        let options = ApplyOptions {
            manager: &owner.manager,
            force,
            api_version: &api_version,
            subresource: owner.subresource.as_deref(),
            now: &owner.now,
        };
        let applied = self.intent()?;
        patch::apply::apply(live, &applied, &options, schema, &ty).map_err(conflicts)
    }

    /// The applied configuration, with the name and namespace of the path.
    fn intent(&self) -> Outcome<Cow<'_, Value>> {
        let (kind, target) = (self.call.kind(), &self.call.target);
        let mut value = self.value.clone();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let (version, name) = (text("apiVersion"), text("kind"));
        if (version.as_str(), name.as_str()) != (kind.api_version().as_str(), kind.kind.as_str()) {
            let slash = if version.contains('/') { "" } else { "/" };
            return Err(Failure::bad_request(format!("invalid object type: {slash}{version}, Kind={name}")));
        }
        if value["metadata"]["managedFields"].as_array().is_some_and(|list| !list.is_empty()) {
            return Err(Failure::bad_request("metadata.managedFields must be nil"));
        }
        if !value["metadata"].is_object() {
            value["metadata"] = json!({});
        }
        if value["metadata"]["name"].is_null() {
            value["metadata"]["name"] = target.name.clone().into();
        }
        self.check_identity(&value)?;
        if let Some(map) = value.as_object_mut() {
            match target.subresource.as_str() {
                "status" => {
                    map.retain(|key, _| matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
                }
                "" if kind.has_status() => drop(map.remove("status")),
                _ => {}
            }
        }
        Ok(Cow::Owned(value))
    }

    async fn create(&self) -> Outcome<Reply> {
        if self.value["metadata"]["uid"].is_string() {
            let call = self.call;
            let uid = self.value["metadata"]["uid"].as_str().unwrap_or_default();
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(Failure::conflict(call.kind(), &call.target.name, why));
        }
        let mut object = self.typed(self.applied(None)?)?;
        if self.call.kind().namespaced {
            object["metadata"]["namespace"] = self.call.target.namespace.clone().into();
        }
        let created = create::run(self.call, object, Operation::Apply).await?;
        Ok(Reply::new(201, created).warning(self.warned()))
    }
}

fn format(call: &Call) -> Outcome<Format> {
    let media = call.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    let found = match media {
        "application/json-patch+json" => Some(Format::Json),
        "application/merge-patch+json" => Some(Format::Merge),
        "application/strategic-merge-patch+json" if call.kind().custom.is_none() => Some(Format::Strategic),
        "application/apply-patch+yaml" => Some(Format::Apply),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = match (media, &call.kind().custom) {
            ("application/strategic-merge-patch+json", Some(_)) => {
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            }
            _ => "415: Unsupported Media Type",
        };
        let failure = Failure::new(415, "UnsupportedMediaType", message);
        if message.starts_with("415") { failure.with("", Value::Null) } else { failure }
    })
}

fn refused(error: PatchError) -> Failure {
    match error {
        PatchError::Malformed(text) => Failure::bad_request(text),
        PatchError::TooLarge(text) => Failure::new(413, "RequestEntityTooLarge", text),
        PatchError::NotApplicable(_) => {
            let text = "the server rejected our request due to an error in our request".to_string();
            Failure::new(422, "Invalid", text).with("", Value::Null)
        }
        PatchError::Internal(text) => Failure::new(500, "", text),
    }
}

pub(crate) fn conflicts(error: ApplyError) -> Failure {
    match error {
        ApplyError::Conflicts(causes) => {
            let details: Vec<Value> = causes
                .iter()
                .map(|cause| {
                    json!({"reason": "FieldManagerConflict", "message": cause.message, "field": cause.field})
                })
                .collect();
            let text = ApplyError::Conflicts(causes).to_string();
            Failure::new(409, "Conflict", text).with("causes", details)
        }
        ApplyError::BadRequest(text) => Failure::bad_request(text),
        ApplyError::Invalid(text) => Failure::new(500, "", text),
    }
}

/// A patch that makes an object which its type does not allow.
fn unfit(failure: Failure, shown: &str) -> Failure {
    let Some((_, why)) = failure.message.split_once(" cannot be handled as a ") else { return failure };
    let why = why.split_once(": ").map_or(why, |(_, why)| why);
    let error = FieldError::invalid("patch", &json!(shown), why);
    let message = format!(" \"\" is invalid: {error}");
    Failure::new(422, "Invalid", message).with("causes", vec![error.cause()])
}

/// A value as Go prints it, e.g. `map[a:1 b:[x y]]`.
fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
