use std::sync::Arc;

use api::analysis::{AnalysisPhase as Phase, AnalysisRun, Metric};
use object::{Time, json};
use runtime::http::{Answer, HttpResponse};

use super::*;
use crate::Providers;

/// Answers every request with one status and body, or never.
struct Fixed(Option<(u16, &'static str)>);

impl HttpClient for Fixed {
    fn send(&self, _: HttpRequest) -> Answer<'_> {
        Box::pin(async move {
            let Some((status, body)) = self.0 else { std::future::pending().await };
            Ok(HttpResponse { status, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) })
        })
    }
}

async fn measure(
    web: Value,
    condition: &str,
    answer: Option<(u16, &'static str)>,
) -> (Phase, String, String) {
    let metric: Metric = serde_json::from_value(json!({
        "name": "m", "successCondition": condition, "provider": {"web": web}
    }))
    .unwrap();
    let clock = Clock::starting_at(Time::from_unix(0));
    let measurement =
        Providers::new(Arc::new(Fixed(answer)), clock).begin(&AnalysisRun::default(), &metric).await;
    (measurement.phase.unwrap(), measurement.value, measurement.message)
}

#[tokio::test]
async fn the_path_finds_the_result() {
    let web = json!({"url": "http://x/", "jsonPath": "{$.status}"});
    let ok = measure(web.clone(), "result == \"ok\"", Some((200, r#"{"status":"ok"}"#))).await;
    assert_eq!(ok, (Phase::Successful, "\"ok\"".into(), String::new()));
    let nok = measure(web, "result == \"ok\"", Some((200, r#"{"status":"nok"}"#))).await;
    assert_eq!(nok, (Phase::Failed, "\"nok\"".into(), String::new()));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_a_measurement_in_error() {
    let web = json!({"url": "http://x/", "jsonPath": "{$.status}", "timeoutSeconds": 3});
    for (answer, message) in [
        (Some((503, "no")), "received non 2xx response code: 503"),
        (Some((200, r#"{"other":1}"#)), "Could not find JSONPath in body: no result"),
        (Some((200, r#"{"status":5}"#)), "invalid operation: == (mismatched types float64 and string)"),
        (None, "GET http://x/: no answer within 3s"),
    ] {
        let (phase, _, found) = measure(web.clone(), "result == \"ok\"", answer).await;
        assert_eq!((phase, found.as_str()), (Phase::Error, message));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_a_string() {
    let web = json!({"url": "http://x/"});
    let (phase, value, _) = measure(web, "result == 'fine'", Some((200, "fine"))).await;
    assert_eq!((phase, value.as_str()), (Phase::Successful, "fine"));
}

#[tokio::test]
async fn what_is_not_supported_is_named() {
    let oauth = json!({"url": "http://x/", "authentication": {"oauth2": {}}});
    let (_, _, message) = measure(oauth, "true", Some((200, "1"))).await;
    assert_eq!(message, "web metric: field 'authentication' is not supported by this version of slipway");
    let body = json!({"url": "http://x/", "body": "x"});
    let (_, _, message) = measure(body, "true", Some((200, "1"))).await;
    assert_eq!(message, "Body/JSONBody can only be used with POST or PUT WebMetric Method types");
    let metric = json!({"name": "m", "provider": {"datadog": {"query": "x"}}});
    let metric: Metric = serde_json::from_value(metric).unwrap();
    let clock = Clock::starting_at(Time::from_unix(0));
    let measurement =
        Providers::new(Arc::new(Fixed(None)), clock).begin(&AnalysisRun::default(), &metric).await;
    assert_eq!(measurement.phase, Some(Phase::Error));
    let words =
        "no valid provider in metric 'm': provider 'datadog' is not supported by this version of slipway";
    assert_eq!(measurement.message, words);
}
