//! `/healthz` and `/readyz`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use runtime::Cache;

/// Returns the routes. `/healthz` answers 200 while the process can answer at all; `/readyz` answers 200 when all of
/// `caches` are complete and 503 before.
pub fn router(caches: Vec<Cache>) -> Router {
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(caches)
}

async fn ready(State(caches): State<Vec<Cache>>) -> (StatusCode, &'static str) {
    if caches.iter().all(Cache::is_synced) {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "watches are not complete yet")
    }
}
