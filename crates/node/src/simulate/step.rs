//! What a simulated pod shows at a time, and when that changes. Pure.

use std::net::Ipv4Addr;
use std::time::Duration;

use object::{Object, Time, Value};

use super::Rule;
use crate::backoff::Backoff;
use crate::status::{Container, Ended, State, View};

/// What a pod shows and when to look again.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub view: View,
    pub wake: Option<Time>,
}

/// Returns the step of `pod` under `rule` at `now`.
pub(super) fn step(pod: &Object, rule: &Rule, ip: Ipv4Addr, now: Time) -> Step {
    let start = pod.time(&["status", "startTime"]).unwrap_or(now.whole_seconds());
    let mut wakes = Vec::new();
    let mut containers = Vec::new();
    for spec in pod.items(&["spec", "containers"]) {
        let mut container = read(pod, spec);
        wakes.extend(advance(pod, &mut container, rule, now));
        containers.push(container);
    }
    let init = pod.items(&["spec", "initContainers"]).iter();
    let init =
        init.map(|spec| if rule.image_pull_error { pulling(spec) } else { done(spec, start) }).collect();
    let view = View { ip: Some(ip), start, init, containers, failed: None };
    Step { view, wake: wakes.into_iter().min() }
}

/// Moves a container on as far as `now` allows; returns when it moves next.
fn advance(pod: &Object, container: &mut Container, rule: &Rule, now: Time) -> Option<Time> {
    if rule.image_pull_error {
        *container = Container { name: container.name.clone(), ..pulling_named(&container.image) };
        return None;
    }
    match container.state.clone() {
        State::Waiting(reason, _) if reason == "CrashLoopBackOff" => {
            let ended = container.last.clone()?;
            let due = ended.finished.after(wait(container.restarts));
            if now < due {
                return Some(due);
            }
            container.restarts += 1;
            begin(container, now);
            advance(pod, container, rule, now)
        }
        State::Waiting(..) => {
            begin(container, now);
            advance(pod, container, rule, now)
        }
        State::Running(since) => run(pod, container, rule, (since, now)),
        State::Ended(ended) => {
            if !restarts(pod, ended.code) {
                return None;
            }
            Some(crash(container, ended, now))
        }
    }
}

fn begin(container: &mut Container, now: Time) {
    container.state = State::Running(now.whole_seconds());
    container.image_id = format!("simulated://{}", container.image);
    container.container_id = format!("simulated://{}-{}", container.name, container.restarts);
    container.started = true;
    container.ready = false;
}

fn run(pod: &Object, container: &mut Container, rule: &Rule, (since, now): (Time, Time)) -> Option<Time> {
    if let Some(after) = rule.exit_after.filter(|after| now >= since.after(*after)) {
        let ended = Ended {
            code: rule.exit_code,
            reason: if rule.exit_code == 0 { "Completed" } else { "Error" }.into(),
            message: String::new(),
            started: since,
            finished: since.after(after).whole_seconds(),
            container_id: container.container_id.clone(),
        };
        container.ready = false;
        container.started = false;
        if restarts(pod, rule.exit_code) {
            return Some(crash(container, ended, now));
        }
        container.state = State::Ended(ended);
        return None;
    }
    let ready_at = since.after(rule.ready_after);
    container.ready = !rule.never_ready && now >= ready_at;
    let ready_wake = (!rule.never_ready && now < ready_at).then_some(ready_at);
    let exit_wake = rule.exit_after.map(|after| since.after(after));
    ready_wake.into_iter().chain(exit_wake).min()
}

/// Waits in the crash loop; the first restart is at once but still shows as one.
fn crash(container: &mut Container, ended: Ended, now: Time) -> Time {
    let due = ended.finished.after(wait(container.restarts));
    container.last = Some(ended);
    let message = format!("back-off restarting failed container={}", container.name);
    container.state = State::Waiting("CrashLoopBackOff".into(), message);
    due.max(now)
}

fn wait(restarts: u32) -> Duration {
    let moment = Time::from_unix(0);
    Backoff::after(restarts).next(moment, moment).max(Duration::from_millis(100))
}

pub(crate) fn restarts(pod: &Object, code: i32) -> bool {
    match pod.str(&["spec", "restartPolicy"]) {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    }
}

fn pulling(spec: &Value) -> Container {
    let image = spec["image"].as_str().unwrap_or_default();
    Container { name: spec["name"].as_str().unwrap_or_default().to_owned(), ..pulling_named(image) }
}

fn pulling_named(image: &str) -> Container {
    let message = format!("Back-off pulling image \"{image}\"");
    let state = State::Waiting("ImagePullBackOff".into(), message);
    Container { state, image: image.to_owned(), ..Container::new(&Value::Null, "") }
}

fn done(spec: &Value, at: Time) -> Container {
    let ended = Ended {
        code: 0,
        reason: "Completed".into(),
        message: String::new(),
        started: at,
        finished: at,
        container_id: String::new(),
    };
    Container { state: State::Ended(ended), ready: true, ..Container::new(spec, "") }
}

/// Returns the container as the pod's status shows it, a fresh one when it shows none.
pub(crate) fn read(pod: &Object, spec: &Value) -> Container {
    let mut container = Container::new(spec, "ContainerCreating");
    let statuses = pod.items(&["status", "containerStatuses"]).iter();
    let statuses = statuses.chain(pod.items(&["status", "initContainerStatuses"]));
    let Some(status) = statuses.into_iter().find(|status| status["name"] == container.name.as_str()) else {
        return container;
    };
    let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
    container.image_id = text("imageID");
    container.container_id = text("containerID");
    container.restarts =
        status["restartCount"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    container.ready = status["ready"] == true;
    container.started = status["started"] == true;
    container.last = read_ended(&status["lastState"]["terminated"]);
    let state = &status["state"];
    let since = state["running"]["startedAt"].as_str().and_then(|text| Time::parse(text).ok());
    container.state = match (since, read_ended(&state["terminated"])) {
        (Some(since), _) => State::Running(since),
        (None, Some(ended)) => State::Ended(ended),
        (None, None) => {
            let text = |field: &str| state["waiting"][field].as_str().unwrap_or_default().to_owned();
            State::Waiting(text("reason"), text("message"))
        }
    };
    container
}

fn read_ended(value: &Value) -> Option<Ended> {
    let text = |field: &str| value[field].as_str().unwrap_or_default();
    let time = |field: &str| Time::parse(text(field)).ok();
    Some(Ended {
        code: i32::try_from(value["exitCode"].as_i64()?).ok()?,
        reason: text("reason").into(),
        message: text("message").into(),
        started: time("startedAt").unwrap_or(Time::from_unix(0)),
        finished: time("finishedAt").unwrap_or(Time::from_unix(0)),
        container_id: text("containerID").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::status;
    use object::json;

    const IP: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 1);

    fn at(second: i64) -> Time {
        Time::from_unix(second)
    }

    /// Lets the pod live until `end`; returns `second: phase/ready/restarts` for each change that would be written.
    fn life(policy: &str, rule: &Rule, end: i64) -> Vec<String> {
        let mut pod = Object::from_value(json!({
            "metadata": {"name": "p"},
            "spec": {"restartPolicy": policy, "containers": [{"name": "a", "image": "i"}]}
        }));
        let (mut now, mut seen) = (at(0), Vec::new());
        loop {
            let step = step(&pod, rule, IP, now);
            let shown = status(&pod, &step.view, now);
            if !crate::status::is_shown(&pod, &shown) {
                let one = &shown["containerStatuses"][0];
                let phase = shown["phase"].as_str().unwrap().to_owned();
                seen.push(format!("{}: {phase}/{}/{}", now.unix(), one["ready"], one["restartCount"]));
            }
            pod.set(&["status"], shown);
            match step.wake {
                Some(wake) if wake <= at(end) => now = wake.max(now),
                _ => return seen,
            }
        }
    }

    #[test]
    fn ready_after_a_second() {
        assert_eq!(life("Always", &Rule::default(), 100), ["0: Running/false/0", "1: Running/true/0"]);
    }

    #[test]
    fn never_ready_and_no_image() {
        let never = Rule { never_ready: true, ..Rule::default() };
        assert_eq!(life("Always", &never, 100), ["0: Running/false/0"]);
        let missing = Rule { image_pull_error: true, ..Rule::default() };
        assert_eq!(life("Always", &missing, 100), ["0: Pending/false/0"]);
    }

    #[test]
    fn a_job_pod_succeeds_and_a_bad_one_fails() {
        let well = Rule { exit_after: Some(Duration::from_secs(3)), ..Rule::default() };
        assert_eq!(life("Never", &well, 100).last().unwrap(), "3: Succeeded/false/0");
        let badly = Rule { exit_code: 2, ..well };
        assert_eq!(life("Never", &badly, 100).last().unwrap(), "3: Failed/false/0");
    }

    #[test]
    fn a_crash_loop_backs_off() {
        let rule = Rule { exit_after: Some(Duration::from_secs(1)), exit_code: 1, ..Rule::default() };
        let restarts: Vec<String> = life("Always", &rule, 40);
        let starts: Vec<&String> = restarts.iter().filter(|line| line.contains("Running")).collect();
        assert!(starts.iter().any(|line| line.ends_with("/3")), "{restarts:?}");
        assert!(!starts.iter().any(|line| line.ends_with("/4")), "{restarts:?}");
    }
}
