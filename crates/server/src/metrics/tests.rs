use object::{Object, Value, json};
use runtime::Cache;

use super::Sources;

fn cache(objects: &[Value]) -> Cache {
    let cache = Cache::new();
    for (index, object) in objects.iter().enumerate() {
        let mut object = Object::from_value(object.clone());
        object.set(&["metadata", "resourceVersion"], (index + 1).to_string());
        cache.note(object);
    }
    cache
}

fn rollout(strategy: &Value, status: &Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"namespace": "shop", "name": "web", "uid": "1"},
        "spec": {"replicas": 3, "strategy": strategy}, "status": status})
}

fn text(sources: &Sources) -> String {
    sources.text().unwrap()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no line {line}\n{text}");
}

fn of_rollout(strategy: &Value, status: &Value) -> String {
    text(&Sources { rollouts: Some(cache(&[rollout(strategy, status)])), ..Sources::default() })
}

#[test]
fn a_rollout_is_told_with_its_replicas() {
    let status = json!({"replicas": 4, "updatedReplicas": 1, "availableReplicas": 3,
        "conditions": [{"type": "Progressing", "status": "Unknown", "reason": "RolloutPaused"}]});
    let text = of_rollout(&json!({"canary": {"trafficRouting": {"smi": {}}}}), &status);
    let name = r#"namespace="shop",name="web""#;
    has(&text, &format!(r#"rollout_info{{{name},strategy="canary",traffic_router="SMI",phase="Paused"}} 1"#));
    has(&text, &format!(r#"rollout_phase{{{name},strategy="canary",phase="Paused"}} 1"#));
    has(&text, &format!(r#"rollout_phase{{{name},strategy="canary",phase="Completed"}} 0"#));
    has(&text, &format!("rollout_info_replicas_desired{{{name}}} 3"));
    has(&text, &format!("rollout_info_replicas_updated{{{name}}} 1"));
    has(&text, &format!("rollout_info_replicas_available{{{name}}} 3"));
    has(&text, &format!("rollout_info_replicas_unavailable{{{name}}} 1"));
    has(&text, "# TYPE rollout_info gauge");
    assert!(text.contains("argo_rollouts_controller_info{version=") && text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn phases_come_from_the_conditions() {
    let told = |conditions: Value| {
        let text = of_rollout(&json!({"blueGreen": {}}), &json!({"conditions": conditions}));
        let line = text.lines().find(|line| line.starts_with("rollout_info{")).unwrap().to_owned();
        line.split("phase=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let progressing = |reason| json!({"type": "Progressing", "status": "False", "reason": reason});
    assert_eq!(told(json!([])), "Progressing");
    assert_eq!(told(json!([progressing("NewReplicaSetAvailable")])), "Completed");
    assert_eq!(told(json!([progressing("ProgressDeadlineExceeded")])), "Timeout");
    assert_eq!(told(json!([progressing("RolloutAborted")])), "Abort");
    assert_eq!(told(json!([progressing("ReplicaSetCreateError")])), "Error");
    let invalid = json!({"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec"});
    assert_eq!(told(json!([progressing("RolloutPaused"), invalid])), "InvalidSpec");
}

#[test]
fn no_series_outlives_its_object() {
    let web = rollout(&json!({"canary": {}}), &json!({}));
    let full = Sources { rollouts: Some(cache(&[web])), ..Sources::default() };
    assert!(text(&full).contains(r#"name="web""#));
    let empty = Sources { rollouts: Some(Cache::new()), ..full };
    assert!(!text(&empty).contains(r#"name="web""#), "{}", text(&empty));
}

#[test]
fn a_run_is_told_with_its_metrics() {
    let run = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
        "metadata": {"namespace": "shop", "name": "run", "uid": "1"},
        "spec": {"metrics": [{"name": "errors", "provider": {"web": {}}},
            {"name": "errors", "provider": {"web": {}}},
            {"name": "load", "provider": {"plugin": {"acme/load": {}}}}]},
        "status": {"phase": "Running", "metricResults": [{"name": "errors", "phase": "Failed", "dryRun": true}]}});
    let text = text(&Sources { analysis_runs: Some(cache(&[run])), ..Sources::default() });
    let name = r#"namespace="shop",name="run""#;
    has(&text, &format!(r#"analysis_run_info{{{name},phase="Running"}} 1"#));
    has(&text, &format!(r#"analysis_run_phase{{{name},phase="Running"}} 1"#));
    has(&text, &format!(r#"analysis_run_phase{{{name},phase="Failed"}} 0"#));
    let errors = format!(r#"{name},metric="errors",type="WebMetric""#);
    let load = format!(r#"{name},metric="load",type="acme/load""#);
    has(&text, &format!("analysis_run_metric_type{{{errors}}} 1"));
    has(&text, &format!(r#"analysis_run_metric_phase{{{errors},dry_run="true",phase="Failed"}} 1"#));
    has(&text, &format!(r#"analysis_run_metric_phase{{{load},dry_run="false",phase="Pending"}} 1"#));
    let twice = text.lines().filter(|line| line.starts_with("analysis_run_metric_type{")).count();
    assert_eq!(twice, 2, "a name that is there twice is told once\n{text}");
}

#[test]
fn templates_and_experiments_are_told() {
    let template = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ClusterAnalysisTemplate",
        "metadata": {"name": "rate", "uid": "1"}, "spec": {"metrics": [{"name": "m", "provider": {"job": {}}}]}});
    let experiment = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment",
        "metadata": {"namespace": "shop", "name": "try", "uid": "2"}, "spec": {}});
    let text = text(&Sources {
        templates: vec![cache(&[template])],
        experiments: Some(cache(&[experiment])),
        ..Sources::default()
    });
    has(&text, r#"analysis_template_info{namespace="",name="rate"} 1"#);
    has(&text, r#"analysis_template_metric_info{namespace="",name="rate",type="Job",metric="m"} 1"#);
    has(&text, r#"experiment_info{namespace="shop",name="try",phase=""} 1"#);
    has(&text, r#"experiment_phase{namespace="shop",name="try",phase="Pending"} 1"#);
}

fn application(spec: &Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"namespace": "argocd", "name": "guestbook", "uid": "1"}, "spec": spec})
}

fn of_application(object: Value) -> String {
    text(&Sources { applications: Some(cache(&[object])), ..Sources::default() })
}

#[test]
fn an_application_is_told_with_upstreams_labels() {
    let mut object = application(&json!({"project": "shop",
        "source": {"repoURL": "https://robot:hunter2@Example.com/org/repo.git"},
        "destination": {"name": "in-cluster", "namespace": "shop"}, "syncPolicy": {"automated": {}}}));
    object["status"] = json!({"sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}});
    object["operation"] = json!({"sync": {}});
    let text = of_application(object);
    has(
        &text,
        concat!(
            r#"argocd_app_info{namespace="argocd",name="guestbook",project="shop",autosync_enabled="true","#,
            r#"repo="https://example.com/org/repo",dest_server="https://kubernetes.default.svc","#,
            r#"dest_namespace="shop",sync_status="OutOfSync",health_status="Healthy",operation="sync"} 1"#
        ),
    );
    assert!(text.contains("argocd_info{version="));
}

#[test]
fn what_an_application_does_not_say_has_upstreams_defaults() {
    let text = of_application(application(&json!({"source": {"repoURL": "oci://u:secret@host/a\"b"}})));
    let rest = r#"project="default",autosync_enabled="false",repo="host/a\"b",dest_server="","#;
    assert!(text.contains(rest), "{text}");
    assert!(text.contains(r#"sync_status="Unknown",health_status="Unknown",operation="""#), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

/// The names and labels that the reference implementation exposed when it was recorded.
#[test]
fn names_and_labels_are_the_recorded_ones() {
    let path = crate::recorded("golden/metrics-argocd/names.txt");
    let Ok(names) = std::fs::read_to_string(&path) else {
        return eprintln!("SKIPPED: {} is absent", path.display());
    };
    let text = of_application(application(&json!({})));
    for line in text.lines().filter(|line| line.starts_with("argocd_")) {
        let (name, labels) = line.split_once('{').unwrap();
        let mut labels: Vec<&str> = labels
            .split("\",")
            .map(|label| label.trim_start_matches(',').split('=').next().unwrap())
            .collect();
        labels.sort_unstable();
        let wanted = format!("{name}{{{}}}", labels.join(","));
        assert!(names.lines().any(|name| name == wanted), "{wanted} was not recorded");
        assert!(names.lines().any(|found| found == format!("{name} gauge")), "{name} is no gauge");
    }
}
