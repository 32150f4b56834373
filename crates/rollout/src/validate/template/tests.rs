use api::rollout::Rollout;
use object::{Object, Value, yaml};

/// Templates, and what Kubernetes says of them.
const SAID: &str = include_str!("said.yaml");

#[test]
fn what_kubernetes_refuses_is_refused_in_its_words() {
    let cases = yaml::document(SAID).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 80, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let mut rollout = Object::from_value(object::json!({
            "metadata": {"name": "linted"},
            "spec": {"selector": {"matchLabels": {"app": "linted"}}, "strategy": {"canary": {}}},
        }));
        rollout.set(&["spec", "template"], case["template"].clone());
        let rollout = Rollout::from_object(&rollout).unwrap();
        let got: Vec<String> = super::problems(&rollout).iter().map(ToString::to_string).collect();
        let said: Vec<&str> =
            case["said"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if got != said {
            wrong.push(format!("{}:\n  wanted {said:#?}\n  got {got:#?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn selectors_are_read_as_kubernetes_reads_them() {
    let said = |selector: Value| -> Vec<String> {
        super::selector_problems(&selector).iter().map(ToString::to_string).collect()
    };
    assert_eq!(said(object::json!({"matchLabels": {"a": "b"}})), Vec::<String>::new());
    assert_eq!(
        said(object::json!({})),
        ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]
    );
    let wrong = said(object::json!({"matchExpressions": [{"key": "a", "operator": "In"}]}));
    assert_eq!(
        wrong[0],
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
    );
    let wrong = said(object::json!({"matchExpressions": [{"key": "a", "operator": "Is"}]}));
    assert_eq!(
        wrong[0],
        "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator"
    );
    assert!(
        wrong[1].starts_with("spec.selector: Invalid value: ")
            && wrong[1].ends_with(": invalid label selector")
    );
    assert!(
        said(object::json!({"matchLabels": {"a b": "c"}}))[0]
            .starts_with("spec.selector.matchLabels: Invalid")
    );
}
