//! One object that nothing works for delays no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use object::{Key, Object, json};
use runtime::{Cluster, Tasks, Watches, resources};

use crate::world::{SPACE, Setup, World, half_and_pause, rollout};

/// Time from the update of 50 Rollouts to the last one's pause, with another whose writes all fail or without; and how
/// many writes of that one were tried in that time and ten minutes more.
async fn updated(with_bad: bool) -> (u128, usize) {
    let world = World::with(Setup { controllers: 0, ..Setup::default() }).await;
    let tried = Arc::new(AtomicUsize::new(0));
    let count = tried.clone();
    let seam = from_fn(move |request: Request, next: Next| {
        let refused = request.method() == Method::PATCH && request.uri().path().contains("/rollouts/bad");
        count.fetch_add(usize::from(refused), Ordering::SeqCst);
        async move {
            if !refused {
                return next.run(request).await;
            }
            let status = json!({"kind": "Status", "status": "Failure", "code": 500, "message": "no"});
            (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(status)).into_response()
        }
    });
    let router = world.router.clone().layer(seam);
    let cluster = Cluster::new(kube::Client::new(router, "default"), world.cluster.clock().clone());
    let tasks = Tasks::new();
    world.starter.start_with(&Watches::new(cluster, &tasks), &tasks, 1);
    if with_bad {
        world.create(&resources::ROLLOUTS, rollout("bad", half_and_pause())).await;
    }
    for at in 0..50 {
        world.create(&resources::ROLLOUTS, rollout(&format!("r{at}"), half_and_pause())).await;
    }
    for at in 0..50 {
        world.phase(&format!("r{at}"), "Healthy").await;
    }
    let before = world.cluster.clock().now();
    for at in 0..50 {
        world.image(&format!("r{at}"), "shop:2").await;
    }
    for at in 0..50 {
        world.phase(&format!("r{at}"), "Paused").await;
    }
    let took = world.cluster.clock().now().since(before).as_millis();
    world.pass(600).await;
    if with_bad {
        let bad: Object =
            world.cluster.get(&resources::ROLLOUTS, &Key::new(SPACE, "bad")).await.unwrap().unwrap();
        assert_eq!(bad.get(&["status"]), None);
    }
    tasks.stop().await;
    world.stop().await;
    (took, tried.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_status_cannot_be_written_delays_no_other() {
    let (alone, none) = updated(false).await;
    let (beside, tried) = updated(true).await;
    assert_eq!(none, 0);
    assert!(beside <= alone + 250, "{beside} ms beside a bad one, {alone} ms without");
    // at most every 10 s once it has backed off
    assert!((60..160).contains(&tried), "{tried}");
}
