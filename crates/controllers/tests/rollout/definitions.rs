//! CustomResourceDefinitions that are missing at the start.

use object::{Key, json};
use runtime::{Deletion, resources};

use crate::world::{Setup, World, half_and_pause, template};

const RUNS: &str = "analysisruns.argoproj.io";
const TEMPLATES: &str = "analysistemplates.argoproj.io";
const ROLLOUTS: &str = "rollouts.argoproj.io";

async fn without(names: &[&str]) -> World {
    let world = World::with(Setup { controllers: 0, ..Setup::default() }).await;
    for name in names {
        let key = Key::new("", name);
        world.cluster.delete(&resources::CRDS, &key, &Deletion::default()).await.unwrap();
    }
    world.pass(5).await;
    world
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_worked_on_and_the_rest_once_it_comes() {
    let world =
        without(&[RUNS, TEMPLATES, "clusteranalysistemplates.argoproj.io", "experiments.argoproj.io"]).await;
    let tasks = runtime::Tasks::new();
    let watches = world.control(&tasks);
    world.healthy_rollout("r", half_and_pause()).await;
    let lacks: Vec<String> = watches.unserved().into_values().collect();
    assert_eq!(lacks.len(), 4, "{lacks:?}");
    assert!(lacks.iter().any(|text| text.contains(&format!("CustomResourceDefinition {RUNS}"))), "{lacks:?}");
    world.image("r", "shop:2").await;
    world.phase("r", "Paused").await;

    controllers::install(&world.cluster, "argocd").await.unwrap();
    world.pass(6).await;
    assert!(watches.unserved().is_empty(), "{:?}", watches.unserved());
    world.create(&resources::ANALYSIS_TEMPLATES, template("check", &json!({}))).await;
    let steps = json!([{"setWeight": 50}, {"analysis": {"templates": [{"templateName": "check"}]}}]);
    world.healthy_rollout("analysed", steps).await;
    world.image("analysed", "shop:2").await;
    world.phase("analysed", "Progressing").await;
    world.phase("analysed", "Healthy").await;
    assert_eq!(world.list(&resources::ANALYSIS_RUNS).await.len(), 1);
    tasks.stop().await;
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_any_definition_it_waits_and_writes_nothing() {
    let world = without(&[ROLLOUTS, RUNS]).await;
    let tasks = runtime::Tasks::new();
    let watches = world.control(&tasks);
    let before = world.writes();
    world.pass(120).await;
    assert_eq!(world.writes(), before);
    assert!(watches.unserved().contains_key(&resources::ROLLOUTS));
    controllers::install(&world.cluster, "argocd").await.unwrap();
    world.pass(6).await;
    world.healthy_rollout("r", half_and_pause()).await;
    tasks.stop().await;
    world.stop().await;
}
