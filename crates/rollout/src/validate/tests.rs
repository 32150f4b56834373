mod strategies;

use std::sync::Arc;

use object::{Object, yaml};

use super::*;

fn rollout(strategy: &str) -> Rollout {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: r, namespace: n}}\nspec:\n  \
         selector: {{matchLabels: {{app: r}}}}\n  template:\n    metadata: {{labels: {{app: r}}}}\n    \
         spec: {{containers: [{{name: c, image: i}}]}}\n  strategy: {strategy}\n"
    );
    Rollout::from_object(&Object::from_value(yaml::document(&text).unwrap())).unwrap()
}

#[track_caller]
fn first(rollout: &Rollout, referenced: &Referenced) -> String {
    validate(rollout, referenced).unwrap_err()[0].to_string()
}

#[test]
fn messages_are_those_of_upstream() {
    let message_of_two = r#"spec.strategy.steps[0]: Invalid value: "step.Experiment: false step.Pause: true step.SetWeight: true step.Analysis: false": Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"#;
    for (strategy, message) in [
        (
            "{}",
            "spec.strategy.strategy: Required value: Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
        ),
        (
            "{canary: {}, blueGreen: {}}",
            r#"spec.strategy.strategy: Invalid value: "blueGreen: true canary: true": Multiple Strategies can not be listed"#,
        ),
        (
            "{canary: {maxSurge: 0, maxUnavailable: 0}}",
            "spec.strategy.maxSurge: Invalid value: 0: MaxSurge and MaxUnavailable both can not be zero",
        ),
        (
            "{canary: {steps: [{setWeight: 120}]}}",
            "spec.strategy.steps[0].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100",
        ),
        (
            "{canary: {steps: [{setWeight: -1}]}}",
            "spec.strategy.steps[0].setWeight: Invalid value: -1: SetWeight needs to be between 0 and 100",
        ),
        (
            "{canary: {steps: [{pause: {duration: -1}}]}}",
            "spec.strategy.steps[0].pause.duration: Invalid value: -1: Duration needs to be greater than 0",
        ),
        (
            "{canary: {steps: [{pause: {duration: soon}}]}}",
            "spec.strategy.steps[0].pause.duration: Invalid value: -1: Duration needs to be greater than 0",
        ),
        ("{canary: {steps: [{setWeight: 1, pause: {}}]}}", message_of_two),
        (
            "{canary: {steps: [{}]}}",
            r#"spec.strategy.steps[0]: Invalid value: "step.Experiment: true step.Pause: true step.SetWeight: true step.Analysis: true step.SetCanaryScale: true step.SetHeaderRoute: true step.SetMirrorRoutes: true": Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"#,
        ),
        (
            "{canary: {steps: [{setCanaryScale: {replicas: 1}}]}}",
            "spec.strategy.trafficRouting: Required value: SetCanaryScale requires TrafficRouting to be set",
        ),
        (
            "{canary: {scaleDownDelaySeconds: 1}}",
            "spec.strategy.scaleDownDelaySeconds: Invalid value: 1: Canary scaleDownDelaySeconds can only be used with traffic routing",
        ),
        (
            "{canary: {canaryService: s, stableService: s}}",
            r#"spec.strategy.stableService: Invalid value: "s": This rollout uses the same service for the stable and canary services, but two different services are required."#,
        ),
    ] {
        assert_eq!(first(&rollout(strategy), &Referenced::default()), message, "{strategy}");
    }
    let mut without = rollout("{canary: {}}");
    without.spec.selector = None;
    let message = "spec.selector: Required value: Rollout has missing field '.spec.selector'";
    assert_eq!(first(&without, &Referenced::default()), message);
}

#[test]
fn templates_must_fit() {
    let mut other = rollout("{canary: {}}");
    other.spec.template =
        Some(json!({"metadata": {"labels": {"app": "different"}}, "spec": {"containers": [{"name": "c"}]}}));
    let problems = validate(&other, &Referenced::default()).unwrap_err();
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            r#"spec.template.metadata.labels: Invalid value: {"app":"different"}: `selector` does not match template `labels`"#,
            "spec.template.spec.containers[0].image: Required value",
        ]
    );
}

#[test]
fn fields_not_acted_on_are_refused_by_name() {
    let plugin = rollout("{canary: {steps: [{plugin: {name: a/b}}]}}");
    let problems = validate(&plugin, &Referenced::default()).unwrap_err();
    assert_eq!(problems[0].path, "spec.strategy.canary.steps[0].plugin");
}

#[test]
fn what_is_named_must_exist() {
    let service = rollout("{canary: {canaryService: s}}");
    let message = r#"spec.strategy.canary.canaryService: Invalid value: "s": services "s" not found"#;
    assert_eq!(first(&service, &Referenced::default()), message);
    let step = rollout("{canary: {steps: [{analysis: {templates: [{templateName: t}]}}]}}");
    let message = r#"spec.strategy.canary.steps[0].analysis.templates: Invalid value: "templateNames: [t]": AnalysisTemplate 't' not found"#;
    assert_eq!(first(&step, &Referenced::default()), message);
    let template = |spec: Value| {
        let value = json!({"kind": "AnalysisTemplate", "metadata": {"name": "t"}, "spec": spec});
        Referenced { templates: vec![Arc::new(Object::from_value(value))], ..Referenced::default() }
    };
    let endless =
        template(json!({"metrics": [{"name": "m", "interval": "1s", "provider": {"web": {"url": "u"}}}]}));
    assert!(first(&step, &endless).ends_with(
        "AnalysisTemplate t has metric m which runs indefinitely. Invalid value for count: <nil>"
    ));
    let asking = template(json!({"metrics": [], "args": [{"name": "x"}]}));
    assert!(first(&step, &asking).ends_with("args.x was not resolved"));
    assert!(
        validate(&step, &template(json!({"metrics": [{"name": "m", "provider": {"web": {"url": "u"}}}]})))
            .is_ok()
    );
}

#[test]
fn defaults() {
    let checked = validate(
        &rollout("{canary: {steps: [{setWeight: 20}, {pause: {duration: 1h30m}}]}}"),
        &Referenced::default(),
    )
    .unwrap();
    let settings = checked.settings();
    assert_eq!((settings.replicas, settings.max_surge, settings.max_unavailable), (1, 1, 0));
    assert_eq!(settings.revision_history_limit, 10);
    assert_eq!(settings.steps[1], crate::Step::Pause(Some(std::time::Duration::from_secs(5400))));
    let text = |text: &str| Some(api::IntOrString::Text(text.to_owned()));
    assert_eq!(limits(10, None, None), (3, 2));
    assert_eq!(limits(10, text("1%").as_ref(), text("1%").as_ref()), (1, 0));
    assert_eq!(limits(10, text("0%").as_ref(), text("1%").as_ref()), (0, 1));
}

#[test]
fn metrics_of_templates_must_be_sound() {
    let web = json!({"web": {"url": "http://x"}});
    let check = |analysis: &str, spec: &Value, message: &str| {
        let value = json!({"kind": "AnalysisTemplate", "metadata": {"name": "t"}, "spec": spec});
        let referenced =
            Referenced { templates: vec![Arc::new(Object::from_value(value))], ..Referenced::default() };
        let refs = "templates: [{templateName: t}]";
        for (place, path) in [
            (format!("{{canary: {{steps: [{{analysis: {{{refs}{analysis}}}}}]}}}}"), "steps[0].analysis"),
            (format!("{{canary: {{analysis: {{{refs}{analysis}}}}}}}"), "analysis"),
        ] {
            let path = format!("spec.strategy.canary.{path}.templates");
            let expected = format!("{path}: Invalid value: \"t\": AnalysisTemplate t: {message}");
            assert_eq!(first(&rollout(&place), &referenced), expected);
        }
    };
    let metric = |more: Value| {
        let mut metric = json!({"name": "m", "provider": web, "interval": "1s", "count": 2});
        for (key, value) in more.as_object().unwrap() {
            metric[key] = value.clone();
        }
        json!({"metrics": [metric]})
    };
    for (more, message) in [
        (json!({"interval": ""}), "interval must be specified when count > 1"),
        (json!({"failureLimit": 3}), "count must be >= failureLimit + consecutiveSuccessLimit"),
        (json!({"inconclusiveLimit": 3}), "count must be >= inconclusiveLimit"),
        (json!({"failureLimit": -2}), "failureLimit must be >= -1"),
        (json!({"failureLimit": -1}), "failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        (json!({"provider": {}}), "no provider specified"),
        (json!({"provider": {"web": {"url": "u"}, "job": {}}}), "multiple providers specified"),
    ] {
        check("", &metric(more), &format!("metrics[0]: {message}"));
    }
    check("", &json!({"metrics": []}), "no metrics specified");
    let none = "Rule didn't match any metric name(s)";
    check(", dryRun: [{metricName: other}]", &metric(json!({})), &format!("dryRun[0]: {none}"));
    let retention = ", measurementRetention: [{metricName: other, limit: 1}]";
    check(retention, &metric(json!({})), &format!("measurementRetention[0]: {none}"));
    let unknown = json!({"metrics": [{"name": "m", "provider": {"web": {"url": "{{args.gone}}"}}}]});
    check("", &unknown, "failed to resolve {{args.gone}}");
}

#[test]
fn a_field_that_nobody_knows_is_named() {
    let mut strange = rollout("{canary: {}}");
    strange.object.set(&["spec", "minReadySecond"], 30);
    let message = "spec.minReadySecond: Unsupported value: this version does not know this field";
    assert_eq!(first(&strange, &Referenced::default()), message);
}
