//! Applications: what to deploy from where, and what came of it (`argoproj.io/v1alpha1`, kind Application).
//!
//! Types carry exactly the wire names and the omitted-when-empty behaviour of Argo CD 3.6; fields they do not know are
//! kept in `extra` at each level and written back.

mod operation;
mod project;
mod spec;
mod status;
mod validate;

use object::{Map, Object, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use operation::{
    HookStrategy, Info, Initiator, Operation, OperationPhase, OperationState, ResourceResult, ResultCode,
    SyncOperation, SyncPhase, SyncResource, SyncResult, SyncStrategy,
};
pub use project::{OrphanedResources, Project, ProjectDestination, ProjectKind, ProjectRole, ProjectSpec};
pub use spec::{
    ApplicationSpec, Automated, Backoff, Destination, Directory, IgnoreDifference, ManagedNamespaceMetadata,
    Retry, Source, SyncPolicy,
};
pub use status::{
    ApplicationCondition, ApplicationStatus, ComparedTo, ConditionKind, HealthCode, HealthStatus, History,
    ResourceStatus, Summary, SyncCode, SyncStatus,
};
pub use validate::{DEFAULT_PROJECT, IN_CLUSTER, IN_CLUSTER_NAME, normalize, problems};

/// Finalizer that makes deletion of an Application delete what it deployed, in the foreground.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// Annotation that asks for a refresh: `normal` or `hard`.
pub const REFRESH_ANNOTATION: &str = "argocd.argoproj.io/refresh";
/// Annotation that stops all work on an Application when `"true"`.
pub const SKIP_RECONCILE_ANNOTATION: &str = "argocd.argoproj.io/skip-reconcile";

/// A field of an Application that does not have the type the API says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {message}")]
pub struct ApplicationError {
    /// Path of the field, such as `spec.syncPolicy.retry.limit`.
    pub field: String,
    /// What was found and what was expected.
    pub message: String,
}

/// An Application: its object, with the three parts we read typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Application {
    /// The object as it came, all parts included.
    pub object: Object,
    /// What is wanted.
    pub spec: ApplicationSpec,
    /// What is.
    pub status: ApplicationStatus,
    /// The requested or running operation.
    pub operation: Option<Operation>,
}

impl Application {
    /// Returns the Application in `object`.
    ///
    /// Errors: [`ApplicationError`] naming the field that is mistyped.
    pub fn from_object(object: &Object) -> Result<Self, ApplicationError> {
        Ok(Self {
            spec: part(object, "spec")?.unwrap_or_default(),
            status: part(object, "status")?.unwrap_or_default(),
            operation: part(object, "operation")?,
            object: object.clone(),
        })
    }

    /// Returns the object with spec, status and operation written back.
    pub fn to_object(&self) -> Object {
        let mut object = self.object.clone();
        let map = object.as_map_mut();
        map.insert("spec".into(), to_value(&self.spec));
        map.insert("status".into(), to_value(&self.status));
        match &self.operation {
            Some(operation) => map.insert("operation".into(), to_value(operation)),
            None => map.remove("operation"),
        };
        object
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.object.name()
    }

    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        self.object.namespace()
    }

    /// Returns true when a refresh is asked for by annotation.
    pub fn refresh_requested(&self) -> bool {
        self.object.annotation(REFRESH_ANNOTATION).is_some()
    }
}

/// Returns `value` as JSON. Our own types always serialise.
pub fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_else(|_| Value::Object(Map::new()))
}

fn part<T: DeserializeOwned>(object: &Object, part: &'static str) -> Result<Option<T>, ApplicationError> {
    match object.as_map().get(part) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_path_to_error::deserialize(value).map(Some).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { part.to_owned() } else { format!("{part}.{path}") };
            ApplicationError { field, message: error.into_inner().to_string() }
        }),
    }
}

/// Returns true for the value a field has when it is absent.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
