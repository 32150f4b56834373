use super::*;

fn route(name: &str, hostnames: &[&str], rules: &Value) -> Arc<Object> {
    Arc::new(Object::from_value(json!({
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"hostnames": hostnames, "rules": rules}
    })))
}

/// Returns the name of the first Service that a `GET` is sent to.
fn sent(routes: &[Arc<Object>], host: &str, path: &str, headers: &[(&'static str, &'static str)]) -> String {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let asked = Asked { host, method: "GET", path, query, headers: &headers };
    let found = rule(routes, asked, AnyHost::Counts);
    found
        .and_then(|(_, targets)| targets.first().cloned())
        .map_or_else(String::new, |target| target.service.name)
}

fn to(service: &str, matches: &Value) -> Value {
    json!({"matches": matches, "backendRefs": [{"name": service, "port": 80}]})
}

#[test]
fn the_closest_host_goes_first() {
    let routes = [
        route("a", &[], &json!([to("any", &json!([]))])),
        route("b", &["*.test"], &json!([to("wild", &json!([]))])),
        route("c", &["web.test"], &json!([to("exact", &json!([]))])),
    ];
    for (host, service) in [("web.test", "exact"), ("a.b.test", "wild"), ("test", "any"), ("other", "any")] {
        assert_eq!(sent(&routes, host, "/", &[]), service, "{host}");
    }
    let headers = HeaderMap::new();
    let asked = Asked { host: "other", method: "GET", path: "/", query: "", headers: &headers };
    assert_eq!(rule(&routes, asked, AnyHost::Ignored), None);
}

#[test]
fn the_closest_match_goes_first() {
    let rules = json!([
        to("all", &json!([])),
        to("prefix", &json!([{"path": {"type": "PathPrefix", "value": "/shop"}}])),
        to("exact", &json!([{"path": {"type": "Exact", "value": "/shop/cart"}}])),
        to("header", &json!([{"headers": [{"name": "X-Canary", "value": "yes"}]}])),
        to(
            "expression",
            &json!([{"headers": [{"name": "agent", "type": "RegularExpression", "value": "Fire.*"}]}])
        ),
        to("query", &json!([{"queryParams": [{"name": "v", "value": "2"}]}])),
        to("post", &json!([{"method": "POST"}])),
    ]);
    let routes = [route("web", &["web"], &rules)];
    for (path, headers, service) in [
        ("/", &[][..], "all"),
        ("/shop", &[], "prefix"),
        ("/shop/", &[], "prefix"),
        ("/shopping", &[], "all"),
        ("/shop/cart", &[], "exact"),
        ("/", &[("x-canary", "yes")], "header"),
        ("/", &[("x-canary", "no")], "all"),
        ("/", &[("agent", "Firefox")], "expression"),
        ("/", &[("agent", "a Firefox")], "all"),
        ("/?a=1&v=2", &[], "query"),
    ] {
        assert_eq!(sent(&routes, "web", path, headers), service, "{path} {headers:?}");
    }
}

#[test]
fn what_cannot_be_read_matches_nothing() {
    let broken = json!([{"path": {"type": "RegularExpression", "value": "("}}]);
    let routes = [route("web", &["web"], &json!([to("never", &broken), 7, {"backendRefs": 7}]))];
    assert_eq!(sent(&routes, "web", "/", &[]), "");
}

#[test]
fn weights_are_one_where_none_is_given() {
    let rules = json!([{"backendRefs": [{"name": "a", "weight": 0}, {"name": "b", "namespace": "other", "port": 81}]}]);
    let routes = [route("web", &["web"], &rules)];
    let headers = HeaderMap::new();
    let asked = Asked { host: "web", method: "GET", path: "/", query: "", headers: &headers };
    let (id, targets) = rule(&routes, asked, AnyHost::Ignored).unwrap();
    assert_eq!(id, (Key::new("shop", "web"), 0));
    let expected = [
        Target { service: Key::new("shop", "a"), port: None, weight: 0 },
        Target { service: Key::new("other", "b"), port: Some(81), weight: 1 },
    ];
    assert_eq!(targets, expected);
}
