//! Messages of blue-green, routers, roles and workloads.

use super::*;

const GATEWAY: &str = "trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: h, namespace: 'n'}}, managedRoutes: [{name: m}]}";

#[track_caller]
fn check(strategy: &str, message: &str) {
    assert_eq!(first(&rollout(strategy), &Referenced::default()), message, "{strategy}");
}

#[test]
fn blue_green() {
    check(
        "{blueGreen: {activeService: same, previewService: same}}",
        r#"spec.strategy.activeService: Invalid value: "same": This rollout uses the same service for the active and preview services, but two different services are required."#,
    );
    check(
        "{blueGreen: {activeService: a, scaleDownDelayRevisionLimit: 11}}",
        "spec.strategy.scaleDownDelayRevisionLimit: Invalid value: 11: This rollout's revision history limit can not be smaller than the rollout's scale down limit",
    );
    check(
        "{blueGreen: {activeService: a}}",
        r#"spec.strategy.blueGreen.activeService: Invalid value: "a": services "a" not found"#,
    );
    check(
        "{blueGreen: {activeService: a, antiAffinity: {}}}",
        r#"spec.strategy.antiAffinity: Invalid value: "antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: false antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: false": AntiAffinity must have exactly one strategy listed"#,
    );
    check(
        "{canary: {antiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: {weight: 101}}}}",
        "spec.strategy.antiAffinity.weight: Invalid value: 101: AntiAffinity weight must be between 1-100",
    );
}

#[test]
fn services_that_routers_need() {
    for routing in [
        "alb: {ingress: i, servicePort: 80}",
        "istio: {virtualService: {name: v}}",
        "smi: {}",
        "apisix: {route: {name: r}}",
        "nginx: {stableIngress: i}",
    ] {
        let strategy = format!("{{canary: {{canaryService: c, trafficRouting: {{{routing}}}}}}}");
        check(
            &strategy,
            r#"spec.strategy.stableService: Invalid value: "": Canary service and Stable service must to be set to use Traffic Routing"#,
        );
    }
}

#[test]
fn ping_and_pong() {
    check(
        "{canary: {pingPong: {pingService: a, pongService: b}, trafficRouting: {smi: {}}}}",
        "spec.strategy.trafficRouting.alb: Invalid value: null: Ping-pong feature works with the ALB traffic routing only",
    );
    check(
        "{canary: {pingPong: {pingService: a, pongService: a}, trafficRouting: {alb: {ingress: i, servicePort: 80, rootService: r}}}}",
        r#"spec.strategy.pingPong.pingService: Invalid value: "a": This rollout uses the same service for the ping and pong services, but two different services are required."#,
    );
    check(
        "{canary: {pingPong: {pingService: a, pongService: ''}, trafficRouting: {alb: {ingress: i, servicePort: 80, rootService: r}}}}",
        r#"spec.strategy.pingPong.pongService: Invalid value: "": Ping service and Pong service must to be set to use Ping-Pong feature"#,
    );
    check(
        "{canary: {pingPong: {pingService: a, pongService: b}, trafficRouting: {alb: {ingress: i, servicePort: 80}}}}",
        r#"spec.strategy.trafficRouting.alb.rootService: Invalid value: "": Root service field is required for the configuration with ALB and ping-pong feature enabled"#,
    );
}

#[test]
fn delays_and_weights_of_routers() {
    check(
        &format!("{{canary: {{scaleDownDelaySeconds: 1, dynamicStableScale: true, {GATEWAY}}}}}"),
        "spec.strategy.dynamicStableScale: Invalid value: true: Canary dynamicStableScale cannot be used with scaleDownDelaySeconds",
    );
    check(
        "{canary: {dynamicStableScale: true}}",
        "spec.strategy.dynamicStableScale: Invalid value: true: Canary dynamicStableScale can only be used with traffic routing",
    );
    check(
        "{canary: {canaryService: c, stableService: s, trafficRouting: {smi: {}, maxTrafficWeight: 1000}}}",
        "spec.strategy.trafficRouting.maxTrafficWeight: Invalid value: 1000: Canary maxTrafficWeight in traffic routing only support in Nginx and Plugins",
    );
    check(
        "{canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: h}}, maxTrafficWeight: 1000}, steps: [{setWeight: 1001}]}}",
        "spec.strategy.steps[0].setWeight: Invalid value: 1001: SetWeight needs to be between 0 and 1000",
    );
}

#[test]
fn routes_of_steps() {
    let header = |value: &str| {
        format!(
            "{{canary: {{{GATEWAY}, steps: [{{setHeaderRoute: {{name: m, match: [{{headerName: h, headerValue: {value}}}]}}}}]}}}}"
        )
    };
    let at = "spec.strategy.steps[0].setHeaderRoute";
    check(
        &header("{exact: a, prefix: b}"),
        &format!(
            r#"{at}.match[0]: Invalid value: {{"exact":"a","prefix":"b"}}: StringMatch match value must have exactly one of the following: exact, regex, prefix"#
        ),
    );
    check(
        &header("{}"),
        &format!(
            "{at}.match[0]: Invalid value: {{}}: StringMatch value missed, match value must have one of the following: exact, regex, prefix"
        ),
    );
    check(
        "{canary: {steps: [{setHeaderRoute: {name: m}}]}}",
        &format!(
            r#"{at}: Invalid value: {{"name":"m"}}: SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix"#
        ),
    );
    check(
        "{canary: {steps: [{setMirrorRoute: {name: m}}]}}",
        r#"spec.strategy.steps[0].setMirrorRoute: Invalid value: {"name":"m"}: SetMirrorRoute requires TrafficRouting, supports Istio only"#,
    );
    check(
        &format!("{{canary: {{{GATEWAY}, steps: [{{setHeaderRoute: {{name: other}}}}]}}}}"),
        &format!(
            r#"{at}: Invalid value: "other": Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"#
        ),
    );
    check(
        "{canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: h}}}, steps: [{setHeaderRoute: {name: m}}]}}",
        "spec.strategy.trafficRouting.managedRoutes: Required value: Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'",
    );
}

#[test]
fn experiments() {
    let step = |routing: &str, template: &str| {
        format!("{{canary: {{{routing}steps: [{{experiment: {{templates: [{template}]}}}}]}}}}")
    };
    let at = "spec.strategy.steps[0].experiment.templates[0]";
    check(
        &step("", "{name: a, specRef: canary, weight: 5}"),
        &format!(
            "{at}.weight: Invalid value: 5: Experiment template weight cannot be set unless TrafficRouting is enabled"
        ),
    );
    check(
        &step(
            "canaryService: c, stableService: s, trafficRouting: {nginx: {stableIngress: i}}, ",
            "{name: a, specRef: canary, weight: 5}",
        ),
        &format!(
            "{at}.weight: Invalid value: 5: Experiment template weight is only available for TrafficRouting with SMI, ALB, and Istio at this time"
        ),
    );
    check(
        &step("", "{name: a, specRef: other}"),
        &format!(
            r#"{at}.specRef: Invalid value: "other": Invalid template step SpecRef: must be canary or stable"#
        ),
    );
    check(
        "{canary: {steps: [{experiment: {templates: [{name: a, specRef: canary}], analyses: [{name: x, templateName: t}]}}]}}",
        r#"spec.strategy.canary.steps[0].experiment.analyses[0].templateName: Invalid value: "templateNames: [t]": AnalysisTemplate 't' not found"#,
    );
}

#[test]
fn a_service_of_another_rollout() {
    let value = json!({"kind": "Service", "metadata": {"name": "a", "annotations": {crate::keys::MANAGED_BY: "other"}},
        "spec": {"selector": {"app": "r"}}});
    let referenced =
        Referenced { services: vec![Arc::new(Object::from_value(value))], ..Referenced::default() };
    assert_eq!(
        first(&rollout("{blueGreen: {activeService: a}}"), &referenced),
        r#"spec.strategy.blueGreen.activeService: Invalid value: "a": Service "a" is managed by another Rollout"#
    );
}

#[test]
fn a_kind_that_the_cluster_does_not_serve() {
    let referenced = Referenced {
        unserved: vec![object::Gvk::new("gateway.networking.k8s.io", "v1", "HTTPRoute")],
        ..Referenced::default()
    };
    assert_eq!(
        first(&rollout(&format!("{{canary: {{{GATEWAY}}}}}")), &referenced),
        "spec.strategy.canary.trafficRouting: Invalid value: the cluster does not serve HTTPRoute of gateway.networking.k8s.io/v1"
    );
}

#[test]
fn in_a_file_nothing_is_missed_and_all_is_told() {
    let excerpt = || Referenced {
        extent: crate::Extent::Excerpt,
        live: traffic::Live::excerpt(),
        ..Referenced::default()
    };
    let service = |name: &str, app: &str| {
        let value =
            json!({"kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": app}}});
        Arc::new(Object::from_value(value))
    };
    let texts = |rollout: &Rollout, referenced: &Referenced| -> Vec<String> {
        lint(rollout, referenced).iter().map(ToString::to_string).collect()
    };
    let routed = rollout(
        "{canary: {canaryService: c, stableService: s, analysis: {templates: [{templateName: t}]}, \
         trafficRouting: {istio: {virtualService: {name: v}}}, steps: [{setWeight: 120}]}}",
    );
    let weight =
        "spec.strategy.steps[0].setWeight: Invalid value: 120: SetWeight needs to be between 0 and 100";
    assert_eq!(texts(&routed, &excerpt()), [weight]);
    let wrong = Referenced { services: vec![service("s", "x"), service("c", "x")], ..excerpt() };
    let unmatched = |field: &str, name: &str| {
        format!(
            r#"spec.strategy.canary.{field}: Invalid value: "{name}": Service "{name}" has unmatch label "app" in rollout"#
        )
    };
    let wanted = [weight.to_owned(), unmatched("stableService", "s"), unmatched("canaryService", "c")];
    assert_eq!(texts(&routed, &wrong), wanted);
    let mut borrowed = rollout("{canary: {}}");
    (borrowed.spec.template, borrowed.spec.selector) = (None, None);
    borrowed.spec.workload_ref = Some(api::rollout::ObjectRef { name: "w".into(), ..Default::default() });
    assert!(texts(&borrowed, &excerpt())[0].contains("workload of type"));
    let named = api::rollout::ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        name: "w".into(),
        ..Default::default()
    };
    borrowed.spec.workload_ref = Some(named);
    assert_eq!(texts(&borrowed, &excerpt()), Vec::<String>::new());
    assert_eq!(texts(&borrowed, &Referenced::default()), [r#"deployments.apps "w" not found"#]);
}
