//! Logs: asked of the node that runs the pod.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use object::Object;
use serde_json::Value;

use crate::call::Call;
use crate::kinds;
use crate::status::{Failure, Outcome};
use crate::stored;

/// Returns the log of one of the pod's containers, as it grows if the request says `follow`.
pub(super) async fn answer(call: &Call) -> Outcome<Response> {
    let pod = call.load()?.0;
    let container = container(call, &pod)?;
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    if node.is_empty() {
        return Ok(crate::encode::text(200, ""));
    }
    let base = endpoint(call, node)?;
    let target = &call.target;
    let query: Vec<String> =
        ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes"]
            .iter()
            .filter(|name| call.query.has(name))
            .map(|name| format!("{name}={}", call.query.get(name).replace('+', "%2B").replace(' ', "%20")))
            .collect();
    let url =
        format!("{base}/containerLogs/{}/{}/{container}?{}", target.namespace, target.name, query.join("&"));
    fetch(&url).await
}

fn container(call: &Call, pod: &Value) -> Outcome<String> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let all = lists.iter().flat_map(|list| pod["spec"][*list].as_array().into_iter().flatten());
    let names: Vec<&str> = all.filter_map(|one| one["name"].as_str()).collect();
    let first: Vec<&str> = pod["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["name"].as_str())
        .collect();
    let name = &call.target.name;
    match (call.query.get("container"), first.as_slice()) {
        ("", [only]) => Ok((*only).to_owned()),
        ("", _) => Err(Failure::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            names.join(" ")
        ))),
        (wanted, _) if names.contains(&wanted) => Ok(wanted.to_owned()),
        (wanted, _) => Err(Failure::bad_request(format!("container {wanted} is not valid for pod {name}"))),
    }
}

fn endpoint(call: &Call, node: &str) -> Outcome<String> {
    let kind = kinds::find("", "v1", "nodes").ok_or_else(|| Failure::internal("nodes are not served"))?;
    let entry = call.api.store.get(&kind.key("", node)).ok_or_else(|| Failure::not_found(&kind, node))?;
    let object = Object::from_value(stored::read(&kind, &entry));
    (call.api.config.node)(&object)
        .ok_or_else(|| Failure::internal(format!("node {node} has no kubelet endpoint")))
}

async fn fetch(url: &str) -> Outcome<Response> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(trusting())
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(url).body(Body::empty()).map_err(Failure::internal)?;
    let answer = client.request(request).await.map_err(|error| {
        let cause = std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string);
        Failure::internal(format!("Get {url:?}: {cause}"))
    })?;
    let (parts, body) = answer.into_parts();
    if parts.status != StatusCode::OK {
        let text = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        return Err(Failure::new(parts.status.as_u16(), "", text));
    }
    let mut response = Response::new(Body::new(body));
    let plain = http::HeaderValue::from_static("text/plain");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    Ok(response)
}

/// Nodes have certificates of their own making: they are not verified, as upstream without `--kubelet-certificate-authority`.
fn trusting() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Anyone(provider.clone()));
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    #[expect(clippy::expect_used, reason = "ring supports the default versions")]
    let builder = builder.with_safe_default_protocol_versions().expect("ring knows the default versions");
    builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

#[derive(Debug)]
struct Anyone(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
