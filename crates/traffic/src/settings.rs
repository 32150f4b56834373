//! How the cluster speaks of routers.

use object::Gvk;

/// API versions and names that the controller's flags set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Version of `networking.istio.io`: `--istio-api-version`.
    pub istio_version: String,
    /// Version of `split.smi-spec.io`: `--traffic-split-api-version`; v1alpha1, v1alpha2 or v1alpha3.
    pub traffic_split_version: String,
    /// Version of HTTPRoute.
    pub http_route_version: String,
    /// Version of GRPCRoute.
    pub grpc_route_version: String,
    /// Version of TCPRoute.
    pub tcp_route_version: String,
    /// Version of TLSRoute.
    pub tls_route_version: String,
}

impl Default for Settings {
    /// Returns upstream's defaults.
    fn default() -> Self {
        Self {
            istio_version: "v1alpha3".to_owned(),
            traffic_split_version: "v1alpha1".to_owned(),
            http_route_version: "v1".to_owned(),
            grpc_route_version: "v1".to_owned(),
            tcp_route_version: "v1alpha2".to_owned(),
            tls_route_version: "v1alpha2".to_owned(),
        }
    }
}

/// Returns the kind of Ingresses.
pub(crate) fn ingress() -> Gvk {
    Gvk::new("networking.k8s.io", "v1", "Ingress")
}

/// Returns the kind of Services.
pub(crate) fn service() -> Gvk {
    Gvk::new("", "v1", "Service")
}
