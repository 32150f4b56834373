//! `/healthz` and `/readyz`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

use crate::Readiness;

/// Returns the routes. `/healthz` answers 200 while the process can answer at all, also while it stands by; `/readyz` answers
/// 200 when it is ready and 503 before. Both name below their first line what the cluster lacks: missing
/// CustomResourceDefinitions.
pub fn router(readiness: Readiness) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(readiness)
}

async fn alive(State(readiness): State<Readiness>) -> String {
    told("ok", &readiness)
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, String) {
    if readiness.is_ready() {
        (StatusCode::OK, told("ok", &readiness))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, told("watches are not complete yet", &readiness))
    }
}

fn told(first: &str, readiness: &Readiness) -> String {
    readiness.lacks().into_iter().fold(first.to_owned(), |text, lack| format!("{text}\n{lack}"))
}
