//! The scale subresource: how many replicas, whatever the kind.

use http::{Method, header};
use object::LabelSelector;
use patch::apply::{ApplyOptions, Force};
use patch::schema::{Schema, TypeRef};
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::crd::Scale;
use crate::field::FieldError;
use crate::intake;
use crate::managed::Operation;
use crate::status::{Failure, Outcome};
use crate::verbs::update::{self, Change};

/// Returns the scale of the object.
pub(super) fn get(call: &Call) -> Outcome<Reply> {
    Ok(Reply::new(200, view(call, &call.load()?.0)))
}

fn paths(call: &Call) -> Scale {
    call.kind().custom.as_ref().and_then(|custom| custom.scale.clone()).unwrap_or_else(|| Scale {
        spec: ".spec.replicas".into(),
        status: ".status.replicas".into(),
        selector: String::new(),
    })
}

fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').filter(|key| !key.is_empty()).fold(object, |value, key| &value[key])
}

/// Returns an object as its scale.
fn view(call: &Call, object: &Value) -> Value {
    let paths = paths(call);
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    let selector = match call.kind().custom {
        Some(_) => at(object, &paths.selector)
            .as_str()
            .filter(|_| !paths.selector.is_empty())
            .unwrap_or_default()
            .to_owned(),
        None => LabelSelector::from_json(&object["spec"]["selector"])
            .map(|one| one.to_string())
            .unwrap_or_default(),
    };
    let count = |path: &str| at(object, path).as_i64().unwrap_or_default();
    let mut spec = json!({});
    if count(&paths.spec) != 0 {
        spec["replicas"] = count(&paths.spec).into();
    }
    let mut status = json!({ "replicas": count(&paths.status) });
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status})
}

/// Changes how many replicas are wanted, by a whole scale or a patch of one.
pub(super) async fn change(call: &Call) -> Outcome<Reply> {
    let media = call.header(header::CONTENT_TYPE).to_owned();
    let yaml = media.starts_with("application/apply-patch");
    let (body, _) = intake::parse(&call.body, yaml).map_err(Failure::bad_request)?;
    let path = paths(call).spec;
    let changed = update::run(call, |before| {
        let scale = scaled(call, before, &body, &media)?;
        check(call, &scale)?;
        let mut object = before.clone();
        let keys: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or_default();
        if let Some(map) = object.as_object_mut() {
            object::pointer::set(map, &keys, replicas.into());
        }
        let version = scale["metadata"]["resourceVersion"].clone();
        if version.is_string() && call.method == Method::PUT {
            object["metadata"]["resourceVersion"] = version;
        }
        Ok(Change { object, operation: Operation::Update })
    })
    .await?;
    Ok(Reply::new(200, view(call, &changed)))
}

fn scaled(call: &Call, before: &Value, body: &Value, media: &str) -> Outcome<Value> {
    if call.method == Method::PUT {
        return Ok(body.clone());
    }
    let mut scale = view(call, before);
    if media.starts_with("application/apply-patch") {
        return applied(call, &scale, body);
    }
    if media.starts_with("application/json-patch") {
        let outcome = patch::json::apply(&mut scale, body);
        outcome.map_err(|error| Failure::new(422, "Invalid", error.to_string()))?;
    } else {
        patch::merge::apply(&mut scale, body);
    }
    Ok(scale)
}

fn check(call: &Call, scale: &Value) -> Outcome<()> {
    let read = crate::go::decode("autoscaling.v1.Scale", scale);
    read.map_err(|why| {
        Failure::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {why}"))
    })?;
    let replicas = &scale["spec"]["replicas"];
    if replicas.as_i64().is_some_and(|count| count < 0) {
        let error = FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        let mut failure = Failure::invalid(call.kind(), &call.target.name, &[error]);
        failure.message = failure.message.replace(&call.kind().qualified_kind(), "Scale.autoscaling");
        return Err(failure.with("group", "autoscaling").with("kind", "Scale"));
    }
    Ok(())
}

/// Applies to the scale alone: what others set of it is owned by nobody in particular.
fn applied(call: &Call, scale: &Value, body: &Value) -> Outcome<Value> {
    let owner = crate::managed::Owner::of(call);
    let force = if call.query.flag("force") { Force::Yes } else { Force::No };
    let (schema, api_version) = (Schema::builtin(), "autoscaling/v1");
    let subresource = owner.subresource.as_deref();
    let options = ApplyOptions { manager: &owner.manager, force, api_version, subresource, now: &owner.now };
    let ty = TypeRef::named("autoscaling.v1.Scale");
    patch::apply::apply(Some(scale), body, &options, schema, &ty).map_err(crate::verbs::patch::conflicts)
}
