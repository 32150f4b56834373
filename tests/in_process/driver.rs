//! Plays scenarios in a world of this process: the embedded API server, simulated pods, a real Git repository, and the
//! same commands that users type.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cli::{Colour, Face, Session};
use runtime::Cluster;
use sim::{PAGES, World, WorldConfig};
use testkit::repository::Repository;
use testkit::scenario::{Driver, Future, Ran};

/// A scenario's world.
pub struct InProcess {
    pub world: World,
    repository: Repository,
    scenario: PathBuf,
    namespace: String,
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

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn pages(&self) -> String {
        format!("http://{PAGES}")
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

impl InProcess {
    /// Returns a fresh world for the scenario in `folder`, whose repository lies in the folder of the world.
    pub async fn start(config: WorldConfig, folder: &Path, namespace: &str) -> Self {
        let repository = Repository::create(&config.dir.join("repository")).unwrap();
        let world = World::start(config).await.unwrap();
        Self { world, repository, scenario: folder.to_owned(), namespace: namespace.to_owned() }
    }
}
