//! Resources of the Kubernetes API: where the objects of a kind live.

use std::borrow::Cow;

use object::Gvk;

/// A resource: group, version, plural name, kind and scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// API group, empty for core.
    pub group: Cow<'static, str>,
    /// API version.
    pub version: Cow<'static, str>,
    /// Plural name in paths, e.g. `deployments`.
    pub plural: Cow<'static, str>,
    /// Kind of the objects.
    pub kind: Cow<'static, str>,
    /// Whether the objects live in namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// Returns a namespaced resource with names known at compile time.
    pub const fn builtin(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
    ) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            plural: Cow::Borrowed(plural),
            kind: Cow::Borrowed(kind),
            namespaced: true,
        }
    }

    /// Returns the same resource with cluster scope.
    #[must_use]
    pub const fn cluster_scoped(mut self) -> Self {
        self.namespaced = false;
        self
    }

    /// Returns group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(&self.group, &self.version, &self.kind)
    }

    /// Returns `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        self.gvk().api_version()
    }

    /// Returns the path of the collection (`name` empty) or of one object; an empty namespace means all namespaces
    /// or cluster scope.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if self.namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(namespace);
        }
        path.push('/');
        path.push_str(&self.plural);
        if !name.is_empty() {
            path.push('/');
            path.push_str(name);
        }
        path
    }
}

/// The resources that Slipway's own code names.
pub mod resources {
    use super::Resource;

    macro_rules! resources {
        ($($name:ident = $group:literal, $version:literal, $plural:literal, $kind:literal $(, $scope:ident)?;)*) => {
            $(
                #[doc = concat!("`", $plural, "` of group `", $group, "`.")]
                pub const $name: Resource = Resource::builtin($group, $version, $plural, $kind)$(.$scope())?;
            )*
        };
    }

    resources! {
        PODS = "", "v1", "pods", "Pod";
        SERVICES = "", "v1", "services", "Service";
        ENDPOINTS = "", "v1", "endpoints", "Endpoints";
        CONFIG_MAPS = "", "v1", "configmaps", "ConfigMap";
        SECRETS = "", "v1", "secrets", "Secret";
        SERVICE_ACCOUNTS = "", "v1", "serviceaccounts", "ServiceAccount";
        EVENTS = "", "v1", "events", "Event";
        NODES = "", "v1", "nodes", "Node", cluster_scoped;
        NAMESPACES = "", "v1", "namespaces", "Namespace", cluster_scoped;
        DEPLOYMENTS = "apps", "v1", "deployments", "Deployment";
        REPLICA_SETS = "apps", "v1", "replicasets", "ReplicaSet";
        STATEFUL_SETS = "apps", "v1", "statefulsets", "StatefulSet";
        DAEMON_SETS = "apps", "v1", "daemonsets", "DaemonSet";
        JOBS = "batch", "v1", "jobs", "Job";
        CRON_JOBS = "batch", "v1", "cronjobs", "CronJob";
        ENDPOINT_SLICES = "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice";
        LEASES = "coordination.k8s.io", "v1", "leases", "Lease";
        INGRESSES = "networking.k8s.io", "v1", "ingresses", "Ingress";
        POD_DISRUPTION_BUDGETS = "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget";
        CRDS = "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", cluster_scoped;
        ROLLOUTS = "argoproj.io", "v1alpha1", "rollouts", "Rollout";
        ANALYSIS_RUNS = "argoproj.io", "v1alpha1", "analysisruns", "AnalysisRun";
        ANALYSIS_TEMPLATES = "argoproj.io", "v1alpha1", "analysistemplates", "AnalysisTemplate";
        CLUSTER_ANALYSIS_TEMPLATES = "argoproj.io", "v1alpha1", "clusteranalysistemplates", "ClusterAnalysisTemplate",
            cluster_scoped;
        EXPERIMENTS = "argoproj.io", "v1alpha1", "experiments", "Experiment";
        APPLICATIONS = "argoproj.io", "v1alpha1", "applications", "Application";
        APPLICATION_SETS = "argoproj.io", "v1alpha1", "applicationsets", "ApplicationSet";
        APP_PROJECTS = "argoproj.io", "v1alpha1", "appprojects", "AppProject";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(resources::PODS.path("ns", "p"), "/api/v1/namespaces/ns/pods/p");
        assert_eq!(resources::PODS.path("", ""), "/api/v1/pods");
        assert_eq!(resources::NODES.path("", "n"), "/api/v1/nodes/n");
        assert_eq!(resources::ROLLOUTS.path("a", ""), "/apis/argoproj.io/v1alpha1/namespaces/a/rollouts");
    }
}
