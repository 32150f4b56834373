//! Which objects belong to this controller.

use runtime::Selection;

/// Label that gives an object to one of several controllers.
const INSTANCE_LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// `--instance-id` and `--namespaced`: the objects that a controller sees at all.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// Only objects with this value of the instance label; objects without the label when empty.
    pub id: String,
    /// Only this namespace; all when absent.
    pub namespace: Option<String>,
}

impl Instance {
    /// Returns the selection of the objects that carry the instance label themselves: Rollouts, AnalysisRuns,
    /// Experiments.
    pub fn selection(&self) -> Selection {
        let labels = if self.id.is_empty() {
            format!("!{INSTANCE_LABEL}")
        } else {
            format!("{INSTANCE_LABEL}={}", self.id)
        };
        Selection { namespace: self.namespace.clone(), labels: Some(labels), fields: None }
    }

    /// Returns the selection of everything else.
    pub fn others(&self) -> Selection {
        Selection { namespace: self.namespace.clone(), ..Selection::default() }
    }
}
