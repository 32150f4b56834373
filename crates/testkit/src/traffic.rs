//! Continuous requests while a scenario is played: every request counts, and none may fail.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runtime::{Cluster, Tasks};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::processes::Processes;
use crate::scenario::{Driver, Future, Ran};

/// Longest time for one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wait between two requests of one who asks all the time.
const PACE: Duration = Duration::from_millis(5);
/// Failures that are kept in words.
const KEPT: usize = 20;

/// A driver whose requests go to one address over kept connections, beside others that ask all the time.
pub struct Traffic {
    processes: Processes,
    address: SocketAddr,
    connection: tokio::sync::Mutex<Option<Connection>>,
    tally: Tally,
    asking: Tasks,
}

/// What came of all requests.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Requests that were sent.
    pub sent: u64,
    /// Requests that were not answered with 200.
    pub failed: u64,
    /// The first failures, in words.
    pub failures: Vec<String>,
}

#[derive(Clone, Default)]
struct Tally(Arc<Mutex<Asked>>);

impl Tally {
    fn count(&self, outcome: &Result<String, String>) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.sent += 1;
        if let Err(problem) = outcome {
            asked.failed += 1;
            if asked.failures.len() < KEPT {
                asked.failures.push(problem.clone());
            }
        }
    }
}

impl Traffic {
    /// Returns a driver that does everything as `processes` but requests, which go to `address`.
    pub fn new(processes: Processes, address: SocketAddr) -> Self {
        let connection = tokio::sync::Mutex::default();
        Self { processes, address, connection, tally: Tally::default(), asking: Tasks::new() }
    }

    /// Starts `count` more that ask `service` all the time, each over a connection of its own, until [`Self::stop`].
    pub fn ask(&self, service: &str, count: usize) {
        for _ in 0..count {
            let (address, service, tally) = (self.address, service.to_owned(), self.tally.clone());
            let (clock, token) = (self.clock().clone(), self.asking.token());
            self.asking.spawn("asking", async move {
                let mut connection = None;
                // A request under way is never given up.
                while !token.is_cancelled() {
                    tally.count(&ask(&mut connection, address, &service).await);
                    clock.sleep(PACE).await;
                }
            });
        }
    }

    /// Forgets what came of the requests so far.
    pub fn forget(&self) {
        *self.tally.0.lock().unwrap_or_else(PoisonError::into_inner) = Asked::default();
    }

    /// Ends the asking and returns what came of all requests.
    pub async fn stop(self) -> Asked {
        self.asking.stop().await;
        let asked = self.tally.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

impl Driver for Traffic {
    fn cluster(&self) -> &Cluster {
        self.processes.cluster()
    }

    fn namespace(&self) -> &str {
        self.processes.namespace()
    }

    fn commit(&self, folder: &str, message: &str) -> Future<'_, Result<String, String>> {
        self.processes.commit(folder, message)
    }

    fn repository(&self) -> String {
        self.processes.repository()
    }

    fn run(&self, arguments: Vec<String>) -> Future<'_, Result<Ran, String>> {
        self.processes.run(arguments)
    }

    fn request(&self, service: &str) -> Future<'_, Result<String, String>> {
        let service = service.to_owned();
        Box::pin(async move {
            let mut connection = self.connection.lock().await;
            let outcome = ask(&mut connection, self.address, &service).await;
            self.tally.count(&outcome);
            outcome
        })
    }
}

/// A connection that is kept.
struct Connection(BufReader<TcpStream>);

/// An answer and whether another request may follow on its connection.
struct Answer {
    status: String,
    body: String,
    close: bool,
}

/// Sends `GET /` for a host and returns the body of the answer, which must be 200.
async fn ask(kept: &mut Option<Connection>, address: SocketAddr, host: &str) -> Result<String, String> {
    let exchange = async {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(address).await?,
        };
        let answer = connection.get(host).await?;
        if !answer.close {
            *kept = Some(connection);
        }
        Ok::<_, io::Error>(answer)
    };
    match tokio::time::timeout(PATIENCE, exchange).await {
        Err(_) => Err(format!("no answer for {host} within {PATIENCE:?}")),
        Ok(Err(error)) => Err(format!("{host}: {error}")),
        Ok(Ok(answer)) if answer.status == "200" => Ok(answer.body),
        Ok(Ok(answer)) => Err(format!("{host}: status {}: {}", answer.status, answer.body.trim())),
    }
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    async fn get(&mut self, host: &str) -> io::Result<Answer> {
        let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).await?;
        let status = self.line().await?.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut close) = (0, false);
        loop {
            let header = self.line().await?.to_ascii_lowercase();
            match header.split_once(':') {
                None => break,
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or_default(),
                Some(("connection", value)) => close = value.trim() == "close",
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned(), close })
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
        }
        Ok(line.trim_end().to_owned())
    }
}
