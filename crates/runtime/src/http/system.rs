//! The real HTTP client.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;

use super::{Answer, HttpClient, HttpError, HttpRequest, HttpResponse, Names, TlsTrust};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 << 20;

type Pool = Client<HttpsConnector<Dial>, Full<Bytes>>;

/// Sends requests over the network. Cheap to clone.
#[derive(Clone)]
pub struct System {
    trusting_system: Pool,
    trusting_anybody: Pool,
}

impl System {
    /// Returns a client that asks `names` first and the system's resolver then.
    pub fn new(names: Arc<dyn Names>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .unwrap_or_else(|error| unreachable!("ring supports the default protocol versions: {error}"))
        };
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let system = builder().with_root_certificates(roots).with_no_client_auth();
        let verifier = Arc::new(Anybody(provider.clone()));
        let anybody = builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Self { trusting_system: pool(system, names.clone()), trusting_anybody: pool(anybody, names) }
    }
}

fn pool(tls: ClientConfig, names: Arc<dyn Names>) -> Pool {
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    Client::builder(TokioExecutor::new()).build(connector.wrap_connector(Dial(names)))
}

impl HttpClient for System {
    fn send(&self, request: HttpRequest) -> Answer<'_> {
        Box::pin(async move {
            let (method, url, timeout) = (request.method.clone(), request.url.clone(), request.timeout);
            match tokio::time::timeout(timeout, self.exchange(request)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(HttpError::Timeout { method, url, timeout }),
            }
        })
    }
}

impl System {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (method, url) = (request.method.clone(), request.url.clone());
        let failed = |cause: String| HttpError::Failed { method: method.clone(), url: url.clone(), cause };
        let pool = match request.tls {
            TlsTrust::System => &self.trusting_system,
            TlsTrust::Anybody => &self.trusting_anybody,
        };
        let response = pool.request(build(request)?).await.map_err(|error| failed(chain(&error)))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
            if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
                HttpError::TooLarge { method: method.clone(), url: url.clone(), limit: MAX_ANSWER }
            } else {
                failed(error.to_string())
            }
        })?;
        let headers = parts.headers.iter();
        Ok(HttpResponse {
            status: parts.status.as_u16(),
            headers: headers
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: body.to_bytes(),
        })
    }
}

fn build(request: HttpRequest) -> Result<http::Request<Full<Bytes>>, HttpError> {
    let url = request.url;
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(&url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let invalid = |problem: String| HttpError::Invalid { url: url.clone(), problem };
    let request = builder.body(Full::new(request.body)).map_err(|error| invalid(error.to_string()))?;
    if request.uri().host().is_none_or(str::is_empty) {
        return Err(invalid("no host".into()));
    }
    Ok(request)
}

/// Returns the messages of an error and its causes, without repetition.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Connects over TCP, asking [`Names`] first.
#[derive(Clone)]
struct Dial(Arc<dyn Names>);

impl tower::Service<http::Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let known = self.0.resolve(&host);
        Box::pin(async move {
            let stream = match known {
                Some(address) => TcpStream::connect(address).await?,
                None => TcpStream::connect((host.as_str(), port)).await?,
            };
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// Accepts every certificate, for metrics that are marked `insecure`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    struct One(SocketAddr);

    impl Names for One {
        fn resolve(&self, host: &str) -> Option<SocketAddr> {
            (host == "color.default").then_some(self.0)
        }
    }

    fn get(url: &str) -> HttpRequest {
        HttpRequest {
            method: "GET".into(),
            url: url.into(),
            headers: vec![("x-a".into(), "b".into())],
            body: Bytes::new(),
            timeout: Duration::from_millis(300),
            tls: TlsTrust::System,
        }
    }

    /// Answers one connection with `answer`, then says nothing more.
    async fn server(answer: &'static str) -> (SocketAddr, Tasks) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = Tasks::new();
        tasks.spawn("server", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 2048];
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(String::from_utf8_lossy(&buffer[..read]).to_lowercase().contains("host: color.default"));
            stream.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        (address, tasks)
    }

    use crate::Tasks;

    #[tokio::test]
    async fn names_decide_where_to_connect_and_the_host_is_kept() {
        let (address, _tasks) = server("HTTP/1.1 503 Nope\r\ncontent-length: 2\r\n\r\nno").await;
        let answer = System::new(Arc::new(One(address))).send(get("http://color.default/x")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (503, b"no".as_ref()));
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_a_timeout() {
        let (address, _tasks) = server("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n1").await;
        let error =
            System::new(Arc::new(One(address))).send(get("http://color.default/x")).await.unwrap_err();
        assert_eq!(error.to_string(), "GET http://color.default/x: no answer within 300ms");
    }

    #[tokio::test]
    async fn a_url_without_host_is_refused() {
        let error = System::new(Arc::new(super::super::NoNames)).send(get("/x")).await.unwrap_err();
        assert!(matches!(error, HttpError::Invalid { .. }), "{error}");
    }
}
