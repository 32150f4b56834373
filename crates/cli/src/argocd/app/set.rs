//! `app set`, `app unset`.

use object::{Object, Value, json};

use super::create::difference;
use super::validate::{self, Depth};
use crate::argocd::arguments::{Set, Unset, image_name, position, set_source, source};
use crate::argocd::context::{Context, Failure};

/// Changes the spec as the flags say.
pub(super) async fn set(options: &Set, context: &mut Context<'_>) -> Result<(), Failure> {
    let app = context.app(&options.name).await?;
    let change = |app: &Object| {
        let mut changed = app.clone();
        let position = position(app, options.source_position, options.spec.source.source_name.as_deref())?;
        if !options.spec.write(&mut changed, position)? {
            return Err(nothing("set", Some("Please set at least one option to update")));
        }
        Ok(changed)
    };
    let changed = change(&app)?;
    validate::spec(&changed, Depth::of(options.spec.validate), context).await?;
    context.update(&app.key(), |app| Ok(patch(app, &change(app)?))).await.map(drop)
}

/// Takes parts of a source's configuration back.
pub(super) async fn unset(options: &Unset, context: &mut Context<'_>) -> Result<(), Failure> {
    let change = |app: &Object| {
        let mut changed = app.clone();
        let position = position(app, options.source_position, options.source_name.as_deref())?;
        let mut source = source(app, position)?;
        take_back(&mut source, options);
        set_source(&mut changed, position, source);
        if changed == *app { Err(nothing("unset", None)) } else { Ok(patch(app, &changed)) }
    };
    context.update(&context.key(&options.name), change).await.map(drop)
}

/// Returns the merge patch from one Application's spec to another's.
fn patch(app: &Object, changed: &Object) -> Value {
    let spec = |object: &Object| object.get(&["spec"]).cloned().unwrap_or_default();
    json!({"spec": difference(&spec(app), &spec(changed))})
}

fn nothing(verb: &str, problem: Option<&str>) -> Failure {
    match Failure::usage(&["app", verb]) {
        Failure::Usage { text, .. } => Failure::Usage { text, problem: problem.map(str::to_owned) },
        other => other,
    }
}

fn take_back(source: &mut Object, options: &Unset) {
    let gone = |entry: &Value| options.parameters.iter().any(|name| entry["name"] == *name);
    retain(source, &["helm", "parameters"], |entry| !gone(entry));
    retain(source, &["helm", "valueFiles"], |entry| !options.values.iter().any(|file| entry == file));
    let named = |entry: &Value, names: &[String]| names.iter().any(|name| entry["name"] == *name);
    retain(source, &["kustomize", "replicas"], |entry| !named(entry, &options.kustomize_replicas));
    retain(source, &["plugin", "env"], |entry| !named(entry, &options.plugin_envs));
    let image = |entry: &Value| entry.as_str().map(image_name).unwrap_or_default().to_owned();
    let images = &options.kustomize_images;
    retain(source, &["kustomize", "images"], |entry| {
        !images.iter().any(|name| image_name(name) == image(entry))
    });
    let switches = [
        (options.values_literal, ["helm", "values"]),
        (options.values_literal, ["helm", "valuesObject"]),
        (options.nameprefix, ["kustomize", "namePrefix"]),
        (options.namesuffix, ["kustomize", "nameSuffix"]),
        (options.kustomize_version, ["kustomize", "version"]),
        (options.kustomize_namespace, ["kustomize", "namespace"]),
        (options.ignore_missing_value_files, ["helm", "ignoreMissingValueFiles"]),
        (options.ignore_missing_components, ["kustomize", "ignoreMissingComponents"]),
        (options.pass_credentials, ["helm", "passCredentials"]),
    ];
    for (_, path) in switches.iter().filter(|(given, _)| *given) {
        source.remove(path);
    }
    if options.reference {
        source.remove(&["ref"]);
    }
}

/// Keeps the entries of a list that `keep` likes; a list left empty goes.
fn retain(source: &mut Object, path: &[&str], keep: impl Fn(&Value) -> bool) {
    let mut all = source.items(path).to_vec();
    let before = all.len();
    all.retain(keep);
    if all.is_empty() && before > 0 {
        source.remove(path);
    } else if all.len() < before {
        source.set(path, all);
    }
}
