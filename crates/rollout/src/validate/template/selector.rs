//! `spec.selector`.

use object::{LabelSelector, Object, Value, json};

use super::{Check, at, items, names, text};

const AT: &str = "spec.selector";

/// Source: `ValidateLabelSelector` of Kubernetes, and upstream's own checks after it.
pub(super) fn check(check: &mut Check, selector: &Value) {
    let labels = Object::from_value(json!({"metadata": {"labels": selector["matchLabels"]}})).labels();
    names::labels(check, &format!("{AT}.matchLabels"), &labels);
    let expressions = items(selector, "matchExpressions");
    for (index, expression) in expressions.iter().enumerate() {
        self::expression(check, expression, &at(&format!("{AT}.matchExpressions"), index));
    }
    if labels.is_empty() && expressions.is_empty() {
        check.invalid(AT, selector, "empty selector is invalid for deployment");
    }
    if LabelSelector::from_json(selector).is_err() {
        check.invalid(AT, selector, "invalid label selector");
    }
}

fn expression(check: &mut Check, expression: &Value, path: &str) {
    let values = items(expression, "values");
    match text(expression, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            let message = "must be specified when `operator` is 'In' or 'NotIn'";
            check.required(&format!("{path}.values"), message);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let message = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            check.forbidden(&format!("{path}.values"), message);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => check.invalid(&format!("{path}.operator"), &json!(other), "not a valid selector operator"),
    }
    names::key(check, &format!("{path}.key"), text(expression, "key"));
}
