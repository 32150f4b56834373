//! Expectations about several objects at once.

use std::collections::BTreeMap;

use object::{Object, Value};
use runtime::{Selection, resources};

use super::names::{self, HASH, REVISION};
use super::{Driver, kinds};

/// Compares the sizes of a Rollout's ReplicaSets, by revision.
pub(super) async fn replicas(
    driver: &dyn Driver,
    rollout: &str,
    wanted: &BTreeMap<String, i64>,
) -> Result<String, String> {
    let sets = names::sets(driver, rollout).await?;
    let sizes = sets.iter().map(|set| {
        let revision = set.annotation(REVISION).unwrap_or_default().to_owned();
        (revision, set.int(&["spec", "replicas"]).unwrap_or_default())
    });
    let sizes: BTreeMap<String, i64> =
        sizes.filter(|(revision, size)| *size > 0 || wanted.contains_key(revision)).collect();
    let text = sizes.iter().map(|(revision, size)| format!("revision {revision}: {size}"));
    let text = text.collect::<Vec<_>>().join(", ");
    if sizes == *wanted { Ok(text) } else { Err(format!("{rollout}: {text}; wanted {wanted:?}")) }
}

/// Looks which revision's pods a Service selects.
pub(super) async fn selects(
    driver: &dyn Driver,
    service: &str,
    rollout: &str,
    revision: u32,
) -> Result<String, String> {
    let key = object::Key::new(driver.namespace(), service);
    let found = driver.cluster().get(&resources::SERVICES, &key).await.map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| format!("Service {service} does not exist"))?;
    let selected = found.str(&["spec", "selector", HASH]);
    let sets = names::sets(driver, rollout).await?;
    let set = sets.iter().find(|set| set.label(HASH) == Some(selected));
    let seen = set.and_then(|set| set.annotation(REVISION)).unwrap_or("0");
    if seen == revision.to_string() {
        return Ok(format!("Service {service} selects revision {revision}"));
    }
    Err(format!("Service {service} selects revision {seen} ({selected}), wanted {revision}"))
}

/// Returns the Events on an object in the order in which they were first written.
pub(super) async fn told(driver: &dyn Driver, kind: &str, name: &str) -> Result<Vec<Object>, String> {
    let name = text(driver, name).await?;
    let fields = format!("involvedObject.kind={kind},involvedObject.name={name}");
    let selection = Selection { fields: Some(fields), ..Selection::default() };
    let found = driver.cluster().list(&resources::EVENTS, Some(driver.namespace()), &selection).await;
    let mut found = found.map_err(|error| error.to_string())?;
    found.sort_by_key(|event| (first_seen(event), version(event)));
    Ok(found)
}

/// Returns Events in words, a line each.
fn lines(events: &[Object]) -> String {
    let line = |event: &Object| format!("{}: {}", event.str(&["reason"]), event.str(&["message"]));
    events.iter().map(line).collect::<Vec<_>>().join("\n  ")
}

/// Looks for Events in an order, and for Events that must not be there.
pub(super) async fn events(
    driver: &dyn Driver,
    name: &str,
    (found, wanted, never): (&[Object], &[String], &[String]),
) -> Result<(), String> {
    let mut rest = found.iter();
    for wanted in wanted {
        let said = text(driver, wanted).await?;
        if !rest.any(|event| says(event, &said)) {
            return Err(format!("events of {name}: {said} is missing or too early in\n  {}", lines(found)));
        }
    }
    for never in never {
        let said = text(driver, never).await?;
        if let Some(event) = found.iter().find(|event| says(event, &said)) {
            return Err(format!("events of {name}: {said} was told: {}", event.str(&["message"])));
        }
    }
    Ok(())
}

/// Looks whether the Events are these and no others; says what was told.
pub(super) async fn exactly(
    driver: &dyn Driver,
    name: &str,
    (found, wanted): (&[Object], &[String]),
) -> Result<String, String> {
    for (at, wanted) in wanted.iter().enumerate() {
        let said = text(driver, wanted).await?;
        if !found.get(at).is_some_and(|event| says(event, &said)) {
            return Err(format!("events of {name}: {said} is not event {} of\n  {}", at + 1, lines(found)));
        }
    }
    if !wanted.is_empty() && found.len() > wanted.len() {
        return Err(format!("events of {name}: {} are too many\n  {}", found.len(), lines(found)));
    }
    Ok(format!("events of {name}: {} in all", found.len()))
}

/// Returns the text with all names in it filled in.
async fn text(driver: &dyn Driver, text: &str) -> Result<String, String> {
    let value = names::expand(driver, &Value::String(text.to_owned())).await?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// Returns true for an Event of this `Reason`, or of this `Reason: message`.
fn says(event: &Object, wanted: &str) -> bool {
    let reason = event.str(&["reason"]);
    let message = wanted.strip_prefix(reason).and_then(|rest| rest.strip_prefix(": "));
    reason == wanted || message == Some(event.str(&["message"]))
}

fn first_seen(event: &Object) -> String {
    let time = |field: &'static str| event.get(&[field]).and_then(Value::as_str).map(str::to_owned);
    time("firstTimestamp").or_else(|| time("eventTime")).unwrap_or_default()
}

fn version(event: &Object) -> u64 {
    event.resource_version().parse().unwrap_or_default()
}

/// Counts objects.
pub(super) async fn count(
    driver: &dyn Driver,
    kind: &str,
    selector: &str,
    wanted: usize,
) -> Result<String, String> {
    let resource = kinds::named(driver, kind, None).await?;
    let selection = Selection::labels(selector);
    let found = driver.cluster().list(&resource, Some(driver.namespace()), &selection).await;
    let found = found.map_err(|error| error.to_string())?.len();
    if found == wanted {
        Ok(format!("{found} {kind}"))
    } else {
        Err(format!("{found} {kind}, wanted {wanted}"))
    }
}
