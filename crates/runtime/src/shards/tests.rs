use std::convert::Infallible;
use std::sync::atomic::AtomicUsize;

use http_body_util::Full;
use object::{Time, json};

use super::*;
use crate::{Clock, Patch, resources};

/// A replica that owns everything now, with the rest of what it takes.
fn owner_of_all() -> (Shards, Arc<Inner>) {
    let state = State {
        membership: Membership::new("a", Timings::default()),
        writing: BTreeMap::new(),
        passes: BTreeMap::new(),
        count: 0,
    };
    let inner = Arc::new(Inner {
        start: Instant::now(),
        state: Mutex::new(state),
        grants: watch::Sender::new(0),
        ended: watch::Sender::new(0),
    });
    take(&inner, &["a"]);
    (Shards(Some(inner.clone())), inner)
}

/// Publishes a claim by the view of these members.
fn take(inner: &Inner, members: &[&str]) {
    let (view, now) = (view(members), inner.now());
    inner.change(|membership| {
        membership.announce(view.clone());
        membership.published(&view, now, now);
        membership.look(Vec::new(), now, now);
    });
}

fn view(members: &[&str]) -> View {
    members.iter().map(|&name| name.to_owned()).collect()
}

fn key() -> Key {
    Key::new("ns", "r")
}

/// A cluster that counts the writes that reach it.
fn cluster() -> (Cluster, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let service = tower::service_fn(move |_: http::Request<kube::client::Body>| {
        seen.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, Infallible>(http::Response::new(Full::new(bytes::Bytes::from("{}")))) }
    });
    (Cluster::new(kube::Client::new(service, "default"), Clock::starting_at(Time::from_unix(0))), count)
}

async fn write(cluster: &Cluster) -> bool {
    cluster.patch(&resources::REPLICA_SETS, &key(), &Patch::merge(json!({}))).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_pass_writes_no_more_once_its_object_is_given_up_also_when_it_comes_back() {
    let ((shards, inner), (cluster, seen)) = (owner_of_all(), cluster());
    let before = shards.pass(&key()).unwrap();
    before
        .clone()
        .run(async {
            assert!(write(&cluster).await);
            inner.change(|membership| membership.announce(view(&["b"])));
            assert!(!shards.owns(&key()) && !write(&cluster).await);
            take(&inner, &["a"]);
            assert!(shards.owns(&key()) && !write(&cluster).await, "others may have acted meanwhile");
        })
        .await;
    assert!(before.is_over());
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    let after = shards.pass(&key()).unwrap();
    assert!(after.run(write(&cluster)).await);
    assert!(write(&cluster).await, "what is no pass is nobody's");
}

#[tokio::test(start_paused = true)]
async fn a_pass_writes_no_more_once_the_lease_has_lapsed() {
    let ((shards, inner), (cluster, seen)) = (owner_of_all(), cluster());
    let pass = shards.pass(&key()).unwrap();
    pass.run(async {
        tokio::time::sleep(Duration::from_millis(9_999)).await;
        assert!(write(&cluster).await);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!write(&cluster).await);
        take(&inner, &["a"]);
        assert!(!write(&cluster).await);
    })
    .await;
    assert!(shards.pass(&key()).is_some());
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_drained_when_its_writes_are_answered() {
    let (shards, inner) = owner_of_all();
    let pass = shards.pass(&key()).unwrap();
    let write = pass.run(async { Pass::write().unwrap().unwrap() }).await;
    assert!(inner.is_drained(), "nothing is given up yet");
    inner.change(|membership| membership.announce(view(&["b"])));
    assert!(!inner.is_drained());
    drop(write);
    assert!(inner.is_drained() && inner.lock().passes.is_empty());
}
