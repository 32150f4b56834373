//! J1 in a world of this process: one commit, one canary.

use std::collections::BTreeMap;
use std::path::Path;

use object::{Value, json};
use sim::WorldConfig;
use testkit::scenario::Scenario;

use crate::driver::InProcess;

fn answers() -> BTreeMap<String, Value> {
    [("1.0", "red", "ok"), ("2.0", "blue", "ok"), ("3.0", "blue", "nok")]
        .into_iter()
        .map(|(version, color, status)| {
            (format!("colorapi:{version}"), json!({"color": color, "status": status}))
        })
        .collect()
}

/// Returns a fresh world in which the journey can be played, and the journey.
pub async fn start(config: WorldConfig) -> (InProcess, Scenario) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/j1");
    let text = std::fs::read_to_string(folder.join("scenario.yaml")).unwrap();
    let driver = InProcess::start(WorldConfig { answers: answers(), ..config }, &folder, "default").await;
    (driver, Scenario::parse(&text).unwrap())
}
