//! `app create`.

use std::io::Read as _;

use object::{Key, Object, ObjectError, Value, json, yaml};
use runtime::resources;

use super::validate::{self, Depth};
use crate::argocd::arguments::Create;
use crate::argocd::context::{Context, Failure};

const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 3 << 20;

/// Creates the Applications that the file and the flags describe.
pub(super) async fn run(options: &Create, context: &mut Context<'_>) -> Result<(), Failure> {
    let named = options.name.as_ref().or(options.named.as_ref());
    if options.file.is_none() && named.is_none() {
        return Err(Failure::usage(&["app", "create"]));
    }
    let apps = match &options.file {
        Some(file) => read(file)?,
        None => vec![json!({"spec": {"project": "default"}})],
    };
    for app in apps {
        let app = complete(app, options, context)?;
        validate::spec(&app, Depth::of(options.spec.validate), context).await?;
        store(&app, options, context).await?;
    }
    Ok(())
}

fn read(file: &str) -> Result<Vec<Value>, Failure> {
    let fail = |error: std::io::Error| Failure::fatal(format!("open {file}: {error}"));
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().take(MAX_FILE).read_to_string(&mut text).map_err(fail)?;
    } else {
        std::fs::File::open(file).map_err(fail)?.take(MAX_FILE).read_to_string(&mut text).map_err(fail)?;
    }
    let documents = yaml::documents(&text).map_err(|error| Failure::fatal(error.to_string()))?;
    let apps = documents.into_iter().filter(|document| document["kind"] == "Application");
    Ok(apps.collect())
}

/// Returns the Application of a document with what the flags say.
fn complete(document: Value, options: &Create, context: &Context<'_>) -> Result<Object, Failure> {
    let written = Object::from_value(document);
    let name = match (options.name.as_ref().or(options.named.as_ref()), written.name()) {
        (Some(name), "") => name.clone(),
        (Some(name), given) if given != name => {
            let text = format!("--name argument '{name}' does not match app spec metadata.name '{given}'");
            return Err(Failure::fatal(text));
        }
        (_, given) => given.to_owned(),
    };
    let mut key = context.key(&name);
    if !written.namespace().is_empty() {
        key.namespace = written.namespace().to_owned();
    }
    let mut app = Object::new(&resources::APPLICATIONS.gvk(), &key);
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = written.get(&["metadata", field]) {
            app.set(&["metadata", field], value.clone());
        }
    }
    app.set(&["spec"], written.get(&["spec"]).cloned().unwrap_or_else(|| json!({})));
    if app.str(&["spec", "project"]).is_empty() {
        app.set(&["spec", "project"], "default");
    }
    options.spec.write(&mut app, None)?;
    marks(&options.labels, "label", |key, value| app.set_label(key, value))?;
    marks(&options.annotations, "annotation", |key, value| app.set_annotation(key, value))?;
    if options.set_finalizer && !app.finalizers().contains(&FINALIZER) {
        let mut all: Vec<Value> = app.items(&["metadata", "finalizers"]).to_vec();
        all.push(FINALIZER.into());
        app.set(&["metadata", "finalizers"], all);
    }
    check_type(&app).map_err(|error| Failure::fatal(error.to_string()))?;
    Ok(app)
}

fn marks(all: &[String], what: &str, mut set: impl FnMut(&str, &str)) -> Result<(), Failure> {
    for mark in all {
        let Some((key, value)) = mark.split_once('=') else {
            return Err(Failure::fatal(format!("invalid {what}: {mark}, expected key=value")));
        };
        set(key, value);
    }
    Ok(())
}

fn check_type(app: &Object) -> Result<(), ObjectError> {
    Object::parse(app.to_value()).map(drop)
}

/// Creates the Application; one that exists must be the same, or is changed with `--upsert`.
async fn store(app: &Object, options: &Create, context: &mut Context<'_>) -> Result<(), Failure> {
    let key: Key = app.key();
    let word = match context.cluster.get(&resources::APPLICATIONS, &key).await? {
        None => {
            let made = context.cluster.create(&resources::APPLICATIONS, app).await;
            made.map_err(|error| {
                Failure::rpc("InvalidArgument", format!("error creating application: {}", error.message))
            })?;
            "created"
        }
        Some(existing) if is_same(&existing, app) => "unchanged",
        Some(_) if options.upsert => {
            let change =
                |existing: &Object| Ok(json!({"spec": replaced(existing, app), "metadata": marks_of(app)}));
            context.update(&key, change).await?;
            "updated"
        }
        Some(_) => {
            let text = "existing application spec is different, use upsert flag to force update";
            return Err(Failure::rpc("InvalidArgument", text));
        }
    };
    context.print(&format!("application '{}' {word}\n", app.name()))
}

fn marks_of(app: &Object) -> Value {
    let list = |field| app.get(&["metadata", field]).cloned().unwrap_or_else(|| json!({}));
    let mut marks = json!({"labels": list("labels"), "annotations": list("annotations")});
    if !app.finalizers().is_empty() {
        marks["finalizers"] = app.finalizers().into();
    }
    marks
}

/// Returns the merge patch that makes the existing spec the new one: fields that are gone are null.
fn replaced(existing: &Object, app: &Object) -> Value {
    let spec = |object: &Object| object.get(&["spec"]).cloned().unwrap_or_default();
    difference(&spec(existing), &spec(app))
}

/// Returns the merge patch from one value to another.
pub(super) fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let gone = from.keys().filter(|key| !to.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let kept = to.iter().map(|(key, value)| {
        (key.clone(), from.get(key).map_or_else(|| value.clone(), |old| difference(old, value)))
    });
    Value::Object(gone.chain(kept).collect())
}

/// Returns true when the spec is equal and the labels, annotations and finalizers asked for are there.
fn is_same(existing: &Object, app: &Object) -> bool {
    let has = |have: std::collections::BTreeMap<String, String>,
               want: std::collections::BTreeMap<String, String>| {
        want.iter().all(|(key, value)| have.get(key) == Some(value))
    };
    let finalizers = existing.finalizers();
    existing.get(&["spec"]) == app.get(&["spec"])
        && has(existing.labels(), app.labels())
        && has(existing.annotations(), app.annotations())
        && app.finalizers().iter().all(|finalizer| finalizers.contains(finalizer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_gone_become_null() {
        let (from, to) = (json!({"a": 1, "b": {"c": 1, "d": 2}}), json!({"b": {"c": 3}, "e": [1]}));
        assert_eq!(difference(&from, &to), json!({"a": null, "b": {"c": 3, "d": null}, "e": [1]}));
    }
}
