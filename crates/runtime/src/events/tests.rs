use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use object::{Time, Value};
use tokio::sync::watch;

use super::queue::BACKLOG;
use super::*;
use crate::Clock;

/// A server that writes down the Events it is sent, once it is open.
fn server(open: &watch::Sender<bool>) -> (Cluster, Arc<Mutex<Vec<Value>>>) {
    let (seen, open) = (Arc::new(Mutex::new(Vec::new())), open.subscribe());
    let log = seen.clone();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let (log, mut open) = (log.clone(), open.clone());
        async move {
            let _ = open.wait_for(|open| *open).await;
            let body = request.into_body().collect().await.unwrap().to_bytes();
            log.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            Ok::<_, Infallible>(http::Response::new(Full::new(body)))
        }
    });
    let clock = Clock::starting_at(Time::from_unix(0));
    (Cluster::new(kube::Client::new(service, "default"), clock), seen)
}

fn about(name: &str) -> Object {
    Object::from_value(json!({"kind": "Rollout", "metadata": {"namespace": "ns", "name": name, "uid": name}}))
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_told_once_with_its_count() {
    let (open, tasks) = (watch::Sender::new(false), Tasks::new());
    let (cluster, seen) = server(&open);
    let recorder = Recorder::new(cluster.clone(), "test", &tasks);
    recorder.record(&about("first"), EventType::Normal, "Begin", "");
    tokio::time::sleep(Duration::from_secs(1)).await;
    for message in ["a", "b", "a", "a"] {
        recorder.record(&about("r"), EventType::Normal, "Same", message);
    }
    open.send_replace(true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told: Vec<(String, Value)> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|event| (event["message"].as_str().unwrap().to_owned(), event["count"].clone()))
        .collect();
    assert_eq!(told, [(String::new(), json!(1)), ("a".into(), json!(3)), ("b".into(), json!(1))]);
    assert_eq!(cluster.tally().events().values().sum::<u64>(), 5);
    drop(recorder);
    tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_story_is_told_in_its_order() {
    let (open, tasks) = (watch::Sender::new(false), Tasks::new());
    let (cluster, seen) = server(&open);
    let recorder = Recorder::new(cluster, "test", &tasks).in_order();
    let tell = |about: &Object, message: &str| recorder.record(about, EventType::Normal, "Scaled", message);
    tell(&about("first"), "");
    tokio::time::sleep(Duration::from_secs(1)).await;
    for message in ["up", "up", "down", "up"] {
        tell(&about("r"), message);
    }
    open.send_replace(true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    tell(&about("other"), "down");
    for message in ["up", "down"] {
        tell(&about("r"), message);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let told: Vec<Value> = seen.lock().unwrap().iter().skip(1).cloned().collect();
    let of = |event: &Value| (event["message"].as_str().map(str::to_owned), event["count"].as_u64());
    let of: Vec<_> = told.iter().map(of).collect();
    let new = |message: &str, count| (Some(message.to_owned()), Some(count));
    let again = (None, Some(2));
    let wanted = [new("up", 2), new("down", 1), new("up", 1), new("down", 1), again, new("down", 1)];
    assert_eq!(of, wanted, "the fifth is of another object; the sixth counts the last one again");
    drop(recorder);
    tasks.stop().await;
}

#[tokio::test(start_paused = true)]
async fn when_too_many_wait_the_oldest_go_and_are_counted() {
    let (open, tasks) = (watch::Sender::new(false), Tasks::new());
    let (cluster, seen) = server(&open);
    let recorder = Recorder::new(cluster.clone(), "test", &tasks);
    recorder.record(&about("first"), EventType::Normal, "Begin", "");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = tokio::time::Instant::now();
    for at in 0..BACKLOG + 7 {
        recorder.record(&about("r"), EventType::Normal, "Many", &at.to_string());
    }
    assert!(before.elapsed().is_zero(), "recording never waits");
    assert_eq!(cluster.tally().dropped_events(), 7);
    open.send_replace(true);
    drop(recorder);
    tasks.stop().await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), BACKLOG + 1, "what waits when the controllers end is still written");
    assert_eq!(seen[1]["message"], "7");
}
