//! The query of a request.

use std::collections::BTreeMap;

use axum::extract::Query as AxumQuery;
use http::{HeaderMap, Uri, header};

use crate::status::{Failure, Outcome};

/// The parameters that requests may carry. Absent ones are empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(BTreeMap<String, String>);

/// What to do about fields that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    Ignore,
    Warn,
    Strict,
}

/// Whether a write is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Write,
    DryRun,
}

impl Query {
    pub fn of(uri: &Uri) -> Outcome<Self> {
        let pairs = AxumQuery::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Failure::bad_request(error.to_string()))?;
        let mut map = BTreeMap::new();
        for (key, value) in pairs.0 {
            map.entry(key).or_insert(value);
        }
        Ok(Self(map))
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns whether a flag is set; `?watch` alone sets it.
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !matches!(value.as_str(), "false" | "0"))
    }

    pub fn number(&self, name: &str) -> Outcome<Option<u64>> {
        match self.get(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Failure::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
            }),
        }
    }

    pub fn effect(&self) -> Outcome<Effect> {
        match self.get("dryRun") {
            "" if !self.has("dryRun") => Ok(Effect::Write),
            "All" => Ok(Effect::DryRun),
            other => Err(self.invalid_option("dryRun", other, "\"All\"")),
        }
    }

    pub fn strictness(&self) -> Outcome<Strictness> {
        match self.get("fieldValidation") {
            "" | "Warn" => Ok(Strictness::Warn),
            "Ignore" => Ok(Strictness::Ignore),
            "Strict" => Ok(Strictness::Strict),
            other => {
                Err(self.invalid_option("fieldValidation", other, "\"\", \"Ignore\", \"Strict\", \"Warn\""))
            }
        }
    }

    fn invalid_option(&self, name: &str, value: &str, allowed: &str) -> Failure {
        let options = if self.has("force") { "PatchOptions" } else { "CreateOptions" };
        let body = if name == "dryRun" {
            format!("Unsupported value: [\"{value}\"]: supported values: {allowed}")
        } else {
            format!("Unsupported value: {value:?}: supported values: {allowed}")
        };
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {name}: {body}");
        let cause =
            serde_json::json!([{ "reason": "FieldValueNotSupported", "message": body, "field": name }]);
        Failure::new(422, "Invalid", message)
            .with("group", "meta.k8s.io")
            .with("kind", options)
            .with("causes", cause)
    }

    /// Checks `fieldManager`.
    pub fn check_manager(&self) -> Outcome<()> {
        if self.get("fieldManager").len() <= 128 {
            return Ok(());
        }
        let error = crate::field::FieldError::too_long("fieldManager", 128);
        let message = format!("CreateOptions.meta.k8s.io \"\" is invalid: {error}");
        Err(Failure::new(422, "Invalid", message)
            .with("group", "meta.k8s.io")
            .with("kind", "CreateOptions")
            .with("causes", vec![error.cause()]))
    }

    /// Returns who owns the fields that are written: `fieldManager`, or the client's name.
    pub fn manager(&self, headers: &HeaderMap) -> String {
        match self.get("fieldManager") {
            "" => {
                let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
                let agent = agent.unwrap_or("unknown");
                agent.split('/').next().unwrap_or_default().chars().take(128).collect()
            }
            name => name.to_owned(),
        }
    }
}
