//! The canary strategy with routers: Services, delays, steps that need a router.

use api::rollout::{CanaryStep, CanaryStrategy, Rollout, StringMatch, TrafficRouting};
use object::{Value, json};
use traffic::RouterKind;

use super::Problem;
use crate::Referenced;

const ROUTING: &str = "spec.strategy.canary.trafficRouting";
const SERVICES: &str = "Canary service and Stable service must to be set to use Traffic Routing";
const NO_VALUE: &str =
    "StringMatch value missed, match value must have one of the following: exact, regex, prefix";
const VALUES: &str = "StringMatch match value must have exactly one of the following: exact, regex, prefix";

fn path(field: &str) -> String {
    format!("spec.strategy.{field}")
}

/// Returns the problems of the strategy's fields that routers use, in upstream's order.
pub(super) fn problems(canary: &CanaryStrategy) -> Vec<Problem> {
    let mut problems = ping_pong_problems(canary);
    let Some(routing) = &canary.traffic_routing else { return problems };
    if needs_services(canary, routing) {
        for (field, name) in
            [("stableService", &canary.stable_service), ("canaryService", &canary.canary_service)]
        {
            if name.is_empty() {
                problems.push(Problem::invalid(&path(field), &json!(""), SERVICES));
            }
        }
    }
    if canary.scale_down_delay_seconds.is_some() && canary.dynamic_stable_scale == Some(true) {
        let message = "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds";
        problems.push(Problem::invalid(&path("dynamicStableScale"), &json!(true), message));
    }
    if let Some(max) = routing.max_traffic_weight
        && routing.nginx.is_none()
        && routing.plugins.is_empty()
    {
        let message = "Canary maxTrafficWeight in traffic routing only support in Nginx and Plugins";
        problems.push(Problem::invalid(&path("trafficRouting.maxTrafficWeight"), &json!(max), message));
    }
    problems
}

fn ping_pong_problems(canary: &CanaryStrategy) -> Vec<Problem> {
    let Some(pair) = &canary.ping_pong else { return Vec::new() };
    let mut problems = Vec::new();
    let routing = canary.traffic_routing.clone().unwrap_or_default();
    if canary.traffic_routing.is_some()
        && routing.alb.is_none()
        && routing.istio.is_none()
        && routing.plugins.is_empty()
    {
        let message = "Ping-pong feature works with the ALB traffic routing only";
        problems.push(Problem::invalid(&path("trafficRouting.alb"), &Value::Null, message));
    }
    for (field, name) in [("pingService", &pair.ping_service), ("pongService", &pair.pong_service)] {
        if name.is_empty() {
            let message = "Ping service and Pong service must to be set to use Ping-Pong feature";
            problems.push(Problem::invalid(&path(&format!("pingPong.{field}")), &json!(name), message));
        }
    }
    if pair.ping_service == pair.pong_service {
        let message = "This rollout uses the same service for the ping and pong services, but two different services are required.";
        problems.push(Problem::invalid(&path("pingPong.pingService"), &json!(pair.ping_service), message));
    }
    if routing.alb.as_ref().is_some_and(|alb| alb.root_service.is_empty()) {
        let message =
            "Root service field is required for the configuration with ALB and ping-pong feature enabled";
        problems.push(Problem::invalid(&path("trafficRouting.alb.rootService"), &json!(""), message));
    }
    problems
}

/// Source: `requireCanaryStableServices`.
fn needs_services(canary: &CanaryStrategy, routing: &TrafficRouting) -> bool {
    let subsets = routing.istio.as_ref().is_some_and(|istio| istio.destination_rule.is_some());
    (routing.alb.is_some() && canary.ping_pong.is_none())
        || (routing.istio.is_some() && !subsets && canary.ping_pong.is_none())
        || routing.smi.is_some()
        || routing.apisix.is_some()
        || routing.ambassador.is_some()
        || routing.nginx.is_some()
        || routing.app_mesh.is_some()
        || routing.traefik.is_some()
}

/// Returns the problems of a step that makes a route.
pub(super) fn step_problems(rollout: &Rollout, step: &CanaryStep, at: &str) -> Vec<Problem> {
    let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let mut problems = Vec::new();
    if let Some(route) = &step.set_header_route {
        let at = format!("{at}.setHeaderRoute");
        match routing.filter(|routing| carries_headers(routing)) {
            None => {
                let message = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix";
                problems.push(Problem::invalid(&at, &api::write(route), message));
            }
            Some(routing) => {
                for (index, header) in route.matches.iter().enumerate() {
                    let at = format!("{at}.match[{index}]");
                    let exact = routing.alb.is_some();
                    problems.extend(match_problem(header.header_value.as_ref(), exact, &at));
                }
            }
        }
        problems.extend(managed_problem(routing, &route.name, &at));
    }
    if let Some(route) = &step.set_mirror_route {
        let at = format!("{at}.setMirrorRoute");
        if !routing.is_some_and(|routing| routing.istio.is_some() || !routing.plugins.is_empty()) {
            let message = "SetMirrorRoute requires TrafficRouting, supports Istio only";
            problems.push(Problem::invalid(&at, &api::write(route), message));
        }
        for (index, request) in route.matches.iter().enumerate() {
            let at = format!("{at}.match[{index}]");
            let texts =
                [&request.method, &request.path].into_iter().flatten().chain(request.headers.values());
            problems.extend(texts.filter_map(|text| match_problem(Some(text), false, &at)));
        }
        problems.extend(managed_problem(routing, &route.name, &at));
    }
    problems
}

fn carries_headers(routing: &TrafficRouting) -> bool {
    routing.istio.is_some()
        || routing.alb.is_some()
        || routing.apisix.is_some()
        || !routing.plugins.is_empty()
}

fn match_problem(text: Option<&StringMatch>, exact_only: bool, at: &str) -> Option<Problem> {
    let Some(text) = text else { return Some(Problem::invalid(at, &Value::Null, NO_VALUE)) };
    let set = [&text.exact, &text.regex, &text.prefix].into_iter().filter(|text| !text.is_empty()).count();
    let value = api::write(text);
    if exact_only {
        let message = "SetHeaderRoute match value invalid. ALB supports 'exact' value only";
        return (set != 1 || text.exact.is_empty()).then(|| Problem::invalid(at, &value, message));
    }
    match set {
        0 => Some(Problem::invalid(at, &value, NO_VALUE)),
        1 => None,
        _ => Some(Problem::invalid(at, &value, VALUES)),
    }
}

fn managed_problem(routing: Option<&TrafficRouting>, name: &str, at: &str) -> Option<Problem> {
    let routes = &routing?.managed_routes;
    if routes.is_empty() {
        let message = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'";
        return Some(Problem::required(&path("trafficRouting.managedRoutes"), message));
    }
    let message =
        "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes";
    let known = routes.iter().any(|route| route.name == name);
    (!known).then(|| Problem::invalid(at, &json!(name), message))
}

/// Returns the problems of what the routers name.
pub(super) fn reference_problems(rollout: &Rollout, referenced: &Referenced) -> Vec<Problem> {
    let unserved = referenced.unserved.iter().map(|gvk| {
        let message =
            format!("Invalid value: the cluster does not serve {} of {}", gvk.kind, gvk.api_version());
        Problem { path: ROUTING.to_owned(), message }
    });
    let problems = traffic::validate(rollout, &referenced.routing, &referenced.live);
    unserved.chain(problems.into_iter().map(Problem::from)).collect()
}

/// Returns the problems of routers that are configured and not offered: never is one left out in silence.
pub(super) fn not_offered(rollout: &Rollout, referenced: &Referenced) -> Vec<Problem> {
    let routing = rollout.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let Some(routing) = routing else { return Vec::new() };
    let Ok(routers) = traffic::routers(routing, &referenced.routing) else { return Vec::new() };
    let configured = [
        (routing.istio.is_some(), RouterKind::Istio, "istio"),
        (routing.nginx.is_some(), RouterKind::Nginx, "nginx"),
        (routing.alb.is_some(), RouterKind::Alb, "alb"),
        (routing.smi.is_some(), RouterKind::Smi, "smi"),
        (routing.apisix.is_some(), RouterKind::Apisix, "apisix"),
    ];
    let missing = configured
        .into_iter()
        .filter(|(set, kind, _)| *set && !routers.iter().any(|router| router.kind() == *kind));
    let message = "Unsupported value: this version does not act on this field yet";
    missing
        .map(|(_, _, name)| Problem { path: format!("{ROUTING}.{name}"), message: message.to_owned() })
        .collect()
}
