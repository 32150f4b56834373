//! The phase of a Rollout as a client sees it.

use object::Object;

use super::Icon;

/// Phase word and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// `Healthy`, `Degraded`, `Progressing`, `Paused`.
    pub word: String,
    /// Why, empty when there is nothing to say.
    pub message: String,
}

impl Phase {
    fn progressing(message: &str) -> Self {
        Self { word: "Progressing".into(), message: message.into() }
    }

    /// Returns true when nothing will change without a new spec.
    pub fn is_final(&self) -> bool {
        self.is_degraded() || self.word == "Healthy"
    }

    /// Returns true for `Degraded`.
    pub fn is_degraded(&self) -> bool {
        self.word == "Degraded"
    }

    /// Returns its sign.
    pub fn icon(&self) -> Icon {
        match self.word.as_str() {
            "Progressing" => Icon::Progressing,
            "Error" | "InvalidSpec" => Icon::Warning,
            "Paused" => Icon::Paused,
            "Healthy" => Icon::Ok,
            "Degraded" => Icon::Bad,
            "Unknown" => Icon::Unknown,
            "ScaledDown" => Icon::Neutral,
            _ => Icon::None,
        }
    }
}

/// Returns the controller's phase, or `Progressing` while the controller has not seen the latest change.
///
/// Source: `utils/rollout.GetRolloutPhase`.
pub fn phase(rollout: &Object) -> Phase {
    if !is_observed(rollout) {
        return Phase::progressing("waiting for rollout spec update to be observed");
    }
    let unpausing = rollout.flag(&["status", "controllerPause"])
        && rollout.items(&["status", "pauseConditions"]).is_empty();
    if unpausing {
        return Phase::progressing("waiting for rollout to unpause");
    }
    let word = rollout.str(&["status", "phase"]);
    if word.is_empty() {
        return Phase::progressing("waiting for the controller to report a phase");
    }
    Phase { word: word.into(), message: rollout.str(&["status", "message"]).into() }
}

/// Returns false when `status.observedGeneration` is a number below `metadata.generation`.
fn is_observed(rollout: &Object) -> bool {
    rollout
        .str(&["status", "observedGeneration"])
        .parse::<i64>()
        .map_or(true, |observed| observed >= rollout.generation())
}
