//! Addresses by which people reach what an Application runs.

use std::collections::BTreeSet;

use object::{Object, Value};

/// Prefix of annotations whose values are links to show.
const LINK: &str = "link.argocd.argoproj.io/";
/// Annotation of an Ingress whose own addresses are not to be shown when it is true.
const IGNORE_DEFAULT: &str = "argocd.argoproj.io/ignore-default-links";

/// Returns the links of an object, sorted, each once: the values of its `link.argocd.argoproj.io/*` annotations, and one
/// for each path of an Ingress whose host is known.
///
/// Source: Argo CD `populateNodeInfo`, `populateIngressInfo`. Example: host `shop.example`, path `/api*` and a `tls` entry
/// with a Secret make `https://shop.example/api`.
pub fn of(object: &Object) -> BTreeSet<String> {
    let mut links = annotated(object);
    let is_ingress = object.kind() == "Ingress"
        && matches!(object.gvk().group.as_str(), "extensions" | "networking.k8s.io");
    if is_ingress && !object.annotation(IGNORE_DEFAULT).is_some_and(is_true) {
        links.extend(of_ingress(object));
    }
    links
}

/// Returns the values of the annotations that are links.
pub fn annotated(object: &Object) -> BTreeSet<String> {
    let annotations = object.get(&["metadata", "annotations"]).and_then(Value::as_object);
    let links = annotations.into_iter().flatten().filter(|(key, _)| key.starts_with(LINK));
    links.filter_map(|(_, value)| value.as_str().map(str::to_owned)).collect()
}

/// What Go's `strconv.ParseBool` takes for true.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

fn of_ingress(ingress: &Object) -> Vec<String> {
    let mut links = Vec::new();
    for rule in ingress.items(&["spec", "rules"]) {
        let Some(host) = host(ingress, rule) else { continue };
        let scheme = scheme(ingress, rule["host"].as_str().unwrap_or_default());
        for path in rule["http"]["paths"].as_array().into_iter().flatten() {
            let path = path["path"].as_str().unwrap_or_default();
            links.push(format!("{scheme}://{host}{}", path.strip_suffix('*').unwrap_or(path)));
        }
    }
    links
}

/// Returns the host of a rule; of one that names none, the first address of the Ingress itself.
fn host<'a>(ingress: &'a Object, rule: &'a Value) -> Option<&'a str> {
    let filled = |value: &'a Value| value.as_str().filter(|text| !text.is_empty());
    filled(&rule["host"]).or_else(|| {
        let mut addresses = ingress.items(&["status", "loadBalancer", "ingress"]).iter();
        addresses.find_map(|address| filled(&address["hostname"]).or_else(|| filled(&address["ip"])))
    })
}

fn scheme(ingress: &Object, host: &str) -> &'static str {
    let covers = |entry: &Value| {
        let named = entry["hosts"].as_array().is_some_and(|hosts| hosts.iter().any(|name| name == host));
        !entry["secretName"].is_null() || (named && !host.is_empty())
    };
    if ingress.items(&["spec", "tls"]).iter().any(covers) { "https" } else { "http" }
}

#[cfg(test)]
mod tests {
    use object::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "reads well with json!")]
    fn ingress(annotations: Value, spec: Value, addresses: Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "a", "annotations": annotations}, "spec": spec,
            "status": {"loadBalancer": {"ingress": addresses}},
        }))
    }

    #[track_caller]
    fn links(object: &Object, wanted: &[&str]) {
        assert_eq!(of(object).into_iter().collect::<Vec<_>>(), wanted);
    }

    fn rules(hosts: &[Value], paths: &[&str]) -> Value {
        let paths: Vec<Value> = paths.iter().map(|path| json!({"path": path})).collect();
        hosts.iter().map(|host| json!({"host": host, "http": {"paths": paths}})).collect()
    }

    #[test]
    fn an_ingress_has_one_for_each_host_and_path() {
        let rules = rules(&[json!("b.example"), json!("a.example"), json!("b.example")], &["/api*", "/"]);
        let spec = json!({"rules": rules});
        let wanted =
            ["http://a.example/", "http://a.example/api", "http://b.example/", "http://b.example/api"];
        links(&ingress(json!({}), spec, json!([])), &wanted);
    }

    #[test]
    fn a_rule_without_a_host_is_at_the_address_of_the_ingress() {
        let spec = json!({"rules": rules(&[Value::Null], &["/x"])});
        links(&ingress(json!({}), spec.clone(), json!([])), &[]);
        links(&ingress(json!({}), spec.clone(), json!([{}, {"ip": "10.0.0.1"}])), &["http://10.0.0.1/x"]);
        let named = json!([{"hostname": "lb.example", "ip": "10.0.0.1"}]);
        links(&ingress(json!({}), spec, named), &["http://lb.example/x"]);
        links(&ingress(json!({}), json!({"rules": [{"host": "a.example"}, 7], "tls": "x"}), json!("x")), &[]);
    }

    #[test]
    fn tls_makes_them_https() {
        let with = |tls: Value| json!({"rules": rules(&[json!("a.example")], &["/"]), "tls": tls});
        for (tls, wanted) in [
            (json!([{"secretName": "cert"}]), "https://a.example/"),
            (json!([{"hosts": ["a.example"]}]), "https://a.example/"),
            (json!([{"hosts": ["b.example"]}]), "http://a.example/"),
            (json!([]), "http://a.example/"),
        ] {
            links(&ingress(json!({}), with(tls), json!([])), &[wanted]);
        }
    }

    #[test]
    fn annotations_add_links_and_switch_the_others_off() {
        let spec = || json!({"rules": rules(&[json!("a.example")], &["/"])});
        let own = json!({"link.argocd.argoproj.io/external-link": "https://docs.example", "other": "x"});
        links(&ingress(own, spec(), json!([])), &["http://a.example/", "https://docs.example"]);
        let off = |value: &str| json!({"argocd.argoproj.io/ignore-default-links": value});
        links(&ingress(off("true"), spec(), json!([])), &[]);
        links(&ingress(off("no"), spec(), json!([])), &["http://a.example/"]);
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"annotations": {"link.argocd.argoproj.io/a": "https://b.example"}}});
        links(&Object::from_value(config), &["https://b.example"]);
    }
}
