//! Carrying out the actions of a sync.

use std::time::Duration;

use object::{GroupKind, Gvk, Key, Object, json};
use runtime::{ApiError, Cluster, Deletion, FieldValidation, Patch, Propagation, Resource};
use sync::{Action, Adoption, ApplyMode, FIELD_MANAGER, Outcome, Validation};

use super::managed::Managed;

/// Looks for a deleted object to be gone, and for a new kind to be served, this often and this long.
const LOOKS: u32 = 30;
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// Carries out one action and returns what came of it. What the server refuses is an outcome, not an error.
///
/// Errors: the server could not be asked, or asked to try again; with what it said.
pub async fn act(cluster: &Cluster, managed: &Managed, action: &Action) -> Result<Outcome, String> {
    let outcome = match action {
        Action::DryRun { object, validation, .. } => rehearse(cluster, managed, object, *validation).await,
        Action::Apply { object, mode, adopt, validation, .. } => {
            match adopt_first(cluster, managed, object, adopt.as_ref()).await {
                Ok(()) => apply(cluster, managed, (object, *validation), *mode).await,
                Err(error) => Err(error),
            }
        }
        Action::Prune { gvk, key, uid, propagation, .. } => {
            remove(cluster, managed, (gvk, key), uid, Some(policy(*propagation))).await
        }
        Action::DeleteHook { gvk, key, uid } => remove(cluster, managed, (gvk, key), uid, None).await,
        Action::ReleaseHook { gvk, key, finalizers, resource_version } => {
            let patch = json!({"metadata": {"finalizers": finalizers, "resourceVersion": resource_version}});
            release(cluster, managed, (gvk, key), &Patch::merge(patch)).await
        }
    };
    match outcome {
        Err(error) if may_pass(&error) => Err(error.message),
        Err(error) if matches!(action, Action::DryRun { .. }) && is_malformed(&error) => {
            Ok(Outcome::Malformed(error.message))
        }
        Err(error) => Ok(Outcome::Refused(error.message)),
        Ok(outcome) => Ok(outcome),
    }
}

/// Returns whether the same request may succeed in a moment. An internal error is not among these: it is how a webhook that
/// fails is told of.
fn may_pass(error: &ApiError) -> bool {
    matches!(error.code, 0 | 429 | 502..=504) || error.is_conflict()
}

/// True for what is wrong with the form of an object rather than with what it says.
fn is_malformed(error: &ApiError) -> bool {
    error.code == 400 || error.message.contains("failed to create typed patch object")
}

fn policy(propagation: sync::Propagation) -> Propagation {
    match propagation {
        sync::Propagation::Foreground => Propagation::Foreground,
        sync::Propagation::Background => Propagation::Background,
        sync::Propagation::Orphan => Propagation::Orphan,
    }
}

async fn resource(managed: &Managed, gvk: &Gvk) -> Result<Resource, ApiError> {
    managed.resource(gvk).await?.ok_or_else(|| {
        let message = format!("the server could not find the requested resource: {gvk} is not served");
        ApiError { code: 404, reason: "NotFound".into(), message, details: object::Value::Null }
    })
}

/// Takes over what client-side apply owned, so that the apply that follows removes what the source dropped.
async fn adopt_first(
    cluster: &Cluster,
    managed: &Managed,
    object: &Object,
    adopt: Option<&Adoption>,
) -> Result<(), ApiError> {
    let Some(adopt) = adopt else { return Ok(()) };
    let resource = resource(managed, &object.gvk()).await?;
    let patch = Patch::json(json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": adopt.managed_fields},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": adopt.resource_version},
    ]));
    cluster.patch(&resource, &object.key(), &patch).await.map(drop)
}

async fn apply(
    cluster: &Cluster,
    managed: &Managed,
    (object, validation): (&Object, Validation),
    mode: ApplyMode,
) -> Result<Outcome, ApiError> {
    let gvk = object.gvk();
    let resource = resource(managed, &gvk).await?;
    let live = current(cluster, managed, &resource, object).await?;
    let stored = match (mode, &live) {
        (ApplyMode::Replace, live) => replace(cluster, &resource, (object, validation), live.as_ref()).await,
        (ApplyMode::Recreate, Some(live)) => recreate(cluster, &resource, (object, validation), live).await,
        (ApplyMode::ApplyOrRecreate, Some(live)) => {
            match server_side(cluster, &resource, object, validation).await {
                Err(error) if error.is_invalid() || error.is_conflict() => {
                    recreate(cluster, &resource, (object, validation), live).await
                }
                other => other,
            }
        }
        (ApplyMode::Apply | ApplyMode::ApplyOrRecreate | ApplyMode::Recreate, _) => {
            server_side(cluster, &resource, object, validation).await
        }
    }?;
    let outcome = match &live {
        None => Outcome::Created,
        Some(live) if live.resource_version() == stored.resource_version() => Outcome::Unchanged,
        Some(_) => Outcome::Configured,
    };
    if gvk.group_kind() == GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition") {
        established(cluster, &stored).await;
    }
    managed.note(stored);
    Ok(outcome)
}

/// Returns the object as it is now: from the cache where the kind is watched, else from the server.
async fn current(
    cluster: &Cluster,
    managed: &Managed,
    resource: &Resource,
    object: &Object,
) -> Result<Option<Object>, ApiError> {
    match managed.get(&object.group_kind(), &object.key()) {
        Some(live) => Ok(Some(live.as_ref().clone())),
        None => cluster.get(resource, &object.key()).await,
    }
}

async fn server_side(
    cluster: &Cluster,
    resource: &Resource,
    object: &Object,
    validation: Validation,
) -> Result<Object, ApiError> {
    cluster.patch(resource, &object.key(), &patch(object, validation)).await
}

fn patch(object: &Object, validation: Validation) -> Patch {
    let validation = match validation {
        Validation::Strict => FieldValidation::Strict,
        Validation::Off => FieldValidation::Ignore,
    };
    Patch::apply(object.to_value(), FIELD_MANAGER).force().field_validation(validation)
}

/// Asks the server what it would say. A webhook that cannot be asked without effects says nothing.
async fn rehearse(
    cluster: &Cluster,
    managed: &Managed,
    object: &Object,
    validation: Validation,
) -> Result<Outcome, ApiError> {
    let resource = resource(managed, &object.gvk()).await?;
    match cluster.patch(&resource, &object.key(), &patch(object, validation).dry_run()).await {
        Err(error) if !error.message.contains("does not support dry run") => Err(error),
        _ => Ok(Outcome::Done),
    }
}

async fn replace(
    cluster: &Cluster,
    resource: &Resource,
    (object, validation): (&Object, Validation),
    live: Option<&Object>,
) -> Result<Object, ApiError> {
    let query = match validation {
        Validation::Strict => "?fieldManager=argocd-controller&fieldValidation=Strict",
        Validation::Off => "?fieldManager=argocd-controller&fieldValidation=Ignore",
    };
    let mut object = object.clone();
    let Some(live) = live else {
        let path = resource.path(object.namespace(), "") + query;
        return cluster.post(&path, &object.to_value()).await.map(Object::from_value);
    };
    object.set(&["metadata", "resourceVersion"], live.resource_version());
    let path = resource.path(object.namespace(), object.name()) + query;
    cluster.put(&path, &object.to_value()).await.map(Object::from_value)
}

async fn recreate(
    cluster: &Cluster,
    resource: &Resource,
    (object, validation): (&Object, Validation),
    live: &Object,
) -> Result<Object, ApiError> {
    let deletion = Deletion {
        propagation: Some(Propagation::Foreground),
        uid: Some(live.uid().to_owned()),
        ..Deletion::default()
    };
    cluster.delete(resource, &object.key(), &deletion).await?;
    for _ in 0..LOOKS {
        let found = cluster.get(resource, &object.key()).await?;
        if found.is_none_or(|found| found.uid() != live.uid()) {
            return server_side(cluster, resource, object, validation).await;
        }
        cluster.clock().sleep(LOOK_PERIOD).await;
    }
    Err(ApiError::no_answer(format!("{} {} is still being deleted", object.kind(), object.key())))
}

/// Waits up to 3 s for a definition to be established, so that its objects can follow in the same sync.
async fn established(cluster: &Cluster, definition: &Object) {
    for _ in 0..LOOKS {
        let found = cluster.get(&runtime::resources::CRDS, &definition.key()).await;
        let ready = |object: &Object| {
            object
                .condition("Established")
                .is_some_and(|condition| condition.status == object::ConditionStatus::True)
        };
        if !matches!(&found, Ok(Some(object)) if !ready(object)) {
            return;
        }
        cluster.clock().sleep(LOOK_PERIOD).await;
    }
}

async fn remove(
    cluster: &Cluster,
    managed: &Managed,
    (gvk, key): (&Gvk, &Key),
    uid: &str,
    propagation: Option<Propagation>,
) -> Result<Outcome, ApiError> {
    let resource = resource(managed, gvk).await?;
    let deletion = Deletion { propagation, uid: Some(uid.to_owned()), ..Deletion::default() };
    match cluster.delete(&resource, key, &deletion).await {
        // Another object of that name has taken its place: the one that was meant is gone.
        Err(error) if !error.is_conflict() => Err(error),
        _ => Ok(Outcome::Done),
    }
}

async fn release(
    cluster: &Cluster,
    managed: &Managed,
    (gvk, key): (&Gvk, &Key),
    patch: &Patch,
) -> Result<Outcome, ApiError> {
    let resource = resource(managed, gvk).await?;
    match cluster.patch(&resource, key, patch).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(Outcome::Done),
    }
}
