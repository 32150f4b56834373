//! `app rollback`.

use object::{Object, Value, json};

use super::operate::request;
use super::watch::{Goal, Watch, watch};
use crate::argocd::arguments::Rollback;
use crate::argocd::context::{Context, Failure};
use crate::argocd::view::is_automated;

/// Deploys an entry of the history again.
pub(super) async fn run(options: &Rollback, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(&options.name).await?;
    let entry = entry(&app, options.id)?;
    if is_automated(&app) {
        let text = "rollback cannot be initiated when auto-sync is enabled";
        return Err(Failure::rpc("FailedPrecondition", text));
    }
    request(&app.key(), json!({"sync": sync(&app, entry, options.prune)}), context).await?;
    let goal = Goal { operation: true, ..Goal::default() };
    let name = app.key().to_string();
    let wait = Watch { name: &name, goal, picked: &[], timeout: options.timeout, output: &options.output };
    watch(&app.key(), &wait, context).await.map(drop)
}

/// Returns the entry with this id, the one before the latest for none.
fn entry(app: &Object, id: Option<i64>) -> Result<&Value, Failure> {
    let history = app.items(&["status", "history"]);
    let name = app.name();
    match id {
        None => history.len().checked_sub(2).map(|index| &history[index]).ok_or_else(|| {
            Failure::fatal(format!("application '{name}' should have at least two successful deployments"))
        }),
        Some(id) => history.iter().find(|entry| entry["id"] == id).ok_or_else(|| {
            Failure::fatal(format!("application '{name}' does not have deployment id '{id}' in history"))
        }),
    }
}

/// Returns the sync of an operation that deploys the entry.
fn sync(app: &Object, entry: &Value, prune: bool) -> Value {
    let mut sync = json!({"syncStrategy": {"apply": {}}});
    for field in ["revision", "revisions", "source", "sources"] {
        if let Some(value) = entry.get(field).filter(|value| !value.is_null()) {
            sync[field] = value.clone();
        }
    }
    if prune {
        sync["prune"] = true.into();
    }
    let options = app.items(&["spec", "syncPolicy", "syncOptions"]);
    if !options.is_empty() {
        sync["syncOptions"] = options.into();
    }
    sync
}
