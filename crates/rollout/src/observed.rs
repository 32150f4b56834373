//! What is, as the shell found it.

use std::sync::Arc;

use api::rollout::Rollout;
use object::Object;

use crate::sets::Sets;
use crate::{Checked, keys, plan};

/// Objects around a Rollout. Lists need no order; the plan sorts what it depends on.
///
/// Invariant: everything here was read after the last write of this controller to it. Planning on older reads can
/// repeat a step that is already done.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// ReplicaSets of the namespace that the Rollout controls, and those without a controller that match its selector.
    pub replica_sets: Vec<Arc<Object>>,
    /// Pods of those ReplicaSets. Needed only while [`Observed::needs_pods`] says so.
    pub pods: Vec<Arc<Object>>,
    /// AnalysisRuns that the Rollout controls.
    pub analysis_runs: Vec<Arc<Object>>,
    /// Experiments that the Rollout controls.
    pub experiments: Vec<Arc<Object>>,
    /// What the spec names.
    pub referenced: Referenced,
}

/// How much of what a Rollout's spec names was looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it: what was not found is not there.
    #[default]
    All,
    /// Only what happened to be at hand, as in the files that are linted: nothing is missed.
    Excerpt,
}

/// Objects that a Rollout's spec names.
#[derive(Clone, Debug, Default)]
pub struct Referenced {
    /// How much was looked for; where it is an excerpt, [`Self::live`] is [`traffic::Live::excerpt`] too.
    pub extent: Extent,
    /// AnalysisTemplates of the namespace and ClusterAnalysisTemplates, at least those named, also by one another.
    pub templates: Vec<Arc<Object>>,
    /// Services of the namespace, at least `canaryService` and `stableService`.
    pub services: Vec<Arc<Object>>,
    /// The workload of [`crate::workload_reference`], when it is there.
    pub workload: Option<Arc<Object>>,
    /// ConfigMaps and Secrets of the namespace; needed only when [`crate::tracks_config`].
    pub config: Vec<Arc<Object>>,
    /// How the cluster speaks of routers.
    pub routing: traffic::Settings,
    /// What was found of what the routers need, see [`crate::router_references`].
    pub live: traffic::Live,
    /// Kinds of those that the cluster does not serve.
    pub unserved: Vec<object::Gvk>,
}

impl Observed {
    /// Returns true when the plan looks at pods: a restart is asked for and not done, or labels and annotations of a
    /// role are to be given or taken away.
    pub fn needs_pods(checked: &Checked<Rollout>, replica_sets: &[Arc<Object>]) -> bool {
        let (rollout, settings) = (checked.value(), checked.settings());
        let has_roles = plan::has_metadata(rollout)
            || replica_sets.iter().any(|set| set.annotation(keys::EPHEMERAL_METADATA).is_some());
        let pending = || {
            let sets = Sets::new(replica_sets, settings, &settings.hash, &rollout.status.stable_rs);
            plan::metadata_pending(checked, &sets)
        };
        Self::is_restart_due(rollout) || (has_roles && pending())
    }

    /// Returns true when a restart is asked for and not done.
    pub(crate) fn is_restart_due(rollout: &Rollout) -> bool {
        rollout.spec.restart_at.is_some() && rollout.spec.restart_at != rollout.status.restarted_at
    }
}

impl Referenced {
    /// Returns the Service `name`.
    pub fn service(&self, name: &str) -> Option<&Arc<Object>> {
        self.services.iter().find(|service| service.name() == name)
    }

    /// Returns the template of a reference.
    pub fn template(&self, reference: &api::analysis::TemplateRef) -> Option<&Arc<Object>> {
        self.templates.iter().find(|template| {
            template.name() == reference.template_name
                && (template.kind() == "ClusterAnalysisTemplate") == reference.cluster_scope
        })
    }
}
