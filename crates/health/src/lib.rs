//! Health of Kubernetes objects and of Applications.
//!
//! Pure: it looks at one object as the API server sent it and never asks for another. It must not know about clusters,
//! caches or time. Start at [`assess`]; [`aggregate`] makes one verdict of many. Rules of users come in through the
//! seam [`Rules`].

mod aggregate;
mod argo;
mod builtin;
mod pod;
mod workload;

use object::Object;

pub use aggregate::{Member, Verdict, aggregate};
pub use api::application::HealthCode as Status;

/// Health of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The verdict.
    pub status: Status,
    /// Why, for people; may be empty.
    pub message: String,
}

impl Health {
    /// Returns a verdict with a message.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// Rules that come before the built-in ones.
pub trait Rules {
    /// Returns the verdict of a rule for this kind, or `None` when no rule speaks about it.
    fn assess(&self, object: &Object) -> Option<Health>;
}

/// No rules but the built-in ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

impl Rules for Builtin {
    fn assess(&self, _: &Object) -> Option<Health> {
        None
    }
}

/// Finalizer on hooks; an object that has it is not merely "pending deletion" while it waits.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

/// Returns the health of `object`, or `None` when nothing is known about its kind: such an object is neutral.
///
/// Source: Argo CD `health.GetResourceHealth`: pending deletion first, then user rules, then the built-in table. A
/// CustomResourceDefinition has words of its own for its deletion.
pub fn assess(object: &Object, rules: &dyn Rules) -> Option<Health> {
    let own_words = object.kind() == "CustomResourceDefinition";
    if object.is_deleting() && !own_words && !object.finalizers().contains(&HOOK_FINALIZER) {
        return Some(Health::new(Status::Progressing, "Pending deletion"));
    }
    rules.assess(object).or_else(|| builtin::assess(object))
}

/// Returns true for objects that a sync creates at a moment of their own, by annotation.
fn is_hook(object: &Object) -> bool {
    object.annotation("argocd.argoproj.io/hook").is_some_and(|hook| !hook.is_empty())
        || object.annotation("helm.sh/hook").is_some_and(|hook| !hook.is_empty() && hook != "crd-install")
}
