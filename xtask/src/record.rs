//! `cargo xtask kube record`: the scripts of `crates/apiserver/tests/transcripts`, answered by a real API server.

use std::path::Path;

use anyhow::{Context as _, ensure};
use transcript::{History, Recording, Script, play};

use crate::kube::build::KUBERNETES;
use crate::kube::cluster::{self, Cluster, Level};

/// Plays the named scripts (all, if none is named) and writes a recording beside each.
///
/// **Errors**: a name has no script, no API server can be had, or a script cannot be played to its end.
pub(crate) async fn run(names: &[String], kubeconfig: Option<&Path>) -> anyhow::Result<()> {
    let folder = crate::paths::workspace().join("crates/apiserver/tests/transcripts");
    let scripts = chosen(Script::read_all(&folder)?, names)?;
    let (mut answers, mut failures) = (0, 0);
    for history in [History::Kept, History::Forgotten] {
        let scripts: Vec<_> = scripts.iter().filter(|script| script.history == history).collect();
        if scripts.is_empty() {
            continue;
        }
        let server = Server::find(history, kubeconfig).await?;
        for script in scripts {
            match record(&server.client, script, &folder).await {
                Ok(recorded) => answers += recorded,
                Err(error) => {
                    eprintln!("     {error:#}");
                    failures += 1;
                }
            }
        }
    }
    println!("{answers:>4} answers of {} scripts recorded", scripts.len() - failures);
    ensure!(failures == 0, "{failures} scripts were not played to their end");
    Ok(())
}

/// The API server that answers; a fresh one ends with it.
struct Server {
    client: kube::Client,
    _fresh: Option<(Cluster, tempfile::TempDir)>,
}

impl Server {
    async fn find(history: History, kubeconfig: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(given) = kubeconfig {
            return Ok(Self { client: cluster::client(given).await?, _fresh: None });
        }
        let dir = tempfile::Builder::new().prefix("slipway-record-").tempdir()?;
        let history = match history {
            History::Kept => cluster::History::Kept,
            History::Forgotten => cluster::History::Forgotten,
        };
        let cluster = Cluster::start_with(Level::Api, history, dir.path())
            .await
            .context("recording needs a real API server")?;
        let client = cluster::client(&cluster.kubeconfig()).await?;
        Ok(Self { client, _fresh: Some((cluster, dir)) })
    }
}

async fn record(client: &kube::Client, script: &Script, folder: &Path) -> anyhow::Result<usize> {
    let answers = play(client, script).await?;
    let count = answers.len();
    println!("{count:>4} {}", script.namespace);
    let recording = Recording { server: KUBERNETES.to_owned(), answers };
    recording.write(&folder.join(format!("{}.recorded.json", script.namespace)))?;
    Ok(count)
}

fn chosen(scripts: Vec<Script>, names: &[String]) -> anyhow::Result<Vec<Script>> {
    let unknown: Vec<_> =
        names.iter().filter(|name| !scripts.iter().any(|script| script.namespace == **name)).collect();
    ensure!(unknown.is_empty(), "no such script: {unknown:?}");
    let wanted = |script: &Script| names.is_empty() || names.contains(&script.namespace);
    Ok(scripts.into_iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_recorded_step_by_step() {
        let folder = crate::paths::workspace().join("crates/apiserver/tests/transcripts");
        let scripts = Script::read_all(&folder).unwrap();
        let mut steps = 0;
        for script in &scripts {
            let path = folder.join(format!("{}.recorded.json", script.namespace));
            let recording = Recording::read(&path).unwrap();
            assert_eq!(recording.server, KUBERNETES, "{}: record again", path.display());
            let recorded: Vec<_> = recording.answers.iter().map(|answer| &answer.step).collect();
            let wanted: Vec<_> = script.steps.iter().map(|step| &step.name).collect();
            assert_eq!(recorded, wanted, "{}: record again", path.display());
            steps += wanted.len();
        }
        assert!(steps >= 120, "{steps} steps are too few to hold a server to");
    }
}
