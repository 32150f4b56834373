//! `cargo xtask kube record`: the scripts of `crates/apiserver/tests/transcripts`, answered by a real API server.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use transcript::{Recording, Script, play};

use crate::kube::build::KUBERNETES;
use crate::kube::cluster::{self, Cluster, Level};

/// Plays the named scripts (all, if none is named) and writes a recording beside each.
///
/// **Errors**: a name has no script, no API server can be had, or a script cannot be played to its end.
pub(crate) async fn run(names: &[String], kubeconfig: Option<&Path>) -> anyhow::Result<()> {
    let folder = crate::paths::workspace().join("crates/apiserver/tests/transcripts");
    let scripts = chosen(Script::read_all(&folder)?, names)?;
    let dir = tempfile::Builder::new().prefix("slipway-record-").tempdir()?;
    let (_cluster, kubeconfig) = match kubeconfig {
        Some(given) => (None, given.to_path_buf()),
        None => fresh(dir.path()).await?,
    };
    let client = cluster::client(&kubeconfig).await?;
    let (mut steps, mut failures) = (0, 0);
    for script in &scripts {
        let answers = match play(&client, script).await {
            Ok(answers) => answers,
            Err(error) => {
                eprintln!("     {error}");
                failures += 1;
                continue;
            }
        };
        steps += answers.len();
        println!("{:>4} {}", answers.len(), script.namespace);
        let recording = Recording { server: KUBERNETES.to_owned(), answers };
        recording.write(&folder.join(format!("{}.recorded.json", script.namespace)))?;
    }
    println!("{steps:>4} answers of {} scripts recorded", scripts.len() - failures);
    ensure!(failures == 0, "{failures} scripts were not played to their end");
    Ok(())
}

async fn fresh(dir: &Path) -> anyhow::Result<(Option<Cluster>, PathBuf)> {
    let cluster = Cluster::start(Level::Api, dir).await.context("recording needs a real API server")?;
    let kubeconfig = cluster.kubeconfig();
    Ok((Some(cluster), kubeconfig))
}

fn chosen(scripts: Vec<Script>, names: &[String]) -> anyhow::Result<Vec<Script>> {
    let unknown: Vec<_> =
        names.iter().filter(|name| !scripts.iter().any(|script| script.namespace == **name)).collect();
    ensure!(unknown.is_empty(), "no such script: {unknown:?}");
    let wanted = |script: &Script| names.is_empty() || names.contains(&script.namespace);
    Ok(scripts.into_iter().filter(wanted).collect())
}
