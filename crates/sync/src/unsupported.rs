//! Options and hooks that are asked for and not acted on: told, never ignored in silence.

use std::collections::BTreeMap;

use api::application::{Application, ApplicationCondition, ConditionKind};
use object::Object;

use crate::hook;
use crate::observation::{Observation, Target};
use crate::options::{COMPARE_OPTIONS, SYNC_OPTIONS};
use crate::project::Permissions;

/// Annotation of a resource with the manager whose fields are taken over.
const MIGRATION_MANAGER: &str = "argocd.argoproj.io/client-side-apply-migration-manager";
const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";

/// Where an option may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Application,
    Anywhere,
}

/// Sync options that are acted on, with their values.
const SYNC: [(&str, Place, &[&str]); 14] = [
    ("Validate", Place::Anywhere, &["true", "false"]),
    ("SkipDryRunOnMissingResource", Place::Anywhere, &["true", "false"]),
    ("Prune", Place::Anywhere, &["true", "false", "confirm"]),
    ("Delete", Place::Anywhere, &["true", "false", "confirm"]),
    ("PrunePropagationPolicy", Place::Application, &["foreground", "background", "orphan"]),
    ("PruneLast", Place::Anywhere, &["true", "false"]),
    ("Replace", Place::Anywhere, &["true", "false"]),
    ("Force", Place::Anywhere, &["true", "false"]),
    ("ServerSideApply", Place::Anywhere, &["true", "false"]),
    ("ClientSideApplyMigration", Place::Application, &["true", "false"]),
    ("ApplyOutOfSyncOnly", Place::Application, &["true", "false"]),
    ("RespectIgnoreDifferences", Place::Application, &["true", "false"]),
    ("CreateNamespace", Place::Application, &["true", "false"]),
    ("FailOnSharedResource", Place::Application, &["true", "false"]),
];

/// Returns a warning for each option, hook and field that is set and has no effect, naming it and the first object that
/// has it.
pub fn warnings(app: &Application, observation: &Observation) -> Vec<ApplicationCondition> {
    let mut found = Found::default();
    for option in app.spec.sync_options() {
        if !is_sync_option(option, Place::Application) {
            found.add(format!("spec.syncPolicy.syncOptions {option:?} is not known"), None);
        }
    }
    if let Some(list) = app.object.annotation(COMPARE_OPTIONS) {
        for option in compare_options(list) {
            found.add(format!("annotation {COMPARE_OPTIONS} {option:?} has no effect"), None);
        }
    }
    if let Ok(Some(project)) = Permissions::of(observation).project()
        && project.spec.orphaned_resources.is_some()
    {
        found.add(
            format!("spec.orphanedResources of project {} is not supported yet", app.spec.project),
            None,
        );
    }
    if let Target::Found { objects, .. } = &observation.target {
        objects.iter().for_each(|object| of_object(object, &mut found));
    }
    found.conditions()
}

fn of_object(object: &Object, found: &mut Found) {
    let list = |key| object.annotation(key).unwrap_or_default().split(',').map(str::trim);
    for option in list(SYNC_OPTIONS).filter(|option| !option.is_empty()) {
        if !is_sync_option(option, Place::Anywhere) {
            found.add(format!("annotation {SYNC_OPTIONS} {option:?} is not known here"), Some(object));
        }
    }
    for option in compare_options(object.annotation(COMPARE_OPTIONS).unwrap_or_default()) {
        if option != "IgnoreExtraneous" {
            found.add(format!("annotation {COMPARE_OPTIONS} {option:?} has no effect"), Some(object));
        }
    }
    for moment in hook::unknown_moments(object) {
        found.add(format!("annotation {} {moment:?} is not known", hook::HOOK), Some(object));
    }
    for policy in list(HOOK_DELETE_POLICY).filter(|policy| !policy.is_empty()) {
        if !["HookSucceeded", "HookFailed", "BeforeHookCreation"].contains(&policy) {
            found.add(format!("annotation {HOOK_DELETE_POLICY} {policy:?} is not known"), Some(object));
        }
    }
    if object.annotation(MIGRATION_MANAGER).is_some() {
        found.add(format!("annotation {MIGRATION_MANAGER} has no effect"), Some(object));
    }
}

fn is_sync_option(option: &str, place: Place) -> bool {
    let Some((name, value)) = option.split_once('=') else { return false };
    SYNC.iter().any(|(known, at, values)| {
        *known == name && values.contains(&value) && (place == Place::Application || *at == Place::Anywhere)
    })
}

/// Returns the compare options that change nothing here; `ServerSideDiff=false` asks for what is done anyway.
fn compare_options(list: &str) -> impl Iterator<Item = &str> {
    let known = ["", "ServerSideDiff=false", "IncludeMutationWebhook=false"];
    list.split(',').map(str::trim).filter(move |option| !known.contains(option))
}

/// Texts with the objects they are about, so that a thousand objects make one condition.
#[derive(Default)]
struct Found(BTreeMap<String, (String, usize)>);

impl Found {
    fn add(&mut self, text: String, object: Option<&Object>) {
        let name = object.map(|object| format!("{}/{}", object.kind(), object.name())).unwrap_or_default();
        self.0.entry(text).and_modify(|(_, count)| *count += 1).or_insert((name, 1));
    }

    fn conditions(self) -> Vec<ApplicationCondition> {
        let texts = self.0.into_iter().map(|(text, (name, count))| match (name.as_str(), count - 1) {
            ("", _) => text,
            (name, 0) => format!("{name}: {text}"),
            (name, more) => format!("{name} and {more} more: {text}"),
        });
        texts.map(|text| ApplicationCondition::new(ConditionKind::UnsupportedFieldWarning, text)).collect()
    }
}
