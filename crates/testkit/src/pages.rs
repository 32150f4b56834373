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
        async move { answer(&pages, &request) }
    });
    tasks.spawn("pages", async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::warn!(%error, "the pages ended");
        }
    });
    Ok(address)
}

fn answer(pages: &BTreeMap<String, Value>, request: &Request) -> Response {
    let place = request.uri().path_and_query().map_or("/", |place| place.as_str());
    match pages.get(place) {
        Some(page) => axum::Json(page).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
