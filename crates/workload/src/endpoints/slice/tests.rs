#![expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]

use super::*;

fn service(target: Value) -> Object {
    Object::from_value(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "ns", "uid": "s", "labels": {"team": "a"}},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": target}], "selector": {"app": "web"}}
    }))
}

fn pod(name: &str, port: i64, ready: bool) -> Arc<Object> {
    Arc::new(Object::from_value(json!({
        "metadata": {"name": name, "namespace": "ns", "uid": name},
        "spec": {"nodeName": "n", "containers": [{"ports": [{"name": "web", "containerPort": port}]}]},
        "status": {"phase": "Running", "podIP": "127.64.0.1",
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}
    })))
}

#[test]
fn ports_are_resolved_by_number_name_and_default() {
    for (target, expected) in [(json!(8080), 8080), (json!("web"), 5000), (Value::Null, 80), (json!(0), 80)] {
        let wanted = wanted(&service(target.clone()), &[pod("a", 5000, true)]);
        assert_eq!(
            wanted[0].ports,
            [json!({"name": "http", "port": expected, "protocol": "TCP"})],
            "{target}"
        );
    }
    assert!(wanted(&service(json!("nope")), &[pod("a", 5000, true)])[0].ports.is_empty());
}

#[test]
fn pods_that_resolve_a_name_differently_go_to_different_slices() {
    let wanted = wanted(&service(json!("web")), &[pod("a", 5000, true), pod("b", 6000, true)]);
    assert_eq!(wanted.len(), 2);
}

#[test]
fn conditions_of_ready_unready_and_terminating() {
    let mut going = (*pod("c", 1, true)).clone();
    going.set(&["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z");
    let pods = [pod("a", 1, true), pod("b", 1, false), Arc::new(going)];
    let wanted = wanted(&service(json!(1)), &pods);
    let conditions: Vec<&Value> =
        wanted[0].endpoints.iter().map(|endpoint| &endpoint["conditions"]).collect();
    assert_eq!(
        conditions,
        [
            &json!({"ready": true, "serving": true, "terminating": false}),
            &json!({"ready": false, "serving": false, "terminating": false}),
            &json!({"ready": false, "serving": true, "terminating": true}),
        ]
    );
}

#[test]
fn a_hundred_endpoints_to_a_slice() {
    let pods: Vec<_> = (0..250).map(|index| pod(&format!("p{index:03}"), 1, true)).collect();
    let sizes: Vec<usize> =
        wanted(&service(json!(1)), &pods).iter().map(|slice| slice.endpoints.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn what_is_right_is_left_alone_and_what_is_not_is_reused() {
    let service = service(json!(1));
    let first = wanted(&service, &[pod("a", 1, true)]);
    let [Edit::Create(created)] = &changes(&service, &first, &[])[..] else { panic!("one slice is made") };
    assert_eq!(created.str(&["metadata", "generateName"]), "web-");
    assert_eq!(created.label("kubernetes.io/service-name"), Some("web"));
    let stored = [Arc::new(created.clone())];
    assert_eq!(changes(&service, &first, &stored), []);
    let second = wanted(&service, &[pod("a", 1, false)]);
    assert!(matches!(&changes(&service, &second, &stored)[..], [Edit::Replace(_)]));
    let extra = [stored[0].clone(), Arc::new(filled(fresh(&service), &service, &second[0]))];
    assert!(matches!(&changes(&service, &first, &extra)[..], [Edit::Delete(_)]));
}
