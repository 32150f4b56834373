//! Arguments of analyses that name parts of the Experiment: `{{templates.x.podTemplateHash}}`.
//!
//! Source: Argo Rollouts `ResolveExperimentArgsValue`.

use std::collections::BTreeMap;

use api::analysis::Argument;

use super::{Pass, sets};
use crate::keys;

/// Returns the arguments with what they name filled in. Those without value are left to the template.
///
/// Errors: `failed to resolve {{…}}`.
pub(super) fn resolve(pass: &Pass, arguments: &[Argument]) -> Result<Vec<Argument>, String> {
    let known = known(pass);
    let resolve = |argument: &Argument| {
        let value = argument.value.as_ref().map(|value| fill(value, &known)).transpose()?;
        Ok(Argument { name: argument.name.clone(), value, value_from: None })
    };
    arguments.iter().map(resolve).collect()
}

fn known(pass: &Pass) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for template in &pass.experiment.spec.templates {
        if let Some(set) = sets::own(&pass.observed.replica_sets, pass, template) {
            let hash = set.label(keys::HASH).unwrap_or_default().to_owned();
            known.insert(format!("templates.{}.podTemplateHash", template.name), hash);
            known.insert(format!("templates.{}.replicaset.name", template.name), set.name().to_owned());
        }
    }
    if let Some(available) = &pass.experiment.status.available_at {
        known.insert("experiment.availableAt".to_owned(), available.clone());
    }
    if let Some(end) = pass.end() {
        known.insert("experiment.finishedAt".to_owned(), end.to_string());
    }
    known
}

fn fill(text: &str, known: &BTreeMap<String, String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else { break };
        let name = rest[start + 2..start + length].trim();
        let value = known.get(name).ok_or_else(|| format!("failed to resolve {{{{{name}}}}}"))?;
        out.push_str(&rest[..start]);
        out.push_str(value);
        rest = &rest[start + length + 2..];
    }
    out.push_str(rest);
    Ok(out)
}
