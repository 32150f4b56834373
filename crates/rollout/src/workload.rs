//! `spec.workloadRef`: template and selector of another workload.
//!
//! Source: Argo Rollouts `rollout/templateref.go`. What is read there lives in memory only; it is never written into the
//! Rollout.

use api::rollout::{ObjectRef, Rollout};
use object::{Gvk, Object, Value};
use traffic::Reference;

use crate::{Extent, Problem, Referenced};

/// What becomes of the pods of the workload itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleDown {
    /// They stay.
    Never,
    /// They go when the Rollout is healthy.
    OnSuccess,
    /// They go as those of the Rollout's first version become ready.
    Progressively,
}

/// The workload whose template is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The workload.
    pub reference: Reference,
    /// Its generation.
    pub generation: i64,
    /// Its `spec.replicas`; absent where the kind has none.
    pub replicas: Option<i32>,
    /// What becomes of its pods.
    pub scale_down: ScaleDown,
}

/// Returns the workload that a Rollout names, which has to be observed ([`Referenced::workload`]).
pub fn workload_reference(rollout: &Rollout) -> Option<Reference> {
    let named = rollout.spec.workload_ref.as_ref()?;
    Some(Reference::new(gvk(named), rollout.namespace(), &named.name))
}

fn gvk(named: &ObjectRef) -> Gvk {
    let (group, version) = named.api_version.split_once('/').unwrap_or(("", &named.api_version));
    Gvk::new(group, version, &named.kind)
}

/// Returns the Rollout with template and selector of the workload it names, and the workload; unchanged when it names
/// none.
///
/// Errors: the workload is of another kind than offered, or not there; the Rollout has a template of its own.
pub(crate) fn resolve(
    rollout: &Rollout,
    referenced: &Referenced,
) -> Result<(Rollout, Option<Workload>), Problem> {
    let (Some(named), Some(reference)) = (&rollout.spec.workload_ref, workload_reference(rollout)) else {
        return Ok((rollout.clone(), None));
    };
    if !has_no_template(rollout) {
        let message = "Internal error: template must be empty for workload reference rollout";
        return Err(Problem { path: "spec.template".into(), message: message.into() });
    }
    let scale_down = scale_down(named)?;
    let (template, selector) = paths(&reference.gvk)?;
    let Some(object) = referenced.workload.as_ref().filter(|object| object.name() == named.name) else {
        return match referenced.extent {
            Extent::All => Err(missing(&reference)),
            Extent::Excerpt => Ok((rollout.clone(), None)),
        };
    };
    let mut resolved = rollout.clone();
    resolved.spec.template = object.get(template).cloned();
    if resolved.spec.selector.is_none() {
        resolved.spec.selector = selector.and_then(|path| object.get(path)).cloned();
    }
    let workload = Workload {
        generation: object.generation(),
        replicas: replicas(object, &reference.gvk),
        reference,
        scale_down,
    };
    Ok((resolved, Some(workload)))
}

/// Returns true when the Rollout has no template of its own, or an empty one.
pub(crate) fn has_no_template(rollout: &Rollout) -> bool {
    rollout.spec.template.as_ref().is_none_or(is_empty)
}

fn is_empty(template: &Value) -> bool {
    template.pointer("/spec/containers").and_then(Value::as_array).is_none_or(Vec::is_empty)
        && template.pointer("/metadata/labels").is_none()
}

fn replicas(object: &Object, gvk: &Gvk) -> Option<i32> {
    let replicas = object.int(&["spec", "replicas"]).unwrap_or(1);
    (gvk.kind == "Deployment").then(|| i32::try_from(replicas).unwrap_or(i32::MAX))
}

type Path = &'static [&'static str];

/// Returns where template and selector of a kind are.
fn paths(gvk: &Gvk) -> Result<(Path, Option<Path>), Problem> {
    match (gvk.group.as_str(), gvk.version.as_str(), gvk.kind.as_str()) {
        ("apps", "v1", "Deployment" | "ReplicaSet") => {
            Ok((&["spec", "template"], Some(&["spec", "selector"])))
        }
        ("", "v1", "PodTemplate") => Ok((&["template"], None)),
        (group, version, kind) => Err(Problem {
            path: String::new(),
            message: format!("workload of type {group}/{version}/{kind} is not supported"),
        }),
    }
}

fn missing(reference: &Reference) -> Problem {
    let plural = format!("{}s", reference.gvk.kind.to_lowercase());
    let group =
        if reference.gvk.group.is_empty() { String::new() } else { format!(".{}", reference.gvk.group) };
    let message = format!("{plural}{group} {:?} not found", reference.name);
    Problem { path: String::new(), message }
}

fn scale_down(named: &ObjectRef) -> Result<ScaleDown, Problem> {
    match named.scale_down.as_str() {
        "" | "never" => Ok(ScaleDown::Never),
        "onsuccess" => Ok(ScaleDown::OnSuccess),
        "progressively" => Ok(ScaleDown::Progressively),
        other => Err(Problem::invalid(
            "spec.workloadRef.scaleDown",
            &Value::String(other.to_owned()),
            "must be one of never, onsuccess, progressively",
        )),
    }
}
