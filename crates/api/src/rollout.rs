//! Rollouts: a Deployment with a strategy (`argoproj.io/v1alpha1`, kind Rollout).
//!
//! Types carry the wire names, field order and omitted-when-empty behaviour of Argo Rollouts, so that what they
//! serialise to hashes as upstream's bytes do. Status structs keep fields they do not know in `extra`.

mod blue_green;
mod canary;
mod spec;
mod status;
mod step;
mod traffic;

use object::Object;

use crate::wire::read_part;
use crate::{FieldError, write};

pub use blue_green::BlueGreenStrategy;
pub use canary::{
    AntiAffinity, BackgroundAnalysis, CanaryStrategy, PingPong, PodTemplateMetadata, ReplicaProgressThreshold,
};
pub use spec::{AnalysisHistory, ObjectRef, RollbackWindow, RolloutSpec, RolloutStrategy};
pub use status::{
    AnalysisRunRef, BlueGreenStatus, CanaryStatus, CompletionStatus, PauseCondition, PauseReason,
    RolloutDuration, RolloutPhase, RolloutStatus,
};
pub use step::{
    CanaryStep, ExperimentStep, ExperimentStepAnalysis, ExperimentStepTemplate, HeaderMatch, PauseStep,
    PluginStep, RolloutAnalysis, RouteMatch, SetCanaryScale, SetHeaderRoute, SetMirrorRoute, StringMatch,
};
pub use traffic::{
    AlbRouting, AmbassadorRouting, ApisixRoute, ApisixRouting, IstioDestinationRule, IstioRouting,
    IstioVirtualService, NamedRoute, NginxRouting, SmiRouting, Stickiness, TcpRoute, TlsRoute,
    TraefikRouting, TrafficRouting,
};

/// A Rollout: its object, with spec and status typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollout {
    /// The object as it came, all parts included.
    pub object: Object,
    /// What is wanted.
    pub spec: RolloutSpec,
    /// What is.
    pub status: RolloutStatus,
}

impl Rollout {
    /// Returns the Rollout in `object`.
    ///
    /// Errors: [`FieldError`] naming the first field that has the wrong type.
    pub fn from_object(object: &Object) -> Result<Self, FieldError> {
        Ok(Self {
            spec: read_part(object, "spec")?,
            status: read_part(object, "status")?,
            object: object.clone(),
        })
    }

    /// Returns the object with the status written back; metadata and spec stay as they came.
    pub fn to_object(&self) -> Object {
        let mut object = self.object.clone();
        object.as_map_mut().insert("status".into(), write(&self.status));
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

    /// Returns the canary strategy, when that is the one.
    pub fn canary(&self) -> Option<&CanaryStrategy> {
        self.spec.strategy.canary.as_ref()
    }
}

#[cfg(test)]
mod tests;
