//! The action that an annotation holds: where requests go, with shares.
//!
//! Field order is upstream's, so that the texts are the same to the byte.

use api::rollout::AlbRouting;
use object::Object;
use serde::Serialize;

use super::parsed;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action<'a> {
    #[serde(rename = "Type")]
    kind: &'static str,
    forward_config: ForwardConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ForwardConfig<'a> {
    target_groups: Vec<TargetGroup<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_group_stickiness_config: Option<Stickiness>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TargetGroup<'a> {
    service_name: &'a str,
    service_port: &'a str,
    weight: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stickiness {
    enabled: bool,
    duration_seconds: i64,
}

/// Returns the text of an action that forwards to Services by shares.
pub(super) fn forward(routing: &AlbRouting, groups: &[(&str, i32)]) -> String {
    let port = routing.service_port.to_string();
    let target_groups = groups
        .iter()
        .map(|(service, weight)| TargetGroup { service_name: service, service_port: &port, weight: *weight })
        .collect();
    let sticky = routing.stickiness_config.as_ref().filter(|config| config.enabled);
    let target_group_stickiness_config =
        sticky.map(|config| Stickiness { enabled: true, duration_seconds: config.duration_seconds });
    text(&Action {
        kind: "forward",
        forward_config: ForwardConfig { target_groups, target_group_stickiness_config },
    })
}

/// Returns the text of an action that forwards all to the last Service of `action`, which is the stable one.
pub(super) fn last_alone(action: &str) -> Option<String> {
    let before = parsed(action);
    let last = before["ForwardConfig"]["TargetGroups"].as_array()?.last()?;
    let only = TargetGroup {
        service_name: last["ServiceName"].as_str()?,
        service_port: last["ServicePort"].as_str()?,
        weight: 100,
    };
    let forward_config = ForwardConfig { target_groups: vec![only], target_group_stickiness_config: None };
    Some(text(&Action { kind: "forward", forward_config }))
}

/// Returns the JSON text of a value that always serialises.
pub(super) fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Sets the annotation unless it says the same already, however it is spelt.
pub(super) fn put(object: &mut Object, key: &str, value: &str) {
    let same =
        object.annotation(key).is_some_and(|before| before == value || parsed(before) == parsed(value));
    if !same {
        object.set_annotation(key, value);
    }
}
