//! The strategies that users live with, with settings by a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use node::{Rule, Rules};
use object::{Value, json};
use runtime::resources;
use sim::{Random, World};

use super::stage::{create, rollout, route, services, template};
use super::user::IMAGES;

/// A strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Numbers of pods are the shares of the traffic.
    Canary,
    /// An HTTPRoute shares the traffic.
    Routed,
    /// The same, and stable pods go as the traffic leaves them.
    Dynamic,
    /// Two versions stand side by side.
    BlueGreen,
    /// A canary with an Experiment as a step.
    Experiment,
}

/// All of them.
pub const STORIES: [Story; 5] =
    [Story::Canary, Story::Routed, Story::Dynamic, Story::BlueGreen, Story::Experiment];

/// Returns how the pods of the images behave.
pub fn rules() -> Rules {
    let rule = |image: &str| Rule { image: image.to_owned(), ..Rule::default() };
    let slow = |image: &str, seconds| Rule { ready_after: Duration::from_secs(seconds), ..rule(image) };
    Rules::new(vec![
        slow("shop:slow-20", 20),
        slow("shop:slow-70", 70),
        Rule { never_ready: true, ..rule("shop:never") },
        Rule { image_pull_error: true, ..rule("shop:missing") },
    ])
}

/// Returns what the images answer.
pub fn answers() -> BTreeMap<String, Value> {
    let answer = |image: &&str| {
        let status = if *image == "shop:sick" { "sick" } else { "ok" };
        ((*image).to_owned(), json!({"status": status}))
    };
    IMAGES.iter().map(answer).collect()
}

fn pick<T: Copy>(random: &mut Random, all: &[T]) -> T {
    all[usize::try_from(random.below(all.len() as u64)).unwrap()]
}

/// Returns two to five steps.
fn steps(random: &mut Random, with_experiment: bool) -> Vec<Value> {
    let mut steps = Vec::new();
    let mut weight = 0;
    for _ in 0..2 + random.below(4) {
        weight = (weight + 10 + random.below(40)).min(100);
        steps.push(match random.below(10) {
            0..=3 => json!({"setWeight": weight}),
            4 | 5 => json!({"pause": {}}),
            6 | 7 => json!({"pause": {"duration": pick(random, &[1, 10, 40])}}),
            8 => json!({"analysis": {"templates": [{"templateName": "check"}]}}),
            _ => json!({"setWeight": 50}),
        });
    }
    if with_experiment {
        let at = usize::try_from(random.below(steps.len() as u64)).unwrap();
        let mut experiment = json!({"templates": [
            {"name": "base", "specRef": "stable"}, {"name": "next", "specRef": "canary", "replicas": 2}
        ]});
        if random.chance(600) {
            experiment["duration"] = json!("30s");
        }
        if random.chance(500) || experiment.get("duration").is_none() {
            experiment["analyses"] = json!([{
                "name": "check", "templateName": "check", "requiredForCompletion": random.chance(700)
            }]);
        }
        steps.insert(at, json!({"experiment": experiment}));
    }
    steps
}

fn canary(random: &mut Random, with_experiment: bool) -> Value {
    let mut canary = json!({"steps": steps(random, with_experiment)});
    if random.chance(500) {
        canary["maxSurge"] = pick_value(random, &[json!(0), json!(1), json!(2), json!("50%")]);
    }
    if random.chance(500) {
        canary["maxUnavailable"] = pick_value(random, &[json!(0), json!(1), json!("50%")]);
    }
    if canary["maxSurge"] == 0 && canary["maxUnavailable"] == 0 {
        canary["maxUnavailable"] = json!(1);
    }
    canary
}

fn pick_value(random: &mut Random, all: &[Value]) -> Value {
    all[usize::try_from(random.below(all.len() as u64)).unwrap()].clone()
}

fn routed(random: &mut Random, dynamic: bool) -> Value {
    let mut canary = canary(random, false);
    canary["stableService"] = json!("live");
    canary["canaryService"] = json!("next");
    canary["trafficRouting"] =
        json!({"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "shop", "namespace": "default"}}});
    if dynamic {
        canary["dynamicStableScale"] = json!(true);
    } else if random.chance(300) {
        canary["scaleDownDelaySeconds"] = json!(pick(random, &[0, 5, 45]));
    }
    if random.chance(300) {
        canary["abortScaleDownDelaySeconds"] = json!(pick(random, &[0, 5, 45]));
    }
    if random.chance(300) {
        canary["minPodsPerReplicaSet"] = json!(2);
    }
    canary
}

fn blue_green(random: &mut Random) -> Value {
    let mut strategy = json!({"activeService": "live"});
    let checks = json!({"templates": [{"templateName": "check"}]});
    if random.chance(700) {
        strategy["previewService"] = json!("next");
        for analysis in ["prePromotionAnalysis", "postPromotionAnalysis"] {
            if random.chance(400) {
                strategy[analysis] = checks.clone();
            }
        }
        if random.chance(300) {
            strategy["previewReplicaCount"] = json!(pick(random, &[1, 2]));
        }
    }
    match random.below(3) {
        0 => strategy["autoPromotionEnabled"] = json!(false),
        1 => strategy["autoPromotionSeconds"] = json!(pick(random, &[1, 20])),
        _ => {}
    }
    for field in ["scaleDownDelaySeconds", "abortScaleDownDelaySeconds"] {
        if random.chance(300) {
            strategy[field] = json!(pick(random, &[0, 5, 45]));
        }
    }
    strategy
}

impl Story {
    /// Creates the Rollout and what it needs; returns its spec.
    pub async fn begin(self, world: &World, random: &mut Random) -> Value {
        services(world).await;
        template(world).await;
        let strategy = match self {
            Self::Canary => json!({"canary": canary(random, false)}),
            Self::Experiment => json!({"canary": canary(random, true)}),
            Self::Routed => json!({"canary": routed(random, false)}),
            Self::Dynamic => json!({"canary": routed(random, true)}),
            Self::BlueGreen => json!({"blueGreen": blue_green(random)}),
        };
        if matches!(self, Self::Routed | Self::Dynamic) {
            route(world).await;
        }
        let mut rollout = rollout(&strategy, 1 + random.below(6));
        if random.chance(300) {
            rollout["spec"]["progressDeadlineSeconds"] = json!(60);
            rollout["spec"]["progressDeadlineAbort"] = json!(random.chance(500));
        }
        if random.chance(300) {
            rollout["spec"]["rollbackWindow"] = json!({"revisions": 2});
        }
        if random.chance(300) {
            rollout["spec"]["minReadySeconds"] = json!(pick(random, &[2, 10]));
        }
        create(world, &resources::ROLLOUTS, rollout.clone()).await;
        rollout["spec"].clone()
    }
}
