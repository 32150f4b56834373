//! Copies of ConfigMaps and Secrets: made before the pods that use them, deleted after the last ReplicaSet that does.

use crate::{Action, config, keys};

use super::pass::Pass;

/// Makes the copies of the current template that are not there.
pub(super) fn make(pass: &mut Pass) {
    for copy in &pass.settings().copies {
        let is_there = |other: &&std::sync::Arc<object::Object>| {
            other.kind() == copy.kind() && other.name() == copy.name()
        };
        if pass.observed.referenced.config.iter().find(is_there).is_none() {
            pass.actions.push(Action::CreateConfig(copy.clone()));
        }
    }
}

/// Deletes the copies that neither the current template nor any ReplicaSet names.
pub(super) fn delete_unused(pass: &mut Pass) {
    let owner = pass.rollout().object.uid();
    let copies = pass.observed.referenced.config.iter().filter(|object| {
        object.annotation(keys::COPY_OF).is_some()
            && object.controller_uid() == Some(owner)
            && !object.is_deleting()
    });
    let mut used = config::named(&pass.settings().template);
    for set in &pass.sets.all {
        used.extend(set.object.get(&["spec", "template"]).map(config::named).unwrap_or_default());
    }
    let unused =
        copies.filter(|copy| !used.iter().any(|(kind, name)| *kind == copy.kind() && name == copy.name()));
    let actions: Vec<Action> = unused
        .map(|copy| Action::DeleteConfig {
            kind: copy.kind().to_owned(),
            key: copy.key(),
            uid: copy.uid().to_owned(),
        })
        .collect();
    pass.actions.extend(actions);
}
