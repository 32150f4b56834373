#![expect(clippy::needless_pass_by_value, reason = "literals read better without &")]

use std::sync::{Arc, Mutex};

use api::analysis::{AnalysisPhase as Phase, AnalysisRun, Measurement};
use object::json;
use runtime::Clock;
use runtime::http::{Answer, HttpResponse};

use super::*;
use crate::Providers;

/// Answers every request with one status and body, or never, and keeps the last request.
#[derive(Clone, Default)]
struct Fixed {
    answer: Option<(u16, &'static str)>,
    last: Arc<Mutex<Option<HttpRequest>>>,
}

impl HttpClient for Fixed {
    fn send(&self, request: HttpRequest) -> Answer<'_> {
        *self.last.lock().unwrap() = Some(request);
        Box::pin(async move {
            let Some((status, body)) = self.answer else { std::future::pending().await };
            Ok(HttpResponse { status, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) })
        })
    }
}

const NOW: i64 = 1_700_000_000;

fn metric(prometheus: Value, success: &str) -> Metric {
    let provider = json!({"prometheus": prometheus});
    serde_json::from_value(json!({"name": "m", "successCondition": success, "provider": provider})).unwrap()
}

async fn measure(fixed: &Fixed, prometheus: Value, success: &str) -> Measurement {
    let clock = Clock::starting_at(Time::from_unix(NOW));
    let providers = Providers::new(Arc::new(fixed.clone()), clock).with_prometheus("http://fallback:9090");
    providers.begin(&AnalysisRun::default(), &metric(prometheus, success)).await
}

fn answering(status: u16, body: &'static str) -> Fixed {
    Fixed { answer: Some((status, body)), ..Fixed::default() }
}

// Answers in the form of the HTTP API of Prometheus, written by hand.
const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1700000000.123,"0.99"]},{"metric":{"job":"b"},"value":[1700000000.123,"NaN"]}]}}"#;
const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
const SCALAR: &str =
    r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000.123,"+Inf"]}}"#;
const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"a"},"values":[[1699999940,"1"],[1700000000,"2.5"]]},{"metric":{"job":"b"},"values":[[1700000000,"3"]]}]}}"#;
const STRING: &str = r#"{"status":"success","data":{"resultType":"string","result":[1700000000.123,"x"]}}"#;
const WARNED: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000.123,"1"]},"warnings":["first","second"]}"#;
const PARSE: &str = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error: unexpected end of input"}"#;

#[tokio::test]
async fn answers() {
    for (body, success, phase, value) in [
        (VECTOR, "result[0] >= 0.95", Phase::Successful, "[0.99,NaN]"),
        (VECTOR, "result[1] >= 0.95", Phase::Failed, "[0.99,NaN]"),
        (VECTOR, "isNaN(result[1])", Phase::Successful, "[0.99,NaN]"),
        (EMPTY, "len(result) == 0", Phase::Successful, "[]"),
        (SCALAR, "isInf(result)", Phase::Successful, "+Inf"),
        (MATRIX, "len(result) == 3 && max(result) == 3", Phase::Successful, "[1,2.5,3]"),
    ] {
        let measurement = measure(&answering(200, body), json!({"query": "up"}), success).await;
        assert_eq!(
            (measurement.phase, measurement.value.as_str()),
            (Some(phase), value),
            "{success} {}",
            measurement.message
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_a_measurement_in_error() {
    let query = json!({"query": "up", "timeout": 7});
    for (fixed, config, message) in [
        (
            answering(400, PARSE),
            query.clone(),
            "bad_data: invalid parameter \"query\": 1:4: parse error: unexpected end of input",
        ),
        (answering(404, "no"), query.clone(), "client_error: client error: 404"),
        (answering(500, "no"), query.clone(), "server_error: server error: 500"),
        (answering(200, STRING), query.clone(), "Prometheus metric type not supported"),
        (Fixed::default(), query, "POST http://fallback:9090/api/v1/query: no answer within 7s"),
        (answering(200, EMPTY), json!({"address": "nowhere"}), "prometheus address is not is url format"),
        (answering(200, EMPTY), json!({"timeout": -1}), "prometheus timeout should not be negative"),
        (
            answering(200, EMPTY),
            json!({"address": "https://aps-workspaces.eu-west-1.amazonaws.com/w"}),
            "prometheus: authentication by sigv4 is not supported by this version of slipway",
        ),
        (
            answering(200, EMPTY),
            json!({"authentication": {"oauth2": {"tokenUrl": "http://t"}}}),
            "prometheus: authentication by oauth2 is not supported by this version of slipway",
        ),
        (
            answering(200, EMPTY),
            json!({"rangeQuery": {"start": "1", "end": "now()", "step": "1m"}}),
            "failed to parse rangeQuery.start: expected time, but got int",
        ),
    ] {
        let measurement = measure(&fixed, config, "result[0] > 1").await;
        assert_eq!((measurement.phase, measurement.message.as_str()), (Some(Phase::Error), message));
    }
    let empty = measure(&answering(200, EMPTY), json!({"query": "up"}), "result[0] > 1").await;
    let ending = "metric result is nil or empty: no data returned from the metric provider";
    assert!(empty.message.ends_with(ending), "{}", empty.message);
}

#[tokio::test]
async fn without_any_address() {
    let clock = Clock::starting_at(Time::from_unix(NOW));
    let providers = Providers::new(Arc::new(Fixed::default()), clock);
    let measurement = providers.begin(&AnalysisRun::default(), &metric(json!({"query": "up"}), "true")).await;
    assert_eq!(measurement.message, "prometheus address is not configured");
}

#[tokio::test]
async fn what_is_asked() {
    let fixed = answering(200, MATRIX);
    let config = json!({"address": "http://own:9090/p/", "query": "sum(rate(x{a=\"b\"}[5m]))", "insecure": true,
        "headers": [{"key": "X-Scope-OrgID", "value": "team"}],
        "authentication": {"basicAuth": {"username": "u", "password": "p"}},
        "rangeQuery": {"start": "now() - duration(\"1h\")", "end": "now()", "step": "1m30s"}});
    assert_eq!(measure(&fixed, config, "").await.phase, Some(Phase::Successful));
    let asked = fixed.last.lock().unwrap().take().unwrap();
    assert_eq!((asked.method.as_str(), asked.url.as_str()), ("POST", "http://own:9090/p/api/v1/query_range"));
    let body = "query=sum%28rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29%29&start=1699996400&end=1700000000&step=90";
    assert_eq!(asked.body, body.as_bytes());
    assert!(asked.headers.contains(&("Authorization".into(), "Basic dTpw".into())));
    assert!(asked.headers.contains(&("X-Scope-OrgID".into(), "team".into())));
    assert_eq!((asked.tls, asked.timeout.as_secs()), (TlsTrust::Anybody, 30));
    let fixed = answering(200, WARNED);
    let measurement = measure(&fixed, json!({"query": "1"}), "result == 1").await;
    assert_eq!(measurement.metadata["warnings"], "\"first\", \"second\"");
    let body = fixed.last.lock().unwrap().take().unwrap().body;
    assert_eq!(body, "query=1&time=1700000000".as_bytes());
    assert_eq!(facts(&metric(json!({"query": "1"}), ""))[QUERY], "1");
}
