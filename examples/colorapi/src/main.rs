//! The sample application: answers each request with its colour.
//!
//! `COLOR` is the colour, `STATUS` what it says of itself (`ok` or `nok`), `VERSION` its version, `PORT` its port
//! (5000). It binds `SLIPWAY_POD_IP` when that is set and every address otherwise. On SIGTERM it finishes the requests
//! under way, still answers for a moment those who have not heard of its end, and ends with 0.

use std::env;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Longest head of a request, in bytes.
const MAX_HEAD: u64 = 16 << 10;
/// Time that a silent peer is waited for.
const IDLE: Duration = Duration::from_secs(30);
/// Time after SIGTERM in which new requests are still answered: proxies hear of the end a little later.
const LINGER: Duration = Duration::from_millis(300);
/// Time for requests under way after that.
const FINISH: Duration = Duration::from_secs(5);

struct App {
    color: String,
    status: String,
    version: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let read = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let app =
        App { color: read("COLOR", "red"), status: read("STATUS", "ok"), version: read("VERSION", "1.0") };
    let address = format!("{}:{}", read("SLIPWAY_POD_IP", "0.0.0.0"), read("PORT", "5000"));
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot bind {address}: {error}")))?;
    let mut term = signal(SignalKind::terminate())?;
    println!("colorapi {} ({}) listens on {}", app.version, app.color, listener.local_addr()?);
    let told = async {
        term.recv().await;
    };
    run(app, listener, told).await;
    Ok(())
}

/// Serves until `told`, then finishes.
async fn run(app: App, listener: TcpListener, told: impl Future<Output = ()>) {
    let (app, ending) = (Arc::new(app), watch::Sender::new(false));
    let mut connections = JoinSet::new();
    let end = async {
        told.await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        () = end => {}
        () = accept(&listener, &mut connections, (&app, &ending)) => {}
    }
    drop(listener);
    ending.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FINISH, all).await.is_err() {
        eprintln!("a request took too long to finish");
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
    (app, ending): (&Arc<App>, &watch::Sender<bool>),
) {
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let (app, ending) = (app.clone(), ending.subscribe());
                connections.spawn(async move {
                    if let Err(error) = serve(&app, stream, ending).await {
                        eprintln!("connection: {error}");
                    }
                });
            }
            Err(error) => {
                eprintln!("accept: {error}");
                tokio::time::sleep(LINGER).await;
            }
        }
    }
}

/// Answers the requests of one connection until the peer closes it, is silent for too long, or the application ends.
async fn serve(app: &App, stream: TcpStream, mut ending: watch::Receiver<bool>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        // Between two requests nothing is lost by ending; within one it is.
        let begun = tokio::select! {
            begun = tokio::time::timeout(IDLE, reader.fill_buf()) => begun,
            _ = ending.wait_for(|ending| *ending) => return Ok(()),
        };
        if !begun.is_ok_and(|bytes| bytes.is_ok_and(|bytes| !bytes.is_empty())) {
            return Ok(());
        }
        let request = tokio::time::timeout(IDLE, read(&mut reader)).await;
        let Some(mut request) = request.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? else {
            return Ok(());
        };
        request.close |= *ending.borrow();
        writer.write_all(answer(app, &request).as_bytes()).await?;
        if request.close {
            return Ok(());
        }
    }
}

struct Request {
    method: String,
    path: String,
    length: u64,
    close: bool,
}

/// Returns the next request, its body thrown away; `None` at the end of the connection.
async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Request>> {
    let Some(request) = head(reader).await? else { return Ok(None) };
    let mut body = reader.take(request.length);
    tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
    Ok(Some(request))
}

async fn head(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Request>> {
    let mut limited = reader.take(MAX_HEAD);
    let mut line = String::new();
    if limited.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request { method, path, length: 0, close: line.trim_end().ends_with("HTTP/1.0") };
    loop {
        let mut header = String::new();
        if limited.read_line(&mut header).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head of the request does not end"));
        }
        let header = header.trim().to_ascii_lowercase();
        match header.split_once(':') {
            None => return Ok(Some(request)),
            Some(("content-length", value)) => request.length = value.trim().parse().unwrap_or_default(),
            Some(("connection", value)) => request.close |= value.trim() == "close",
            Some(_) => {}
        }
    }
}

fn answer(app: &App, request: &Request) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    let (status, body) = match path {
        "/" => (
            "200 OK",
            format!(r#"{{"color":"{}","version":"{}","status":"{}"}}"#, app.color, app.version, app.status),
        ),
        "/healthz" => ("200 OK", r#"{"status":"ok"}"#.to_owned()),
        _ => ("404 Not Found", r#"{"error":"not found"}"#.to_owned()),
    };
    let connection = if request.close { "close" } else { "keep-alive" };
    let length = body.len() + 1;
    let body = if request.method == "HEAD" { String::new() } else { format!("{body}\n") };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: {connection}\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let app = |status: &str| App { color: "blue".into(), status: status.into(), version: "2.0".into() };
        let get = |path: &str| Request { method: "GET".into(), path: path.into(), length: 0, close: false };
        let good = answer(&app("ok"), &get("/?x=1"));
        assert!(good.starts_with("HTTP/1.1 200 OK"), "{good}");
        assert!(good.contains(r#"{"color":"blue","version":"2.0","status":"ok"}"#), "{good}");
        assert!(answer(&app("nok"), &get("/")).contains(r#""status":"nok""#));
        assert!(answer(&app("nok"), &get("/healthz")).starts_with("HTTP/1.1 200"));
        assert!(answer(&app("ok"), &get("/x")).starts_with("HTTP/1.1 404"));
    }

    /// Starts the application; returns its address, what tells it to end, and its end.
    async fn start() -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        let app = App { color: "blue".into(), status: "ok".into(), version: "2.0".into() };
        let mut running = JoinSet::new();
        running.spawn(run(app, listener, async {
            let _ = told.await;
        }));
        (address, tell, running)
    }

    async fn read_answer(stream: &mut TcpStream) -> String {
        let mut text = vec![0; 4096];
        let length = stream.read(&mut text).await.unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_request_under_way_is_finished_and_silent_peers_are_not_waited_for() {
        let (address, tell, mut running) = start().await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        silent.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(read_answer(&mut silent).await.contains("connection: keep-alive"));
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n1").await.unwrap();
        tell.send(()).unwrap();
        // Closed by the application, so it knows of its end.
        assert_eq!(silent.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(TcpStream::connect(address).await.is_err());
        slow.write_all(b"2").await.unwrap();
        let answer = read_answer(&mut slow).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("connection: close"), "{answer}");
        running.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn who_has_not_heard_of_the_end_is_answered_for_a_moment() {
        let (address, tell, mut running) = start().await;
        tell.send(()).unwrap();
        let mut late = TcpStream::connect(address).await.unwrap();
        late.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(read_answer(&mut late).await.starts_with("HTTP/1.1 200 OK"));
        running.join_next().await.unwrap().unwrap();
    }
}
