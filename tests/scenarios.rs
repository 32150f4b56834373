//! The scenarios of `tests/scenarios`, each in a world of its own under virtual time.
//!
//! `cargo test -p slipway --test scenarios` plays all, `… -- pauses` those whose path has this word.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use node::Rules;
use object::{Key, Object, yaml};
use runtime::{Patch, resources};
use sim::WorldConfig;
use testkit::scenario::{Driver as _, Scenario, play};

#[path = "in_process/driver.rs"]
mod driver;

use driver::InProcess;

/// Reads a file of the world of scenarios.
fn world(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenario-world");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn config(dir: &Path) -> WorldConfig {
    let pages = yaml::document(&world("pages.yaml")).unwrap();
    let pages = pages.as_object().unwrap().iter().map(|(path, page)| (path.clone(), page.clone()));
    WorldConfig {
        rules: Rules::parse(&world("pods.yaml")).unwrap(),
        pages: pages.collect(),
        ..WorldConfig::new(1, dir)
    }
}

fn scenario(path: &Path) -> datatest_stable::Result<()> {
    let scenario = Scenario::parse(&std::fs::read_to_string(path)?)?;
    let namespace = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(path).to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        let dir = tempfile::tempdir()?;
        let driver = InProcess::start(config(dir.path()), &folder, &namespace).await;
        let object = Object::new(&resources::NAMESPACES.gvk(), &Key::new("", &namespace));
        let patch = Patch::apply(object.to_value(), "scenario").force();
        driver.cluster().patch(&resources::NAMESPACES, &object.key(), &patch).await?;
        for definition in yaml::documents(&world("routers.yaml")).unwrap() {
            let definition = Object::parse(definition)?;
            let patch = Patch::apply(definition.to_value(), "scenario").force();
            driver.cluster().patch(&resources::CRDS, &definition.key(), &patch).await?;
        }
        play(&scenario, &driver).await?;
        let broken = driver.world.invariants().broken();
        driver.world.stop().await;
        if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
    })
}

datatest_stable::harness! {
    { test = scenario, root = "tests/scenarios", pattern = r"^.*\.yaml$" },
}
