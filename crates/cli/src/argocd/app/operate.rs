//! Starting and ending operations: they are requested by writing them into the Application.

use object::{Key, Object, Value, json};

use crate::argocd::context::{Context, Failure};

/// Who is written down as the one who asked.
const USER: &str = "slipway";

/// Writes `operation` into the Application; refused while another one runs.
pub(super) async fn request(key: &Key, mut operation: Value, context: &Context<'_>) -> Result<(), Failure> {
    operation["initiatedBy"] = json!({"username": USER});
    let change = |app: &Object| {
        check(app)?;
        Ok(json!({"operation": operation, "status": {"operationState": null}}))
    };
    context.update(key, change).await.map(drop)
}

fn check(app: &Object) -> Result<(), Failure> {
    if app.is_deleting() {
        return Err(Failure::rpc("FailedPrecondition", "application is deleting"));
    }
    if app.get(&["operation"]).is_some_and(|operation| !operation.is_null()) {
        return Err(Failure::rpc("FailedPrecondition", "another operation is already in progress"));
    }
    Ok(())
}

/// Asks the operation that runs to stop.
pub(super) async fn terminate(name: &str, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(name).await?;
    let running = app.get(&["operation"]).is_some_and(|operation| !operation.is_null())
        && app.get(&["status", "operationState"]).is_some_and(|state| !state.is_null());
    if !running {
        let text = "Unable to terminate operation. No operation is in progress";
        return Err(Failure::rpc("InvalidArgument", text));
    }
    let body = json!({"status": {"operationState": {"phase": "Terminating"}}});
    let patch = runtime::Patch::merge(body);
    // With a status subresource the phase is written there, else into the object itself.
    let resource = &runtime::resources::APPLICATIONS;
    let key = app.key();
    match context.cluster.patch(resource, &key, &patch.clone().on(runtime::Subresource::Status)).await {
        Err(error) if error.is_not_found() => context.cluster.patch(resource, &key, &patch).await?,
        answer => answer?,
    };
    context.print(&format!("Application '{}' operation terminating\n", app.name()))
}
