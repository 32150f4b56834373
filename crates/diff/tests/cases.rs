//! Recorded comparisons must get the recorded verdict.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use api::application::IgnoreDifference;
use diff::{AggregatedRoles, Options, Secrets, applicable, compare, mask};
use object::{Object, Value, json};

/// Cases that hang on what a server answered to a dry run (mutating webhooks, its own defaults), which is not asked here.
/// The other cases of that mode come out the same by working out the apply.
const NEEDS_SERVER: [&str; 5] = [
    "ssd-field-removed-and-webhook-undone",
    "ssd-ignored-field-removed-from-both",
    "ssd-resource-version-mismatch",
    "ssd-webhook-mutation-ignored",
    "ssd-webhook-mutation-included",
];

/// Fields that upstream shows because it fills in defaults on both sides, which is not done here; the verdict is the same.
const DEFAULTED: [&str; 2] = ["/spec/internalTrafficPolicy", "/spec/type"];

fn cases() -> Vec<(String, Value)> {
    let mut cases: Vec<(String, Value)> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                (name, object::yaml::document(&std::fs::read_to_string(&path).unwrap()).unwrap())
            })
            .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

fn object(value: &Value) -> Option<Object> {
    value.is_object().then(|| Object::from_value(value.clone()))
}

fn problems(case: &Value) -> Vec<String> {
    let expected = &case["expected"];
    let (Some(target), Some(live)) = (object(&case["config"]), object(&case["live"])) else {
        return vec![];
    };
    let pointers: Vec<String> =
        serde_json::from_value(case["options"]["ignoreJsonPointers"].clone()).unwrap_or_default();
    let ignores = [IgnoreDifference {
        kind: "*".into(),
        group: "*".into(),
        json_pointers: pointers,
        ..Default::default()
    }];
    let aggregated_roles = if case["options"]["ignoreAggregatedRoles"] == true {
        AggregatedRoles::Ignored
    } else {
        AggregatedRoles::Compared
    };
    let comparison =
        compare(&target, &live, &Options { ignores: applicable(&ignores, &target), aggregated_roles });
    let mut wrong = Vec::new();
    if json!(comparison.drifted) != expected["modified"] {
        let text = diff::normal(Some(&comparison.live), Some(&comparison.predicted));
        wrong.push(format!("drifted is {}, expected {}:\n{text}", comparison.drifted, expected["modified"]));
    }
    for (side, object) in [("predicted", &comparison.predicted), ("live", &comparison.live)] {
        let value = object.to_value();
        for (pointer, wanted) in expected[side].as_object().into_iter().flatten() {
            if value.pointer(pointer) != Some(wanted) && !DEFAULTED.contains(&pointer.as_str()) {
                wrong.push(format!("{side} {pointer} is {:?}, expected {wanted}", value.pointer(pointer)));
            }
        }
        for (pointer, wanted) in expected[format!("{side}Len")].as_object().into_iter().flatten() {
            let found = value
                .pointer(pointer)
                .map(|v| v.as_array().map_or_else(|| v.as_object().unwrap().len(), Vec::len));
            if found.map(|len| json!(len)).as_ref() != Some(wanted) {
                wrong.push(format!("{side} {pointer} has {found:?} elements, expected {wanted}"));
            }
        }
        for (suffix, present) in [("Present", true), ("Absent", false)] {
            for pointer in expected[format!("{side}{suffix}")].as_array().into_iter().flatten() {
                if value.pointer(pointer.as_str().unwrap()).is_some() != present {
                    wrong.push(format!("{side} {pointer} should be {suffix}"));
                }
            }
        }
    }
    wrong
}

#[test]
fn recorded_comparisons_get_the_recorded_verdict() {
    let mut ran = 0;
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        if case["mode"].is_null() || NEEDS_SERVER.contains(&name.as_str()) {
            continue;
        }
        ran += 1;
        wrong.extend(problems(&case).into_iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(ran >= 35, "only {ran} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn secret(data: &Value, applied: &Value) -> Option<Object> {
    if data.is_null() {
        return None;
    }
    let mut secret = Object::from_value(json!({"apiVersion": "v1", "kind": "Secret", "data": data}));
    if !applied.is_null() {
        let text = json!({"data": applied}).to_string();
        let text = applied.as_str().map_or(text, str::to_owned);
        secret.set_annotation("kubectl.kubernetes.io/last-applied-configuration", &text);
    }
    Some(secret)
}

#[test]
fn secrets_are_masked_as_recorded() {
    let (_, recorded) = cases().into_iter().find(|(name, _)| name == "secret-masking").unwrap();
    let list = recorded["cases"].as_array().unwrap();
    assert!(!list.is_empty());
    for case in list {
        let masked = mask(&Secrets {
            target: secret(&case["target"], &case["targetLastApplied"]),
            live: secret(&case["live"], &case["liveLastApplied"]),
        });
        for (side, object) in [("target", &masked.target), ("live", &masked.live)] {
            let data = object.as_ref().and_then(|object| object.get(&["data"]));
            assert_eq!(data.unwrap_or(&Value::Null), &case["expected"][side], "{} {side}", case["name"]);
            let wanted = &case["expected"][format!("{side}LastApplied")];
            let text = object
                .as_ref()
                .and_then(|object| object.annotation("kubectl.kubernetes.io/last-applied-configuration"));
            if let Some(wanted) = wanted.as_object() {
                let found: Value = serde_json::from_str(text.unwrap()).unwrap();
                assert_eq!(found["data"].as_object(), Some(wanted), "{} {side}", case["name"]);
            } else if wanted.is_string() {
                assert_eq!(text, wanted.as_str(), "{} {side}", case["name"]);
            }
        }
    }
}
