//! What a step does.

use object::{Key, Object, Value};
use runtime::{Deletion, Patch, Subresource};

use super::names::expand;
use super::{Driver, Part, Step, Target, kinds};

/// Does what the step says, in the order of its fields; returns what the commands printed.
pub(super) async fn act(step: &Step, driver: &dyn Driver) -> Result<String, String> {
    let mut output = String::new();
    for manifest in &step.apply {
        apply(driver, manifest).await?;
    }
    for patch in &step.patch {
        let (resource, key) = target(driver, &patch.of).await?;
        let merge = Patch::merge(expand(driver, &patch.merge).await?);
        let merge = match patch.part {
            Part::Whole => merge,
            Part::Status => merge.on(Subresource::Status),
            Part::Scale => merge.on(Subresource::Scale),
        };
        driver.cluster().patch(&resource, &key, &merge).await.map_err(|error| format!("{key}: {error}"))?;
    }
    for of in &step.delete {
        let (resource, key) = target(driver, of).await?;
        let deleted = driver.cluster().delete(&resource, &key, &Deletion::default()).await;
        deleted.map_err(|error| format!("{key}: {error}"))?;
    }
    if let Some(folder) = &step.commit {
        let commit = driver.commit(folder, &step.step).await?;
        output.push_str(&format!("commit {}\n", &commit[..commit.len().min(7)]));
    }
    for line in &step.run {
        let line = line.replace("${REPO}", &driver.repository());
        let ran = driver.run(words(&line, driver.namespace())).await?;
        if ran.exit != 0 {
            return Err(format!("{line}: exit code {}: {}", ran.exit, ran.text.trim()));
        }
        output.push_str(&format!("$ {line}\n{}", ran.text));
    }
    for text in &step.printed {
        let text = expand(driver, &Value::String(text.clone())).await?;
        let text = text.as_str().unwrap_or_default();
        if !output.contains(text) {
            return Err(format!("{text:?} was not printed:\n{output}"));
        }
    }
    Ok(output)
}

/// Applies a manifest in the namespace of the scenario, as a user does.
async fn apply(driver: &dyn Driver, manifest: &Value) -> Result<(), String> {
    let manifest = expand(driver, manifest).await?;
    let object = Object::parse(manifest).map_err(|error| error.to_string())?;
    let resource = kinds::served(driver, &object.gvk()).await?;
    let namespace = match (resource.namespaced, object.namespace()) {
        (false, _) => "",
        (true, "") => driver.namespace(),
        (true, namespace) => namespace,
    };
    let key = Key::new(namespace, object.name());
    let patch = Patch::apply(object.to_value(), "scenario").force();
    let applied = driver.cluster().patch(&resource, &key, &patch).await;
    applied.map(drop).map_err(|error| format!("{} {key}: {error}", object.kind()))
}

async fn target(driver: &dyn Driver, of: &Target) -> Result<(runtime::Resource, Key), String> {
    let resource = kinds::named(driver, &of.kind, of.api_version.as_deref()).await?;
    let name = expand(driver, &Value::String(of.name.clone())).await?;
    let namespace = if resource.namespaced { driver.namespace() } else { "" };
    Ok((resource, Key::new(namespace, name.as_str().unwrap_or_default())))
}

/// Returns the words of a command line; `kubectl argo rollouts` and `slipway explain` are told the namespace.
fn words(line: &str, namespace: &str) -> Vec<String> {
    let line = match line.strip_prefix("kubectl argo rollouts ") {
        Some(rest) => format!("kubectl-argo-rollouts --namespace {namespace} {rest}"),
        None if line.starts_with("slipway explain ") => format!("{line} --namespace {namespace}"),
        None => line.to_owned(),
    };
    line.split_whitespace().map(str::to_owned).collect()
}
