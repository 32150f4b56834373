//! The pod template: what Kubernetes would refuse of the pods, said before there are any.
//!
//! Source: `ValidatePodTemplateSpecForReplicaSet` of Kubernetes 1.36, which upstream calls; messages word for word. Fields
//! whose values only a node or an admission plugin can judge are left to the API server.

mod container;
mod environment;
mod names;
mod pod;
mod ports;
mod probe;
mod resources;
mod selector;
mod volumes;

use std::fmt::Display;

use api::rollout::Rollout;
use object::{LabelSelector, Object, Value, json};

use super::Problem;

const AT: &str = "spec.template";

/// Returns what makes the template unusable, in the order of Kubernetes.
pub(super) fn problems(rollout: &Rollout) -> Vec<Problem> {
    let template = Object::from_value(rollout.spec.template.clone().unwrap_or_default());
    let mut check = Check::default();
    let selector =
        rollout.spec.selector.as_ref().and_then(|selector| LabelSelector::from_json(selector).ok());
    if selector.is_some_and(|selector| !selector.is_empty() && !selector.matches(&template.labels())) {
        let message = "`selector` does not match template `labels`";
        check.invalid(&format!("{AT}.metadata.labels"), &json!(template.labels()), message);
    }
    names::labels(&mut check, &format!("{AT}.labels"), &template.labels());
    names::annotations(&mut check, &format!("{AT}.annotations"), &template.annotations());
    pod::check(&mut check, template.get(&["spec"]).unwrap_or(&Value::Null), &format!("{AT}.spec"));
    check.0
}

/// Returns what is wrong with the selector.
pub(super) fn selector_problems(selector: &Value) -> Vec<Problem> {
    let mut check = Check::default();
    selector::check(&mut check, selector);
    check.0
}

/// The problems found so far.
#[derive(Default)]
struct Check(Vec<Problem>);

impl Check {
    fn add(&mut self, path: &str, message: String) {
        self.0.push(Problem { path: path.to_owned(), message });
    }

    fn invalid(&mut self, path: &str, value: &Value, message: &str) {
        self.0.push(Problem::invalid(path, value, message));
    }

    fn required(&mut self, path: &str, detail: &str) {
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        self.add(path, format!("Required value{detail}"));
    }

    fn duplicate(&mut self, path: &str, value: &str) {
        self.add(path, format!("Duplicate value: {value:?}"));
    }

    fn not_found(&mut self, path: &str, value: &str) {
        self.add(path, format!("Not found: {value:?}"));
    }

    fn forbidden(&mut self, path: &str, message: &str) {
        self.add(path, format!("Forbidden: {message}"));
    }

    /// Refuses a text that is there and not one of those supported.
    fn one_of(&mut self, path: &str, value: &Value, supported: &[&str]) {
        let text = value.as_str().unwrap_or_default();
        if !text.is_empty() && !supported.contains(&text) {
            let all: Vec<String> = supported.iter().map(|word| format!("{word:?}")).collect();
            let message = format!("Unsupported value: {text:?}: supported values: {}", all.join(", "));
            self.add(path, message);
        }
    }

    /// Refuses a number that is there and below 0.
    fn not_negative(&mut self, path: &str, value: &Value) {
        if value.as_i64().is_some_and(|number| number < 0) {
            self.invalid(path, value, "must be greater than or equal to 0");
        }
    }

    /// Refuses a number that is there and outside of the bounds.
    fn within(&mut self, path: &str, value: &Value, (low, high): (i64, i64)) {
        if value.as_i64().is_some_and(|number| !(low..=high).contains(&number)) {
            self.invalid(path, value, &format!("must be between {low} and {high}, inclusive"));
        }
    }
}

fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn at(path: &str, index: impl Display) -> String {
    format!("{path}[{index}]")
}

#[cfg(test)]
mod tests;
