//! What Events tell of pods.

use object::json;

use crate::world::{World, is_ready};

#[tokio::test]
async fn the_life_of_a_pod() {
    let world = World::start().await;
    world.pod("web", "while :; do sleep 0.05; done", json!({})).await;
    world.until("web", is_ready).await;
    world.delete("web", 5).await;
    world.until_gone("web").await;
    let events = world.until_events("web", |events| events.len() == 4).await;
    assert_eq!(
        events,
        [
            "Normal Pulled x1 spec.containers{main}: Container image \"shell:1\" already present on machine and can be \
             accessed by the pod",
            "Normal Created x1 spec.containers{main}: Container created",
            "Normal Started x1 spec.containers{main}: Container started",
            "Normal Killing x1 spec.containers{main}: Stopping container main",
        ]
    );
    let event = world.events("web").await.remove(0);
    assert_eq!(event.get(&["source"]), Some(&json!({"component": "kubelet", "host": "local"})));
    assert_eq!(event.str(&["reportingComponent"]), "kubelet");
    assert_eq!(event.str(&["reportingInstance"]), "local");
    assert_eq!(event.str(&["involvedObject", "kind"]), "Pod");
    world.tasks.stop().await;
}

#[tokio::test]
async fn a_container_that_crashes() {
    let world = World::start().await;
    world.pod("bad", "exit 3", json!({})).await;
    let events =
        world.until_events("bad", |events| events.iter().any(|event| event.contains(" BackOff "))).await;
    assert!(events.iter().any(|event| event.starts_with("Normal Started x2 ")), "{events:#?}");
    let uid = world.get("bad").await.unwrap().uid().to_owned();
    let expected = format!(
        "Warning BackOff x1 spec.containers{{main}}: Back-off restarting failed container main in pod bad_default({uid})"
    );
    assert!(events.contains(&expected), "{events:#?}");
    world.tasks.stop().await;
}

#[tokio::test]
async fn an_image_that_is_not_there() {
    let world = World::start().await;
    world.pod("lost", "", json!({"image": "nowhere:1"})).await;
    let events = world.until_events("lost", |events| events.len() == 5).await;
    let part = "spec.containers{main}";
    assert_eq!(
        events,
        [
            format!("Normal Pulling x1 {part}: Pulling image \"nowhere:1\""),
            format!(
                "Warning Failed x1 {part}: Failed to pull image \"nowhere:1\": image \"nowhere:1\" is not in the store \
                 of this node"
            ),
            format!("Warning Failed x1 {part}: Error: ErrImagePull"),
            format!("Normal BackOff x1 {part}: Back-off pulling image \"nowhere:1\""),
            format!("Warning Failed x1 {part}: Error: ImagePullBackOff"),
        ]
    );
    world.pod("never", "", json!({"image": "nowhere:1", "imagePullPolicy": "Never"})).await;
    let events = world.until_events("never", |events| events.len() == 2).await;
    assert_eq!(
        events,
        [
            format!(
                "Warning ErrImageNeverPull x1 {part}: Container image \"nowhere:1\" is not present with pull policy of \
                 Never"
            ),
            format!("Warning Failed x1 {part}: Error: ErrImageNeverPull"),
        ]
    );
    world.tasks.stop().await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let world = World::start().await;
    let env = json!([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "nowhere", "key": "a"}}}]);
    world.pod("incomplete", "exit 0", json!({"env": env})).await;
    let events = world.until_events("incomplete", |events| !events.is_empty()).await;
    assert_eq!(events, ["Warning Failed x1 spec.containers{main}: Error: configmap \"nowhere\" not found"]);
    world.tasks.stop().await;
}
