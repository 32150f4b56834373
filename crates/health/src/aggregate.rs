//! One verdict of many.

use object::{GroupKind, Object, ObjectKey};

use crate::{Health, Rules, Status, assess, is_hook};

/// One resource of an Application.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Names the resource in the message.
    pub key: &'a ObjectKey,
    /// As the cluster has it; `None` when it does not.
    pub live: Option<&'a Object>,
}

/// Health of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The worst of its resources.
    pub status: Status,
    /// The resources that are as bad as that: `Caused by g/K:ns/n, …`; empty when Healthy or Missing.
    pub message: String,
}

/// How many resources a message names.
const NAMED: usize = 3;

/// Returns the health of an Application of `members`: the worst of the live ones that are not hooks.
///
/// Source: Argo CD `setApplicationHealth` 3.6. Missing ones do not count unless all are missing; child Applications
/// that are Missing or Unknown, and objects annotated `ignore-healthcheck: "true"`, do not count.
pub fn aggregate<'a>(members: impl IntoIterator<Item = Member<'a>>, rules: &dyn Rules) -> Verdict {
    let mut worst = Status::Healthy;
    let mut causes: Vec<String> = Vec::new();
    let (mut any, mut any_live) = (false, false);
    for member in members {
        if member.live.is_some_and(is_hook) {
            continue;
        }
        any = true;
        any_live |= member.live.is_some();
        let Some(health) = member.live.and_then(|live| counted(live, rules)) else { continue };
        if health.status > worst {
            worst = health.status;
            causes.clear();
        }
        if health.status == worst && worst != Status::Healthy {
            causes.push(name(member.key));
        }
    }
    if any && !any_live {
        return Verdict { status: Status::Missing, message: String::new() };
    }
    Verdict { status: worst, message: message(&causes) }
}

fn counted(live: &Object, rules: &dyn Rules) -> Option<Health> {
    if live.annotation("argocd.argoproj.io/ignore-healthcheck") == Some("true") {
        return None;
    }
    let health = assess(live, rules)?;
    let child = live.group_kind() == GroupKind::new("argoproj.io", "Application");
    let silent = matches!(health.status, Status::Missing | Status::Unknown);
    (!(child && silent)).then_some(health)
}

fn name(key: &ObjectKey) -> String {
    let GroupKind { group, kind } = &key.group_kind;
    format!("{group}/{kind}:{}/{}", key.key.namespace, key.key.name)
}

fn message(causes: &[String]) -> String {
    if causes.is_empty() {
        return String::new();
    }
    let named = causes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match causes.len().saturating_sub(NAMED) {
        0 => format!("Caused by {named}"),
        more => format!("Caused by {named} and {more} more"),
    }
}
