//! Fields that are not acted on: known ones whose time is to come, and unknown ones at the top of `spec`.

use api::rollout::Rollout;

use super::Problem;

/// Every field of `spec`.
const SPEC: [&str; 13] = [
    "analysis",
    "minReadySeconds",
    "paused",
    "progressDeadlineAbort",
    "progressDeadlineSeconds",
    "replicas",
    "restartAt",
    "revisionHistoryLimit",
    "rollbackWindow",
    "selector",
    "strategy",
    "template",
    "workloadRef",
];

/// Returns one problem for each field at the top of `spec` that is not known: misspelt, or of a later version. The
/// definition keeps such fields, so that a later version finds them again; below, the API server drops them and says so.
pub(super) fn unknown(rollout: &Rollout) -> Vec<Problem> {
    let fields = rollout.object.get(&["spec"]).and_then(object::Value::as_object);
    let strange = fields.into_iter().flatten().filter(|(field, _)| !SPEC.contains(&field.as_str()));
    let message = "Unsupported value: this version does not know this field";
    strange.map(|(field, _)| Problem { path: format!("spec.{field}"), message: message.to_owned() }).collect()
}

/// Returns one problem for each field that is set and not acted on.
pub(super) fn problems(rollout: &Rollout) -> Vec<Problem> {
    let spec = &rollout.spec;
    let mut fields: Vec<String> = Vec::new();
    let mut refuse = |set: bool, field: &str| {
        if set {
            fields.push(field.to_owned());
        }
    };
    if let Some(canary) = &spec.strategy.canary {
        for (index, step) in canary.steps.iter().enumerate() {
            refuse(step.plugin.is_some(), &format!("spec.strategy.canary.steps[{index}].plugin"));
        }
    }
    let message = "Unsupported value: this version does not act on this field yet";
    fields.into_iter().map(|path| Problem { path, message: message.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::SPEC;

    #[test]
    fn the_fields_of_the_spec_are_those_of_the_definition() {
        let all = api::crds::all();
        let rollouts = all.iter().find(|crd| crd.str(&["spec", "names", "kind"]) == "Rollout").unwrap();
        let schema = &rollouts.items(&["spec", "versions"])[0]["schema"]["openAPIV3Schema"];
        let fields = schema["properties"]["spec"]["properties"].as_object().unwrap();
        assert_eq!(fields.keys().collect::<Vec<_>>(), SPEC);
    }
}
