//! `spec.strategy.canary.trafficRouting` of a Rollout.

use crate::crds::schema::{
    Schema, anything, boolean, field, int32, int64, labels, list, object, required, string, strings,
};

pub(super) fn traffic_routing() -> Schema {
    let managed = object(&[required("name", string(), "Name of the route.")]);
    let traefik = object(&[required("weightedTraefikServiceName", string(), "Name of the TraefikService.")]);
    let mappings = object(&[required("mappings", strings(), "Names of Mappings.")]);
    let smi = object(&[
        field("rootService", string(), "Service that clients use; the stable one when absent."),
        field("trafficSplitName", string(), "Name of the TrafficSplit; that of the Rollout when absent."),
    ]);
    object(&[
        field("istio", istio(), "Istio VirtualServices and DestinationRules."),
        field("nginx", nginx(), "ingress-nginx canary Ingresses."),
        field("alb", alb(), "Ingresses of the AWS Load Balancer Controller."),
        field("smi", smi, "SMI TrafficSplit."),
        field("ambassador", mappings, "Ambassador (Emissary) Mappings."),
        field("appMesh", app_mesh(), "AWS App Mesh."),
        field("traefik", traefik, "Traefik weighted service."),
        field("apisix", apisix(), "Apache APISIX routes."),
        field("plugins", anything(), "Router plugins by namespace/name, each with what it is told."),
        field("managedRoutes", list(managed), "Routes that steps make, first match first."),
        field(
            "maxTrafficWeight",
            int32(),
            "What the weights add up to; 100 when absent; nginx and plugins only.",
        ),
    ])
}

fn istio() -> Schema {
    let rule = object(&[
        required("name", string(), "Name of the DestinationRule."),
        required("canarySubsetName", string(), "Subset of the new pods."),
        required("stableSubsetName", string(), "Subset of the stable pods."),
        field("additionalSubsetNames", strings(), "Subsets that are not touched."),
    ]);
    object(&[
        field("virtualService", virtual_service(), "The one VirtualService."),
        field("virtualServices", list(virtual_service()), "Several VirtualServices."),
        field("destinationRule", rule, "Subsets to route to, instead of services."),
    ])
}

fn virtual_service() -> Schema {
    let port = || field("port", int64(), "Port of the route.");
    let tls = object(&[port(), field("sniHosts", strings(), "SNI hosts of the route.")]);
    object(&[
        required("name", string(), "Name, or namespace-qualified name."),
        field("routes", strings(), "Names of HTTP routes; may be absent when there is one."),
        field("tlsRoutes", list(tls), "TLS routes."),
        field("tcpRoutes", list(object(&[port()])), "TCP routes."),
    ])
}

fn nginx() -> Schema {
    object(&[
        field(
            "annotationPrefix",
            string(),
            "Prefix of annotations; nginx.ingress.kubernetes.io when absent.",
        ),
        field("stableIngress", string(), "The one Ingress."),
        field("stableIngresses", strings(), "Several Ingresses."),
        field(
            "additionalIngressAnnotations",
            labels(),
            "Annotations of canary Ingresses, without the prefix.",
        ),
        field("canaryIngressAnnotations", labels(), "Annotations of canary Ingresses, as they are."),
    ])
}

fn alb() -> Schema {
    let stickiness = object(&[
        required("enabled", boolean(), "Whether clients stay with a version."),
        required("durationSeconds", int64(), "For how long."),
    ]);
    object(&[
        required("servicePort", int32(), "Port of the services."),
        field("ingress", string(), "The one Ingress."),
        field("ingresses", strings(), "Several Ingresses."),
        field("rootService", string(), "Service the Ingress names; the stable one when absent."),
        field("annotationPrefix", string(), "Prefix of annotations; alb.ingress.kubernetes.io when absent."),
        field("stickinessConfig", stickiness, "Whether clients stay with a version."),
    ])
}

fn app_mesh() -> Schema {
    let node = || object(&[required("name", string(), "Name of the VirtualNode.")]);
    let service = object(&[
        required("name", string(), "Name of the VirtualService."),
        field("routes", strings(), "Names of routes; may be absent when there is one."),
    ]);
    let nodes = object(&[
        required("canaryVirtualNodeRef", node(), "Of the new pods."),
        required("stableVirtualNodeRef", node(), "Of the stable pods."),
    ]);
    object(&[
        field("virtualService", service, "The VirtualService."),
        field("virtualNodeGroup", nodes, "The VirtualNodes."),
    ])
}

fn apisix() -> Schema {
    let route = object(&[
        required("name", string(), "Name of the ApisixRoute."),
        field("rules", strings(), "Names of rules; all when absent."),
    ]);
    object(&[field("route", route, "The ApisixRoute.")])
}
