//! Names that are only known while a scenario plays.
//!
//! `${hash:NAME:N}` is the pod-template hash of revision N of the Rollout NAME, `${METRICS}` the URL of the pages,
//! `${NAMESPACE}` the namespace of the scenario.

use object::{Object, Value};
use runtime::{Selection, resources};

use super::Driver;

/// Label with the hash of a ReplicaSet's pods.
pub(super) const HASH: &str = "rollouts-pod-template-hash";
/// Annotation with the revision of a ReplicaSet.
pub(super) const REVISION: &str = "rollout.argoproj.io/revision";

/// Returns the value with all names in its strings filled in.
///
/// Errors: there is no such revision; in words.
pub(super) async fn expand(driver: &dyn Driver, value: &Value) -> Result<Value, String> {
    let text = value.to_string().replace("${METRICS}", &driver.pages());
    let mut text = text.replace("${NAMESPACE}", driver.namespace());
    while let Some((before, rest)) = text.split_once("${hash:") {
        let (reference, after) = rest.split_once('}').ok_or("${hash: has no end")?;
        let (rollout, revision) = reference.split_once(':').ok_or("${hash:NAME:REVISION} is wanted")?;
        let set = revision_of(driver, rollout, revision).await?;
        let set = set.ok_or_else(|| format!("Rollout {rollout} has no revision {revision}"))?;
        text = format!("{before}{}{after}", set.label(HASH).unwrap_or_default());
    }
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Returns the ReplicaSets of a Rollout.
pub(super) async fn sets(driver: &dyn Driver, rollout: &str) -> Result<Vec<Object>, String> {
    let all = Selection::default();
    let found = driver.cluster().list(&resources::REPLICA_SETS, Some(driver.namespace()), &all).await;
    let found = found.map_err(|error| error.to_string())?.into_iter();
    let owned =
        |set: &Object| set.controller().is_some_and(|owner| owner.kind == "Rollout" && owner.name == rollout);
    Ok(found.filter(owned).collect())
}

async fn revision_of(driver: &dyn Driver, rollout: &str, revision: &str) -> Result<Option<Object>, String> {
    let sets = sets(driver, rollout).await?.into_iter();
    Ok(sets.into_iter().find(|set| set.annotation(REVISION) == Some(revision)))
}
