//! Workloads, and what watches over them.

use object::{Time, time};
use serde_json::Value;

use super::Row;

const CONTAINERS: [&str; 4] = ["spec", "template", "spec", "containers"];

fn wide(row: &Row<'_>, mut cells: Vec<Value>) -> Vec<Value> {
    cells.extend(row.containers(&CONTAINERS));
    cells.push(row.selector(&["spec", "selector"]));
    cells
}

pub(super) fn deployment(row: &Row<'_>) -> Vec<Value> {
    let status = |name: &str| row.int(&["status", name]);
    let ready = format!("{}/{}", status("readyReplicas"), row.int(&["spec", "replicas"]));
    let cells = vec![
        row.name(),
        ready.into(),
        status("updatedReplicas").into(),
        status("availableReplicas").into(),
        row.age(),
    ];
    wide(row, cells)
}

pub(super) fn replica_set(row: &Row<'_>) -> Vec<Value> {
    let status = |name: &str| Value::from(row.int(&["status", name]));
    let desired = row.int(&["spec", "replicas"]).into();
    wide(row, vec![row.name(), desired, status("replicas"), status("readyReplicas"), row.age()])
}

pub(super) fn stateful_set(row: &Row<'_>) -> Vec<Value> {
    let ready = format!("{}/{}", row.int(&["status", "readyReplicas"]), row.int(&["spec", "replicas"]));
    let mut cells = vec![row.name(), ready.into(), row.age()];
    cells.extend(row.containers(&CONTAINERS));
    cells
}

pub(super) fn daemon_set(row: &Row<'_>) -> Vec<Value> {
    let names = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut cells = vec![row.name()];
    cells.extend(names.map(|name| Value::from(row.int(&["status", name]))));
    cells.push(row.labels(&["spec", "template", "spec", "nodeSelector"]));
    cells.push(row.age());
    wide(row, cells)
}

pub(super) fn revision(row: &Row<'_>) -> Vec<Value> {
    let owner = row.object.controller().map_or("<none>".to_owned(), |owner| {
        let group = owner.api_version.split_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
        format!("{}{group}/{}", owner.kind.to_lowercase(), owner.name)
    });
    vec![row.name(), owner.into(), row.int(&["revision"]).into(), row.age()]
}

pub(super) fn job(row: &Row<'_>) -> Vec<Value> {
    let succeeded = row.int(&["status", "succeeded"]);
    let completions = match (row.object.int(&["spec", "completions"]), row.int(&["spec", "parallelism"])) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let times = ["startTime", "completionTime"].map(|name| row.object.time(&["status", name]));
    let took = |from: Time, to: Time| time::human_duration(to.since(from));
    let lasted = match times {
        [None, _] => String::new(),
        [Some(start), None] => took(start, row.now),
        [Some(start), Some(end)] => took(start, end),
    };
    let cells = vec![row.name(), job_status(row).into(), completions.into(), lasted.into(), row.age()];
    wide(row, cells)
}

fn job_status(row: &Row<'_>) -> &'static str {
    let has = |kind: &str| {
        let conditions = row.object.items(&["status", "conditions"]);
        conditions.iter().any(|one| one["type"] == kind && one["status"] == "True")
    };
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if row.object.is_deleting() => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

pub(super) fn cron_job(row: &Row<'_>) -> Vec<Value> {
    let last = match row.object.get(&["status", "lastScheduleTime"]) {
        Some(_) => row.since(&["status", "lastScheduleTime"]),
        None => "<none>".to_owned(),
    };
    let suspend = if row.object.flag(&["spec", "suspend"]) { "True" } else { "False" };
    let mut cells = vec![
        row.name(),
        row.text(&["spec", "schedule"]),
        row.text_or(&["spec", "timeZone"], "<none>"),
        suspend.into(),
        row.object.items(&["status", "active"]).len().into(),
        last.into(),
        row.age(),
    ];
    cells.extend(row.containers(&["spec", "jobTemplate", "spec", "template", "spec", "containers"]));
    cells.push(row.selector(&["spec", "jobTemplate", "spec", "selector"]));
    cells
}

pub(super) fn budget(row: &Row<'_>) -> Vec<Value> {
    let bound = |name: &str| match row.object.get(&["spec", name]) {
        Some(Value::String(text)) => Value::from(text.clone()),
        Some(number) => Value::from(number.to_string()),
        None => Value::from("N/A"),
    };
    let allowed = row.int(&["status", "disruptionsAllowed"]);
    vec![row.name(), bound("minAvailable"), bound("maxUnavailable"), allowed.into(), row.age()]
}

pub(super) fn autoscaler(row: &Row<'_>) -> Vec<Value> {
    let target = |name: &str| row.object.str(&["spec", "scaleTargetRef", name]).to_owned();
    let least =
        row.object.int(&["spec", "minReplicas"]).map_or("<unset>".to_owned(), |least| least.to_string());
    vec![
        row.name(),
        format!("{}/{}", target("kind"), target("name")).into(),
        metrics(row).into(),
        least.into(),
        row.int(&["spec", "maxReplicas"]).into(),
        row.int(&["status", "currentReplicas"]).into(),
        row.age(),
    ]
}

/// Resource metrics by utilisation or value; others as `<unknown>`.
fn metrics(row: &Row<'_>) -> String {
    let current = row.object.items(&["status", "currentMetrics"]);
    let one = |(index, metric): (usize, &Value)| {
        let name = metric["resource"]["name"].as_str().unwrap_or_default();
        let target = &metric["resource"]["target"];
        let found = current.get(index).map_or(&Value::Null, |found| &found["resource"]["current"]);
        let percent =
            |value: &Value| value.as_i64().map_or("<unknown>".to_owned(), |value| format!("{value}%"));
        let text = |value: &Value| value.as_str().unwrap_or("<unknown>").to_owned();
        if target["averageUtilization"].is_i64() {
            let (now, wanted) =
                (percent(&found["averageUtilization"]), percent(&target["averageUtilization"]));
            format!("{name}: {now}/{wanted}")
        } else {
            format!("{name}: {}/{}", text(&found["averageValue"]), text(&target["averageValue"]))
        }
    };
    let list: Vec<String> = row.object.items(&["spec", "metrics"]).iter().enumerate().map(one).collect();
    match list.len() {
        0 => "<none>".to_owned(),
        1 | 2 => list.join(", "),
        more => format!("{} + {} more...", list[..2].join(", "), more - 2),
    }
}
