//! The conditions of a Job.

use object::{Object, Time, Value, json};

use super::End;

/// Notes that the end has begun, unless it is noted.
pub(super) fn begin_end(conditions: &mut Vec<Value>, end: &End, now: Time) {
    if !conditions.iter().any(|one| one["type"] == end.first) {
        push(conditions, end.first, "True", (end.reason, end.message), now);
    }
}

/// Notes that a suspended job goes on; returns whether it was suspended.
pub(super) fn resume(conditions: &mut Vec<Value>, now: Time) -> bool {
    let is_set = conditions.iter().any(|one| one["type"] == "Suspended" && one["status"] == "True");
    if is_set {
        conditions.retain(|one| one["type"] != "Suspended");
        push(conditions, "Suspended", "False", ("JobResumed", "Job resumed"), now);
    }
    is_set
}

pub(super) fn push(
    conditions: &mut Vec<Value>,
    kind: &str,
    status: &str,
    (reason, message): (&str, &str),
    now: Time,
) {
    conditions.push(json!({
        "type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": now,
        "reason": reason, "message": message
    }));
}

/// Returns when the job ended, if it has.
pub(super) fn finished_at(job: &Object) -> Option<Time> {
    let conditions = job.items(&["status", "conditions"]).iter();
    let mut last = conditions.filter(|one| one["type"] == "Complete" || one["type"] == "Failed");
    let end = last.find(|one| one["status"] == "True")?;
    end["lastTransitionTime"].as_str().and_then(|text| Time::parse(text).ok())
}
