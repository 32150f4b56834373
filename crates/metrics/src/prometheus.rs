//! The Prometheus provider: a query, now or over a range of time.
//!
//! Source: `argo-rollouts/metricproviders/prometheus` and the HTTP API of Prometheus.

mod answer;

use std::collections::BTreeMap;
use std::time::Duration;

use analysis::condition::{judge, time};
use api::analysis::{Metric, WebHeader};
use base64::Engine as _;
use bytes::Bytes;
use object::time::parse_duration;
use object::{Time, Value};
use runtime::http::{HttpClient, HttpRequest, TlsTrust};
use serde::Deserialize;

use crate::{Judged, send};

/// Seconds for a request when the metric does not say.
const TIMEOUT: i64 = 30;
/// Key of the query among the facts about a metric.
const QUERY: &str = "ResolvedPrometheusQuery";
/// What is in the addresses of Amazon Managed Prometheus, whose requests are signed.
const AMAZON: &str = "aps-workspaces";

/// `provider.prometheus`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Config {
    address: String,
    query: String,
    timeout: Option<i64>,
    insecure: bool,
    headers: Vec<WebHeader>,
    range_query: Option<Range>,
    authentication: Authentication,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Range {
    start: String,
    end: String,
    step: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Authentication {
    basic_auth: Option<BasicAuth>,
    oauth2: Option<Value>,
    sigv4: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct BasicAuth {
    username: String,
    password: String,
}

impl Config {
    /// Returns the provider's part of a metric, asking `fallback` when it names no address.
    ///
    /// Errors: a field has the wrong type, there is no address, or something is asked for that is not supported.
    pub(crate) fn read(value: &Value, fallback: &str) -> Result<Self, String> {
        let mut config: Self = api::read(value, "provider.prometheus").map_err(|error| error.to_string())?;
        if config.address.is_empty() {
            fallback.clone_into(&mut config.address);
        }
        if config.address.is_empty() {
            return Err("prometheus address is not configured".into());
        }
        if !is_url(&config.address) {
            return Err("prometheus address is not is url format".into());
        }
        if config.timeout.is_some_and(|seconds| seconds < 0) {
            return Err("prometheus timeout should not be negative".into());
        }
        let unsupported = |what: &str| {
            Err(format!("prometheus: authentication by {what} is not supported by this version of slipway"))
        };
        // Signing keys may be given and not meant: upstream signs for Amazon only.
        if config.address.contains(AMAZON) {
            return unsupported("sigv4");
        }
        if config.authentication.oauth2.as_ref().is_some_and(names_token_url) {
            return unsupported("oauth2");
        }
        Ok(config)
    }

    fn request(&self, now: Time) -> Result<HttpRequest, String> {
        let seconds = u64::try_from(self.timeout.unwrap_or(TIMEOUT)).unwrap_or_default();
        let (path, mut form) = match &self.range_query {
            Some(range) => ("query_range", range.form(now)?),
            None => ("query", vec![("time", now.unix().to_string())]),
        };
        form.insert(0, ("query", self.query.clone()));
        let mut headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        if let Some(basic) = &self.authentication.basic_auth {
            let pair = format!("{}:{}", basic.username, basic.password);
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            headers.push(("Authorization".into(), format!("Basic {encoded}")));
        }
        headers.extend(self.headers.iter().map(|header| (header.key.clone(), header.value.clone())));
        let body: Vec<String> = form.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        Ok(HttpRequest {
            method: "POST".into(),
            url: format!("{}/api/v1/{path}", self.address.trim_end_matches('/')),
            headers,
            body: Bytes::from(body.join("&")),
            timeout: Duration::from_secs(seconds),
            tls: if self.insecure { TlsTrust::Anybody } else { TlsTrust::System },
        })
    }
}

impl Range {
    fn form(&self, now: Time) -> Result<Vec<(&'static str, String)>, String> {
        let at = |field: &'static str, program: &str| {
            let time =
                time(program, now).map_err(|error| format!("failed to parse rangeQuery.{field}: {error}"))?;
            Ok::<_, String>((field, time.unix().to_string()))
        };
        let step = parse_duration(&self.step)
            .map_err(|error| format!("failed to parse rangeQuery.step as duration: {error}"))?;
        Ok(vec![at("start", &self.start)?, at("end", &self.end)?, ("step", step.as_secs_f64().to_string())])
    }
}

fn names_token_url(oauth2: &Value) -> bool {
    oauth2["tokenUrl"].as_str().is_some_and(|url| !url.is_empty())
}

/// Returns true for an address with scheme and host.
fn is_url(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    let starts = scheme.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    starts && rest.split(['/', '?', '#']).next().is_some_and(|host| !host.is_empty())
}

/// Returns the text as a form holds it.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Returns the query that was made, for the result of a metric.
pub(crate) fn facts(metric: &Metric) -> BTreeMap<String, String> {
    let query = metric.provider.other.get("prometheus").and_then(|config| config["query"].as_str());
    let query = query.filter(|query| !query.is_empty());
    query.map(|query| (QUERY.to_owned(), query.to_owned())).into_iter().collect()
}

pub(crate) async fn measure(
    http: &dyn HttpClient,
    config: &Config,
    metric: &Metric,
    now: Time,
) -> Result<Judged, String> {
    let response = send(http, config.request(now)?).await.map_err(|error| error.to_string())?;
    let reading = answer::read(&response)?;
    let phase = judge(&reading.sample, &metric.success_condition, &metric.failure_condition, now);
    let phase = phase.map_err(|error| error.to_string())?;
    let mut metadata = BTreeMap::new();
    if !reading.warnings.is_empty() {
        let quoted: Vec<String> = reading.warnings.iter().map(|warning| format!("\"{warning}\"")).collect();
        metadata.insert("warnings".to_owned(), quoted.join(", "));
    }
    Ok(Judged { phase, value: reading.value, metadata })
}

#[cfg(test)]
mod tests;
