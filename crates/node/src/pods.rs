//! The pods of a node, each in a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::Object;
use runtime::{Cache, Tasks};
use tokio::sync::watch;

use crate::pod::{PodRun, Setup};

/// Runs the pods of `cache` until `tasks` end.
pub(crate) fn run(setup: Arc<Setup>, cache: &Cache, tasks: &Tasks) {
    let (cache, workers, token) = (cache.clone(), tasks.child(), tasks.token());
    let run = workers.clone();
    tasks.spawn("node-pods", async move {
        token.run_until_cancelled(supervise(setup, cache, run)).await;
        workers.stop().await;
    });
}

async fn supervise(setup: Arc<Setup>, cache: Cache, tasks: Tasks) {
    cache.synced().await;
    forget_strangers(&setup, &cache);
    let mut running: BTreeMap<String, watch::Sender<Option<Arc<Object>>>> = BTreeMap::new();
    let mut changes = cache.subscribe();
    while let Some(change) = changes.next().await {
        let gone = change.old.filter(|old| change.new.as_ref().is_none_or(|new| new.uid() != old.uid()));
        if let Some(sender) = gone.and_then(|old| running.remove(old.uid())) {
            sender.send_replace(None);
        }
        let Some(pod) = change.new.map(|pod| pod.object().clone()) else { continue };
        if let Some(sender) = running.get(pod.uid()) {
            sender.send_replace(Some(pod));
            continue;
        }
        let sender = watch::Sender::new(Some(pod.clone()));
        let latest = sender.subscribe();
        running.insert(pod.uid().to_owned(), sender);
        match PodRun::new(setup.clone(), pod.clone(), tasks.clone()) {
            Ok(run) => tasks.spawn("pod", run.run(latest)),
            Err(error) => tracing::error!(pod = %pod.key(), %error, "no loopback address for the pod"),
        }
    }
}

/// Removes the directories of pods that went while the node was away.
fn forget_strangers(setup: &Setup, cache: &Cache) {
    let known: Vec<Arc<Object>> = cache.list();
    for entry in std::fs::read_dir(&setup.pods).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !known.iter().any(|pod| name.to_str() == Some(pod.uid())) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
