use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::Full;
use kube::client::Body;

use super::*;
use crate::Clock;

/// A server without the Lease; it takes a new one once the namespace is there, and refuses it as somebody else's after.
fn server(has_namespace: Arc<AtomicBool>) -> Cluster {
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let taken = has_namespace.load(Ordering::SeqCst) && request.method() == http::Method::POST;
        let (code, reason) = if taken { (409, "AlreadyExists") } else { (404, "NotFound") };
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {},
            "code": code, "reason": reason, "message": reason});
        let answer = http::Response::builder().status(code).body(Full::from(status.to_string()));
        async move { Ok::<_, Infallible>(answer.unwrap()) }
    });
    Cluster::new(kube::Client::new(service, "default"), Clock::starting_at(Time::from_unix(0)))
}

#[tokio::test(start_paused = true)]
async fn without_its_namespace_there_is_nobody_to_wait_for() {
    let (has_namespace, tasks) = (Arc::new(AtomicBool::new(false)), Tasks::new());
    let config = LeadershipConfig::new(Key::new("nowhere", "slipway"), "me");
    let mut leadership = Leadership::compete(server(has_namespace.clone()), config, &tasks);
    assert!(leadership.acquired().await);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(leadership.acquired().await, "it goes on");
    has_namespace.store(true, Ordering::SeqCst);
    let lost = tokio::time::timeout(Duration::from_secs(5), leadership.lost()).await;
    assert!(lost.is_ok(), "somebody else has made the Lease");
    tasks.stop().await;
}
