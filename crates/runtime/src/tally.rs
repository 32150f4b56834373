//! [`Tally`]: what was asked of the cluster and told in Events so far, as plain numbers for whoever shows them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use object::Key;

use crate::EventType;

/// Objects whose own numbers are kept at once; those of more are counted under [`ANYONE`].
const NAMES: usize = 10_000;
/// Instead of a name where objects are not told apart.
const ANYONE: &str = "N/A";

/// Resources whose objects are told apart: those that the controllers reconcile, so that it is known when one is gone.
const TOLD_APART: [&str; 3] = ["rollouts", "analysisruns", "experiments"];

/// One sort of request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKind {
    /// Plural name of the resource.
    pub resource: String,
    /// Namespace, empty for all and for none.
    pub namespace: String,
    /// Name of the object; `N/A` where objects are not told apart.
    pub name: String,
    /// `Get`, `List`, `Create`, `Update`, `Patch` or `Delete`.
    pub verb: &'static str,
    /// HTTP status, 0 when no answer came.
    pub code: u16,
}

/// One sort of Event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKind {
    /// What it was about.
    pub about: Key,
    /// Its type.
    pub event_type: EventType,
    /// Its reason.
    pub reason: String,
}

#[derive(Debug, Default)]
struct Numbers {
    requests: BTreeMap<RequestKind, u64>,
    /// Of Rollouts.
    events: BTreeMap<EventKind, u64>,
    dropped: u64,
}

/// The numbers of one process. Cheap to clone; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Numbers>>);

impl Tally {
    /// Returns how often each sort of request was made.
    pub fn requests(&self) -> BTreeMap<RequestKind, u64> {
        self.lock().requests.clone()
    }

    /// Returns how often each sort of Event about a Rollout was recorded.
    pub fn events(&self) -> BTreeMap<EventKind, u64> {
        self.lock().events.clone()
    }

    /// Returns how many Events were dropped because too many waited.
    pub fn dropped_events(&self) -> u64 {
        self.lock().dropped
    }

    /// Counts a request. **Source:** labels of `controller_clientset_k8s_request_total` of Argo Rollouts.
    pub(crate) fn request(&self, method: &http::Method, path: &str, code: u16) {
        let Some(mut kind) = kind(method, path) else { return };
        kind.code = code;
        let mut numbers = self.lock();
        if numbers.requests.len() >= NAMES && !numbers.requests.contains_key(&kind) {
            ANYONE.clone_into(&mut kind.name);
        }
        *numbers.requests.entry(kind).or_default() += 1;
    }

    pub(crate) fn event(&self, about: Key, event_type: EventType, reason: &str) {
        let kind = EventKind { about, event_type, reason: reason.to_owned() };
        let mut numbers = self.lock();
        if numbers.events.len() < NAMES || numbers.events.contains_key(&kind) {
            *numbers.events.entry(kind).or_default() += 1;
        }
    }

    pub(crate) fn event_dropped(&self) {
        self.lock().dropped += 1;
    }

    /// Drops the numbers of an object that is gone.
    pub(crate) fn forget(&self, resource: &str, key: &Key) {
        let mut numbers = self.lock();
        let first = RequestKind {
            resource: resource.to_owned(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            verb: "",
            code: 0,
        };
        let is_same = |kind: &&RequestKind| {
            (&kind.resource, &kind.namespace, &kind.name) == (&first.resource, &key.namespace, &key.name)
        };
        let gone: Vec<RequestKind> =
            numbers.requests.range(&first..).map(|(kind, _)| kind).take_while(is_same).cloned().collect();
        for kind in gone {
            numbers.requests.remove(&kind);
        }
        if resource == "rollouts" {
            let first =
                EventKind { about: key.clone(), event_type: EventType::Normal, reason: String::new() };
            let events = numbers.events.range(first..).map(|(kind, _)| kind);
            let gone: Vec<EventKind> = events.take_while(|kind| kind.about == *key).cloned().collect();
            for kind in gone {
                numbers.events.remove(&kind);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the sort of a request; `None` for what is no request for objects.
fn kind(method: &http::Method, path: &str) -> Option<RequestKind> {
    let path = path.split('?').next()?;
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match parts.next()? {
        "api" => drop(parts.next()?),
        "apis" => drop((parts.next()?, parts.next()?)),
        _ => return None,
    }
    let mut rest: Vec<&str> = parts.collect();
    let mut namespace = "";
    if rest.len() > 2 && rest[0] == "namespaces" {
        namespace = rest[1];
        rest.drain(..2);
    }
    let resource = *rest.first()?;
    let named = rest.get(1).copied();
    let verb = match (method.as_str(), named) {
        ("GET", None) => "List",
        ("GET", Some(_)) => "Get",
        ("POST", _) => "Create",
        ("PUT", _) => "Update",
        ("PATCH", _) => "Patch",
        ("DELETE", _) => "Delete",
        _ => return None,
    };
    let name = named.filter(|_| TOLD_APART.contains(&resource)).unwrap_or(ANYONE);
    let (resource, namespace, name) = (resource.to_owned(), namespace.to_owned(), name.to_owned());
    Some(RequestKind { resource, namespace, name, verb, code: 0 })
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn told(method: &Method, path: &str) -> Option<(String, String, String, &'static str)> {
        kind(method, path).map(|kind| (kind.resource, kind.namespace, kind.name, kind.verb))
    }

    #[test]
    fn requests_are_told_by_their_paths() {
        let of = |resource: &str, namespace: &str, name: &str, verb| {
            Some((resource.to_owned(), namespace.to_owned(), name.to_owned(), verb))
        };
        let rollouts = "/apis/argoproj.io/v1alpha1/namespaces/ns/rollouts";
        assert_eq!(told(&Method::PATCH, &format!("{rollouts}/r/status")), of("rollouts", "ns", "r", "Patch"));
        assert_eq!(told(&Method::POST, rollouts), of("rollouts", "ns", "N/A", "Create"));
        assert_eq!(told(&Method::GET, "/api/v1/namespaces/ns/pods?limit=5"), of("pods", "ns", "N/A", "List"));
        assert_eq!(told(&Method::GET, "/api/v1/nodes/n"), of("nodes", "", "N/A", "Get"));
        assert_eq!(told(&Method::DELETE, "/api/v1/namespaces/ns"), of("namespaces", "", "N/A", "Delete"));
        assert_eq!(told(&Method::GET, "/version"), None);
        assert_eq!(told(&Method::GET, "/apis/argoproj.io/v1alpha1"), None);
    }

    #[test]
    fn what_is_gone_leaves_no_name() {
        let tally = Tally::default();
        for name in ["r", "s"] {
            let path = format!("/apis/argoproj.io/v1alpha1/namespaces/ns/rollouts/{name}");
            tally.request(&Method::PATCH, &path, 200);
            tally.event(Key::new("ns", name), EventType::Normal, "Reason");
        }
        tally.forget("rollouts", &Key::new("ns", "r"));
        assert_eq!(tally.requests().into_keys().map(|kind| kind.name).collect::<Vec<_>>(), ["s"]);
        assert_eq!(tally.events().into_keys().map(|kind| kind.about.name).collect::<Vec<_>>(), ["s"]);
    }

    #[test]
    fn there_is_a_bound_to_names() {
        let tally = Tally::default();
        for at in 0..NAMES + 50 {
            let path = format!("/apis/argoproj.io/v1alpha1/namespaces/ns/rollouts/r{at}");
            tally.request(&Method::GET, &path, 200);
            tally.event(Key::new("ns", &format!("r{at}")), EventType::Normal, "Reason");
        }
        assert!(tally.requests().len() <= NAMES + 1 && tally.events().len() <= NAMES);
        assert_eq!(tally.requests().values().sum::<u64>(), 10_050);
    }
}
