use object::{Object, Value, json};

use super::*;

fn rollout(spec: &Value, status: &Value) -> Object {
    Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "a"}, "spec": spec,
        "status": status
    }))
}

#[test]
fn a_wrong_type_names_its_field() {
    for (spec, path) in [
        (json!({"replicas": "three"}), "spec.replicas"),
        (
            json!({"strategy": {"canary": {"steps": [{"pause": {}}, {"setWeight": "x"}]}}}),
            "spec.strategy.canary.steps[1].setWeight",
        ),
        (json!({"strategy": {"canary": {"maxSurge": true}}}), "spec.strategy.canary.maxSurge"),
        (json!([]), "spec"),
    ] {
        let error = Rollout::from_object(&rollout(&spec, &json!({}))).unwrap_err();
        assert_eq!(error.path, path, "{error}");
    }
    let error = Rollout::from_object(&rollout(&json!({}), &json!({"replicas": []}))).unwrap_err();
    assert_eq!(error.path, "status.replicas");
}

#[test]
fn null_reads_as_absent() {
    let read = Rollout::from_object(&rollout(
        &json!({"replicas": null, "strategy": {"canary": {"steps": null}}}),
        &json!({"pauseConditions": null}),
    ))
    .unwrap();
    assert_eq!(read.spec.replicas, None);
    assert!(read.status.pause_conditions.is_empty());
}

#[test]
fn a_status_survives_a_round_trip() {
    let status = json!({
        "HPAReplicas": 5, "abort": true, "abortedAt": "2026-11-21T11:12:17Z", "availableReplicas": 5,
        "blueGreen": {"new": 1}, "canary": {"currentStepAnalysisRunStatus": {"name": "r", "status": "", "x": 2}},
        "conditions": [{"type": "Paused", "status": "True", "reason": "RolloutPaused", "y": 1}],
        "currentPodHash": "56f7f888c7", "currentStepIndex": 0, "observedGeneration": "2",
        "duration": {"completionStatus": "Aborted", "totalManualPauseDurationSeconds": 9},
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-21T11:13:34Z"}],
        "phase": "Degraded", "stableRS": "54ccbd7744", "unknown": {"kept": [1]}
    });
    let read = Rollout::from_object(&rollout(&json!({}), &status)).unwrap();
    assert_eq!(read.to_object().get(&["status"]), Some(&status));
}

#[test]
fn a_spec_survives_a_round_trip() {
    let spec = json!({
        "replicas": 5, "selector": {"matchLabels": {"app": "a"}}, "template": {"spec": {"containers": []}},
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "scaleDown": "onsuccess"},
        "analysis": {"successfulRunHistoryLimit": 1}, "rollbackWindow": {"revisions": 3}, "restartAt": "2026-11-21T11:12:17Z",
        "strategy": {"canary": {
            "canaryService": "c", "maxSurge": "25%", "maxUnavailable": 0, "dynamicStableScale": true,
            "analysis": {"templates": [{"templateName": "t"}], "startingStep": 2},
            "antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}},
            "pingPong": {"pingService": "a", "pongService": "b"},
            "replicaProgressThreshold": {"type": "Percent", "value": 90},
            "trafficRouting": {
                "istio": {"virtualService": {"name": "v", "routes": ["r"], "tlsRoutes": [{"port": 443, "sniHosts": ["h"]}]},
                    "destinationRule": {"name": "d", "canarySubsetName": "c", "stableSubsetName": "s"}},
                "alb": {"ingress": "i", "servicePort": 80, "stickinessConfig": {"enabled": true, "durationSeconds": 60}},
                "plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "h", "namespace": "n"}},
                "managedRoutes": [{"name": "m"}], "maxTrafficWeight": 1000
            },
            "steps": [
                {"setWeight": 20}, {"pause": {"duration": "1h"}}, {"setCanaryScale": {"matchTrafficWeight": true}},
                {"setHeaderRoute": {"name": "m", "match": [{"headerName": "h", "headerValue": {"exact": "v"}}]}},
                {"setMirrorRoute": {"name": "m", "match": [{"method": {"exact": "GET"}, "headers": {"h": {"regex": "r"}}}], "percentage": 50}},
                {"plugin": {"name": "a/b", "config": {"any": [1]}}}
            ]
        }}
    });
    let read = Rollout::from_object(&rollout(&spec, &json!({}))).unwrap();
    assert_eq!(write(&read.spec), spec);
}
