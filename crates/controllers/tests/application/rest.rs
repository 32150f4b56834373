//! What is at rest costs nothing.

use object::json;
use runtime::resources;

use crate::world::{World, config};

const COUNT: usize = 100;

#[tokio::test(start_paused = true)]
async fn a_hundred_applications_at_rest_write_nothing() {
    let world = World::start().await;
    for at in 0..COUNT {
        let path = format!("apps/{at}");
        world.commit_to(&path, &[("config.yaml", &config(&format!("config-{at}"), "a"))]);
    }
    for at in 0..COUNT {
        let more = json!({
            "source": {"path": format!("apps/{at}")},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        });
        world.create(&format!("app-{at}"), more).await;
    }
    for at in 0..COUNT {
        world.settled(&format!("app-{at}"), "Synced").await;
    }
    assert_eq!(world.names(&resources::CONFIG_MAPS).await.len(), COUNT);
    world.pass(150_000).await;
    let before = world.writes();
    world.pass(600_000).await;
    assert_eq!(world.writes() - before, 0, "writes of {COUNT} Applications in 10 minutes at rest");

    world.commit_to("apps/7", &[("config.yaml", &config("config-7", "b"))]);
    let is_new = |object: Option<&object::Object>| object.is_some_and(|o| o.str(&["data", "key"]) == "b");
    world.until_object(&resources::CONFIG_MAPS, ("shop", "config-7"), is_new).await;
    world.stop().await;
}
