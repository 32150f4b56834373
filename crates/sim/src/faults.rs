//! Faults between controllers and the API server: what a network, a busy server, a wrong clock and a dying process do.

mod rates;
mod watch;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use object::json;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{Acknowledged, Random};
use watch::{Lags, Rough};

pub use rates::{Fault, Rates, Struck};

/// Collections of routers' objects.
const ROUTES: [&str; 2] = ["/httproutes", "/virtualservices"];

/// The faults of one world, by one seed. Cheap to clone.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    random: Mutex<Random>,
    rates: Rates,
    active: AtomicBool,
    crashed: Notify,
    struck: Mutex<Struck>,
    writes: AtomicU64,
    acknowledged: Acknowledged,
    lags: Mutex<Lags>,
    /// Until when writes of routers' objects are refused.
    routes_until: Mutex<Option<Instant>>,
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
            struck: Mutex::default(),
            writes: AtomicU64::new(0),
            acknowledged,
            lags: Mutex::default(),
            routes_until: Mutex::default(),
        }))
    }

    /// Stops all faults for good.
    pub fn stop(&self) {
        self.0.active.store(false, Ordering::SeqCst);
    }

    /// Returns how many faults have struck.
    pub fn struck(&self) -> u64 {
        lock(&self.0.struck).values().sum()
    }

    /// Returns how often each kind of fault has struck.
    pub fn by_kind(&self) -> Struck {
        lock(&self.0.struck).clone()
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

    /// Returns whether a fault strikes now, which is then counted.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        let strikes =
            self.0.active.load(Ordering::SeqCst) && lock(&self.0.random).chance(fault.rate(&self.0.rates));
        if strikes {
            self.count(fault);
        }
        strikes
    }

    /// Returns a random number below `bound`.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        lock(&self.0.random).below(bound)
    }

    fn count(&self, fault: Fault) {
        *lock(&self.0.struck).entry(fault).or_default() += 1;
    }

    fn lags(&self) -> MutexGuard<'_, Lags> {
        lock(&self.0.lags)
    }

    async fn pass(&self, request: Request, next: Next) -> Response {
        let is_write = request.method() != Method::GET;
        if is_write {
            self.0.writes.fetch_add(1, Ordering::SeqCst);
        }
        if self.strikes(Fault::Delay) {
            tokio::time::sleep(Duration::from_millis(self.below(2000))).await;
        }
        let path = request.uri().path().to_owned();
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        match self.strike(is_write, &path) {
            Strike::None if is_watch => self.watched(path, next.run(request).await),
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

    fn strike(&self, is_write: bool, path: &str) -> Strike {
        if self.strikes(Fault::Error) {
            Strike::Refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
        } else if !is_write {
            Strike::None
        } else if ROUTES.iter().any(|routes| path.contains(routes)) && self.refuses_routes() {
            Strike::Refuse(StatusCode::FORBIDDEN, "Forbidden")
        } else if self.strikes(Fault::Conflict) {
            Strike::Refuse(StatusCode::CONFLICT, "Conflict")
        } else if self.strikes(Fault::LostAnswer) {
            Strike::LoseAnswer
        } else if self.strikes(Fault::CrashBefore) {
            Strike::CrashBefore
        } else if self.strikes(Fault::CrashAfter) {
            Strike::CrashAfter
        } else {
            Strike::None
        }
    }

    /// Returns whether writes of routers' objects are refused now, from this one on or since before.
    fn refuses_routes(&self) -> bool {
        let now = Instant::now();
        let active = self.0.active.load(Ordering::SeqCst);
        if lock(&self.0.routes_until).is_some_and(|until| active && now < until) {
            self.count(Fault::RouteRefused);
            return true;
        }
        let begins = self.strikes(Fault::RouteRefused);
        if begins {
            let until = now + Duration::from_secs(5 + self.below(55));
            *lock(&self.0.routes_until) = Some(until);
        }
        begins
    }

    /// Lets the events of a watch be late, and ends it after a few of them, as the seed says.
    fn watched(&self, kind: String, response: Response) -> Response {
        let left = self.strikes(Fault::WatchGap).then(|| self.below(12));
        let (parts, body) = response.into_parts();
        let inner = Box::pin(body.into_data_stream());
        let stream = Rough { faults: self.clone(), kind, inner, left, held: None };
        Response::from_parts(parts, Body::from_stream(stream))
    }

    async fn crash(&self) -> Response {
        self.0.crashed.notify_one();
        std::future::pending().await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal(code: StatusCode, reason: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("a fault of the simulation: {reason}"), "reason": reason, "code": code.as_u16()
    });
    (code, [("content-type", "application/json")], body.to_string()).into_response()
}
