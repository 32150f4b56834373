//! Looking whether an expectation holds.

use std::collections::BTreeMap;

use object::jsonpath::JsonPath;
use object::{Key, Object, Value};
use runtime::{Selection, resources};

use super::{Driver, Expectation, kinds, names, seen};

/// Returns what was seen, in words, or what differs.
pub async fn check(driver: &dyn Driver, expectation: &Expectation) -> Result<String, String> {
    match expectation {
        Expectation::Object { kind, api_version, name, namespace, fields, present } => {
            let place = Place { kind, api_version: api_version.as_deref(), namespace: namespace.as_deref() };
            let found = get(driver, place, name).await?;
            let object = found.ok_or_else(|| format!("{kind} {name} does not exist"))?;
            are_present(&object, present)?;
            fields_match(driver, &object, fields).await
        }
        Expectation::Absent { kind, api_version, name, namespace } => {
            let place = Place { kind, api_version: api_version.as_deref(), namespace: namespace.as_deref() };
            match get(driver, place, name).await? {
                Some(_) => Err(format!("{kind} {name} exists")),
                None => Ok(format!("no {kind} {name}")),
            }
        }
        Expectation::Replicas { rollout, revisions } => seen::replicas(driver, rollout, revisions).await,
        Expectation::Selects { service, rollout, revision } => {
            seen::selects(driver, service, rollout, *revision).await
        }
        Expectation::Events { kind, name, reasons, exactly, never } => {
            let told = seen::told(driver, kind, name).await?;
            seen::events(driver, name, (&told, reasons, never)).await?;
            seen::exactly(driver, name, (&told, exactly)).await
        }
        Expectation::Count { kind, selector, count } => seen::count(driver, kind, selector, *count).await,
        Expectation::Pods { selector, ready } => pods(driver, selector, ready).await,
        Expectation::Answers { service, requests, percent } => {
            answers(driver, service, *requests, percent).await
        }
    }
}

/// Where an object is.
struct Place<'a> {
    kind: &'a str,
    api_version: Option<&'a str>,
    namespace: Option<&'a str>,
}

async fn get(driver: &dyn Driver, place: Place<'_>, name: &str) -> Result<Option<Object>, String> {
    let resource = kinds::named(driver, place.kind, place.api_version).await?;
    let namespace =
        if resource.namespaced { place.namespace.unwrap_or_else(|| driver.namespace()) } else { "" };
    let name = names::expand(driver, &Value::String(name.to_owned())).await?;
    let key = Key::new(namespace, name.as_str().unwrap_or_default());
    driver.cluster().get(&resource, &key).await.map_err(|error| error.to_string())
}

fn are_present(object: &Object, paths: &[String]) -> Result<(), String> {
    let root = object.to_value();
    for path in paths {
        let path_read = JsonPath::parse(path).map_err(|error| error.to_string())?;
        if path_read.find(&root).first().is_none_or(|value| value.is_null()) {
            return Err(format!("{} {}: {path} is not there", object.kind(), object.name()));
        }
    }
    Ok(())
}

async fn fields_match(
    driver: &dyn Driver,
    object: &Object,
    fields: &BTreeMap<String, Value>,
) -> Result<String, String> {
    let root = object.to_value();
    let mut seen = Vec::new();
    for (path, wanted) in fields {
        let wanted = names::expand(driver, wanted).await?;
        let path_read = JsonPath::parse(path).map_err(|error| error.to_string())?;
        let found = path_read.find(&root).first().copied().cloned().unwrap_or_default();
        if found != wanted {
            return Err(format!("{} {}: {path} is {found}, wanted {wanted}", object.kind(), object.name()));
        }
        seen.push(found.as_str().map_or_else(|| found.to_string(), str::to_owned));
    }
    Ok(format!("{} {}: {}", object.kind(), object.name(), seen.join(", ")))
}

async fn pods(
    driver: &dyn Driver,
    selector: &str,
    wanted: &BTreeMap<String, usize>,
) -> Result<String, String> {
    let selection = Selection::labels(selector);
    let all = driver.cluster().list(&resources::PODS, Some(driver.namespace()), &selection).await;
    let mut ready: BTreeMap<String, usize> = BTreeMap::new();
    for pod in all.map_err(|error| error.to_string())? {
        let is_ready =
            pod.condition("Ready").is_some_and(|condition| condition.status == object::ConditionStatus::True);
        if is_ready && !pod.is_deleting() {
            let image = pod.get(&["spec", "containers"]).and_then(|list| list[0]["image"].as_str());
            *ready.entry(image.unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let text = ready.iter().map(|(image, count)| format!("{count} × {image}")).collect::<Vec<_>>().join(", ");
    if ready == *wanted {
        Ok(format!("ready pods: {text}"))
    } else {
        Err(format!("ready pods: {text}; wanted {wanted:?}"))
    }
}

async fn answers(
    driver: &dyn Driver,
    service: &str,
    requests: u32,
    percent: &BTreeMap<String, f64>,
) -> Result<String, String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..requests {
        let body = driver.request(service).await?;
        let answer: Value =
            serde_json::from_str(&body).map_err(|_| format!("{service} answered {body:?}"))?;
        *counts.entry(answer["color"].as_str().unwrap_or("none").to_owned()).or_default() += 1;
    }
    let share = |colour: &str| {
        100.0 * f64::from(counts.get(colour).copied().unwrap_or_default()) / f64::from(requests)
    };
    let text = percent
        .iter()
        .map(|(colour, wanted)| format!("{colour} {:.0} % (wanted {wanted:.0} %)", share(colour)))
        .collect::<Vec<_>>()
        .join(", ");
    let stranger = counts.keys().find(|colour| !percent.contains_key(*colour));
    let off =
        percent.iter().any(|(colour, wanted)| (share(colour) - wanted).abs() > tolerance(*wanted, requests));
    if stranger.is_some() || off {
        return Err(format!("{requests} answers of {service}: {text}; counted {counts:?}"));
    }
    Ok(format!("{requests} answers of {service}: {text}"))
}

/// Three standard deviations of a share of `percent` among `requests`, in per cent.
///
/// Example: 20 % of 100 requests may be off by 12 %; 0 % and 100 % must be exact.
fn tolerance(percent: f64, requests: u32) -> f64 {
    let share = percent / 100.0;
    300.0 * (share * (1.0 - share) / f64::from(requests)).sqrt()
}
