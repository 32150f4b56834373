//! Whose pods a destination of a VirtualService means.

use api::rollout::IstioDestinationRule;
use object::{Map, Value};

use crate::json::text;
use crate::services::{Preferred, Services, services};
use crate::{Wanted, Weight};

/// Whose share it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Canary,
    Stable,
    /// A subset in `additionalSubsetNames`: its share is left alone and taken from the stable one's.
    Kept,
    /// The Experiment of this index in the weight.
    Experiment(usize),
    /// Nobody's that is known.
    Unknown,
}

/// Hosts and subsets of the versions.
#[derive(Clone, Debug)]
pub(super) struct Hosts<'a> {
    pub(super) services: Services<'a>,
    pub(super) rule: Option<&'a IstioDestinationRule>,
    /// `spec.host` of the DestinationRule.
    rule_host: Option<&'a str>,
    pub(super) managed: Vec<&'a str>,
}

impl<'a> Hosts<'a> {
    pub(super) fn new(
        wanted: &'a Wanted<'a>,
        rule: Option<&'a IstioDestinationRule>,
        rule_host: Option<&'a str>,
    ) -> Self {
        let services = services(wanted, Preferred::Explicit);
        Self { services, rule, rule_host, managed: wanted.managed_names() }
    }

    /// Returns whose share `destination` (an entry of `route`) is.
    ///
    /// Source: `processRoutes`.
    pub(super) fn owner(&self, destination: &Value, weight: Option<&Weight>) -> Owner {
        let (host, subset) = place(destination);
        let is_subset = |name: Option<&String>| name.is_some_and(|name| !name.is_empty() && name == subset);
        let (canary, stable) =
            (self.rule.map(|rule| &rule.canary_subset_name), self.rule.map(|rule| &rule.stable_subset_name));
        if is(host, self.services.canary) || is_subset(canary) {
            return Owner::Canary;
        }
        if is(host, self.services.stable) || is_subset(stable) {
            return Owner::Stable;
        }
        let kept = self.rule.map(|rule| rule.additional_subset_names.as_slice()).unwrap_or_default();
        if kept.iter().any(|name| name == subset) {
            return Owner::Kept;
        }
        let additional = weight.map(|weight| weight.additional.as_slice()).unwrap_or_default();
        match additional.iter().position(|additional| is(host, &additional.service)) {
            Some(index) => Owner::Experiment(index),
            None => Owner::Unknown,
        }
    }

    /// Returns the destination of the new version, with the port that `like`, another destination, has.
    pub(super) fn canary(&self, like: Option<&Value>) -> Value {
        let mut destination = Map::new();
        let host = self.rule_host.filter(|host| !host.is_empty()).unwrap_or(self.services.canary);
        destination.insert("host".to_owned(), host.into());
        if let Some(subset) = self.rule.map(|rule| &rule.canary_subset_name).filter(|name| !name.is_empty()) {
            destination.insert("subset".to_owned(), subset.as_str().into());
        }
        if let Some(port) = like.and_then(|like| like["destination"].get("port")) {
            destination.insert("port".to_owned(), port.clone());
        }
        Value::Object(destination)
    }
}

/// Returns host and subset of a destination.
pub(super) fn place(destination: &Value) -> (&str, &str) {
    (text(&destination["destination"], "host"), text(&destination["destination"], "subset"))
}

/// Returns true when `host` is the Service `name`, alone, with its namespace, or in full.
pub(super) fn is(host: &str, name: &str) -> bool {
    let mut labels = host.split('.');
    let first = labels.next() == Some(name);
    first && !name.is_empty() && labels.nth(1).is_none_or(|label| label == "svc")
}

#[cfg(test)]
mod tests {
    use super::is;

    #[test]
    fn hosts_of_services() {
        for host in ["shop", "shop.demo", "shop.demo.svc", "shop.demo.svc.cluster.local"] {
            assert!(is(host, "shop"), "{host}");
        }
        for host in ["shop.example.com", "shops", "", "other.shop"] {
            assert!(!is(host, "shop"), "{host}");
        }
        assert!(!is("", ""));
    }
}
