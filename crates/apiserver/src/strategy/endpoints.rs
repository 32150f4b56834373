//! Checks of EndpointSlices and Endpoints.
//!
//! **Source:** `ValidateNonSpecialIP` and its callers in `pkg/apis/core/validation` and `pkg/apis/discovery/validation`.

use std::net::IpAddr;

use serde_json::Value;

use crate::config::Loopback;
use crate::field::FieldError;
use crate::kinds::Kind;

/// Adds what is wrong with the addresses of an EndpointSlice or of Endpoints; other kinds have none.
pub(super) fn check(kind: &Kind, object: &Value, loopback: Loopback, errors: &mut Vec<FieldError>) {
    match kind.id().as_str() {
        "discovery.k8s.io/endpointslices" => slice(object, loopback, errors),
        "/endpoints" => classic(object, loopback, errors),
        _ => {}
    }
}

fn slice(object: &Value, loopback: Loopback, errors: &mut Vec<FieldError>) {
    for (index, endpoint) in items(&object["endpoints"]) {
        for (at, given) in items(&endpoint["addresses"]) {
            let path = format!("endpoints[{index}].addresses[{at}]");
            if object["addressType"] != "FQDN" || is_address(given) {
                address(given, &path, loopback, errors);
            }
        }
    }
    match object["addressType"].as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required("addressType", "")),
        "IPv4" | "IPv6" | "FQDN" => {}
        _ => errors.push(FieldError::not_supported(
            "addressType",
            &object["addressType"],
            &["FQDN", "IPv4", "IPv6"],
        )),
    }
}

fn classic(object: &Value, loopback: Loopback, errors: &mut Vec<FieldError>) {
    for (index, subset) in items(&object["subsets"]) {
        for list in ["addresses", "notReadyAddresses"] {
            for (at, given) in items(&subset[list]) {
                address(&given["ip"], &format!("subsets[{index}].{list}[{at}].ip"), loopback, errors);
            }
        }
    }
}

fn items(list: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list.as_array().into_iter().flatten().enumerate()
}

fn is_address(value: &Value) -> bool {
    value.as_str().unwrap_or_default().parse::<IpAddr>().is_ok()
}

fn address(value: &Value, path: &str, loopback: Loopback, errors: &mut Vec<FieldError>) {
    let detail = match value.as_str().unwrap_or_default().parse::<IpAddr>() {
        Err(_) => "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        Ok(address) if address.is_loopback() && loopback == Loopback::Refused => {
            "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        }
        Ok(_) => return,
    };
    errors.push(FieldError::invalid(path, value, detail));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(
        check: fn(&Value, Loopback, &mut Vec<FieldError>),
        object: &Value,
        loopback: Loopback,
    ) -> Vec<String> {
        let mut errors = Vec::new();
        check(object, loopback, &mut errors);
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn loopback_addresses_are_refused_unless_allowed() {
        let sliced = json!({"addressType": "IPv4", "endpoints": [{"addresses": ["127.64.0.1"]}]});
        let refused = wrong(slice, &sliced, Loopback::Refused);
        assert!(
            refused[0].starts_with("endpoints[0].addresses[0]: Invalid value: \"127.64.0.1\": may not"),
            "{refused:?}"
        );
        assert!(wrong(slice, &sliced, Loopback::Allowed).is_empty());
        let subsets = json!({"subsets": [{"notReadyAddresses": [{"ip": "127.64.0.1"}, {"ip": "10.0.0.1"}]}]});
        let refused = wrong(classic, &subsets, Loopback::Refused);
        assert_eq!(refused.len(), 1);
        assert!(refused[0].starts_with("subsets[0].notReadyAddresses[0].ip: "), "{refused:?}");
        assert!(wrong(classic, &subsets, Loopback::Allowed).is_empty());
    }

    #[test]
    fn what_is_no_address_is_refused_anyway() {
        let sliced = json!({"addressType": "IPv4", "endpoints": [{"addresses": ["somewhere"]}]});
        assert_eq!(wrong(slice, &sliced, Loopback::Allowed).len(), 1);
        let named = json!({"addressType": "FQDN", "endpoints": [{"addresses": ["somewhere.example.com"]}]});
        assert_eq!(wrong(slice, &named, Loopback::Refused), Vec::<String>::new());
    }
}
