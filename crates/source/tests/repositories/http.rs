//! `git http-backend` behind a small CGI server with basic authentication.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::task::JoinSet;

/// Ends with the value.
pub struct Server {
    address: std::net::SocketAddr,
    site: Arc<Site>,
    _tasks: JoinSet<()>,
}

struct Site {
    folder: PathBuf,
    password: String,
    fetches: AtomicUsize,
}

impl Server {
    pub async fn start(folder: &Path, password: &str) -> Self {
        let site =
            Arc::new(Site { folder: folder.to_owned(), password: password.to_owned(), fetches: 0.into() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&site));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, site, _tasks: tasks }
    }

    pub fn url(&self) -> String {
        format!("http://{}/sample", self.address)
    }

    /// How many packs were asked for.
    pub fn fetches(&self) -> usize {
        self.site.fetches.load(Ordering::Relaxed)
    }
}

async fn serve(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text =
        |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if !site.password.is_empty() && !allowed(&text("authorization"), &site.password) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")])
            .into_response();
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    if body.windows(13).any(|window| window == b"command=fetch") && body.windows(5).any(|w| w == b"want ") {
        site.fetches.fetch_add(1, Ordering::Relaxed);
    }
    let variables = [
        ("REQUEST_METHOD", parts.method.to_string()),
        ("PATH_INFO", parts.uri.path().to_owned()),
        ("QUERY_STRING", parts.uri.query().unwrap_or_default().to_owned()),
        ("CONTENT_TYPE", text("content-type")),
        ("CONTENT_LENGTH", body.len().to_string()),
        ("GIT_PROTOCOL", text("git-protocol")),
    ];
    tokio::task::spawn_blocking(move || answer(&site.folder, variables, &body)).await.unwrap()
}

fn allowed(header: &str, password: &str) -> bool {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("ann:{password}")));
    [basic, format!("Bearer {password}")].iter().any(|expected| expected == header)
}

fn answer(folder: &Path, variables: [(&str, String); 6], body: &Bytes) -> Response {
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder)
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(output.len());
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(&value[..3]),
            _ => response.header(name, value),
        };
    }
    response.body(output.get(end + 4..).unwrap_or_default().to_vec().into()).unwrap()
}
