//! The sample application: answers each request with its colour, and ends by itself on SIGTERM, the default action.
//!
//! `COLOR` is the colour, `STATUS` what it says of itself (`ok` or `nok`), `VERSION` its
//! version, `PORT` its port (5000). It binds `SLIPWAY_POD_IP` when that is set and every address otherwise. Standard
//! library only, so that the image is one file.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Longest head of a request, in bytes.
const MAX_HEAD: u64 = 16 << 10;
/// Time that a silent peer is waited for.
const IDLE: Duration = Duration::from_secs(30);

struct App {
    color: String,
    status: String,
    version: String,
}

fn main() -> io::Result<()> {
    let read = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let app = Arc::new(App {
        color: read("COLOR", "red"),
        status: read("STATUS", "ok"),
        version: read("VERSION", "1.0"),
    });
    let address = format!("{}:{}", read("SLIPWAY_POD_IP", "0.0.0.0"), read("PORT", "5000"));
    let listener = TcpListener::bind(&address)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot bind {address}: {error}")))?;
    println!("colorapi {} ({}) listens on {address}", app.version, app.color);
    for stream in listener.incoming() {
        let (app, stream) = (app.clone(), stream?);
        thread::spawn(move || {
            if let Err(error) = serve(&app, stream) {
                eprintln!("connection: {error}");
            }
        });
    }
    Ok(())
}

/// Answers the requests of one connection until the peer closes it or is silent for too long.
fn serve(app: &App, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = head(&mut reader)? {
        io::copy(&mut (&mut reader).take(request.length), &mut io::sink())?;
        writer.write_all(answer(app, &request).as_bytes())?;
        if request.close {
            return Ok(());
        }
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
    length: u64,
    close: bool,
}

/// Returns the next request, `None` at the end of the connection.
fn head(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut limited = reader.take(MAX_HEAD);
    let mut line = String::new();
    match limited.read_line(&mut line) {
        Ok(0) => return Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            return Ok(None);
        }
        other => other?,
    };
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request { method, path, length: 0, close: line.trim_end().ends_with("HTTP/1.0") };
    loop {
        let mut header = String::new();
        if limited.read_line(&mut header)? == 0 {
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
}
