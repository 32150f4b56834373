//! What is told to somebody who asks why a Rollout is where it is.

use object::json;
use rollout::explain::{Explanation, Next, Told};
use rollout::{Action, Reason};

use crate::world::World;

const CANARY: &str = "{steps: [{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 1h}}]}";

fn all(why: &Told) -> Vec<&Told> {
    std::iter::once(why).chain(why.because.iter().flat_map(all)).collect()
}

/// Returns what is told of the reason that `wanted` knows.
#[track_caller]
fn told(explanation: &Explanation, wanted: impl Fn(&Reason) -> bool) -> &Told {
    let found = all(&explanation.why).into_iter().find(|told| wanted(&told.reason));
    found.unwrap_or_else(|| panic!("not told:\n{explanation}"))
}

fn commands(told: &Told) -> Vec<&str> {
    told.unblock.iter().map(|remedy| remedy.command.as_str()).collect()
}

/// A Rollout of five pods with this canary, at its second version, as far as it gets.
fn updated(canary: &str) -> World {
    let mut world = World::new(5, canary);
    world.settle();
    world.set_image("shop:2");
    world.settle();
    world
}

fn sets(world: &World) -> (String, String) {
    let name = |field: &str| format!("shop-{}", world.status()[field].as_str().unwrap());
    (name("stableRS"), name("currentPodHash"))
}

#[test]
fn a_healthy_one_is_done() {
    let mut world = World::new(5, CANARY);
    world.settle();
    let explanation = world.explain();
    assert_eq!((explanation.phase.as_str(), &explanation.why.reason), ("Healthy", &Reason::Done));
    assert_eq!((explanation.next, explanation.changes, explanation.step), (vec![], vec![], None));
    assert!(explanation.why.since.is_some());
}

#[test]
fn a_paused_one_tells_how_to_go_on_and_what_comes_then() {
    let mut world = updated(CANARY);
    let (old, new) = sets(&world);
    let paused = world.now;
    world.tick(90);
    let explanation = world.explain();
    let step = explanation.step.as_ref().unwrap();
    assert_eq!((step.number, step.of, step.step.as_str()), (2, 4, "pause until promoted"));
    let wait = told(&explanation, |reason| matches!(reason, Reason::WaitingOnPromotion { .. }));
    assert_eq!((wait.since, wait.until), (Some(paused.whole_seconds()), None));
    assert_eq!(
        commands(wait),
        [
            "slipway rollouts promote shop -n n",
            "slipway rollouts promote shop --full -n n",
            "slipway rollouts abort shop -n n"
        ]
    );
    let step = |number, text: &str| Next::Step { number, step: text.to_owned() };
    let scale = |set: &str, from, to| Next::Scale { set: set.to_owned(), from, to };
    assert_eq!(
        explanation.next,
        [
            Next::Promotion,
            step(3, "set the weight to 60"),
            scale(&old, 4, 2),
            scale(&new, 1, 3),
            step(4, "pause for 1h0m0s"),
            Next::Wait { duration: "1h0m0s".into() },
            scale(&old, 2, 0),
            scale(&new, 3, 5),
            Next::Done
        ],
        "{explanation}"
    );
    let text = explanation.to_string();
    assert!(
        text.starts_with("Rollout n/shop is Paused: CanaryPauseStep\nAt step 2 of 4: pause until promoted\n")
    );
    assert!(text.contains("    $ slipway rollouts promote shop -n n         # goes on\n"), "{text}");
    assert!(text.contains("90s ago"), "{text}");
}

#[test]
fn what_is_told_ahead_is_what_happens() {
    let mut world = updated(CANARY);
    let foretold = world.explain().next;
    let mut happened = Vec::new();
    world.promote();
    for _ in 0..100 {
        for action in world.plan().actions {
            if let Action::ScaleReplicaSet { key, to, .. } = action {
                happened.push((key.name, to));
            }
        }
        if !world.pass() {
            if world.phase() == "Healthy" {
                break;
            }
            world.wake();
        }
    }
    let last = |name: &str| happened.iter().rev().find(|(set, _)| set == name).map(|(_, to)| *to);
    let told = |name: &str| {
        let sizes = foretold.iter().rev().filter_map(|next| match next {
            Next::Scale { set, to, .. } if set == name => Some(*to),
            _ => None,
        });
        sizes.clone().next()
    };
    let (stable, _) = sets(&world);
    assert_eq!((told(&stable), last(&stable)), (Some(5), Some(5)));
    let mut ends: Vec<(String, i32)> = Vec::new();
    for next in &foretold {
        if let Next::Scale { set, to, .. } = next {
            ends.push((set.clone(), *to));
        }
    }
    assert!(ends.iter().all(|end| happened.contains(end)), "{ends:?} {happened:?}");
}

#[test]
fn a_timed_pause_tells_when_it_ends() {
    let mut world = updated("{steps: [{setWeight: 20}, {pause: {duration: 1h}}]}");
    let begun = world.now.whole_seconds();
    world.tick(60);
    let explanation = world.explain();
    let wait = told(&explanation, |reason| matches!(reason, Reason::WaitingOnTime { .. }));
    assert_eq!(wait.since, Some(begun));
    assert_eq!(wait.until, Some(begun.after(std::time::Duration::from_secs(3600))));
    assert_eq!(explanation.next[0], Next::Wait { duration: "59m0s".into() });
}

#[test]
fn pods_that_do_not_come_are_named_until_the_deadline() {
    let mut world = World::new(5, CANARY);
    world.settle();
    world.broken.insert("shop:2".into());
    world.set_image("shop:2");
    world.settle();
    let explanation = world.explain();
    let (_, new) = sets(&world);
    let hash = world.status()["currentPodHash"].as_str().unwrap().to_owned();
    let wait =
        told(&explanation, |reason| matches!(reason, Reason::WaitingOnPods { set, .. } if *set == new));
    assert!(wait.since.is_some());
    assert_eq!(commands(wait), [format!("kubectl describe pods -l rollouts-pod-template-hash={hash} -n n")]);
    let deadline = told(&explanation, |reason| matches!(reason, Reason::WaitingOnDeadline { .. }));
    assert!(deadline.until.unwrap() > world.now);
    assert_eq!(commands(deadline), ["slipway rollouts abort shop -n n"]);
    assert_eq!(explanation.next.last(), Some(&Next::Done), "if they come, it goes on: {explanation}");

    world.wake();
    world.settle();
    let explanation = world.explain();
    assert_eq!(explanation.phase, "Degraded");
    let blocked = told(&explanation, |reason| matches!(reason, Reason::BlockedByDeadline { .. }));
    assert!(blocked.since.is_some() && commands(blocked).contains(&"slipway rollouts undo shop -n n"));
}

#[test]
fn a_running_analysis_is_named() {
    let mut world = World::new(5, "{steps: [{setWeight: 20}, {analysis: {templates: [{templateName: t}]}}]}");
    world.template(json!({"metadata": {"name": "t"}, "spec": {
        "metrics": [{"name": "m", "provider": {"web": {"url": "http://x"}}}]}}));
    world.settle();
    world.set_image("shop:2");
    world.settle();
    let explanation = world.explain();
    let run = world.only_run().name().to_owned();
    let wait = told(&explanation, |reason| matches!(reason, Reason::WaitingOnAnalysis { .. }));
    assert_eq!(wait.since, world.only_run().creation_time());
    assert_eq!(commands(wait)[0], format!("kubectl get analysisrun {run} -o yaml -n n"));
    assert_eq!(commands(wait)[1], format!("slipway rollouts terminate analysisrun {run} -n n"));
    assert_eq!(explanation.step.as_ref().unwrap().step, "analysis of t");
    assert_eq!(explanation.next[0], Next::Success { of: run });
    assert_eq!(explanation.next.last(), Some(&Next::Done));
}

#[test]
fn an_aborted_one_tells_how_to_retry() {
    let mut world = updated(CANARY);
    world.patch_status(&json!({"abort": true}));
    world.settle();
    let explanation = world.explain();
    assert_eq!(explanation.phase, "Degraded");
    let blocked = told(&explanation, |reason| matches!(reason, Reason::BlockedByAbort { .. }));
    assert!(blocked.since.is_some());
    assert_eq!(
        commands(blocked),
        ["slipway rollouts retry rollout shop -n n", "slipway rollouts undo shop -n n"]
    );
    assert_eq!(explanation.next, [], "nothing comes by itself: {explanation}");
}

#[test]
fn old_pods_tell_when_they_go() {
    let mut world =
        World::blue_green(3, "activeService: live\npreviewService: next\nscaleDownDelaySeconds: 60");
    world.service("live");
    world.service("next");
    world.settle();
    let (old, _) = sets(&world);
    world.set_image("shop:2");
    world.settle();
    let explanation = world.explain();
    let wait =
        told(&explanation, |reason| matches!(reason, Reason::WaitingOnScaleDown { set, .. } if *set == old));
    assert_eq!(wait.until.unwrap().since(world.now).as_secs(), 60);
    assert_eq!(
        explanation.next,
        [Next::Wait { duration: "1m0s".into() }, Next::Scale { set: old, from: 3, to: 0 }, Next::Done],
        "{explanation}"
    );
}

#[test]
fn a_wrong_spec_is_told_with_the_field() {
    let mut world = World::new(5, CANARY);
    world.settle();
    world.rollout.set(&["spec", "strategy", "canary", "steps"], json!([{"setWeight": 120}]));
    world.bump();
    let explanation = world.explain();
    let blocked = told(&explanation, |reason| matches!(reason, Reason::BlockedByInvalidSpec { .. }));
    assert!(
        blocked.text.contains("spec.strategy.steps[0].setWeight: Invalid value: 120"),
        "{}",
        blocked.text
    );
    assert_eq!(commands(blocked), ["kubectl edit rollout shop -n n"]);
    assert_eq!((explanation.phase.as_str(), explanation.next), ("Degraded", vec![]));
}

#[test]
fn a_pause_of_the_user_is_told() {
    let mut world = updated(CANARY);
    world.rollout.set(&["spec", "paused"], true);
    world.bump();
    world.settle();
    let explanation = world.explain();
    let wait = told(&explanation, |reason| matches!(reason, Reason::WaitingOnResume));
    assert_eq!(commands(wait), ["slipway rollouts promote shop -n n"]);
    assert!(explanation.next.contains(&Next::Resume), "{explanation}");
    assert_eq!(explanation.next.last(), Some(&Next::Done));
}

#[test]
fn weights_of_routers_are_told_ahead() {
    let mut world = World::new(
        5,
        "{canaryService: new, stableService: old, trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: shop, \
         namespace: 'n'}}}, steps: [{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {}}]}",
    );
    world.service("new");
    world.service("old");
    let backend = |name: &str| json!({"name": name, "port": 80});
    world.route(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "n", "resourceVersion": "1"},
        "spec": {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [backend("old"), backend("new")]}]}
    }));
    world.settle();
    world.set_image("shop:2");
    world.settle();
    let next = world.explain().next;
    let weights: Vec<i64> = next
        .iter()
        .filter_map(|next| if let Next::Weight { weight, .. } = next { Some(*weight) } else { None })
        .collect();
    assert!(weights.starts_with(&[60, 100]), "{next:?}");
    assert_eq!(next.last(), Some(&Next::Done));
}

#[test]
fn what_is_told_can_be_read_by_programs() {
    let explanation = serde_json::to_value(updated(CANARY).explain()).unwrap();
    assert_eq!((&explanation["name"], &explanation["phase"]), (&json!("shop"), &json!("Paused")));
    let because = &explanation["why"]["because"][0];
    assert_eq!(because["reason"], json!({"WaitingOnPromotion": {"reason": "CanaryPauseStep"}}));
    assert_eq!(because["unblock"][0]["command"], "slipway rollouts promote shop -n n");
    assert_eq!(explanation["next"][0], "promotion");
    assert_eq!(explanation["next"][1], json!({"step": {"number": 3, "step": "set the weight to 60"}}));
}
