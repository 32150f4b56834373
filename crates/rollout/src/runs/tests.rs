use std::sync::Arc;

use object::{Value, json};

use super::*;

fn referenced(templates: &[(&str, &str, Value)]) -> Referenced {
    let object = |(kind, name, spec): &(&str, &str, Value)| {
        Arc::new(Object::from_value(json!({"kind": kind, "metadata": {"name": name}, "spec": spec})))
    };
    Referenced { templates: templates.iter().map(object).collect(), ..Referenced::default() }
}

fn refs(names: &[&str]) -> Vec<TemplateRef> {
    names.iter().map(|name| TemplateRef { template_name: (*name).to_owned(), cluster_scope: false }).collect()
}

const KIND: &str = "AnalysisTemplate";

#[test]
fn nested_templates_are_joined_once() {
    let all = referenced(&[
        (
            KIND,
            "a",
            json!({"metrics": [{"name": "a"}], "templates": [{"templateName": "b"}, {"templateName": "c", "clusterScope": true}]}),
        ),
        (
            KIND,
            "b",
            json!({"metrics": [{"name": "b"}], "templates": [{"templateName": "a"}], "args": [{"name": "x"}]}),
        ),
        (
            "ClusterAnalysisTemplate",
            "c",
            json!({"metrics": [{"name": "c"}], "args": [{"name": "x", "value": "1"}]}),
        ),
    ]);
    let joined = flatten(&all, &refs(&["a", "b"])).unwrap();
    let names: Vec<&str> = joined.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(joined.args.len(), 1);
    assert_eq!(joined.args[0].value.as_deref(), Some("1"));
}

#[test]
fn contradictions_are_errors() {
    let metric = |name: &str| json!({"metrics": [{"name": name}]});
    let twice = referenced(&[(KIND, "a", metric("m")), (KIND, "b", metric("m"))]);
    assert_eq!(flatten(&twice, &refs(&["a", "b"])).unwrap_err(), "two metrics have the same name 'm'");
    let arg = |value: &str| json!({"args": [{"name": "x", "value": value}]});
    let values = referenced(&[(KIND, "a", arg("1")), (KIND, "b", arg("2"))]);
    let message = "Argument `x` specified multiple times with different values: '1', '2'";
    assert_eq!(flatten(&values, &refs(&["a", "b"])).unwrap_err(), message);
    assert_eq!(flatten(&values, &refs(&["z"])).unwrap_err(), "AnalysisTemplate 'z' not found");
}

#[test]
fn arguments_come_from_the_rollout() {
    let rollout = Object::from_value(json!({
        "metadata": {"name": "r", "labels": {"app": "shop"}}, "spec": {"list": [{"deep": 7}]}
    }));
    let arg = |from: Value| json!({"name": "x", "valueFrom": from});
    let analysis =
        |from: Value| -> RolloutAnalysis { api::read(&json!({"args": [arg(from)]}), "analysis").unwrap() };
    let hashes = Hashes { stable: "s".into(), latest: "l".into() };
    for (from, value) in [
        (json!({"podTemplateHashValue": "Stable"}), "s"),
        (json!({"podTemplateHashValue": "Latest"}), "l"),
        (json!({"fieldRef": {"fieldPath": "metadata.labels['app']"}}), "shop"),
        (json!({"fieldRef": {"fieldPath": "metadata.name"}}), "r"),
        (json!({"fieldRef": {"fieldPath": "spec.list[0].deep"}}), "7"),
    ] {
        let args = arguments(&rollout, &analysis(from), &hashes).unwrap();
        assert_eq!(args[0].value.as_deref(), Some(value));
    }
    let absent = analysis(json!({"fieldRef": {"fieldPath": "status.albs[0].name"}}));
    assert_eq!(
        arguments(&rollout, &absent, &hashes).unwrap_err(),
        "invalid path status.albs[0].name in rollout"
    );
}

#[test]
fn given_values_win_and_unknown_ones_are_left_out() {
    let all = referenced(&[(
        KIND,
        "a",
        json!({"args": [{"name": "x", "value": "default"},
        {"name": "secret", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}),
    )]);
    let analysis = RolloutAnalysis { templates: refs(&["a"]), ..RolloutAnalysis::default() };
    let given = |name: &str| Argument { name: name.into(), value: Some("given".into()), value_from: None };
    let spec = spec(&all, &analysis, vec![given("x"), given("other")]).unwrap();
    assert_eq!(spec.args.len(), 2);
    assert_eq!(spec.args[0].value.as_deref(), Some("given"));
    assert!(spec.args[1].value_from.is_some());
}
