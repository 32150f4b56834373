//! Laws: a synced Application stays synced, every task runs once, waves are not overtaken.

use std::collections::BTreeMap;

use api::application::{Application, OperationPhase, SyncCode};
use object::{Object, json};
use proptest::prelude::*;
use sync::{Action, Level};

use crate::world::{FIRST, World, found};

const KINDS: [&str; 4] = ["ConfigMap", "Secret", "Service", "ServiceAccount"];

fn world() -> World {
    let object = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "argocd"},
        "spec": {"destination": {"server": "s", "namespace": "ns"}, "source": {"repoURL": "r", "path": "p"}},
    }));
    World::new(Application::from_object(&object).unwrap(), "2026-11-21T12:00:00Z")
}

/// Objects by kind and name, with their wave and some content.
fn objects() -> impl Strategy<Value = Vec<Object>> {
    let key = (0..KINDS.len(), 0..4_u8);
    prop::collection::btree_map(key, (-2..3_i64, 0..3_u8), 0..8).prop_map(|map: BTreeMap<_, _>| {
        map.into_iter()
            .map(|((kind, name), (wave, content))| {
                Object::from_value(json!({
                    "apiVersion": "v1", "kind": KINDS[kind],
                    "metadata": {"name": format!("o{name}"), "labels": {"content": content.to_string()},
                        "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}},
                }))
            })
            .collect()
    })
}

fn sync_to(world: &mut World, targets: Vec<Object>) {
    world.target = found(FIRST, targets);
    world.request(json!({"sync": {"prune": true}}));
    world.run();
    world.refresh(Level::LatestForced);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn after_a_sync_nothing_differs_and_nothing_is_left_to_do(first in objects(), second in objects()) {
        let mut world = world();
        sync_to(&mut world, first);
        sync_to(&mut world, second.clone());
        prop_assert_eq!(world.app.status.sync.status, Some(SyncCode::Synced));
        prop_assert_eq!(world.live.len(), second.len());
        let before = world.app.status.clone();
        let refresh = sync::refresh(&world.app, &world.observe(Level::Recent));
        prop_assert_eq!(refresh.status, before);
        prop_assert!(refresh.operation.is_none());
    }

    #[test]
    fn every_task_is_run_exactly_once(first in objects(), second in objects()) {
        let mut world = world();
        sync_to(&mut world, first.clone());
        world.log.clear();
        sync_to(&mut world, second.clone());
        let extra = first.iter().filter(|old| !second.iter().any(|new| new.object_key() == old.object_key()));
        let mut wanted: Vec<String> = second
            .iter()
            .map(|object| format!("apply /{}/{}", object.kind(), object.name()))
            .chain(extra.map(|object| format!("delete /{}/{}", object.kind(), object.name())))
            .collect();
        wanted.sort();
        world.log.sort();
        prop_assert_eq!(world.log, wanted);
    }

    #[test]
    fn waves_are_never_overtaken(targets in objects()) {
        let mut world = world();
        world.target = found(FIRST, targets);
        world.request(json!({"sync": {}}));
        let mut last = i64::MIN;
        for _ in 0..40 {
            let step = world.plan();
            for action in &step.actions {
                let Action::Apply { object, .. } = action else { continue };
                let wave = sync::wave(object);
                prop_assert!(wave >= last, "wave {wave} after {last}");
                last = wave;
            }
            world.step();
            if world.app.operation.is_none() {
                break;
            }
            world.pass(1);
        }
        let phase = world.app.status.operation_state.as_ref().map(|state| state.phase);
        prop_assert_eq!(phase, Some(OperationPhase::Succeeded));
    }

    #[test]
    fn a_comparison_is_idempotent(targets in objects()) {
        let mut world = world();
        world.target = found(FIRST, targets);
        world.refresh(Level::LatestForced);
        let once = world.app.status.clone();
        world.refresh(Level::LatestForced);
        prop_assert_eq!(&world.app.status, &once);
    }
}
