use std::collections::BTreeSet;

use object::{Object, json};

use super::released;
use crate::Change;
use crate::keys::MANAGED_ALB;

fn ingress() -> Object {
    let action = |name: &str| format!("alb.ingress.kubernetes.io/actions.{name}");
    let mut object = Object::from_value(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "main", "namespace": "demo", "resourceVersion": "5"},
        "spec": {"rules": [
            {"host": "bare"},
            {"http": {"paths": [
                {"path": "/*", "backend": {"service": {"name": "first"}}},
                {"path": "/*", "backend": {"service": {"name": "root"}}},
            ]}},
        ]},
    }));
    let split = r#"{"Type":"forward","ForwardConfig":{"TargetGroups":[{"ServiceName":"canary","ServicePort":"80","Weight":30},{"ServiceName":"stable","ServicePort":"80","Weight":70}]}}"#;
    object.set_annotation(&action("root"), split);
    object.set_annotation(&action("first"), split);
    object.set_annotation("alb.ingress.kubernetes.io/conditions.first", "[]");
    let keys = format!(
        r#"{{"shop":["{}","{}","alb.ingress.kubernetes.io/conditions.first"],"web":["x/actions.web"]}}"#,
        action("root"),
        action("first")
    );
    object.set_annotation(MANAGED_ALB, &keys);
    object
}

#[test]
fn an_ingress_that_a_rollout_has_left_leads_to_its_stable_service() {
    let users = BTreeSet::from(["web".to_owned()]);
    let Some(Change::Patch { patch, resource_version, .. }) = released(&ingress(), &users) else {
        panic!("a patch")
    };
    assert_eq!(resource_version, "5");
    let expected = json!({
        "metadata": {"annotations": {
            "alb.ingress.kubernetes.io/actions.root": r#"{"Type":"forward","ForwardConfig":{"TargetGroups":[{"ServiceName":"stable","ServicePort":"80","Weight":100}]}}"#,
            "alb.ingress.kubernetes.io/actions.first": null,
            "alb.ingress.kubernetes.io/conditions.first": null,
            MANAGED_ALB: r#"{"web":["x/actions.web"]}"#,
        }},
        "spec": {"rules": [
            {"host": "bare"},
            {"http": {"paths": [{"path": "/*", "backend": {"service": {"name": "root"}}}]}},
        ]},
    });
    assert_eq!(patch, expected);
}

#[test]
fn an_ingress_in_use_is_left_alone() {
    let users = BTreeSet::from(["web".to_owned(), "shop".to_owned()]);
    assert_eq!(released(&ingress(), &users), None);
    let mut wrong = ingress();
    wrong.set_annotation(MANAGED_ALB, "shop:actions");
    assert_eq!(released(&wrong, &BTreeSet::new()), None);
}
