//! Which backends of a Service may get requests.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use object::{LabelSelector, Object, Value, json};

/// A pod's port behind a Service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// Name of the pod; the address when the endpoint is no pod.
    pub pod: String,
    /// Where to connect.
    pub address: SocketAddr,
}

/// Returns the port of the Service that has the number `wanted`, or else its first.
pub fn service_port(service: &Object, wanted: Option<u16>) -> Option<&Value> {
    let ports = service.items(&["spec", "ports"]);
    let named = wanted.and_then(|wanted| ports.iter().find(|port| port["port"] == wanted));
    named.or_else(|| ports.first())
}

/// Returns the ready backends of a Service's `port` in address order: from its EndpointSlices when they have ready
/// ones, and from the pods that its selector matches otherwise.
///
/// The second way exists because a real API server refuses loopback addresses in EndpointSlices, and pods of Slipway's
/// own node have no others.
pub fn ready_endpoints(
    service: &Object,
    port: &Value,
    slices: &[Arc<Object>],
    pods: &[Arc<Object>],
) -> Vec<Backend> {
    let mine = slices.iter().filter(|slice| {
        slice.namespace() == service.namespace()
            && slice.label("kubernetes.io/service-name") == Some(service.name())
            && !slice.is_deleting()
    });
    let mut backends: Vec<Backend> = mine.flat_map(|slice| of_slice(slice, port)).collect();
    if backends.is_empty() {
        backends = of_pods(service, port, pods);
    }
    backends.sort_by_key(|backend| backend.address);
    backends.dedup_by_key(|backend| backend.address);
    backends
}

fn of_slice(slice: &Object, port: &Value) -> Vec<Backend> {
    let name = port["name"].as_str().unwrap_or_default();
    let ports = slice.items(&["ports"]);
    let number = ports.iter().find(|port| port["name"].as_str().unwrap_or_default() == name);
    let Some(number) = number.and_then(|port| port_number(&port["port"])) else { return Vec::new() };
    let ready = |endpoint: &&Value| endpoint["conditions"]["ready"] != false;
    let endpoints = slice.items(&["endpoints"]).iter().filter(ready);
    endpoints
        .filter_map(|endpoint| {
            let ip: IpAddr = endpoint["addresses"][0].as_str()?.parse().ok()?;
            let pod = endpoint["targetRef"]["name"].as_str().map_or_else(|| ip.to_string(), str::to_owned);
            Some(Backend { pod, address: SocketAddr::new(ip, number) })
        })
        .collect()
}

fn of_pods(service: &Object, port: &Value, pods: &[Arc<Object>]) -> Vec<Backend> {
    let labels = service.get(&["spec", "selector"]).cloned().unwrap_or_default();
    let Ok(selector) = LabelSelector::from_json(&json!({"matchLabels": labels})) else { return Vec::new() };
    if selector.is_empty() {
        return Vec::new();
    }
    let mine =
        pods.iter().filter(|pod| pod.namespace() == service.namespace() && selector.matches(&pod.labels()));
    mine.filter(|pod| is_ready(pod))
        .filter_map(|pod| {
            let ip: IpAddr = pod.str(&["status", "podIP"]).parse().ok()?;
            Some(Backend {
                pod: pod.name().to_owned(),
                address: SocketAddr::new(ip, target_port(port, pod)?),
            })
        })
        .collect()
}

fn is_ready(pod: &Object) -> bool {
    let conditions = pod.items(&["status", "conditions"]);
    !pod.is_deleting() && conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn target_port(port: &Value, pod: &Object) -> Option<u16> {
    match &port["targetPort"] {
        Value::String(name) if !name.is_empty() => {
            let containers = pod.items(&["spec", "containers"]).iter();
            let mut ports =
                containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
            port_number(&ports.find(|port| port["name"] == name.as_str())?["containerPort"])
        }
        number => port_number(number).or_else(|| port_number(&port["port"])),
    }
}

fn port_number(value: &Value) -> Option<u16> {
    u16::try_from(value.as_u64()?).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]
    fn service(target: Value) -> Object {
        Object::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": [
                {"name": "http", "port": 80, "targetPort": target}, {"name": "admin", "port": 81, "targetPort": 9000}]}
        }))
    }

    fn pod(name: &str, ip: &str, ready: &str) -> Arc<Object> {
        Arc::new(Object::from_value(json!({
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
            "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 5000}]}]},
            "status": {"podIP": ip, "conditions": [{"type": "Ready", "status": ready}]}
        })))
    }

    fn slice(ready: bool) -> Arc<Object> {
        Arc::new(Object::from_value(json!({
            "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "ports": [{"name": "http", "port": 6000}],
            "endpoints": [{"addresses": ["127.64.0.9"], "conditions": {"ready": ready},
                "targetRef": {"kind": "Pod", "name": "sliced"}}]
        })))
    }

    fn found(service: &Object, slices: &[Arc<Object>], pods: &[Arc<Object>]) -> Vec<String> {
        let port = service_port(service, None).unwrap();
        let backends = ready_endpoints(service, port, slices, pods);
        backends.iter().map(|backend| format!("{} {}", backend.pod, backend.address)).collect()
    }

    #[test]
    fn slices_first_then_pods() {
        let service = service(json!("web"));
        let pods =
            [pod("b", "127.64.0.2", "True"), pod("a", "127.64.0.1", "True"), pod("c", "127.64.0.3", "False")];
        assert_eq!(found(&service, &[slice(true)], &pods), ["sliced 127.64.0.9:6000"]);
        let by_pod = ["a 127.64.0.1:5000", "b 127.64.0.2:5000"];
        assert_eq!(found(&service, &[slice(false)], &pods), by_pod);
        assert_eq!(found(&service, &[], &pods), by_pod);
    }

    #[test]
    fn pods_that_go_or_belong_elsewhere_get_nothing() {
        let mut going = (*pod("a", "127.64.0.1", "True")).clone();
        going.set(&["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z");
        let mut stranger = (*pod("b", "127.64.0.2", "True")).clone();
        stranger.set(&["metadata", "namespace"], "other");
        assert!(found(&service(json!(1)), &[], &[Arc::new(going), Arc::new(stranger)]).is_empty());
        let mut open = service(json!(1));
        open.remove(&["spec", "selector"]);
        assert!(found(&open, &[], &[pod("a", "127.64.0.1", "True")]).is_empty());
    }

    #[test]
    fn ports_by_number() {
        let service = service(json!("web"));
        assert_eq!(service_port(&service, Some(81)).unwrap()["name"], "admin");
        assert_eq!(service_port(&service, Some(30_000)).unwrap()["name"], "http");
    }
}
