//! Services and what leads to them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Row, some};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn service(row: &Row<'_>) -> Vec<Value> {
    let address = row.object.items(&["spec", "clusterIPs"]).first().map_or("<none>".to_owned(), text);
    let ports: Vec<String> = row.object.items(&["spec", "ports"]).iter().map(port).collect();
    let ports = if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") };
    vec![
        row.name(),
        row.text(&["spec", "type"]),
        address.into(),
        external(row).into(),
        ports.into(),
        row.age(),
        row.labels(&["spec", "selector"]),
    ]
}

fn port(port: &Value) -> String {
    let protocol = text(&port["protocol"]);
    match port["nodePort"].as_i64().unwrap_or_default() {
        0 => format!("{}/{protocol}", port["port"]),
        node => format!("{}:{node}/{protocol}", port["port"]),
    }
}

fn balancers(row: &Row<'_>) -> Vec<String> {
    let ingress = row.object.items(&["status", "loadBalancer", "ingress"]);
    let names: BTreeSet<String> = ingress
        .iter()
        .map(|one| if one["ip"].is_string() { text(&one["ip"]) } else { text(&one["hostname"]) })
        .filter(|name| !name.is_empty())
        .collect();
    names.into_iter().collect()
}

fn external(row: &Row<'_>) -> String {
    let own: Vec<String> = row.object.items(&["spec", "externalIPs"]).iter().map(text).collect();
    match row.object.str(&["spec", "type"]) {
        "ExternalName" => row.object.str(&["spec", "externalName"]).to_owned(),
        "LoadBalancer" => {
            let all = [balancers(row), own].concat();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ if own.is_empty() => "<none>".to_owned(),
        _ => own.join(","),
    }
}

pub(super) fn endpoints(row: &Row<'_>) -> Vec<Value> {
    let mut list = Vec::new();
    for subset in row.object.items(&["subsets"]) {
        let addresses = || subset["addresses"].as_array().into_iter().flatten().map(|one| text(&one["ip"]));
        match subset["ports"].as_array().filter(|ports| !ports.is_empty()) {
            None => list.extend(addresses()),
            Some(ports) => {
                for port in ports {
                    list.extend(addresses().map(|address| format!("{address}:{}", port["port"])));
                }
            }
        }
    }
    let shown = if list.is_empty() { "<none>".to_owned() } else { some(&list) };
    vec![row.name(), shown.into(), row.age()]
}

pub(super) fn slice(row: &Row<'_>) -> Vec<Value> {
    let port = |port: &Value| match (port["port"].as_i64(), port["name"].as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    };
    let ports: Vec<String> = row.object.items(&["ports"]).iter().map(port).collect();
    let all = row.object.items(&["endpoints"]).iter();
    let addresses: Vec<String> =
        all.flat_map(|one| one["addresses"].as_array().into_iter().flatten().map(text)).collect();
    vec![row.name(), row.text(&["addressType"]), some(&ports).into(), some(&addresses).into(), row.age()]
}

pub(super) fn ingress(row: &Row<'_>) -> Vec<Value> {
    let rules = row.object.items(&["spec", "rules"]);
    let hosts: Vec<String> =
        rules.iter().map(|rule| text(&rule["host"])).filter(|host| !host.is_empty()).collect();
    let hosts = match hosts.as_slice() {
        [] => "*".to_owned(),
        list => some(list),
    };
    let ports = if row.object.items(&["spec", "tls"]).is_empty() { "80" } else { "80, 443" };
    vec![
        row.name(),
        row.text_or(&["spec", "ingressClassName"], "<none>"),
        hosts.into(),
        balancers(row).join(",").into(),
        ports.into(),
        row.age(),
    ]
}

pub(super) fn ingress_class(row: &Row<'_>) -> Vec<Value> {
    let default = row.object.annotation("ingressclass.kubernetes.io/is-default-class") == Some("true");
    let name = format!("{}{}", row.object.name(), if default { " (default)" } else { "" });
    let field = |name: &str| row.object.str(&["spec", "parameters", name]).to_owned();
    let parameters = match (field("kind"), field("apiGroup")) {
        (kind, _) if kind.is_empty() => "<none>".to_owned(),
        (kind, group) if group.is_empty() => format!("{kind}/{}", field("name")),
        (kind, group) => format!("{kind}.{group}/{}", field("name")),
    };
    vec![name.into(), row.text(&["spec", "controller"]), parameters.into(), row.age()]
}
