//! Laws that hold whatever is wanted, from whatever state the tables begin with.

use std::collections::BTreeSet;

use api::rollout::{HeaderMatch, Rollout, RouteMatch, SetHeaderRoute, SetMirrorRoute, StringMatch};
use object::{Object, Value, json};
use proptest::prelude::*;
use traffic::{Additional, Hashes, Managed, Wanted, Weight};

use crate::case::Case;
use crate::tables::TABLES;
use crate::world::{World, bare};

/// One wish of many, before it is fitted to a Rollout.
#[derive(Clone, Debug)]
struct Wish {
    canary: i32,
    additional: Vec<i32>,
    header: Option<Step>,
    mirror: Option<Step>,
}

/// A header or mirror step.
#[derive(Clone, Debug)]
struct Step {
    route: usize,
    remove: bool,
    value: String,
}

/// Returns the cases that can be planned.
fn worlds() -> Vec<Case> {
    let all = TABLES.iter().flat_map(|table| Case::read(table));
    all.filter(|case| case.problem.is_none() && case.invalid.is_empty()).collect()
}

fn step() -> impl Strategy<Value = Step> {
    (0..3_usize, any::<bool>(), "[a-c]{1,2}").prop_map(|(route, remove, value)| Step { route, remove, value })
}

fn wish() -> impl Strategy<Value = Wish> {
    (0..=60, prop::collection::vec(1..=6, 0..3), prop::option::of(step()), prop::option::of(step()))
        .prop_map(|(canary, additional, header, mirror)| Wish { canary, additional, header, mirror })
}

/// What a wish says to a Rollout; experiments only where routers can carry them.
struct Fitted {
    weight: Weight,
    header: Option<SetHeaderRoute>,
    mirror: Option<SetMirrorRoute>,
}

impl Wish {
    fn fitted(&self, rollout: &Rollout) -> Fitted {
        let routing = rollout.canary().unwrap().traffic_routing.as_ref().unwrap();
        let names: Vec<&str> = routing.managed_routes.iter().map(|route| route.name.as_str()).collect();
        let name = |step: &Step| names.get(step.route % names.len().max(1)).map(|name| (*name).to_owned());
        let experiments = routing.apisix.is_none() && routing.nginx.is_none();
        let additional = self.additional.iter().enumerate().filter(|_| experiments);
        // Two managed routes that say the same could not be told apart where rules have no names.
        let value = |step: &Step| StringMatch {
            exact: format!("{}{}", step.value, step.route),
            ..StringMatch::default()
        };
        let header = self.header.as_ref().and_then(|step| {
            let header = HeaderMatch { header_name: "x".into(), header_value: Some(value(step)) };
            Some(SetHeaderRoute {
                name: name(step)?,
                matches: if step.remove { vec![] } else { vec![header] },
            })
        });
        let mirror = self.mirror.as_ref().and_then(|step| {
            let matched = RouteMatch { path: Some(value(step)), ..RouteMatch::default() };
            Some(SetMirrorRoute {
                name: name(step)?,
                matches: if step.remove { vec![] } else { vec![matched] },
                percentage: None,
            })
        });
        // Two steps of one name would each undo the other.
        let mirror = mirror.filter(|mirror| header.as_ref().is_none_or(|header| header.name != mirror.name));
        let additional = additional.map(|(index, weight)| Additional {
            service: format!("exp-{index}"),
            hash: format!("e{index}"),
            weight: *weight,
        });
        Fitted {
            weight: Weight { canary: self.canary, max: 100, additional: additional.collect() },
            header,
            mirror,
        }
    }
}

fn wanted<'a>(rollout: &'a Rollout, fitted: &'a Fitted) -> Wanted<'a> {
    let mut wanted = Wanted::nothing(rollout);
    (wanted.canary.hash, wanted.stable.hash) = ("c".into(), "s".into());
    wanted.hashes = Hashes::Update;
    wanted.weight = Some(fitted.weight.clone());
    wanted.header = fitted.header.as_ref();
    wanted.mirror = fitted.mirror.as_ref();
    wanted
}

/// Tells the Rollout which Experiments the routers were told of, as the controller writes it.
fn remember(rollout: &mut Rollout, weight: &Weight) {
    let names = weight.additional.iter().map(|one| json!({"serviceName": one.service}));
    rollout.status.canary.weights = Some(json!({"additional": names.collect::<Vec<_>>()}));
}

/// Returns all lists of destinations below `value`: the shares of each.
fn shares(value: &Value, found: &mut Vec<Vec<(String, i64)>>) {
    match value {
        Value::Object(map) => map.values().for_each(|value| shares(value, found)),
        Value::Array(items) => {
            let split: Vec<(String, i64)> = items.iter().filter_map(share).collect();
            if !split.is_empty() {
                found.push(split);
            }
            items.iter().for_each(|value| shares(value, found));
        }
        Value::String(text) if text.starts_with("{\"Type\"") => {
            shares(&serde_json::from_str(text).unwrap(), found);
        }
        _ => {}
    }
}

fn share(destination: &Value) -> Option<(String, i64)> {
    let weight = destination.get("weight").or_else(|| destination.get("Weight"))?;
    let weight = weight.as_i64().or_else(|| Some(object::quantity::milli(weight.as_str()?)? / 1000))?;
    let mut name = String::new();
    for key in ["name", "service", "serviceName", "ServiceName"] {
        name += destination[key].as_str().unwrap_or_default();
    }
    let place = &destination["destination"];
    name += place["host"].as_str().unwrap_or_default();
    Some((name + place["subset"].as_str().unwrap_or_default(), weight))
}

fn all_shares(world: &World) -> Vec<Vec<(String, i64)>> {
    let mut found = Vec::new();
    world.objects.iter().for_each(|object| shares(&object.to_value(), &mut found));
    found
}

/// Puts a field that nobody knows, each with another value, into the maps that `chosen` says.
fn strange(value: &mut Value, chosen: u64, count: &mut u64) {
    match value {
        Value::Object(map) => {
            *count += 1;
            map.values_mut().for_each(|value| strange(value, chosen, count));
            if chosen >> (*count % 64) & 1 == 1 {
                map.insert("x-strange".into(), format!("id-{count}").into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|value| strange(value, chosen, count)),
        _ => {}
    }
}

fn strangers(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("x-strange").map(ToString::to_string));
            map.values().for_each(|value| strangers(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| strangers(value, found)),
        _ => {}
    }
}

fn all_strangers(world: &World) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    world.objects.iter().for_each(|object| strangers(&object.to_value(), &mut found));
    found
}

/// Replaces one value by another, wherever it is.
fn mangle(value: &mut Value, at: &mut u32, by: &Value) {
    if *at == 0 {
        *value = by.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| mangle(value, at, by)),
        Value::Array(items) => items.iter_mut().for_each(|value| mangle(value, at, by)),
        _ => {}
    }
}

fn specs(world: &World) -> Vec<Value> {
    let mut specs: Vec<(String, Value)> = world
        .objects
        .iter()
        .map(|object| (format!("{}/{}", object.kind(), object.name()), bare(object)["spec"].clone()))
        .collect();
    specs.sort_by(|a, b| a.0.cmp(&b.0));
    specs.into_iter().map(|(_, spec)| spec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A list of destinations that was changed adds up to the total; a second plan is empty.
    #[test]
    fn shares_add_up_and_plans_settle(case in prop::sample::select(worlds()), wishes in prop::collection::vec(wish(), 1..4)) {
        let mut world = World::that_completes(case.live.clone());
        let mut rollout = case.rollout.clone();
        for wish in &wishes {
            let fitted = wish.fitted(&rollout);
            let before = all_shares(&world);
            let routers = case.routers();
            let wanted = wanted(&rollout, &fitted);
            let Ok(routed) = world.route(&routers, &wanted) else { break };
            for split in all_shares(&world).iter().filter(|split| !before.contains(split)) {
                let foreign = |name: &str| matches!(name, "legacy" | "shopeu");
                let alone = split.len() == 1 && split[0].1 == 1;
                let total: i64 = split.iter().filter(|(name, _)| !(foreign(name) && name == "legacy")).map(|(_, weight)| weight).sum();
                prop_assert!(alone || total == 100, "{}: {split:?} after {}", case.name, routed.changes.len());
            }
            let again = world.route(&routers, &wanted).unwrap();
            prop_assert_eq!(again.changes, vec![], "{}: settled", &case.name);
            prop_assert_eq!(again.events, vec![], "{}: settled", &case.name);
            let told = fitted.weight.clone();
            remember(&mut rollout, &told);
        }
    }

    /// When all managed routes are removed and the first weight is wanted again, the specs are as before.
    #[test]
    fn removal_restores(case in prop::sample::select(worlds()), first in 0..=60, wishes in prop::collection::vec(wish(), 1..4)) {
        let mut world = World::that_completes(case.live.clone());
        let mut rollout = case.rollout.clone();
        let clean = Fitted { weight: Weight::new(first, 100), header: None, mirror: None };
        let routers = case.routers();
        let removal = |rollout: &Rollout, world: &mut World| {
            let mut wanted = wanted(rollout, &clean);
            wanted.managed = Managed::Remove;
            world.route(&routers, &wanted).is_ok()
        };
        // After another weight, so that each share is written out.
        let other = Fitted { weight: Weight::new(61, 100), header: None, mirror: None };
        prop_assume!(world.route(&routers, &wanted(&rollout, &other)).is_ok());
        prop_assume!(removal(&rollout, &mut world));
        let before = specs(&world);
        for wish in &wishes {
            let fitted = wish.fitted(&rollout);
            if world.route(&routers, &wanted(&rollout, &fitted)).is_err() {
                return Ok(());
            }
            remember(&mut rollout, &fitted.weight);
        }
        prop_assert!(removal(&rollout, &mut world));
        prop_assert_eq!(specs(&world), before, "{}", case.name);
    }

    /// Where the API server drops the names of rules, nothing piles up, and all that steps have made goes again.
    #[test]
    fn rules_without_names_are_known_again(
        case in prop::sample::select(worlds()),
        canary in 0..=60,
        wishes in prop::collection::vec(wish(), 1..4),
    ) {
        prop_assume!(case.live.iter().any(|object| object.kind().ends_with("Route") && !object.kind().starts_with("Apisix")));
        let mut world = World::that_drops_names(case.live.clone());
        let mut rollout = case.rollout.clone();
        let fitted: Vec<Fitted> = wishes.iter().map(|wish| wish.fitted(&rollout)).collect();
        // Steps are in the spec, so that the router can tell what they have made.
        let steps = fitted.iter().map(|fitted| api::rollout::CanaryStep {
            set_header_route: fitted.header.clone(),
            set_mirror_route: fitted.mirror.clone(),
            ..api::rollout::CanaryStep::default()
        });
        rollout.spec.strategy.canary.as_mut().unwrap().steps = steps.collect();
        let routers = case.routers();
        let clean = Fitted { weight: Weight::new(canary, 100), header: None, mirror: None };
        let mut removal = wanted(&rollout, &clean);
        removal.managed = Managed::Remove;
        prop_assume!(world.route(&routers, &removal).is_ok());
        let before = specs(&world);
        for fitted in &fitted {
            let mut step = wanted(&rollout, fitted);
            step.weight = Some(clean.weight.clone());
            world.route(&routers, &step).unwrap();
            let again = world.route(&routers, &step).unwrap();
            prop_assert_eq!(again.changes, vec![], "{}: settled", &case.name);
        }
        world.route(&routers, &removal).unwrap();
        prop_assert_eq!(specs(&world), before, "{}", case.name);
    }

    /// Fields that nobody knows survive.
    #[test]
    fn strange_fields_are_kept(case in prop::sample::select(worlds()), chosen in any::<u64>(), wish in wish()) {
        // Destinations of nobody, finished Experiments and managed routes go by design, and all in them.
        let mut world = World::new(case.live.clone());
        let mut rollout = case.rollout.clone();
        let clean = Fitted { weight: Weight::new(1, 100), header: None, mirror: None };
        let routers = case.routers();
        {
            let mut wanted = wanted(&rollout, &clean);
            wanted.managed = Managed::Remove;
            prop_assume!(world.route(&routers, &wanted).is_ok());
        }
        let mut count = 0;
        let objects = world.objects.iter().map(|object| {
            let mut value = object.to_value();
            if object.name().ends_with("-canary") {
                // Made of the stable Ingress, all of it.
                return object.clone();
            }
            value.as_object_mut().unwrap().iter_mut().filter(|(key, _)| *key == "spec").for_each(|(_, spec)| strange(spec, chosen, &mut count));
            Object::from_value(value)
        });
        let mut world = World::new(objects.collect());
        remember(&mut rollout, &clean.weight);
        let strangers = all_strangers(&world);
        let fitted = wish.fitted(&rollout);
        if world.route(&routers, &wanted(&rollout, &fitted)).is_ok() {
            let kept = all_strangers(&world);
            prop_assert!(strangers.is_subset(&kept), "{}: lost {:?}", case.name, strangers.difference(&kept).collect::<Vec<_>>());
        }
    }

    /// Whatever stands where something else should, nothing panics.
    #[test]
    fn wrong_types_are_no_panic(
        case in prop::sample::select(worlds()),
        at in 0..60_u32,
        by in prop::sample::select(vec![json!(null), json!("x"), json!(7), json!([]), json!([1, "a", null]), json!({}), json!({"a": []}), json!(true)]),
        wish in wish(),
    ) {
        let mut at = at;
        let objects = case.live.iter().map(|object| {
            let mut value = object.to_value();
            mangle(&mut value["spec"], &mut at, &by);
            Object::from_value(value)
        });
        let world = World::new(objects.collect());
        let fitted = wish.fitted(&case.rollout);
        let live = world.live();
        for router in case.routers() {
            let mut wanted = wanted(&case.rollout, &fitted);
            let _ = router.plan(&wanted, &live);
            wanted.managed = Managed::Remove;
            let _ = router.plan(&wanted, &live);
            let _ = router.validate(&case.rollout, &live);
        }
    }
}
