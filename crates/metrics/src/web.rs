//! The web provider: an HTTP request whose answer holds the result.
//!
//! Source: `argo-rollouts/metricproviders/webmetric`.

use std::collections::BTreeMap;
use std::time::Duration;

use analysis::condition::{Sample, judge};
use api::analysis::{Metric, WebMetric};
use bytes::Bytes;
use object::Value;
use object::jsonpath::JsonPath;
use runtime::Clock;
use runtime::http::{HttpClient, HttpRequest, TlsTrust};

use crate::{Judged, send};

/// Time for a request when the metric does not say.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn measure(
    http: &dyn HttpClient,
    web: &WebMetric,
    metric: &Metric,
    clock: &Clock,
) -> Result<Judged, String> {
    let request = request(web)?;
    let path = path(web)?;
    let response = send(http, request).await.map_err(|error| error.to_string())?;
    if !(200..300).contains(&response.status) {
        return Err(format!("received non 2xx response code: {}", response.status));
    }
    let (result, value) = result(&response.body, &path)?;
    let phase =
        judge(&Sample::Json(result), &metric.success_condition, &metric.failure_condition, clock.now());
    let phase = phase.map_err(|error| error.to_string())?;
    Ok(Judged { phase, value, metadata: BTreeMap::new() })
}

fn request(web: &WebMetric) -> Result<HttpRequest, String> {
    if let Some(field) = web.extra.keys().next() {
        return Err(format!("web metric: field '{field}' is not supported by this version of slipway"));
    }
    let method = if web.method.is_empty() { "GET" } else { web.method.as_str() };
    if !matches!(method, "GET" | "POST" | "PUT") {
        return Err(format!("web metric: method {method:?} is not one of GET, POST, PUT"));
    }
    let mut headers: Vec<(String, String)> =
        web.headers.iter().map(|header| (header.key.clone(), header.value.clone())).collect();
    let body = match (&web.json_body, web.body.is_empty()) {
        (Some(_), false) => {
            return Err("use either Body or JSONBody; both cannot exist for WebMetric payload".into());
        }
        (Some(json), true) => {
            headers.push(("Content-Type".into(), "application/json".into()));
            json.to_string()
        }
        (None, _) => web.body.clone(),
    };
    if method == "GET" && !body.is_empty() {
        return Err("Body/JSONBody can only be used with POST or PUT WebMetric Method types".into());
    }
    let timeout = u64::try_from(web.timeout_seconds).ok().filter(|seconds| *seconds > 0);
    Ok(HttpRequest {
        method: method.into(),
        url: web.url.clone(),
        headers,
        body: Bytes::from(body),
        timeout: timeout.map_or(TIMEOUT, Duration::from_secs),
        tls: if web.insecure { TlsTrust::Anybody } else { TlsTrust::System },
    })
}

fn path(web: &WebMetric) -> Result<JsonPath, String> {
    let text = if web.json_path.is_empty() { "{$}" } else { web.json_path.as_str() };
    JsonPath::parse(text).map_err(|error| format!("could not parse JSONPath: {error}"))
}

/// Returns the first match as the result and its text. An answer that is not JSON is one string.
fn result(body: &[u8], path: &JsonPath) -> Result<(Value, String), String> {
    let Ok(root) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body).into_owned();
        return Ok((Value::String(text.clone()), text));
    };
    let found = path.find(&root);
    let result = (*found.first().ok_or("Could not find JSONPath in body: no result")?).clone();
    let text = result.to_string();
    Ok((result, text))
}

#[cfg(test)]
mod tests;
