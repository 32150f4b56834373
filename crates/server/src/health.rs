//! `/healthz` and `/readyz`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

use crate::Readiness;

/// Returns the routes. `/healthz` answers 200 while the process can answer at all, also while it stands by; `/readyz` answers
/// 200 when it is ready and 503 before.
pub fn router(readiness: Readiness) -> Router {
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(readiness)
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    if readiness.is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "watches are not complete yet")
    }
}
