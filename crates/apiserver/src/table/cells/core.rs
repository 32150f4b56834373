//! The other kinds.

use serde_json::Value;

use super::Row;
use crate::kinds::Kind;

/// Returns the cells, where the kind has others than its name and age.
pub(super) fn cells(kind: &Kind, row: &Row<'_>) -> Option<Vec<Value>> {
    let object = row.object;
    let size = |path: &[&str]| object.get(path).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    Some(match kind.id().as_str() {
        "/namespaces" => vec![row.name(), row.text(&["status", "phase"]), row.age()],
        "/configmaps" => vec![row.name(), (size(&["data"]) + size(&["binaryData"])).into(), row.age()],
        "/secrets" => vec![row.name(), row.text(&["type"]), size(&["data"]).into(), row.age()],
        "/serviceaccounts" => vec![row.name(), row.age()],
        "/nodes" => node(row),
        "/events" => event(row, ["involvedObject", "firstTimestamp", "lastTimestamp", "message", "source"]),
        "events.k8s.io/events" => {
            let names = [
                "regarding",
                "deprecatedFirstTimestamp",
                "deprecatedLastTimestamp",
                "note",
                "deprecatedSource",
            ];
            event(row, names)
        }
        "coordination.k8s.io/leases" => vec![row.name(), row.text(&["spec", "holderIdentity"]), row.age()],
        "rbac.authorization.k8s.io/rolebindings" | "rbac.authorization.k8s.io/clusterrolebindings" => {
            binding(row)
        }
        "/podtemplates" => {
            let [names, images] = row.containers(&["template", "spec", "containers"]);
            vec![row.name(), names, images, row.labels(&["template", "metadata", "labels"])]
        }
        "/persistentvolumeclaims" => claim(row),
        "scheduling.k8s.io/priorityclasses" => vec![
            row.name(),
            row.int(&["value"]).into(),
            object.flag(&["globalDefault"]).into(),
            row.age(),
            row.text(&["preemptionPolicy"]),
        ],
        "storage.k8s.io/storageclasses" => vec![
            row.name(),
            row.text(&["provisioner"]),
            row.text(&["reclaimPolicy"]),
            row.text(&["volumeBindingMode"]),
            object.flag(&["allowVolumeExpansion"]).into(),
            row.age(),
        ],
        _ => return None,
    })
}

fn node(row: &Row<'_>) -> Vec<Value> {
    let conditions = row.object.items(&["status", "conditions"]);
    let mut status = match conditions.iter().find(|one| one["type"] == "Ready") {
        None => "Unknown".to_owned(),
        Some(ready) if ready["status"] == "True" => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
    };
    if row.object.flag(&["spec", "unschedulable"]) {
        status.push_str(",SchedulingDisabled");
    }
    let labels = row.object.labels();
    let mut roles: Vec<&str> = labels
        .iter()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => Some(value.as_str()),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    let roles = if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") };
    let info = |name: &str| row.text_or(&["status", "nodeInfo", name], "<unknown>");
    let address = |kind: &str| {
        let found = row.object.items(&["status", "addresses"]).iter().find(|one| one["type"] == kind);
        found.map_or("<none>".into(), |one| one["address"].clone())
    };
    let kernel = match row.object.str(&["status", "nodeInfo", "architecture"]) {
        "" => info("kernelVersion"),
        architecture => {
            format!("{} ({architecture})", info("kernelVersion").as_str().unwrap_or_default()).into()
        }
    };
    vec![
        row.name(),
        status.into(),
        roles.into(),
        row.age(),
        row.text(&["status", "nodeInfo", "kubeletVersion"]),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        kernel,
        info("containerRuntimeVersion"),
    ]
}

fn event(row: &Row<'_>, [target, first, last, message, source]: [&str; 5]) -> Vec<Value> {
    let object = row.object;
    let present = |path: &[&str]| object.time(path).is_some();
    let began = if present(&[first]) { row.since(&[first]) } else { row.since(&["eventTime"]) };
    let series = object.get(&["series"]).is_some_and(Value::is_object);
    let ended = match () {
        () if series => row.since(&["series", "lastObservedTime"]),
        () if present(&[last]) => row.since(&[last]),
        () => began.clone(),
    };
    let count = if series {
        row.int(&["series", "count"])
    } else {
        object
            .int(&["count"])
            .or_else(|| object.int(&["deprecatedCount"]))
            .filter(|count| *count != 0)
            .unwrap_or(1)
    };
    let kind = object.str(&[target, "kind"]).to_lowercase();
    let about = match object.str(&[target, "name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    vec![
        ended.into(),
        row.text(&["type"]),
        row.text(&["reason"]),
        about.into(),
        row.text(&[target, "fieldPath"]),
        reporter(row, source).into(),
        object.str(&[message]).trim().into(),
        began.into(),
        count.into(),
        row.name(),
    ]
}

fn reporter(row: &Row<'_>, source: &str) -> String {
    let first = |a: &str, b: &str| if a.is_empty() { b.to_owned() } else { a.to_owned() };
    let controller = first(row.object.str(&["reportingComponent"]), row.object.str(&["reportingController"]));
    let component = first(row.object.str(&[source, "component"]), &controller);
    let instance = first(row.object.str(&[source, "host"]), row.object.str(&["reportingInstance"]));
    if instance.is_empty() { component } else { format!("{component}, {instance}") }
}

fn binding(row: &Row<'_>) -> Vec<Value> {
    let role = |name: &str| row.object.str(&["roleRef", name]).to_owned();
    let subjects = |kind: &str| {
        let all = row.object.items(&["subjects"]).iter().filter(|one| one["kind"] == kind);
        let names: Vec<String> = all
            .map(|one| {
                let name = one["name"].as_str().unwrap_or_default();
                match (kind, one["namespace"].as_str()) {
                    ("ServiceAccount", Some(namespace)) => format!("{namespace}/{name}"),
                    _ => name.to_owned(),
                }
            })
            .collect();
        Value::from(names.join(", "))
    };
    let reference = format!("{}/{}", role("kind"), role("name"));
    vec![
        row.name(),
        reference.into(),
        row.age(),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

fn claim(row: &Row<'_>) -> Vec<Value> {
    let phase = if row.object.is_deleting() { "Terminating".into() } else { row.text(&["status", "phase"]) };
    let modes: Vec<&str> = row
        .object
        .items(&["status", "accessModes"])
        .iter()
        .map(|mode| match mode.as_str() {
            Some("ReadWriteOnce") => "RWO",
            Some("ReadOnlyMany") => "ROX",
            Some("ReadWriteMany") => "RWX",
            Some("ReadWriteOncePod") => "RWOP",
            _ => "",
        })
        .collect();
    vec![
        row.name(),
        phase,
        row.text(&["spec", "volumeName"]),
        row.text(&["status", "capacity", "storage"]),
        modes.join(",").into(),
        row.text(&["spec", "storageClassName"]),
        row.text_or(&["spec", "volumeAttributesClassName"], "<unset>"),
        row.age(),
        row.text_or(&["spec", "volumeMode"], "<unset>"),
    ]
}
