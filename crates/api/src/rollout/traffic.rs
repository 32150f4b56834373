//! `spec.strategy.canary.trafficRouting`: which routers are told the weights.

use std::collections::BTreeMap;

use object::{Map, Value};
use serde::{Deserialize, Serialize};

/// Routers; several may be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficRouting {
    /// Istio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub istio: Option<IstioRouting>,
    /// ingress-nginx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nginx: Option<NginxRouting>,
    /// AWS load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alb: Option<AlbRouting>,
    /// Service mesh interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smi: Option<SmiRouting>,
    /// Ambassador.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambassador: Option<AmbassadorRouting>,
    /// AWS App Mesh; kept as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_mesh: Option<Value>,
    /// Traefik.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traefik: Option<TraefikRouting>,
    /// Apisix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apisix: Option<ApisixRouting>,
    /// Plugins by name, with what each is told.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub plugins: Map<String, Value>,
    /// Routes that steps may make, first wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managed_routes: Vec<NamedRoute>,
    /// What all weights add up to; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_traffic_weight: Option<i32>,
}

/// A route by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NamedRoute {
    /// Its name.
    pub name: String,
}

/// Istio's VirtualServices and DestinationRule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioRouting {
    /// One VirtualService.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_service: Option<IstioVirtualService>,
    /// Several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub virtual_services: Vec<IstioVirtualService>,
    /// Whose subsets follow the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_rule: Option<IstioDestinationRule>,
}

/// Routes of a VirtualService.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioVirtualService {
    /// `name` or `name.namespace`.
    pub name: String,
    /// Names of HTTP routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// TLS routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tls_routes: Vec<TlsRoute>,
    /// TCP routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp_routes: Vec<TcpRoute>,
}

/// A TLS route, by port and names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsRoute {
    /// Port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
    /// Server names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sni_hosts: Vec<String>,
}

/// A TCP route, by port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpRoute {
    /// Port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
}

/// Subsets of a DestinationRule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioDestinationRule {
    /// Its name.
    pub name: String,
    /// Subset of the new pods.
    pub canary_subset_name: String,
    /// Subset of the stable pods.
    pub stable_subset_name: String,
    /// Subsets that are left alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_subset_names: Vec<String>,
}

/// Ingresses of ingress-nginx.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NginxRouting {
    /// `nginx.ingress.kubernetes.io` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub annotation_prefix: String,
    /// Ingress of the stable Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stable_ingress: String,
    /// Several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stable_ingresses: Vec<String>,
    /// Annotations of the canary Ingress, without prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_ingress_annotations: BTreeMap<String, String>,
    /// Annotations of the canary Ingress, whole.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub canary_ingress_annotations: BTreeMap<String, String>,
}

/// Ingresses of the AWS load balancer controller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AlbRouting {
    /// The Ingress.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ingress: String,
    /// Several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ingresses: Vec<String>,
    /// Port of the Services.
    pub service_port: i32,
    /// Service in the Ingress' rule.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_service: String,
    /// `alb.ingress.kubernetes.io` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub annotation_prefix: String,
    /// Sessions that stay on one version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stickiness_config: Option<Stickiness>,
}

/// Sessions that stay on one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stickiness {
    /// Whether they do.
    pub enabled: bool,
    /// For how many seconds, 1 to 604800.
    pub duration_seconds: i64,
}

/// A TrafficSplit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SmiRouting {
    /// Service the clients use; the stable one when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_service: String,
    /// Name of the TrafficSplit; that of the Rollout when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub traffic_split_name: String,
}

/// Ambassador's Mappings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AmbassadorRouting {
    /// Names of the Mappings.
    pub mappings: Vec<String>,
}

/// Traefik's TraefikService.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TraefikRouting {
    /// Its name.
    pub weighted_traefik_service_name: String,
}

/// Apisix' route.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApisixRouting {
    /// The ApisixRoute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<ApisixRoute>,
}

/// Rules of an ApisixRoute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApisixRoute {
    /// Its name.
    pub name: String,
    /// Names of its rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}
