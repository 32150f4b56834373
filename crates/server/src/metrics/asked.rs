//! Series of what was asked of the API server and told in Events.

use runtime::{Tally, Watches};

use super::activity::number;
use super::gauge::Gauge;
use super::series::Counter;

/// Returns the counters.
///
/// **Source:** `controller_clientset_k8s_request_total` and `rollout_events_total` of Argo Rollouts. There the first has the
/// name of every object that is no ReplicaSet and no Event, for ever; here of Rollouts, AnalysisRuns and Experiments that
/// are there.
pub(super) fn counters(tally: &Tally) -> Vec<Counter> {
    let labels = &["kind", "namespace", "name", "verb", "status_code"];
    let help = "Requests to the API server, without watches";
    let mut requests = Counter::new("controller_clientset_k8s_request_total", help, labels);
    for (kind, count) in tally.requests() {
        let code = kind.code.to_string();
        let labels = [kind.resource.as_str(), &kind.namespace, &kind.name, kind.verb, &code];
        requests.add(labels, number(count));
    }
    let labels = &["name", "namespace", "type", "reason"];
    let mut events = Counter::new("rollout_events_total", "Events about a Rollout", labels);
    for (kind, count) in tally.events() {
        let labels =
            [kind.about.name.as_str(), &kind.about.namespace, kind.event_type.as_str(), &kind.reason];
        events.add(labels, number(count));
    }
    let help = "Events that were dropped because too many waited";
    let mut dropped = Counter::new("slipway_events_dropped_total", help, &[]);
    dropped.add([], number(tally.dropped_events()));
    vec![requests, events, dropped]
}

/// Returns how requests are let through, and who shares the work.
pub(super) fn gauges(watches: &Watches) -> Vec<Gauge> {
    let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let admission = watches.cluster().admission();
    let help = "Requests that may be under way at once, as the API server can take";
    let mut limit = Gauge::new("slipway_request_limit", help, &[]);
    limit.set([], size(admission.limit()));
    let mut waiting = Gauge::new("slipway_requests_waiting", "Requests that wait for their turn", &[]);
    waiting.set([], size(admission.waiting()));
    let mut members = Gauge::new("slipway_shard_members", "Replicas that share the objects", &[]);
    if watches.shards().is_shared() {
        members.set([], size(watches.shards().members().len()));
    }
    vec![limit, waiting, members]
}
