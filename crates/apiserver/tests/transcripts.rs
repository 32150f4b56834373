//! Replays what was recorded from a real kube-apiserver against the embedded one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use apiserver::{ApiServer, Config};
use runtime::{Clock, Tasks};
use serde_json::{Value, json};
use store::Store;
use transcript::{Answer, History, Recording, Script};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// The scripts that have been recorded, by name.
fn themes() -> Vec<String> {
    let names = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name());
    let theme = |name: std::ffi::OsString| Some(name.to_str()?.strip_suffix(".recorded.json")?.to_owned());
    let mut themes: Vec<String> = names.filter_map(theme).collect();
    themes.sort();
    themes
}

/// Differences that are accepted: `theme/step: reason`.
fn accepted() -> BTreeMap<String, String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accepted.yaml")).unwrap();
    serde_json::from_value(object::yaml::document(&text).unwrap()).unwrap()
}

/// A client of a fresh server, which remembers as much of its past as the script wants.
async fn client(history: History, tasks: &Tasks) -> kube::Client {
    let store = Store::memory();
    if history == History::Forgotten {
        let forgetful = store.clone();
        tasks.spawn("forget", async move {
            loop {
                forgetful.compact(forgetful.revision());
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        });
    }
    let server = ApiServer::new(store, Clock::system(), Config { seed: 7, ..Config::default() });
    server.bootstrap().await.unwrap();
    kube::Client::new(server.router(), "default")
}

fn shown(answer: &Answer) -> Value {
    serde_json::to_value(answer).unwrap()
}

/// Adds a line for each place where `got` is not as `want`.
fn compare(path: &str, want: &Value, got: &Value, lines: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let child =
                    |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(json!("(absent)"));
                compare(&format!("{path}/{key}"), &child(a), &child(b), lines);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}/{index}"), a, b, lines);
            }
        }
        _ if want != got => lines.push(format!("{path}\n      want {want}\n      got  {got}")),
        _ => {}
    }
}

#[tokio::test]
async fn answers_as_kube_apiserver_does() {
    let (mut bad, mut good, accepted) = (Vec::new(), 0, accepted());
    let mut used = Vec::new();
    let only = std::env::var("THEME").unwrap_or_default();
    let tasks = Tasks::new();
    let mut steps = 0;
    for theme in themes().into_iter().filter(|theme| only.is_empty() || only == *theme) {
        let script = Script::read(&directory().join(format!("{theme}.yaml"))).unwrap();
        let recorded = directory().join(format!("{theme}.recorded.json"));
        let want = Recording::read(&recorded).unwrap().answers;
        let got = match transcript::play(&client(script.history, &tasks).await, &script).await {
            Ok(got) => got,
            Err(error) => {
                bad.push(format!("{theme}: {error}"));
                continue;
            }
        };
        steps += want.len();
        for (want, got) in want.iter().zip(&got) {
            let name = format!("{theme}/{}", want.step);
            let mut lines = Vec::new();
            compare("", &shown(want), &shown(got), &mut lines);
            if accepted.contains_key(&name) {
                used.push((name, lines.is_empty()));
            } else if lines.is_empty() {
                good += 1;
            } else {
                bad.push(format!("{name}  ({})\n    {}", want.request, lines.join("\n    ")));
            }
        }
        assert_eq!(want.len(), got.len(), "{theme}: as many answers as steps");
    }
    let stale: Vec<&String> = used.iter().filter(|(_, equal)| *equal).map(|(name, _)| name).collect();
    eprintln!("{good} of {steps} answers are equal, {} differ and are accepted", used.len() - stale.len());
    assert!(bad.is_empty(), "{} answers differ:\n{}", bad.len(), bad.join("\n"));
    assert!(stale.is_empty(), "no longer different, take them off the list: {stale:?}");
    assert!(steps > 0, "there are recordings");
}
