//! What the routers over Ingresses share.

use object::Value;

use crate::json::{items, text};
use crate::router::PATH;
use crate::{Live, Problem, Reference};

/// Returns the paths of an Ingress' rule.
pub(crate) fn paths(rule: &Value) -> &[Value] {
    items(&rule["http"], "paths")
}

/// Returns the name of a path's Service, empty for other backends.
pub(crate) fn service_of(path: &Value) -> &str {
    text(&path["backend"]["service"], "name")
}

/// Returns true when one of the rules leads to the Service.
pub(crate) fn leads_to(rules: &[Value], service: &str) -> bool {
    rules.iter().any(|rule| paths(rule).iter().any(|path| service_of(path) == service))
}

/// The two fields that name Ingresses, of which exactly one is to be set.
pub(crate) struct Named<'a> {
    /// Field of `trafficRouting`.
    pub(crate) router: &'static str,
    /// Field of the single name and its value.
    pub(crate) single: (&'static str, &'a str),
    /// Field of the list and its value.
    pub(crate) several: (&'static str, &'a [String]),
}

impl Named<'_> {
    /// Returns the names and the field that holds them.
    ///
    /// Errors: upstream's words when both or neither are set.
    pub(crate) fn names(&self) -> Result<(Vec<String>, &'static str), Problem> {
        let which = match (self.single.1.is_empty(), self.several.1.is_empty()) {
            (false, true) => return Ok((vec![self.single.1.to_owned()], self.single.0)),
            (true, false) => return Ok((self.several.1.to_vec(), self.several.0)),
            (false, false) => "Both",
            (true, true) => "Neither",
        };
        let capital = |field: &str| field[..1].to_uppercase() + &field[1..];
        let (single, several) = (capital(self.single.0), capital(self.several.0));
        let message = format!("Either {single} or {several} must be configured. {which} are configured.");
        Err(Problem::internal(&format!("{PATH}.{}", self.router), &message))
    }
}

/// Returns what is wrong with an Ingress that should lead to `service`.
pub(crate) fn problem(path: &str, reference: &Reference, service: &str, live: &Live) -> Option<Problem> {
    let name = Value::from(reference.name.as_str());
    let Some(found) = live.get(reference) else {
        return live.absence(reference).map(|message| Problem::invalid(path, &name, &message));
    };
    (!leads_to(found.items(&["spec", "rules"]), service)).then(|| {
        let message = format!("ingress `{}` has no rules using service {service} backend", reference.name);
        Problem::invalid(path, &name, &message)
    })
}
