//! Pages over HTTP that answer metrics, whatever the pods do.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use object::Value;
use runtime::Tasks;
use tokio::net::TcpListener;

/// Serves the pages, by path and query, on a free port of the loopback address until `tasks` end; other paths are 404.
pub async fn serve(pages: BTreeMap<String, Value>, tasks: &Tasks) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let pages = Arc::new(pages);
    let app = Router::new().fallback(move |request: Request| {
        let pages = Arc::clone(&pages);
        async move { answer(&pages, request).await }
    });
    tasks.spawn("pages", async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::warn!(%error, "the pages ended");
        }
    });
    Ok(address)
}

/// Longest form that is read, in bytes.
const FORM: usize = 1 << 16;

/// Answers with the page of the path and query; the first field of a form stands for the query.
async fn answer(pages: &BTreeMap<String, Value>, request: Request) -> Response {
    let mut place = request.uri().path_and_query().map_or("/", |place| place.as_str()).to_owned();
    let form = axum::body::to_bytes(request.into_body(), FORM).await.unwrap_or_default();
    let form = String::from_utf8_lossy(&form);
    if let Some(field) = form.split('&').next().filter(|field| field.contains('=')) {
        place = format!("{place}?{field}");
    }
    match pages.get(&place) {
        Some(page) => axum::Json(page).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
