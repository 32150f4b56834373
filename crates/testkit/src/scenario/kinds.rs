//! Kinds that scenarios name.

use object::Gvk;
use runtime::{Discovery, Resource, resources};

use super::Driver;

/// Kinds that need no `apiVersion`.
static KINDS: [Resource; 14] = [
    resources::APPLICATIONS,
    resources::ROLLOUTS,
    resources::EXPERIMENTS,
    resources::ANALYSIS_RUNS,
    resources::ANALYSIS_TEMPLATES,
    resources::DEPLOYMENTS,
    resources::REPLICA_SETS,
    resources::PODS,
    resources::SERVICES,
    resources::JOBS,
    resources::CONFIG_MAPS,
    resources::SECRETS,
    resources::EVENTS,
    resources::NAMESPACES,
];

/// Returns the resource of a kind.
///
/// Errors: the kind needs an `apiVersion`, or is not served; in words.
pub(super) async fn named(
    driver: &dyn Driver,
    kind: &str,
    api_version: Option<&str>,
) -> Result<Resource, String> {
    match (api_version, KINDS.iter().find(|resource| resource.kind == kind)) {
        (Some(version), _) => served(driver, &Gvk::from_api_version(version, kind)).await,
        (None, Some(resource)) => Ok(resource.clone()),
        (None, None) => Err(format!("the kind {kind} needs an apiVersion")),
    }
}

/// Returns the resource that serves a kind.
pub(super) async fn served(driver: &dyn Driver, gvk: &Gvk) -> Result<Resource, String> {
    let found = Discovery::new(driver.cluster().clone()).resource(gvk).await;
    found.map_err(|error| error.to_string())?.ok_or_else(|| format!("{gvk} is not served"))
}
