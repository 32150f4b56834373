#![expect(clippy::needless_pass_by_value, reason = "literals read better without &")]

use super::*;
use api::analysis::AnalysisPhase as Phase;
use proptest::prelude::*;

/// An Experiment whose plans are carried out on values; pods come when the test says so.
struct Play {
    object: Object,
    observed: Observed,
    now: Time,
    events: Vec<String>,
    wake: Option<Time>,
}

fn template(name: &str, more: Value) -> Value {
    let mut template = json!({"name": name, "selector": {"matchLabels": {"app": name}}, "template": {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "shop:1", "ports": [{"containerPort": 80}]}]}}});
    for (key, value) in more.as_object().into_iter().flatten() {
        template[key] = value.clone();
    }
    template
}

fn analysis_template(name: &str) -> Arc<Object> {
    Arc::new(Object::from_value(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": name, "namespace": "ns"},
        "spec": {"args": [{"name": "hash", "value": ""}], "metrics": [{"name": "m", "provider": {"web": {"url": "http://x/{{args.hash}}"}}}]}})))
}

impl Play {
    fn new(spec: Value) -> Self {
        let object = Object::from_value(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment",
            "metadata": {"name": "duel", "namespace": "ns", "uid": "e-uid"}, "spec": spec}));
        let observed = Observed { templates: vec![analysis_template("good")], ..Observed::default() };
        Self { object, observed, now: Time::from_unix(1000), events: Vec::new(), wake: None }
    }

    fn plan(&self) -> Plan {
        plan(&Experiment::from_object(&self.object).unwrap(), &self.observed, self.now)
    }

    /// Carries out passes until nothing changes.
    fn settle(&mut self) {
        for _ in 0..20 {
            let plan = self.plan();
            self.events.extend(plan.events.iter().map(|event| format!("{} {}", event.reason, event.message)));
            self.wake = plan.wake;
            if plan.is_empty() {
                return;
            }
            plan.actions.iter().for_each(|action| self.act(action));
            if let Some(status) = plan.status {
                self.object.set(&["status"], api::write(&status));
            }
        }
        panic!("never at rest: {:#?}", self.plan());
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::CreateReplicaSet { object, .. } => {
                self.observed.replica_sets.push(Arc::new(object.clone()))
            }
            Action::CreateService { object, .. } => self.observed.services.push(Arc::new(object.clone())),
            Action::CreateAnalysisRun { object, .. } => {
                self.observed.analysis_runs.push(Arc::new(object.clone()))
            }
            Action::DeleteService { key, .. } => {
                self.observed.services.retain(|service| service.key() != *key)
            }
            Action::PatchReplicaSet { key, patch, .. } => {
                edit(&mut self.observed.replica_sets, &key.name, patch)
            }
            Action::TerminateAnalysisRun { key } => {
                edit(&mut self.observed.analysis_runs, &key.name, &json!({"spec": {"terminate": true}}));
            }
        }
    }

    /// Lets every set have as many pods as it asks for.
    fn pods_come(&mut self) {
        for set in &mut self.observed.replica_sets {
            let size = set.int(&["spec", "replicas"]).unwrap();
            let mut new = Object::clone(set);
            new.set(&["status"], json!({"replicas": size, "readyReplicas": size, "availableReplicas": size}));
            *set = Arc::new(new);
        }
    }

    fn run_ends(&mut self, name: &str, phase: &str) {
        edit(
            &mut self.observed.analysis_runs,
            name,
            &json!({"status": {"phase": phase, "message": format!("was {phase}")}}),
        );
    }

    /// Brings it to where all sets run.
    fn available(spec: Value) -> Self {
        let mut play = Self::new(spec);
        play.settle();
        play.pods_come();
        play.settle();
        play
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
        self.settle();
    }

    fn status(&self) -> ExperimentStatus {
        Experiment::from_object(&self.object).unwrap().status
    }

    fn verdict(&self) -> (Option<Phase>, String) {
        (self.status().phase, self.status().message)
    }

    fn sizes(&self) -> Vec<i64> {
        self.observed.replica_sets.iter().map(|set| set.int(&["spec", "replicas"]).unwrap()).collect()
    }
}

use std::time::Duration;

fn edit(objects: &mut [Arc<Object>], name: &str, patch: &Value) {
    let object = objects.iter_mut().find(|object| object.name() == name).unwrap();
    let mut value = object.to_value();
    merge(&mut value, patch);
    *object = Arc::new(Object::from_value(value));
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

fn one(more: Value) -> Value {
    let mut spec = json!({"templates": [template("left", json!({}))]});
    merge(&mut spec, &more);
    spec
}

#[test]
fn a_timed_experiment() {
    let mut play = Play::new(one(json!({"duration": "10s"})));
    play.settle();
    assert_eq!(play.verdict().0, Some(Phase::Pending));
    assert_eq!(play.sizes(), [1]);
    play.pods_come();
    play.settle();
    assert_eq!(play.verdict().0, Some(Phase::Running));
    assert_eq!(play.wake, Some(Time::from_unix(1010)));
    play.pass(9);
    assert_eq!(play.verdict().0, Some(Phase::Running));
    play.pass(1);
    assert_eq!(play.verdict().0, Some(Phase::Successful));
    assert_eq!((play.sizes(), play.wake), (vec![1], Some(Time::from_unix(1040))));
    play.pass(30);
    assert_eq!(play.sizes(), [0]);
    play.pods_come();
    play.settle();
    assert_eq!(play.plan().wake, None);
    assert_eq!(
        play.events,
        [
            "TemplateProgressing Template 'left' transitioned from  -> Progressing",
            "ScalingReplicaSet Scaled up ReplicaSet duel-left from 0 to 1",
            "TemplateRunning Template 'left' transitioned from Progressing -> Running",
            "TemplateSuccessful Template 'left' transitioned from Running -> Successful",
            "ScalingReplicaSet Scaled down ReplicaSet duel-left from 1 to 0",
        ]
    );
    let condition = play.status().conditions.pop().unwrap();
    assert_eq!(condition.message, "Experiment \"duel\" has successfully ran and completed.");
}

#[test]
fn a_template_without_progress_fails_the_experiment_and_ends_the_others() {
    let templates = json!([template("left", json!({})), template("right", json!({}))]);
    let mut play =
        Play::new(json!({"templates": templates, "progressDeadlineSeconds": 60, "scaleDownDelaySeconds": 0}));
    play.settle();
    assert_eq!(play.wake, Some(Time::from_unix(1060)));
    edit(
        &mut play.observed.replica_sets,
        "duel-left",
        &json!({"status": {"replicas": 1, "availableReplicas": 1}}),
    );
    play.settle();
    play.pass(60);
    let message = "Template 'right' exceeded its progressDeadlineSeconds (60)";
    assert_eq!(play.verdict(), (Some(Phase::Failed), message.to_owned()));
    assert_eq!(play.sizes(), [0, 0]);
    assert!(play.events.contains(&format!(
        "TemplateFailed Template 'right' transitioned from Progressing -> Failed: {message}"
    )));
}

#[test]
fn a_service_is_there_as_long_as_the_pods() {
    let service = template("left", json!({"service": {"name": "front"}}));
    let portless = template(
        "right",
        json!({"service": {}, "template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}}),
    );
    let mut play = Play::available(
        json!({"templates": [service, portless], "duration": "5s", "scaleDownDelaySeconds": 0}),
    );
    assert_eq!(play.observed.services.len(), 1);
    let status = &play.status().template_statuses[0];
    let hash = play.observed.replica_sets[0].label(crate::keys::HASH).unwrap().to_owned();
    assert_eq!((status.service_name.as_str(), &status.pod_template_hash), ("front", &hash));
    let service = &play.observed.services[0];
    assert_eq!(
        service.get(&["spec", "ports"]),
        Some(&json!([{"port": 80, "targetPort": 80, "protocol": "TCP"}]))
    );
    assert_eq!(
        service.get(&["spec", "selector"]),
        Some(&json!({"app": "left", "rollouts-pod-template-hash": hash}))
    );
    play.pass(5);
    assert_eq!((play.sizes(), play.observed.services.len()), (vec![0, 0], 1));
    play.pods_come();
    play.settle();
    assert!(play.observed.services.is_empty());
    assert_eq!(play.status().template_statuses[0].service_name, "");
}

fn analyses(required: bool) -> Value {
    json!({"duration": "1h", "scaleDownDelaySeconds": 0, "analyses": [
        {"name": "a", "templateName": "good", "requiredForCompletion": required,
            "args": [{"name": "hash", "value": "{{templates.left.podTemplateHash}}"}]},
        {"name": "b", "templateName": "good"}]})
}

#[test]
fn analyses_begin_when_all_sets_run() {
    let mut play = Play::new(one(analyses(false)));
    play.settle();
    assert!(play.observed.analysis_runs.is_empty());
    play.pods_come();
    play.settle();
    let hash = play.observed.replica_sets[0].label(crate::keys::HASH).unwrap();
    let run = &play.observed.analysis_runs[0];
    assert_eq!((run.name(), run.items(&["spec", "args"])[0]["value"].as_str()), ("duel-a", Some(hash)));
    assert_eq!(play.observed.analysis_runs.len(), 2);
    play.run_ends("duel-a", "Successful");
    play.settle();
    assert_eq!(play.verdict().0, Some(Phase::Running));
}

#[test]
fn a_bad_analysis_ends_it_and_the_other_runs() {
    for (phase, expected) in
        [("Failed", Phase::Failed), ("Error", Phase::Error), ("Inconclusive", Phase::Inconclusive)]
    {
        let mut play = Play::available(one(analyses(false)));
        play.run_ends("duel-b", phase);
        play.settle();
        assert_eq!(play.verdict(), (Some(expected), format!("was {phase}")));
        assert_eq!(play.sizes(), [0]);
        assert!(play.observed.analysis_runs[0].flag(&["spec", "terminate"]));
        assert!(play.events.contains(&"AnalysisRunTerminating Terminating a (duel-a)".to_owned()));
    }
}

#[test]
fn required_analyses_end_it_early() {
    let mut play = Play::available(one(analyses(true)));
    play.run_ends("duel-a", "Successful");
    play.settle();
    assert_eq!(play.verdict(), (Some(Phase::Successful), "Required AnalysisRuns completed".to_owned()));
    assert!(play.observed.analysis_runs[1].flag(&["spec", "terminate"]));
}

#[test]
fn it_is_terminated_by_its_spec() {
    let mut play = Play::available(one(json!({"scaleDownDelaySeconds": 0})));
    assert_eq!((play.verdict().0, play.wake), (Some(Phase::Running), None));
    play.pass(1_000_000);
    assert_eq!(play.verdict().0, Some(Phase::Running));
    play.object.set(&["spec", "terminate"], true);
    play.settle();
    assert_eq!((play.verdict().0, play.sizes()), (Some(Phase::Successful), vec![0]));
}

/// With the analysis still running the original keeps the phase that it had for ever; here the ended run's counts.
#[test]
fn a_terminated_required_analysis_gives_the_verdict() {
    let mut play = Play::available(one(analyses(true)));
    play.object.set(&["spec", "terminate"], true);
    play.settle();
    assert_eq!(play.verdict().0, Some(Phase::Running));
    play.run_ends("duel-a", "Inconclusive");
    play.run_ends("duel-b", "Successful");
    play.settle();
    assert_eq!(play.verdict().0, Some(Phase::Inconclusive));
}

#[test]
fn a_retry_brings_the_pods_back_and_a_run_of_another_name() {
    let mut play = Play::available(one(json!({"analyses": [{"name": "a", "templateName": "good"}]})));
    play.run_ends("duel-a", "Failed");
    play.settle();
    assert!(play.observed.replica_sets[0].annotation(crate::keys::SCALE_DOWN_DEADLINE).is_some());
    play.object.remove(&["status"]);
    play.settle();
    assert_eq!(play.observed.replica_sets[0].annotation(crate::keys::SCALE_DOWN_DEADLINE), None);
    assert_eq!(play.status().analysis_runs[0].analysis_run, "duel-a.1");
    play.pass(3600);
    assert_eq!(play.sizes(), [1]);
}

#[test]
fn a_missing_template_is_told_before_anything_runs() {
    let mut play = Play::new(one(json!({"analyses": [{"name": "a", "templateName": "gone"}]})));
    play.settle();
    let message = "AnalysisTemplate verification failed for analysis 'a': analysistemplate.argoproj.io \"gone\" not found";
    assert_eq!(play.verdict(), (Some(Phase::Error), message.to_owned()));
}

#[test]
fn an_argument_that_names_nothing() {
    let args = json!([{"name": "hash", "value": "{{templates.middle.podTemplateHash}}"}]);
    let mut play =
        Play::available(one(json!({"analyses": [{"name": "a", "templateName": "good", "args": args}]})));
    let message = "Failed to create AnalysisRun for analysis 'a': failed to resolve {{templates.middle.podTemplateHash}}";
    play.settle();
    assert_eq!(play.verdict(), (Some(Phase::Error), message.to_owned()));
}

#[test]
fn what_the_api_server_refuses_is_told() {
    let play = Play::new(one(json!({})));
    let action = play.plan().actions.remove(0);
    let experiment = Experiment::from_object(&play.object).unwrap();
    let plan = refused(&experiment, &action, "exceeded quota", play.now);
    let status = plan.status.unwrap();
    let message = "Failed to create ReplicaSet for template 'left': exceeded quota";
    assert_eq!(
        (status.template_statuses[0].status.as_str(), status.template_statuses[0].message.as_str()),
        ("Error", message)
    );
    assert_eq!(plan.events[0].reason, "TemplateError");
}

#[test]
fn invalid_specs() {
    let of = |templates: Value, more: Value| {
        let mut spec = json!({"templates": templates});
        merge(&mut spec, &more);
        spec
    };
    let bare = |selector: Value| json!([{"name": "a", "selector": selector}]);
    for (spec, message) in [
        (of(json!([{"name": "a"}]), json!({})), "Rollout has missing field '.Spec.Templates[0].Selector'"),
        (
            of(bare(json!({})), json!({})),
            "This experiment is selecting all pods at index 0. A non-empty selector is required.",
        ),
        (
            of(json!([template("a", json!({"minReadySeconds": 601}))]), json!({})),
            "MinReadySeconds cannot be longer than ProgressDeadlineSeconds. Check template index 0",
        ),
        (
            of(json!([template("", json!({}))]), json!({})),
            "Experiment duel has empty template name at index 0",
        ),
        (
            of(json!([template("a", json!({})), template("a", json!({}))]), json!({})),
            "Experiment duel has repeated template name 'a' in templates",
        ),
    ] {
        let mut play = Play::new(spec);
        play.settle();
        let condition = play.status().conditions.pop().unwrap();
        assert_eq!((condition.kind.as_str(), condition.message.as_str()), ("InvalidSpec", message));
        assert!(play.observed.replica_sets.is_empty());
        play.object.set(&["spec"], one(json!({})));
        play.settle();
        assert!(play.status().conditions.iter().all(|condition| condition.kind != "InvalidSpec"));
    }
}

proptest! {
    /// Whatever becomes of the pods and the runs: it comes to rest, an ended Experiment stays as it ended, and in the
    /// end nothing is left running.
    #[test]
    fn laws(steps in proptest::collection::vec((0_u8..5, 1_u64..400), 1..25)) {
        let mut play = Play::new(one(analyses(true)));
        let mut ended = None;
        for (step, seconds) in steps {
            match step {
                0 => play.pods_come(),
                1 if play.observed.analysis_runs.len() == 2 => play.run_ends("duel-a", "Successful"),
                2 if play.observed.analysis_runs.len() == 2 => play.run_ends("duel-b", "Failed"),
                _ => {}
            }
            play.pass(seconds);
            let verdict = play.verdict();
            if ended.is_some() {
                prop_assert_eq!(Some(verdict), ended.clone());
            } else if verdict.0.is_some_and(Phase::completed) {
                ended = Some(verdict);
                prop_assert_eq!(play.sizes(), [0]);
            }
        }
        play.object.set(&["spec", "terminate"], true);
        play.settle();
        play.observed.analysis_runs.clone().iter().for_each(|run| {
            assert!(run.flag(&["spec", "terminate"]) || !run.str(&["status", "phase"]).is_empty());
        });
        prop_assert_eq!(play.sizes(), [0]);
    }
}
