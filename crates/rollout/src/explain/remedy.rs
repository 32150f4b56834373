//! What would end a wait.

use object::Key;
use serde::Serialize;

use crate::{Observed, Reason, keys};

/// Something that somebody can do about a wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// What it does.
    pub does: String,
    /// The command.
    pub command: String,
}

/// Returns what can be done about a reason, first what is meant to be done.
pub(super) fn of(reason: &Reason, rollout: &Key, observed: &Observed) -> Vec<Remedy> {
    let commands = Commands { rollout };
    match reason {
        Reason::WaitingOnPromotion { .. } => {
            vec![commands.promote("goes on"), commands.full(), commands.abort()]
        }
        Reason::WaitingOnTime { .. } => {
            vec![commands.promote("goes on at once"), commands.full(), commands.abort()]
        }
        Reason::WaitingOnResume => vec![commands.promote("lets the Rollout go on")],
        Reason::WaitingOnAnalysis { run, .. } => vec![
            commands.show("analysisrun", run),
            commands.terminate("analysisrun", run),
            commands.full(),
            commands.abort(),
        ],
        Reason::WaitingOnExperiment { experiment, .. } => vec![
            commands.get("experiment", experiment),
            commands.terminate("experiment", experiment),
            commands.abort(),
        ],
        Reason::WaitingOnPods { set, .. } | Reason::WaitingOnService { set, .. } => {
            vec![commands.pods(set, observed)]
        }
        Reason::WaitingOnDeadline { .. } => vec![commands.abort()],
        Reason::BlockedByAbort { .. } => vec![commands.retry(), commands.undo()],
        Reason::BlockedByDeadline { .. } => {
            vec![commands.get("rollout", &rollout.name), commands.abort(), commands.undo()]
        }
        Reason::BlockedByInvalidSpec { .. }
        | Reason::BlockedByAnalysis { .. }
        | Reason::BlockedByRouter { .. } => vec![commands.edit()],
        Reason::BlockedByRefusal { .. } => vec![commands.events()],
        Reason::BlockedByService { service } => vec![commands.look("service", service)],
        Reason::WaitingOnRestart { .. } => vec![commands.get("rollout", &rollout.name)],
        Reason::Done
        | Reason::Deleting
        | Reason::Updating { .. }
        | Reason::WaitingOnOwnChange { .. }
        | Reason::WaitingOnOldPods { .. }
        | Reason::WaitingOnScaleDown { .. }
        | Reason::WaitingOnWorkload { .. }
        | Reason::WaitingOnStable { .. }
        | Reason::WaitingOnRouter => Vec::new(),
    }
}

struct Commands<'a> {
    rollout: &'a Key,
}

impl Commands<'_> {
    fn remedy(&self, does: &str, program: &str, what: &str) -> Remedy {
        let namespace = &self.rollout.namespace;
        Remedy { does: does.to_owned(), command: format!("{program} {what} -n {namespace}") }
    }

    /// A verb of ours on the Rollout.
    fn verb(&self, does: &str, verb: &str) -> Remedy {
        let name = &self.rollout.name;
        let (verb, flags) = verb.split_once(' ').map_or((verb, String::new()), |(verb, rest)| {
            if rest.starts_with('-') { (verb, format!(" {rest}")) } else { (verb, String::new()) }
        });
        self.remedy(does, "slipway rollouts", &format!("{verb} {name}{flags}"))
    }

    fn promote(&self, does: &str) -> Remedy {
        self.verb(does, "promote")
    }

    fn full(&self) -> Remedy {
        self.verb("skips all that is left", "promote --full")
    }

    fn abort(&self) -> Remedy {
        self.verb("goes back to the stable version", "abort")
    }

    fn undo(&self) -> Remedy {
        self.verb("goes back to the template before", "undo")
    }

    fn retry(&self) -> Remedy {
        let what = format!("retry rollout {}", self.rollout.name);
        self.remedy("starts the update again", "slipway rollouts", &what)
    }

    fn terminate(&self, kind: &str, name: &str) -> Remedy {
        self.remedy("ends it now", "slipway rollouts", &format!("terminate {kind} {name}"))
    }

    fn get(&self, kind: &str, name: &str) -> Remedy {
        self.remedy("shows how it goes", "slipway rollouts", &format!("get {kind} {name}"))
    }

    fn show(&self, kind: &str, name: &str) -> Remedy {
        self.remedy("shows its measurements", "kubectl", &format!("get {kind} {name} -o yaml"))
    }

    fn look(&self, kind: &str, name: &str) -> Remedy {
        self.remedy("must find it", "kubectl", &format!("get {kind} {name}"))
    }

    fn edit(&self) -> Remedy {
        self.remedy("corrects it", "kubectl", &format!("edit rollout {}", self.rollout.name))
    }

    fn events(&self) -> Remedy {
        let what = format!("events --for rollout/{}", self.rollout.name);
        self.remedy("shows what was refused", "kubectl", &what)
    }

    /// The pods of a ReplicaSet, which tell why they are not available.
    fn pods(&self, set: &str, observed: &Observed) -> Remedy {
        let found = observed.replica_sets.iter().find(|it| it.name() == set);
        let hash = found.and_then(|set| set.label(keys::HASH));
        let hash = hash.or_else(|| set.rsplit('-').next()).unwrap_or_default();
        self.remedy(
            "tells why pods are not available",
            "kubectl",
            &format!("describe pods -l {}={hash}", keys::HASH),
        )
    }
}
