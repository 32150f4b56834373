//! Plays scenarios in a world of this process: the embedded API server, simulated pods, a real Git repository, and the
//! same commands that users type.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cli::{Colour, Face, Session};
use object::{Value, json};
use runtime::Cluster;
use sim::{Rates, World, WorldConfig};
use testkit::repository::Repository;
use testkit::scenario::{Driver, Future, Ran, Scenario};

/// A scenario's world.
pub struct InProcess {
    pub world: World,
    repository: Repository,
    scenario: PathBuf,
}

/// A buffer that a session writes to.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Driver for InProcess {
    fn cluster(&self) -> &Cluster {
        self.world.cluster()
    }

    fn commit(&self, folder: &str, message: &str) -> Future<'_, Result<String, String>> {
        let (from, message) = (self.scenario.join(folder), message.to_owned());
        Box::pin(async move {
            self.repository.commit_folder(&from, "deploy", &message).map_err(|error| error.to_string())
        })
    }

    fn repository(&self) -> String {
        self.repository.url()
    }

    fn run(&self, arguments: Vec<String>) -> Future<'_, Result<Ran, String>> {
        Box::pin(async move {
            let (program, rest) = arguments.split_first().ok_or("an empty command")?;
            let output = Shared::default();
            let mut session = Session {
                out: Box::new(output.clone()),
                err: Box::new(output.clone()),
                clock: self.clock().clone(),
                colour: Colour::Off,
                cluster: Some(self.cluster().clone()),
                kubeconfig: None,
            };
            let rest = rest.iter().map(OsString::from);
            let exit = cli::run(Face::of(program), rest, &mut session).await;
            let text = String::from_utf8_lossy(&output.0.lock().unwrap()).into_owned();
            Ok(Ran { exit: exit.0, text })
        })
    }

    fn request(&self, service: &str) -> Future<'_, Result<String, String>> {
        let answer = self.world.answers().ask(service).map(|answer| answer.to_string());
        Box::pin(async move { answer })
    }
}

fn answers() -> BTreeMap<String, Value> {
    [("1.0", "red", "ok"), ("2.0", "blue", "ok"), ("3.0", "blue", "nok")]
        .into_iter()
        .map(|(version, color, status)| {
            (format!("colorapi:{version}"), json!({"color": color, "status": status}))
        })
        .collect()
}

impl InProcess {
    /// Returns a fresh world, and its folder, which lives as long as the guard.
    pub async fn start(seed: u64, faults: Option<Rates>) -> (Self, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/j1");
        let config = WorldConfig {
            seed,
            faults,
            answers: answers(),
            dir: dir.path().to_owned(),
            resync: Duration::from_secs(10),
        };
        let world = World::start(config).await.unwrap();
        let repository = Repository::create(&dir.path().join("repository")).unwrap();
        (Self { world, repository, scenario }, dir)
    }

    /// Returns the journey: one commit, one canary.
    pub fn journey(&self) -> Scenario {
        let text = std::fs::read_to_string(self.scenario.join("scenario.yaml")).unwrap();
        Scenario::parse(&text).unwrap()
    }
}
