//! What every cluster has from the beginning.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use thiserror::Error;

use crate::call::{Call, Target};
use crate::kinds;
use crate::managed::Operation;
use crate::query::Query;
use crate::server::Api;
use crate::status::Failure;
use crate::verbs::create;

/// The first object that could not be made.
#[derive(Debug, Error)]
#[error("cannot create {what}: {message}")]
pub struct BootstrapError {
    /// Its kind and name.
    pub what: String,
    /// Why, in the words of the answer.
    pub message: String,
}

pub(crate) async fn run(api: &Api) -> Result<(), BootstrapError> {
    for name in ["kube-system", "default", "kube-public", "kube-node-lease"] {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        make(api, "namespaces", object).await?;
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {
            "component": "apiserver", "provider": "kubernetes",
        }},
        "spec": {
            "clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    });
    make(api, "services", service).await
}

async fn make(api: &Api, plural: &str, object: Value) -> Result<(), BootstrapError> {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let (namespace, name) = (text("namespace"), text("name"));
    let fail = |message: String| BootstrapError { what: format!("{plural}/{name}"), message };
    let kind = kinds::find("", "v1", plural).ok_or_else(|| fail("it is not served".into()))?;
    if api.store.get(&kind.key(&namespace, &name)).is_some() {
        return Ok(());
    }
    let call = Call {
        api: Arc::clone(api),
        target: Target { kind: kind.clone(), namespace, name: String::new(), subresource: String::new() },
        query: Query::default(),
        method: Method::POST,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let taken = crate::intake::typed(&kind, object.clone(), &crate::intake::Strict::not());
    let taken = taken.map_err(|failure: Failure| fail(failure.message))?;
    match create::run(&call, taken.object, Operation::Apply).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.reason == "AlreadyExists" => Ok(()),
        Err(failure) => Err(fail(failure.message)),
    }
}
