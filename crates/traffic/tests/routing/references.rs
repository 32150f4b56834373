//! What each router asks to be observed.

use traffic::{Additional, Reference, Router, Wanted, Weight};

use crate::case::Case;
use crate::tables::TABLES;

fn case(table: usize, name: &str) -> Case {
    Case::read(TABLES[table]).into_iter().find(|case| case.name == name).unwrap()
}

fn shown(references: &[Reference]) -> Vec<String> {
    references.iter().map(|reference| format!("{} {}", reference.gvk, reference.key())).collect()
}

fn references(case: &Case) -> Vec<String> {
    let routers = case.routers();
    let all: Vec<Reference> = routers.iter().flat_map(|router| router.references(&case.rollout)).collect();
    shown(&all)
}

#[test]
fn routers_come_in_upstreams_order() {
    let mut case = case(0, "nothing drifted, nothing is written");
    let routing = case.rollout.spec.strategy.canary.as_mut().unwrap().traffic_routing.as_mut().unwrap();
    for table in &TABLES[1..] {
        let other = Case::read(table).remove(0);
        let other = other.rollout.canary().unwrap().traffic_routing.clone().unwrap();
        routing.istio = routing.istio.take().or(other.istio);
        routing.nginx = routing.nginx.take().or(other.nginx);
        routing.alb = routing.alb.take().or(other.alb);
        routing.smi = routing.smi.take().or(other.smi);
        routing.apisix = routing.apisix.take().or(other.apisix);
    }
    let names: Vec<String> = case.routers().iter().map(|router| router.kind().to_string()).collect();
    assert_eq!(names, ["Istio", "Nginx", "ALB", "SMI", "Apisix", "GatewayAPI"]);
}

#[test]
fn what_is_made_is_observed_too() {
    let nginx = case(2, "the canary Ingress is made");
    let found = references(&nginx);
    assert_eq!(
        found,
        ["networking.k8s.io/v1/Ingress demo/shop-main-canary", "networking.k8s.io/v1/Ingress demo/main"]
    );
    let apisix = case(5, "the named rule is split");
    let kind = "apisix.apache.org/v2/ApisixRoute";
    assert_eq!(references(&apisix), [format!("{kind} demo/shop"), format!("{kind} demo/by-header")]);
    let smi = case(4, "with its own names, in the third version");
    assert_eq!(references(&smi), ["split.smi-spec.io/v1alpha3/TrafficSplit demo/named"]);
}

#[test]
fn names_may_hold_a_namespace() {
    let mut istio = case(
        1,
        "several VirtualServices, one in another namespace, hosts in full, tls and tcp by port and names",
    );
    istio.settings.istio_version = "v1".to_owned();
    let kind = "networking.istio.io/v1/VirtualService";
    assert_eq!(references(&istio), [format!("{kind} demo/web"), format!("{kind} edge/raw")]);
    let subsets = case(1, "subsets of a DestinationRule");
    assert_eq!(references(&subsets)[1], "networking.istio.io/v1alpha3/DestinationRule demo/shop");
}

#[test]
fn a_long_name_is_cut() {
    let mut nginx = case(2, "the canary Ingress is made");
    let routing = nginx.rollout.spec.strategy.canary.as_mut().unwrap().traffic_routing.as_mut().unwrap();
    routing.nginx.as_mut().unwrap().stable_ingress = "i".repeat(253);
    let found = nginx.routers()[0].references(&nginx.rollout);
    assert_eq!(found[0].name.len(), 253);
    assert!(found[0].name.starts_with("shop-iii") && found[0].name.ends_with("i-canary"));
}

#[test]
fn selectors_and_services_of_experiments_are_asked_for() {
    let case = case(0, "routes found by their labels");
    let routers = case.routers();
    let router: &Router = &routers[0];
    assert_eq!(router.references(&case.rollout), []);
    let selections = router.selections(&case.rollout);
    assert_eq!(selections.len(), 1);
    assert_eq!(selections[0].gvk.to_string(), "gateway.networking.k8s.io/v1/HTTPRoute");
    assert_eq!(
        (selections[0].namespace.as_str(), selections[0].selector.to_string().as_str()),
        ("demo", "app=shop")
    );
    let mut wanted = Wanted::nothing(&case.rollout);
    assert_eq!(router.wishes(&wanted), []);
    let one = Additional { service: "exp".into(), hash: "h".into(), weight: 5 };
    wanted.weight = Some(Weight { additional: vec![one], ..Weight::new(5, 100) });
    assert_eq!(shown(&router.wishes(&wanted)), ["v1/Service demo/exp"]);
}

#[test]
fn the_stable_share_is_what_is_left() {
    let one = |weight| Additional { weight, ..Additional::default() };
    assert_eq!(Weight::new(30, 100).stable(), 70);
    assert_eq!(Weight { canary: 10, max: 1000, additional: vec![one(5), one(6)] }.stable(), 979);
    assert_eq!(Weight { canary: 90, max: 100, additional: vec![one(20)] }.stable(), 0);
}
