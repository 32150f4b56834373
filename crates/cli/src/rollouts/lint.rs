//! `lint`: what the controller would say of the Rollouts of a file.
//!
//! The file is read as strictly as the existing tool reads it; then the controller's own check, [`rollout::lint`], looks
//! at each Rollout with what else is in the file. What is not in the file is not missed.

mod words;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use api::rollout::Rollout;
use object::{Object, Value, yaml};
use rollout::{Extent, Problem, Referenced};
use traffic::Reference;

use super::arguments::Lint;
use super::context::Failure;
use crate::Session;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Prints what is wrong, each problem on a line; the first is the error.
pub(super) fn run(options: &Lint, session: &mut Session) -> Result<(), Failure> {
    let Some(file) = options.filename.as_deref().filter(|file| !file.is_empty()) else {
        return Err(Failure::usage(&["lint"]));
    };
    let problems = problems(&objects(&read(file)?)?)?;
    for problem in &problems {
        writeln!(session.out, "{}", problem.message)?;
    }
    match problems.first() {
        Some(problem) => Err(Failure::Error(problem.to_string())),
        None => Ok(()),
    }
}

/// Returns the text of a file.
///
/// Errors: the words of Go's `os.ReadFile`.
fn read(file: &str) -> Result<String, Failure> {
    use std::io::ErrorKind;
    let told = |verb: &str, error: &std::io::Error| {
        let cause = match error.kind() {
            ErrorKind::NotFound => "no such file or directory".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            ErrorKind::IsADirectory => "is a directory".to_owned(),
            _ => error.to_string(),
        };
        Failure::Error(format!("{verb} {file}: {cause}"))
    };
    if let Ok(about) = std::fs::metadata(file)
        && about.len() > MAX_FILE
    {
        return Err(Failure::Error(format!("read {file}: larger than {} MiB", MAX_FILE >> 20)));
    }
    let bytes = std::fs::read(Path::new(file)).map_err(|error| {
        told(if error.kind() == ErrorKind::IsADirectory { "read" } else { "open" }, &error)
    })?;
    String::from_utf8(bytes).map_err(|_| Failure::Error("yaml: invalid leading UTF-8 octet".to_owned()))
}

/// Returns the objects of a text: those of each document, and those of Lists.
///
/// Errors: the words of Go's YAML and JSON readers for the first thing that cannot be read.
fn objects(text: &str) -> Result<Vec<Object>, Failure> {
    let documents = yaml::documents(text).map_err(|error| Failure::Error(words::of(text, &error)))?;
    let mut objects = Vec::new();
    for document in documents {
        let undecoded =
            |cause: &str| Failure::Error(format!("error unmarshaling JSON: while decoding JSON: {cause}"));
        objects.extend(object(document).map_err(|cause| undecoded(&cause))?);
    }
    Ok(objects)
}

fn object(document: Value) -> Result<Vec<Object>, String> {
    if !document.is_object() {
        let found = if document.is_array() { "array" } else { "string" };
        return Err(format!(
            "json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        ));
    }
    if document["kind"].as_str().is_none_or(str::is_empty) {
        return Err(format!("Object 'Kind' is missing in '{document}'"));
    }
    let object = Object::from_value(document);
    if object.kind().ends_with("List") && object.get(&["items"]).is_some_and(Value::is_array) {
        let items = object.items(&["items"]).iter().cloned().map(self::object);
        return Ok(items.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect());
    }
    if matches!(object.kind(), "Rollout" | "Service" | "Ingress") {
        apiserver::strict(&object)?;
    }
    Ok(vec![object])
}

/// Returns what is wrong with the Rollouts among the objects.
///
/// Errors: a Rollout whose fields cannot be read.
fn problems(objects: &[Object]) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for object in objects.iter().filter(|it| it.kind() == "Rollout" && it.gvk().group == "argoproj.io") {
        let rollout = Rollout::from_object(object).map_err(|error| Failure::Error(error.to_string()))?;
        problems.extend(::rollout::lint(&rollout, &referenced(&rollout, objects)));
    }
    Ok(problems)
}

/// Returns what the Rollout names and the file has.
fn referenced(rollout: &Rollout, objects: &[Object]) -> Referenced {
    let beside: Vec<Arc<Object>> =
        objects.iter().filter_map(|object| beside(rollout, object)).map(Arc::new).collect();
    let of = |kinds: &[&str]| -> Vec<Arc<Object>> {
        let here = |object: &&Arc<Object>| {
            kinds.contains(&object.kind()) && object.namespace() == rollout.namespace()
        };
        beside.iter().filter(here).cloned().collect()
    };
    let mut referenced = Referenced {
        extent: Extent::Excerpt,
        templates: of(&["AnalysisTemplate", "ClusterAnalysisTemplate"]),
        services: of(&["Service"]),
        live: traffic::Live::excerpt(),
        ..Referenced::default()
    };
    let find = |wanted: &Reference| beside.iter().find(|object| is(wanted, object)).cloned();
    referenced.workload = ::rollout::workload_reference(rollout).and_then(|wanted| find(&wanted));
    let (references, selections) = ::rollout::router_references(rollout, &referenced.routing);
    for reference in references {
        let found = find(&reference);
        referenced.live.insert(reference, found);
    }
    for selection in selections {
        let selected = |object: &&Arc<Object>| {
            object.gvk().kind == selection.gvk.kind && selection.selector.matches(&object.labels())
        };
        for object in beside.iter().filter(selected) {
            let reference = Reference::new(selection.gvk.clone(), &selection.namespace, object.name());
            referenced.live.insert(reference, Some(object.clone()));
        }
    }
    referenced
}

/// Returns an object as it would be in the cluster beside the Rollout: in its namespace when either says none.
fn beside(rollout: &Rollout, object: &Object) -> Option<Object> {
    let mut object = object.clone();
    if object.namespace().is_empty() || rollout.namespace().is_empty() {
        object.set(&["metadata", "namespace"], rollout.namespace());
    }
    // Ingresses of older versions name their Services in another way.
    let old = object.kind() == "Ingress" && object.gvk().version != "v1";
    (!old).then_some(object)
}

/// Returns true for the object that a reference names, in whatever version the file has it.
fn is(wanted: &Reference, object: &Object) -> bool {
    let found = object.gvk();
    (&found.group, &found.kind) == (&wanted.gvk.group, &wanted.gvk.kind)
        && object.name() == wanted.name
        && object.namespace() == wanted.namespace
}

#[cfg(test)]
mod tests;
