use super::*;

const ROLLOUT: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: r, namespace: demo}
spec:
  selector: {matchLabels: {app: r}}
  template:
    metadata: {labels: {app: r}}
    spec: {containers: [{name: c, image: i}]}
";

/// Returns what is wrong with a Rollout of this strategy and other documents.
#[track_caller]
fn linted(strategy: &str, others: &str) -> Vec<String> {
    let text = format!("{ROLLOUT}  strategy: {strategy}\n---\n{others}");
    let problems = problems(&objects(&text).unwrap()).unwrap();
    problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(text: &str) -> String {
    match objects(text).unwrap_err() {
        Failure::Error(text) => text,
        Failure::Usage(text) => panic!("usage: {text}"),
    }
}

#[test]
fn objects_that_a_router_names_are_looked_at_when_they_are_there() {
    let istio = "{canary: {canaryService: c, stableService: s, trafficRouting: {istio: {virtualService: {name: v}}}}}";
    assert_eq!(linted(istio, ""), Vec::<String>::new());
    let service = |host: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {{http: [{{route: \
             [{{destination: {{host: s}}}}, {{destination: {{host: {host}}}}}]}}]}}\n"
        )
    };
    assert_eq!(linted(istio, &service("c")), Vec::<String>::new());
    let wrong = linted(istio, &service("other"));
    assert!(
        wrong.len() == 1 && wrong[0].starts_with("spec.strategy.canary.trafficRouting.istio"),
        "{wrong:?}"
    );
}

#[test]
fn an_ingress_must_lead_to_the_stable_service() {
    let nginx = "{canary: {canaryService: c, stableService: s, trafficRouting: {nginx: {stableIngress: i}}}}";
    let ingress = |version: &str, service: &str| {
        format!(
            "apiVersion: {version}\nkind: Ingress\nmetadata: {{name: i}}\nspec: {{rules: [{{http: {{paths: [{{path: /, \
             pathType: Prefix, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}}}]}}\n"
        )
    };
    assert_eq!(linted(nginx, &ingress("networking.k8s.io/v1", "s")), Vec::<String>::new());
    assert_eq!(
        linted(nginx, &ingress("networking.k8s.io/v1", "x")),
        [
            r#"spec.strategy.canary.trafficRouting.nginx.stableIngress: Invalid value: "i": ingress `i` has no rules using service s backend"#
        ]
    );
    assert_eq!(linted(nginx, &ingress("networking.k8s.io/v1beta1", "x")), Vec::<String>::new());
}

#[test]
fn a_route_of_the_gateway_api_must_lead_to_both_services() {
    let gateway = "{canary: {canaryService: c, stableService: s, trafficRouting: {plugins: \
                   {argoproj-labs/gatewayAPI: {httpRoute: r}}}}}";
    let route = |other: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: demo}}\nspec: \
             {{rules: [{{backendRefs: [{{name: s, port: 80}}, {{name: {other}, port: 80}}]}}]}}\n"
        )
    };
    assert_eq!(linted(gateway, &route("c")), Vec::<String>::new());
    assert_eq!(linted(gateway, &route("x")).len(), 1);
}

#[test]
fn objects_of_other_namespaces_are_not_meant() {
    let service = |namespace: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a{namespace}}}\nspec: {{selector: {{app: x}}}}\n"
        )
    };
    assert_eq!(linted("{blueGreen: {activeService: a}}", &service("")).len(), 1);
    assert_eq!(linted("{blueGreen: {activeService: a}}", &service(", namespace: demo")).len(), 1);
    assert_eq!(
        linted("{blueGreen: {activeService: a}}", &service(", namespace: other")),
        Vec::<String>::new()
    );
}

#[test]
fn templates_are_judged_when_all_of_them_are_there() {
    let canary = "{canary: {steps: [{analysis: {templates: [{templateName: t}]}}]}}";
    let endless = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: t}\nspec: {metrics: \
                   [{name: m, interval: 1s, provider: {web: {url: u}}}]}\n";
    assert_eq!(linted(canary, ""), Vec::<String>::new());
    assert!(linted(canary, endless)[0].contains("which runs indefinitely"));
    let nested = endless.replace("metrics:", "templates: [{templateName: absent}], metrics:");
    assert_eq!(linted(canary, &nested), Vec::<String>::new());
}

#[test]
fn reading_is_strict() {
    let json = "error unmarshaling JSON: while decoding JSON:";
    assert_eq!(refused("a: 1\n"), format!(r#"{json} Object 'Kind' is missing in '{{"a":1}}'"#));
    assert!(refused("[1]").starts_with(&format!("{json} json: cannot unmarshal array")));
    let text = format!("{ROLLOUT}  replicas: two\n");
    assert_eq!(
        refused(&text),
        format!(
            "{json} json: cannot unmarshal string into Go struct field RolloutSpec.spec.replicas of type int32"
        )
    );
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selectors: {}}\n";
    assert_eq!(refused(service), format!(r#"{json} json: unknown field "selectors""#));
    let other = "apiVersion: v1\nkind: Pod\nmetadata: {name: s}\nspec: {selectors: {}}\n";
    assert_eq!(objects(other).unwrap().len(), 1);
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", service.replace('\n', "\n  "));
    assert_eq!(refused(&list), format!(r#"{json} json: unknown field "selectors""#));
}

#[test]
fn every_field_of_the_definition_is_known() {
    fn walk(schema: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            path.push(name.clone());
            out.push(path.clone());
            walk(field, path, out);
            walk(&field["items"], path, out);
            path.pop();
        }
    }
    let all = api::crds::all();
    let rollouts = all.iter().find(|crd| crd.str(&["spec", "names", "kind"]) == "Rollout").unwrap();
    let schema = &rollouts.items(&["spec", "versions"])[0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut paths = Vec::new();
    walk(schema, &mut Vec::new(), &mut paths);
    assert!(paths.len() > 150, "{}", paths.len());
    for path in paths {
        // A field that is not known is told even where its value is null.
        let nested = path.iter().rev().fold(Value::Null, |inner, name| object::json!({name.as_str(): inner}));
        let rollout =
            object::json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": nested});
        let error = apiserver::strict(&Object::from_value(rollout)).err().unwrap_or_default();
        assert!(!error.contains("unknown field"), "{path:?}: {error}");
    }
}

#[test]
fn files_that_cannot_be_read() {
    let said = |file: &str| match read(file).unwrap_err() {
        Failure::Error(text) | Failure::Usage(text) => text,
    };
    assert_eq!(said("absent.yaml"), "open absent.yaml: no such file or directory");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(said(path), format!("read {path}: is a directory"));
}
