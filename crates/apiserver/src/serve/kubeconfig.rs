//! The file by which clients find the server.

use base64::Engine;
use serde_json::json;

use super::Endpoint;

/// Returns the kubeconfig, as YAML.
pub(super) fn text(endpoint: &Endpoint, token: &str) -> String {
    let authority = base64::engine::general_purpose::STANDARD.encode(&endpoint.authority);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "slipway",
        "clusters": [{"name": "slipway", "cluster": {
            "server": format!("https://{}", endpoint.address), "certificate-authority-data": authority,
        }}],
        "users": [{"name": "slipway", "user": {"token": token}}],
        "contexts": [{"name": "slipway", "context": {"cluster": "slipway", "user": "slipway", "namespace": "default"}}],
    });
    object::yaml::to_string(&config)
}
