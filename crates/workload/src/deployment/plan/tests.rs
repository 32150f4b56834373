#![expect(clippy::needless_pass_by_value, clippy::type_complexity, reason = "tables read better so")]

use std::collections::BTreeMap;

use super::*;

/// A Deployment of `replicas` with the given strategy fields.
fn object(replicas: i64, strategy: Value) -> Object {
    Object::from_value(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "ns", "uid": "d", "generation": 1,
            "annotations": {REVISION: "2"}},
        "spec": {
            "replicas": replicas, "strategy": strategy, "revisionHistoryLimit": 1, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "new"}]}}
        }
    }))
}

fn rolling(surge: i64, unavailable: i64) -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
}

/// A ReplicaSet with `replicas` asked for, of which `available` are.
fn set(name: &str, image: &str, replicas: i64, available: i64) -> Arc<Object> {
    let revision = if image == "new" { "2" } else { "1" };
    Arc::new(Object::from_value(json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": name, "uid": name, "namespace": "ns", "generation": 1,
            "creationTimestamp": if image == "new" { "2026-01-02T00:00:00Z" } else { "2026-01-01T00:00:00Z" },
            "annotations": {REVISION: revision, DESIRED: "5", MAX: "7"}},
        "spec": {"replicas": replicas, "template": {
            "metadata": {"labels": {"app": "web", "pod-template-hash": "x"}},
            "spec": {"containers": [{"name": "a", "image": image}]}}},
        "status": {"observedGeneration": 1, "replicas": replicas, "readyReplicas": available,
            "availableReplicas": available}
    })))
}

fn now() -> Time {
    Time::parse("2026-01-03T00:00:00Z").unwrap()
}

fn planned(object: &Object, sets: &[Arc<Object>]) -> Plan {
    plan(&Deployment::read(object, sets), &[], now())
}

/// Renders actions as `name=replicas`, `+replicas` for a new ReplicaSet, `-name` for a deletion.
fn text(actions: &[Action]) -> Vec<String> {
    let one = |action: &Action| match action {
        Action::Revision(revision) => format!("revision {revision}"),
        Action::Create(set) => format!("+{}", set.int(&["spec", "replicas"]).unwrap()),
        Action::Update { set, .. } => format!("{}={}", set.name(), set.int(&["spec", "replicas"]).unwrap()),
        Action::Delete(set) => format!("-{}", set.name()),
    };
    actions.iter().map(one).collect()
}

#[test]
fn steps_of_a_rolling_update() {
    let cases: [(i64, i64, &[(&str, &str, i64, i64)], &[&str]); 9] = [
        (2, 1, &[], &["+5"]),
        (2, 1, &[("old", "old", 5, 5)], &["+2"]),
        (0, 1, &[("old", "old", 5, 5)], &["+0"]),
        (2, 1, &[("old", "old", 5, 5), ("new", "new", 2, 0)], &["old=4"]),
        (2, 0, &[("old", "old", 5, 5), ("new", "new", 2, 0)], &[]),
        (2, 0, &[("old", "old", 5, 5), ("new", "new", 2, 2)], &["old=3"]),
        (2, 1, &[("old", "old", 4, 4), ("new", "new", 2, 0)], &["new=3"]),
        (2, 1, &[("old", "old", 5, 3), ("new", "new", 2, 0)], &["old=4"]),
        (1, 1, &[("old", "old", 0, 0), ("new", "new", 5, 5)], &[]),
    ];
    for (surge, unavailable, sets, expected) in cases {
        let sets: Vec<_> =
            sets.iter().map(|(name, image, asked, there)| set(name, image, *asked, *there)).collect();
        let plan = planned(&object(5, rolling(surge, unavailable)), &sets);
        assert_eq!(text(&plan.actions), expected, "surge {surge}, unavailable {unavailable}, {sets:?}");
    }
}

/// Plays an update in which every pod becomes available at once, and checks the bounds at each step.
#[test]
fn an_update_stays_within_its_bounds_and_ends() {
    for (surge, unavailable) in [(1, 0), (0, 1), (2, 1), (5, 5), (3, 0)] {
        let mut object = object(5, rolling(surge, unavailable));
        object.set_annotation(REVISION, "1");
        let mut sets = BTreeMap::from([("old".to_owned(), set("old", "old", 5, 5))]);
        for _ in 0..40 {
            let list: Vec<_> = sets.values().cloned().collect();
            let plan = planned(&object, &list);
            for action in plan.actions {
                apply(&mut object, &mut sets, action);
            }
            object.set(&["status"], plan.status);
            let count: i64 = sets.values().map(|set| set.int(&["spec", "replicas"]).unwrap()).sum();
            assert!(
                count <= 5 + surge && count >= 5 - unavailable,
                "{count} pods with {surge}/{unavailable}"
            );
        }
        assert_eq!(sets["old"].int(&["spec", "replicas"]), Some(0), "{surge}/{unavailable}");
        let condition = object.condition("Progressing").unwrap();
        assert_eq!(condition.reason, "NewReplicaSetAvailable");
        assert!(condition.message.contains("has successfully progressed."));
        assert_eq!(object.annotation(REVISION), Some("2"));
    }
}

fn apply(object: &mut Object, sets: &mut BTreeMap<String, Arc<Object>>, action: Action) {
    let mut store = |mut set: Object| {
        let replicas = set.int(&["spec", "replicas"]).unwrap();
        let status = json!({"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas});
        set.set(&["status"], status);
        sets.insert(set.name().to_owned(), Arc::new(set));
    };
    match action {
        Action::Create(set) | Action::Update { set, .. } => store(set),
        Action::Revision(revision) => object.set_annotation(REVISION, &revision),
        Action::Delete(set) => drop(sets.remove(set.name())),
    }
}

#[test]
fn recreate_waits_for_the_old_pods() {
    let object = object(5, json!({"type": "Recreate"}));
    assert_eq!(text(&planned(&object, &[set("old", "old", 5, 5)]).actions), ["old=0"]);
    let sets = [set("old", "old", 0, 0)];
    let waiting = plan(&Deployment::read(&object, &sets), &["old".into()], now());
    assert!(waiting.actions.is_empty());
    assert_eq!(text(&planned(&object, &sets).actions), ["+5"]);
}

#[test]
fn scaling_in_the_middle_of_an_update_is_in_proportion() {
    let object = object(10, rolling(2, 1));
    let sets = [set("old", "old", 4, 4), set("new", "new", 3, 3)];
    assert_eq!(text(&planned(&object, &sets).actions), ["old=7", "new=5"]);
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let mut paused = object(5, rolling(2, 1));
    paused.set(&["spec", "paused"], true);
    let old = [set("old", "old", 5, 5)];
    let plan = planned(&paused, &old);
    assert!(plan.actions.is_empty());
    assert_eq!(plan.status["conditions"][1]["reason"], "DeploymentPaused");
    paused.set(&["spec", "replicas"], 8);
    assert_eq!(text(&planned(&paused, &old).actions), ["old=8"]);
}

#[test]
fn history_beyond_the_limit_goes_oldest_revision_first() {
    let mut older = (*set("older", "older", 0, 0)).clone();
    older.set_annotation(REVISION, "0");
    let sets = [set("old", "old", 0, 0), Arc::new(older), set("new", "new", 5, 5)];
    assert_eq!(text(&planned(&object(5, rolling(1, 0)), &sets).actions), ["-older"]);
}

#[test]
fn an_old_template_that_comes_back_gets_a_new_revision() {
    let mut back = (*set("new", "new", 0, 0)).clone();
    back.set_annotation(REVISION, "1");
    let mut other = (*set("old", "old", 5, 5)).clone();
    other.set_annotation(REVISION, "2");
    let plan = planned(&object(5, rolling(1, 0)), &[Arc::new(other), Arc::new(back)]);
    let [Action::Update { set, event: None }] = &plan.actions[..] else { panic!("{:?}", plan.actions) };
    assert_eq!(set.annotation(REVISION), Some("3"));
    assert_eq!(set.annotation(HISTORY), Some("1"));
}

#[test]
fn no_progress_within_the_deadline() {
    let mut stuck = object(5, rolling(1, 0));
    let sets = [set("old", "old", 5, 5), set("new", "new", 1, 0)];
    let progressing = |since: &str| {
        json!({"replicas": 6, "updatedReplicas": 1, "readyReplicas": 5, "availableReplicas": 5, "conditions": [
            {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": since,
                "lastTransitionTime": since}]})
    };
    stuck.set(&["status"], progressing("2026-01-02T23:51:00Z"));
    let early = planned(&stuck, &sets);
    assert_eq!(early.wake, Some(Time::parse("2026-01-03T00:01:01Z").unwrap()));
    assert_eq!(early.status["conditions"][0]["reason"], "ReplicaSetUpdated");
    stuck.set(&["status"], progressing("2026-01-02T23:49:00Z"));
    let late = planned(&stuck, &sets);
    let condition =
        late.status["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "Progressing");
    assert_eq!(condition.unwrap()["reason"], "ProgressDeadlineExceeded");
    assert_eq!(condition.unwrap()["message"], "ReplicaSet \"new\" has timed out progressing.");
    assert_eq!(late.wake, None);
}

#[test]
fn at_rest_nothing_changes() {
    let mut object = object(5, rolling(1, 0));
    let sets = [set("new", "new", 5, 5)];
    object.set(&["status"], planned(&object, &sets).status);
    object.set(&["status"], planned(&object, &sets).status);
    let plan = planned(&object, &sets);
    assert!(plan.actions.is_empty() && plan.wake.is_none(), "{:?}", plan.actions);
    assert_eq!(object.get(&["status"]), Some(&plan.status));
}
