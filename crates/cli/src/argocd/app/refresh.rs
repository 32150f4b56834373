//! Asking the controller to compare an Application again.

use std::time::Duration;

use object::{Object, json};
use runtime::{Tasks, resources};

use crate::argocd::context::{Context, Failure};
use crate::rollouts::One;

/// The controller takes this annotation away when it is done.
const ANNOTATION: &str = "argocd.argoproj.io/refresh";
/// How long a refresh may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresh {
    /// The revision and the cluster.
    Normal,
    /// The rendered manifests too.
    Hard,
}

/// Returns the Application after the controller has compared it again.
pub(super) async fn run(app: &Object, how: Refresh, context: &Context<'_>) -> Result<Object, Failure> {
    let word = match how {
        Refresh::Normal => "normal",
        Refresh::Hard => "hard",
    };
    let body = json!({"metadata": {"annotations": {ANNOTATION: word}}});
    let patch = runtime::Patch::merge(body);
    context.cluster.patch(&resources::APPLICATIONS, &app.key(), &patch).await?;
    let tasks = Tasks::new();
    let done = until_done(app, &tasks, context).await;
    tasks.abort();
    done
}

async fn until_done(app: &Object, tasks: &Tasks, context: &Context<'_>) -> Result<Object, Failure> {
    let mut one = One::open(&context.cluster, tasks, &resources::APPLICATIONS, &app.key()).await;
    let end = context.now().after(PATIENCE);
    loop {
        match one.get() {
            None => return Err(Failure::rpc("NotFound", format!("application {:?} is gone", app.name()))),
            Some(app) if app.annotation(ANNOTATION).is_none() => return Ok(app.as_ref().clone()),
            Some(_) => {}
        }
        tokio::select! {
            () = one.changed() => {}
            () = context.session.clock.sleep_until(end) => {
                let text = format!("application {:?} was not refreshed within 2m: is a controller running?", app.name());
                return Err(Failure::rpc("DeadlineExceeded", text));
            }
        }
    }
}
