//! Targets and live objects brought together by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::application::{Application, ApplicationCondition, ConditionKind};
use object::{GroupKind, Object, ObjectKey};

use crate::hook;
use crate::observation::{Kinds, Observation, Scope, Settings};
use crate::project::Permissions;
use crate::{Validation, checks, options, router, tracking};

/// A target, a live object, or both; never neither.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Group, kind, namespace, name.
    pub key: ObjectKey,
    /// What the source says, marked as ours.
    pub target: Option<Arc<Object>>,
    /// What the cluster has.
    pub live: Option<Arc<Object>>,
    /// False when the live object only carries a copy of a mark.
    pub genuine: bool,
}

impl Pair {
    /// Returns the target, else the live object.
    pub fn object(&self) -> Option<&Arc<Object>> {
        self.target.as_ref().or(self.live.as_ref())
    }
}

/// Everything of an Application.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// Resources, by key.
    pub resources: BTreeMap<ObjectKey, Pair>,
    /// Hooks of the source, marked as ours, in its order; a name may still have to be generated.
    pub hooks: Vec<Arc<Object>>,
    /// Every live object that was seen, by key; hooks are found here.
    pub live: BTreeMap<ObjectKey, Arc<Object>>,
    /// Things people should know.
    pub conditions: Vec<ApplicationCondition>,
}

/// Returns `targets` and the observed live objects by key.
///
/// Source: gitops-engine `sync.Reconcile` and Argo CD `CompareAppState`: namespaced targets without a namespace get the
/// destination's, of repeated targets, hooks among them, the last wins, live objects of ours without a target are extra unless another
/// object owns them. Live objects that the project does not permit are not seen.
pub fn reconcile(app: &Application, targets: &[Object], observation: &Observation) -> Pairs {
    let settings = &observation.settings;
    let namespace = &app.spec.destination.namespace;
    let instance = tracking::instance(app, settings);
    let mut pairs = Pairs::default();
    let permissions = Permissions::of(observation);
    for live in observation.live.iter().filter(|live| permissions.live(live)) {
        pairs.live.insert(live.object_key(), Arc::clone(live));
    }
    let mut seen: BTreeMap<ObjectKey, usize> = BTreeMap::new();
    for (at, target) in targets.iter().enumerate() {
        let mut target = place(target, namespace, scope(target, (&observation.kinds, targets), &pairs.live));
        if options::validation(app.spec.sync_options(), &target) == Validation::Off {
            target = diff::known(&target);
        }
        tracking::mark(&mut target, &instance, namespace, settings);
        if let Some(live) = pairs.live.get(&target.object_key()) {
            router::keep(&mut target, live);
        }
        let target = Arc::new(target);
        let key = key(&target, at);
        *seen.entry(key.clone()).or_default() += 1;
        pairs.hooks.retain(|hook| hook.object_key() != key);
        if hook::is_hook(&target) {
            pairs.resources.remove(&key);
            pairs.hooks.push(target);
            continue;
        }
        let live = pairs.live.get(&key).cloned();
        pairs.conditions.extend(live.as_deref().and_then(|live| shared(app, live, &instance, settings)));
        let genuine =
            live.as_deref().is_none_or(|live| tracking::owner(live, settings).is_none_or(|o| o.genuine));
        pairs.resources.insert(key.clone(), Pair { key, target: Some(target), live, genuine });
    }
    pairs
        .conditions
        .extend(seen.iter().filter(|(_, times)| **times > 1).map(|(key, times)| repeated(key, *times)));
    add_extra(&mut pairs, &instance, settings);
    pairs
}

/// Returns the key of the `at`th target: of one whose name the server makes, with that number for a name, so that several
/// are told apart.
fn key(target: &Object, at: usize) -> ObjectKey {
    let mut key = target.object_key();
    if key.key.name.is_empty() {
        key.key.name = format!("{}{at}", target.str(&["metadata", "generateName"]));
    }
    key
}

fn add_extra(pairs: &mut Pairs, instance: &str, settings: &Settings) {
    for (key, live) in &pairs.live {
        let Some(owner) = tracking::owner(live, settings).filter(|owner| owner.instance == instance) else {
            continue;
        };
        if pairs.resources.contains_key(key) || !live.owners().is_empty() {
            continue;
        }
        let pair =
            Pair { key: key.clone(), target: None, live: Some(Arc::clone(live)), genuine: owner.genuine };
        pairs.resources.insert(key.clone(), pair);
    }
}

/// Returns the target in its namespace: none for cluster-scoped kinds, the destination's when it names none.
fn place(target: &Object, namespace: &str, scope: Scope) -> Object {
    let mut target = target.clone();
    match scope {
        Scope::Cluster => {
            target.remove(&["metadata", "namespace"]);
        }
        Scope::Namespaced if target.namespace().is_empty() && !namespace.is_empty() => {
            target.set(&["metadata", "namespace"], namespace);
        }
        Scope::Namespaced => {}
    }
    target
}

/// Returns the scope of the target's kind: as served, else as its definition among the targets says, else as a live
/// object shows it, so that an object is never taken
/// for an extra one because its kind is not known just now.
fn scope(
    target: &Object,
    (kinds, targets): (&Kinds, &[Object]),
    live: &BTreeMap<ObjectKey, Arc<Object>>,
) -> Scope {
    let kind = target.group_kind();
    let shown = || {
        let key = live.keys().find(|key| key.group_kind == kind)?;
        Some(if key.key.namespace.is_empty() { Scope::Cluster } else { Scope::Namespaced })
    };
    let defined = || {
        let definition = targets.iter().find(|target| checks::defines(target, &kind))?;
        let cluster = definition.str(&["spec", "scope"]) == "Cluster";
        Some(if cluster { Scope::Cluster } else { Scope::Namespaced })
    };
    kinds.scope(&kind).or_else(defined).or_else(shown).unwrap_or_else(|| guess(&kind))
}

fn guess(kind: &GroupKind) -> Scope {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace" | "Node" | "PersistentVolume")
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | ("rbac.authorization.k8s.io", "ClusterRole" | "ClusterRoleBinding")
        | ("storage.k8s.io", "StorageClass")
        | ("networking.k8s.io", "IngressClass") => Scope::Cluster,
        _ => Scope::Namespaced,
    }
}

fn shared(
    app: &Application,
    live: &Object,
    instance: &str,
    settings: &Settings,
) -> Option<ApplicationCondition> {
    let owner =
        tracking::owner(live, settings).filter(|owner| owner.genuine && owner.instance != instance)?;
    let message = format!(
        "{}/{} is part of applications {}/{} and {}",
        live.kind(),
        live.name(),
        app.namespace(),
        app.name(),
        owner.instance
    );
    Some(ApplicationCondition::new(ConditionKind::SharedResourceWarning, message))
}

fn repeated(key: &ObjectKey, times: usize) -> ApplicationCondition {
    let message = format!(
        "Resource {}/{}/{}/{} appeared {times} times among application resources.",
        key.group_kind.group, key.group_kind.kind, key.key.namespace, key.key.name
    );
    ApplicationCondition::new(ConditionKind::RepeatedResourceWarning, message)
}
