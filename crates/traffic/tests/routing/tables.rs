//! Plays the tables.

use traffic::EventKind;

use crate::case::Case;
use crate::schema;
use crate::world::{World, bare};

/// Plays each case of a table: what is written, what is left alone, what is told; and that a second plan is empty.
fn play(text: &str) {
    for case in Case::read(text) {
        if case.invalid.is_empty() {
            play_one(&case);
        } else {
            let live = World::new(case.live.clone()).live();
            let problems = traffic::validate(&case.rollout, &case.settings, &live);
            let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(found, case.invalid, "{}", case.name);
        }
    }
}

fn play_one(case: &Case) {
    let name = &case.name;
    let mut world = World::new(case.live.clone());
    let routers = case.routers();
    let wanted = case.wanted();
    let routed = match world.route(&routers, &wanted) {
        Ok(routed) => routed,
        Err(problem) => {
            let events: Vec<String> = problem.events.iter().map(shown).collect();
            assert_eq!(Some(problem.to_string()), case.problem, "{name}");
            assert_eq!(events, case.events, "{name}");
            return;
        }
    };
    assert_eq!(case.problem, None, "{name}: no problem");
    let events: Vec<String> = routed.events.iter().map(shown).collect();
    for expected in &case.then {
        let found = world.get(expected.kind(), expected.name()).map(bare);
        let found = found.unwrap_or_else(|| panic!("{name}: no {} {}", expected.kind(), expected.name()));
        assert_eq!(yaml(&found), yaml(&bare(expected)), "{name}: {} {}", expected.kind(), expected.name());
    }
    for before in &case.live {
        let (kind, object) = (before.kind(), before.name());
        if case.then.iter().any(|then| then.kind() == kind && then.name() == object) {
            continue;
        }
        let after = world.get(kind, object).map(bare);
        if case.gone.iter().any(|gone| gone == object) {
            assert_eq!(after, None, "{name}: {kind} {object} is gone");
        } else {
            assert_eq!(after, Some(bare(before)), "{name}: {kind} {object} stays");
        }
    }
    assert_eq!(events, case.events, "{name}: events");
    for object in &world.objects {
        assert_eq!(schema::new_faults(object, &case.live), Vec::<String>::new(), "{name}: {}", object.name());
    }
    let again = world.route(&routers, &wanted).unwrap();
    assert_eq!(again.changes, [], "{name}: a second plan");
    assert_eq!(again.events, [], "{name}: a second plan");
}

fn shown(event: &traffic::Event) -> String {
    let mark = if event.kind == EventKind::Warning { "Warning " } else { "" };
    format!("{mark}{}: {}", event.reason, event.message)
}

fn yaml(value: &object::Value) -> String {
    object::yaml::to_string(value)
}

/// The tables, one a router.
pub const TABLES: [&str; 6] = [
    include_str!("../cases/gateway-api.yaml"),
    include_str!("../cases/istio.yaml"),
    include_str!("../cases/nginx.yaml"),
    include_str!("../cases/alb.yaml"),
    include_str!("../cases/smi.yaml"),
    include_str!("../cases/apisix.yaml"),
];

#[test]
fn gateway_api() {
    play(TABLES[0]);
}

#[test]
fn istio() {
    play(TABLES[1]);
}

#[test]
fn nginx() {
    play(TABLES[2]);
}

#[test]
fn alb() {
    play(TABLES[3]);
}

#[test]
fn smi() {
    play(TABLES[4]);
}

#[test]
fn apisix() {
    play(TABLES[5]);
}
