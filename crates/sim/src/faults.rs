//! Faults between controllers and the API server: what a network, a busy server and a dying process do.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use http_body_util::BodyExt as _;
use object::json;
use tokio::sync::Notify;

use crate::{Acknowledged, Random};

/// How often each fault strikes, in 1,000 requests of its kind.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// A write is refused with a conflict, nothing stored.
    pub conflict: u64,
    /// A request is refused with 500 or 503, nothing stored.
    pub error: u64,
    /// A write is stored but the answer is lost.
    pub lost_answer: u64,
    /// The process dies right before a write is sent.
    pub crash_before: u64,
    /// The process dies right after a write was stored, before it sees the answer.
    pub crash_after: u64,
    /// A watch ends after a few events.
    pub watch_gap: u64,
    /// A request or an event is delayed by up to two seconds.
    pub delay: u64,
}

impl Rates {
    /// Rates at which every fault strikes several times in a canary.
    pub const ROUGH: Self = Self {
        conflict: 60,
        error: 30,
        lost_answer: 30,
        crash_before: 15,
        crash_after: 15,
        watch_gap: 300,
        delay: 100,
    };
}

/// The faults of one world, by one seed. Cheap to clone.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    random: Mutex<Random>,
    rates: Rates,
    active: AtomicBool,
    crashed: Notify,
    struck: AtomicU64,
    writes: AtomicU64,
    acknowledged: Acknowledged,
}

enum Strike {
    None,
    Refuse(StatusCode, &'static str),
    LoseAnswer,
    CrashBefore,
    CrashAfter,
}

impl Faults {
    /// Returns faults that strike by `seed` at `rates`, from now on; writes that get through are told to `acknowledged`.
    pub fn new(seed: u64, rates: Rates, acknowledged: Acknowledged) -> Self {
        Self(Arc::new(Inner {
            random: Mutex::new(Random::new(seed)),
            rates,
            active: AtomicBool::new(true),
            crashed: Notify::new(),
            struck: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            acknowledged,
        }))
    }

    /// Stops all faults for good.
    pub fn stop(&self) {
        self.0.active.store(false, Ordering::SeqCst);
    }

    /// Returns how many faults have struck.
    pub fn struck(&self) -> u64 {
        self.0.struck.load(Ordering::SeqCst)
    }

    /// Returns how many writes were tried through the router.
    pub fn writes(&self) -> u64 {
        self.0.writes.load(Ordering::SeqCst)
    }

    /// Waits until a crash strikes. The request that met it never returns.
    pub async fn crashed(&self) {
        self.0.crashed.notified().await;
    }

    /// Returns the router behind these faults.
    pub fn wrap(&self, router: Router) -> Router {
        let faults = self.clone();
        router.layer(from_fn(move |request: Request, next: Next| {
            let faults = faults.clone();
            async move { faults.pass(request, next).await }
        }))
    }

    async fn pass(&self, request: Request, next: Next) -> Response {
        let is_write = request.method() != Method::GET;
        if is_write {
            self.0.writes.fetch_add(1, Ordering::SeqCst);
        }
        if let Some(delay) = self.delay() {
            tokio::time::sleep(delay).await;
        }
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        match self.strike(is_write) {
            Strike::None if is_watch => self.gapped(next.run(request).await),
            Strike::None if is_write => self.acknowledge(next.run(request).await).await,
            Strike::None => next.run(request).await,
            Strike::Refuse(code, reason) => refusal(code, reason),
            Strike::LoseAnswer => {
                next.run(request).await;
                refusal(StatusCode::GATEWAY_TIMEOUT, "Timeout")
            }
            Strike::CrashBefore => self.crash().await,
            Strike::CrashAfter => {
                next.run(request).await;
                self.crash().await
            }
        }
    }

    /// Takes down a write that is about to be answered.
    async fn acknowledge(&self, response: Response) -> Response {
        if !response.status().is_success() {
            return response;
        }
        let (parts, body) = response.into_parts();
        match body.collect().await {
            Ok(collected) => {
                let bytes = collected.to_bytes();
                self.0.acknowledged.tell(&bytes);
                Response::from_parts(parts, Body::from(bytes))
            }
            Err(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "Timeout"),
        }
    }

    fn strike(&self, is_write: bool) -> Strike {
        if !self.0.active.load(Ordering::SeqCst) {
            return Strike::None;
        }
        let rates = &self.0.rates;
        let mut random = self.lock();
        let strike = if random.chance(rates.error) {
            Strike::Refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
        } else if !is_write {
            return Strike::None;
        } else if random.chance(rates.conflict) {
            Strike::Refuse(StatusCode::CONFLICT, "Conflict")
        } else if random.chance(rates.lost_answer) {
            Strike::LoseAnswer
        } else if random.chance(rates.crash_before) {
            Strike::CrashBefore
        } else if random.chance(rates.crash_after) {
            Strike::CrashAfter
        } else {
            return Strike::None;
        };
        self.0.struck.fetch_add(1, Ordering::SeqCst);
        strike
    }

    fn delay(&self) -> Option<Duration> {
        let mut random = self.lock();
        let strikes = self.0.active.load(Ordering::SeqCst) && random.chance(self.0.rates.delay);
        strikes.then(|| Duration::from_millis(random.below(2000)))
    }

    /// Ends a watch after a few chunks, if the seed says so.
    fn gapped(&self, response: Response) -> Response {
        let left = {
            let mut random = self.lock();
            let strikes = self.0.active.load(Ordering::SeqCst) && random.chance(self.0.rates.watch_gap);
            strikes.then(|| random.below(12))
        };
        let Some(left) = left else { return response };
        self.0.struck.fetch_add(1, Ordering::SeqCst);
        let (parts, body) = response.into_parts();
        let stream = Gapped { inner: Box::pin(body.into_data_stream()), left };
        Response::from_parts(parts, Body::from_stream(stream))
    }

    async fn crash(&self) -> Response {
        self.0.crashed.notify_one();
        std::future::pending().await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Random> {
        self.0.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(code: StatusCode, reason: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("a fault of the simulation: {reason}"), "reason": reason, "code": code.as_u16()
    });
    (code, [("content-type", "application/json")], body.to_string()).into_response()
}

/// A body that ends after some chunks.
struct Gapped {
    inner: Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>,
    left: u64,
}

impl Stream for Gapped {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let polled = self.inner.as_mut().poll_next(context);
        if polled.is_ready() {
            self.left -= 1;
        }
        polled
    }
}
