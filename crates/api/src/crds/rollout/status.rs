//! `status` of a Rollout.

use crate::crds::schema::{
    Field, Schema, anything, boolean, field, int32, int64, list, object, required, string, time,
};

pub(super) fn status() -> Schema {
    object(&[
        field("phase", string(), "Healthy, Degraded, Progressing or Paused."),
        field("message", string(), "Why that phase."),
        field("observedGeneration", string(), "Generation this status is about, as a decimal text."),
        field("workloadObservedGeneration", string(), "Generation of the workload, as a decimal text."),
        field("conditions", list(condition()), "Conditions."),
        field("canary", canary(), "Of the canary strategy."),
        field("blueGreen", blue_green(), "Of the blue-green strategy."),
        field("alb", load_balancer(), "Of the one AWS load balancer."),
        field("albs", list(load_balancer()), "Of several AWS load balancers."),
        field("duration", duration(), "When the update began and ended."),
    ])
    .and(&progress())
    .and(&counts())
}

fn progress() -> Vec<Field> {
    let pause = object(&[required("reason", string(), "Why."), required("startTime", time(), "Since when.")]);
    vec![
        field("abort", boolean(), "The update is aborted."),
        field("abortedAt", time(), "When it was aborted."),
        field("pauseConditions", list(pause), "Why the controller pauses."),
        field("controllerPause", boolean(), "The controller has paused and not yet seen the resume."),
        field("currentPodHash", string(), "Hash of the template that is being rolled out."),
        field("currentStepHash", string(), "Hash of the steps."),
        field("currentStepIndex", int32(), "Index of the current step; their number when all are done."),
        field("stableRS", string(), "Hash of the last template that was fully rolled out."),
        field("promoteFull", boolean(), "The user skips all steps."),
        field("restartedAt", time(), "Last restartAt that was acted on."),
        field("collisionCount", int32(), "How often a hash was changed because its name was taken."),
    ]
}

fn counts() -> Vec<Field> {
    vec![
        field("replicas", int32(), "Pods of all ReplicaSets."),
        field("updatedReplicas", int32(), "Pods of the new template."),
        field("readyReplicas", int32(), "Ready pods."),
        field("availableReplicas", int32(), "Available pods."),
        field("HPAReplicas", int32(), "Pods an autoscaler sees."),
        field("selector", string(), "Label selector of the pods an autoscaler sees."),
    ]
}

/// A condition of a Rollout or an Experiment.
pub(in crate::crds) fn condition() -> Schema {
    object(&[
        required("type", string(), "Kind of the condition."),
        required("status", string(), "True, False or Unknown."),
        required("reason", string(), "Why, in one word."),
        required("message", string(), "Why, for people."),
        required("lastUpdateTime", time(), "When it was last written."),
        required("lastTransitionTime", time(), "When its status last changed."),
    ])
}

fn analysis_run() -> Schema {
    object(&[
        required("name", string(), "Name of the AnalysisRun."),
        required("status", string(), "Its phase."),
        field("message", string(), "Its message."),
    ])
}

fn canary() -> Schema {
    object(&[
        field("currentStepAnalysisRunStatus", analysis_run(), "AnalysisRun of the current step."),
        field("currentBackgroundAnalysisRunStatus", analysis_run(), "AnalysisRun beside the steps."),
        field("currentExperiment", string(), "Experiment of the current step."),
        field("weights", weights(), "Weights the routers were told."),
        field("stablePingPong", string(), "Which service is stable: ping or pong."),
        field("stepPluginStatuses", list(step_plugin()), "Of step plugins."),
    ])
}

fn weights() -> Schema {
    let weight = || {
        object(&[
            required("weight", int32(), "Share of the traffic."),
            field("serviceName", string(), "Service it goes to."),
            field("podTemplateHash", string(), "Pods it goes to."),
        ])
    };
    object(&[
        required("canary", weight(), "Of the new pods."),
        required("stable", weight(), "Of the stable pods."),
        field("additional", list(weight()), "Of others, e.g. an Experiment's."),
        field("verified", boolean(), "Whether the router was seen to have the weights."),
    ])
}

fn step_plugin() -> Schema {
    object(&[
        required("index", int32(), "Index of the step."),
        required("name", string(), "Name of the plugin."),
        required("operation", string(), "Run, Terminate or Abort."),
        field("phase", string(), "Running, Successful, Failed or Error."),
        field("message", string(), "Why that phase."),
        field("startedAt", time(), "When it began."),
        field("updatedAt", time(), "When it was last called."),
        field("finishedAt", time(), "When it ended."),
        field("backoff", string(), "When to call it again."),
        field("executions", int32(), "How often it was called."),
        field("disabled", boolean(), "Whether the plugin is switched off."),
        field("status", anything(), "What the plugin remembers."),
    ])
}

fn blue_green() -> Schema {
    object(&[
        field("previewSelector", string(), "Hash the preview service selects."),
        field("activeSelector", string(), "Hash the active service selects."),
        field("scaleUpPreviewCheckPoint", boolean(), "The preview pods are scaled up fully."),
        field("prePromotionAnalysisRunStatus", analysis_run(), "AnalysisRun before the switch."),
        field("postPromotionAnalysisRunStatus", analysis_run(), "AnalysisRun after the switch."),
    ])
}

fn load_balancer() -> Schema {
    let resource = || {
        object(&[
            required("name", string(), "Name."),
            required("arn", string(), "ARN."),
            field("fullName", string(), "Name as metrics have it."),
        ])
    };
    object(&[
        field("ingress", string(), "Name of the Ingress."),
        field("loadBalancer", resource(), "The load balancer."),
        field("canaryTargetGroup", resource(), "Target group of the new pods."),
        field("stableTargetGroup", resource(), "Target group of the stable pods."),
    ])
}

fn duration() -> Schema {
    object(&[
        field("rolloutStartedAt", time(), "When the update began."),
        field("manualPauseStartedAt", time(), "Since when it waits for the user."),
        field("totalManualPauseDurationSeconds", int64(), "Seconds it has waited for the user."),
        field("finishedAt", time(), "When it ended."),
        field(
            "completionStatus",
            string(),
            "How it ended: Promoted, FastPromoted, Aborted, Superseded, RolledBack or FastRolledBack.",
        ),
    ])
}
