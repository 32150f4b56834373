//! Events that are old enough to go: on a real cluster the API server's storage forgets them.

use std::time::Duration;

use object::{Object, Time};
use runtime::{ApiError, Cluster, Deletion, Selection, Tasks, resources};

/// Age at which an Event goes, counted from the last time it happened. Source: kube-apiserver `--event-ttl`.
const TTL: Duration = Duration::from_secs(3600);
/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(300);

/// Deletes Events an hour after they last happened, until `tasks` end.
pub fn expire_events(cluster: &Cluster, tasks: &Tasks) {
    let (cluster, token) = (cluster.clone(), tasks.token());
    tasks.spawn("event-expiry", async move {
        token
            .run_until_cancelled(async {
                loop {
                    cluster.clock().sleep(PERIOD).await;
                    if let Err(error) = sweep(&cluster).await {
                        tracing::debug!(%error, "old events stay a little longer");
                    }
                }
            })
            .await;
    });
}

async fn sweep(cluster: &Cluster) -> Result<(), ApiError> {
    let now = cluster.clock().now();
    for event in cluster.list(&resources::EVENTS, None, &Selection::default()).await? {
        if !is_old(&event, now) {
            continue;
        }
        // One that has happened again meanwhile stays.
        let version = Some(event.resource_version().to_owned());
        let deletion =
            Deletion { uid: Some(event.uid().to_owned()), resource_version: version, ..Deletion::default() };
        match cluster.delete(&resources::EVENTS, &event.key(), &deletion).await {
            Err(error) if !error.is_conflict() && !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_old(event: &Object, now: Time) -> bool {
    let times =
        [&["lastTimestamp"][..], &["series", "lastObservedTime"], &["eventTime"], &["firstTimestamp"]];
    let last = times.iter().filter_map(|path| event.time(path)).max().or_else(|| event.creation_time());
    last.is_some_and(|last| now.since(last) >= TTL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn the_last_time_counts() {
        let event = Object::from_value(json!({"metadata": {"creationTimestamp": Time::from_unix(0)},
            "firstTimestamp": Time::from_unix(0), "lastTimestamp": Time::from_unix(500), "eventTime": null}));
        assert!(!is_old(&event, Time::from_unix(4_099)));
        assert!(is_old(&event, Time::from_unix(4_100)));
        let bare = Object::from_value(json!({"metadata": {"creationTimestamp": Time::from_unix(0)}}));
        assert!(is_old(&bare, Time::from_unix(3_600)) && !is_old(&bare, Time::from_unix(3_599)));
    }
}
