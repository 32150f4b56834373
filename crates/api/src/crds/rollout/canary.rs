//! `spec.strategy.canary` of a Rollout.

use super::step::step;
use super::{anti_affinity, router, run};
use crate::crds::pod::template_metadata;
use crate::crds::schema::{Schema, boolean, field, int_or_string, int32, list, object, required, string};

pub(super) fn canary() -> Schema {
    pods().and(&[
        field("canaryService", string(), "Service whose selector follows the new pods."),
        field("stableService", string(), "Service whose selector follows the stable pods."),
        field("pingPong", ping_pong(), "Two services that take turns in being stable."),
        field("steps", list(step()), "What to do, in order; each step has exactly one field."),
        field(
            "trafficRouting",
            router::traffic_routing(),
            "Who is told the weights; by pod counts when absent.",
        ),
        field(
            "analysis",
            run().and(&[field("startingStep", int32(), "Index of the step from which it runs.")]),
            "Analysis that runs beside the steps; its failure aborts the update.",
        ),
        field("canaryMetadata", template_metadata(), "Labels and annotations of new pods."),
        field("stableMetadata", template_metadata(), "Labels and annotations of stable pods."),
    ])
}

fn pods() -> Schema {
    let threshold = object(&[
        required("type", string(), "Percent or Pods."),
        required("value", int32(), "Percentage or number."),
    ]);
    object(&[
        field("maxSurge", int_or_string(), "Pods above replicas, rounded up; 25% when absent."),
        field("maxUnavailable", int_or_string(), "Pods that may be missing, rounded down; 25% when absent."),
        field("antiAffinity", anti_affinity(), "Keeps stable and new pods on different nodes."),
        field("scaleDownDelaySeconds", int32(), "Seconds old pods stay; 30 when absent; with a router only."),
        field("scaleDownDelayRevisionLimit", int32(), "Old ReplicaSets that may stay; with a router only."),
        field(
            "abortScaleDownDelaySeconds",
            int32(),
            "Seconds new pods stay after an abort; 30 when absent, 0 for ever; with a router only.",
        ),
        field(
            "dynamicStableScale",
            boolean(),
            "Whether stable pods go as traffic leaves them; with a router only.",
        ),
        field(
            "minPodsPerReplicaSet",
            int32(),
            "Least pods of a ReplicaSet that has any; with a router only.",
        ),
        field(
            "replicaProgressThreshold",
            threshold,
            "How many new pods must be available for a step to be done; all when absent.",
        ),
    ])
}

fn ping_pong() -> Schema {
    object(&[
        required("pingService", string(), "One service."),
        required("pongService", string(), "The other."),
    ])
}
