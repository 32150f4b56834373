//! Jobs end as they do on a real cluster.

use std::time::Duration;

use object::{Object, Value, json};
use runtime::resources as r;

use super::World;
use super::jobs::rules;

/// Returns the value with "T" for each time.
fn without_times(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), without_times(value)))
            .collect::<object::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_times).collect(),
        Value::String(text) if object::Time::parse(text).is_ok() => "T".into(),
        other => other.clone(),
    }
}

/// Returns an Event in one line, with X for the random part of a pod's name.
fn told(event: &Object) -> String {
    let text = |field: &str| event.str(&[field]);
    let message = match text("message").split_once("pod: ") {
        Some((head, name)) => format!("{head}pod: {}-X", name.rsplit_once('-').unwrap().0),
        None => text("message").to_owned(),
    };
    format!("{} {} {message}", text("type"), text("reason"))
}

#[tokio::test(start_paused = true)]
async fn jobs_end_as_recorded() {
    let recorded: Value = serde_json::from_str(include_str!("jobs.json")).unwrap();
    let world = World::start(rules()).await;
    world.cluster.clock().sleep(Duration::from_secs(1)).await;
    for mut job in object::yaml::documents(include_str!("jobs.yaml")).unwrap() {
        job["metadata"]["namespace"] = "default".into();
        world.create(&r::JOBS, job).await;
    }
    world.cluster.clock().sleep(Duration::from_secs(30)).await;
    let events = world.all(&r::EVENTS).await;
    let jobs = world.all(&r::JOBS).await;
    assert_eq!(jobs.len(), recorded.as_object().unwrap().len());
    for job in jobs {
        let name = job.name();
        let about = |event: &&Object| {
            event.str(&["involvedObject", "kind"]) == "Job" && event.str(&["involvedObject", "name"]) == name
        };
        let mut lines: Vec<String> = events.iter().filter(about).map(told).collect();
        lines.sort();
        let status = without_times(job.get(&["status"]).unwrap());
        assert_eq!(json!({"events": lines, "status": status}), recorded[name], "{name}");
    }
    world.tasks.stop().await;
}
