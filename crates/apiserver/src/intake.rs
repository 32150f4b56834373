//! From a request's body to an object of the kind.

use http::header;
use serde_json::Value;

use crate::call::Call;
use crate::go::{self, Decoded};
use crate::kinds::Kind;
use crate::query::Strictness;
use crate::status::{Failure, Outcome};

/// An object as it came in: typed, defaulted, and what was odd about it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub object: Value,
    pub warnings: Vec<String>,
}

/// Returns the object of the body, for POST and PUT.
pub(crate) fn object(call: &Call) -> Outcome<Taken> {
    let media = call.header(header::CONTENT_TYPE);
    let (value, duplicates) = document(media, &call.body, call)?;
    let kind = call.kind();
    check_type(kind, &value, &call.body)?;
    typed(kind, value, &Strict { level: call.query.strictness()?, duplicates })
}

/// How strict to be, and the fields that were there twice.
pub(crate) struct Strict {
    pub level: Strictness,
    pub duplicates: Vec<String>,
}

impl Strict {
    /// Takes what Kubernetes clients do not know without a word.
    pub fn not() -> Self {
        Self { level: Strictness::Ignore, duplicates: Vec::new() }
    }
}

fn document(media: &str, body: &[u8], call: &Call) -> Outcome<(Value, Vec<String>)> {
    let media = media.split(';').next().unwrap_or_default().trim();
    let yaml = match media {
        "" | "application/json" => false,
        "application/yaml" => true,
        _ => {
            let message = "the body of the request was in an unknown format - accepted media types include: \
                 application/json, application/yaml, application/vnd.kubernetes.protobuf"
                .to_string();
            return Err(Failure::new(415, "UnsupportedMediaType", message));
        }
    };
    parse(body, yaml).map_err(|why| unreadable(call.kind(), body, &why))
}

fn unreadable(kind: &Kind, body: &[u8], why: &str) -> Failure {
    Failure::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): {why} ({})",
        kind.kind,
        summary(body)
    ))
}

/// The start of a body, as upstream shows it.
fn summary(body: &[u8]) -> String {
    if matches!(body.first(), Some(b'{')) {
        let text = String::from_utf8_lossy(&body[..body.len().min(30)]).into_owned();
        return if body.len() > 30 { format!("{text} ...") } else { text };
    }
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect::<String>()
    };
    match body.len() {
        0 => "<empty>".to_owned(),
        length if length <= 30 => hex(body),
        _ => format!("{} ...", hex(&body[..30])),
    }
}

/// Returns the document in `body` and the paths of keys that are there twice.
pub(crate) fn parse(body: &[u8], yaml: bool) -> Result<(Value, Vec<String>), String> {
    if yaml {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let value = object::yaml::document(text).map_err(|error| error.to_string())?;
        return Ok((value, Vec::new()));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => Ok((value, crate::duplicates::find(body))),
        Err(error) => {
            Err(format!("couldn't get version/kind; json parse error: {}", go_syntax(&error, body)))
        }
    }
}

/// Go's words for a syntax error.
pub(crate) fn go_syntax(error: &serde_json::Error, body: &[u8]) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line_start =
        body.split(|byte| *byte == b'\n').take(error.line() - 1).map(|line| line.len() + 1).sum::<usize>();
    let found = body.get((line_start + error.column()).saturating_sub(1)).copied().unwrap_or(b' ');
    format!("invalid character '{}' looking for beginning of value", char::from(found))
}

/// Checks that `apiVersion` and `kind`, where given, are those of the path.
fn check_type(kind: &Kind, value: &Value, body: &[u8]) -> Outcome<()> {
    let Some(map) = value.as_object() else {
        let found = match value {
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
            _ => return Ok(()),
        };
        let why = format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct \
             {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
        );
        return Err(unreadable(kind, body, &why));
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let (version, name) = (text("apiVersion"), text("kind"));
    if kind.custom.is_some() && (version.is_empty() || name.is_empty()) {
        let missing = if name.is_empty() { "kind" } else { "apiVersion" };
        let shown = String::from_utf8_lossy(body);
        return Err(unreadable(kind, body, &format!("Object '{missing}' is missing in '{shown}'")));
    }
    let version_fits = version.is_empty() || version == kind.api_version();
    if version_fits && (name.is_empty() || name == kind.kind) {
        return Ok(());
    }
    let other_group = !version_fits && crate::kinds::split_version(version).0 != kind.group;
    if kind.custom.is_some() || other_group {
        return Err(wrong_custom(kind, version, value));
    }
    let (shown_version, shown) = match version {
        "" => (kind.version.as_str(), name),
        given => {
            (crate::kinds::split_version(given).1, if name.is_empty() { kind.kind.as_str() } else { name })
        }
    };
    let why = if version_fits {
        let group =
            if kind.group.is_empty() { "core" } else { kind.group.split('.').next().unwrap_or_default() };
        format!("converting ({}.{name}) to ({group}.{}): unknown conversion", kind.version, kind.kind)
    } else {
        format!(
            "no kind {shown:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )
    };
    let message = format!("{shown} in version {shown_version:?} cannot be handled as a {}: {why}", kind.kind);
    Err(Failure::bad_request(message))
}

/// A custom resource of another kind or version.
fn wrong_custom(kind: &Kind, version: &str, value: &Value) -> Failure {
    if version != kind.api_version() {
        let wanted = kind.api_version();
        return Failure::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({wanted})"
        ));
    }
    let error = crate::field::FieldError::invalid("kind", &value["kind"], format!("must be {}", kind.kind));
    let mut given = kind.clone();
    given.kind = value["kind"].as_str().unwrap_or_default().to_owned();
    Failure::invalid(&given, value["metadata"]["name"].as_str().unwrap_or_default(), &[error])
}

/// Returns the value as an object of the kind: only known fields, defaults filled in.
///
/// **Errors:** 400 where a field has the wrong type, or, if strict, is not known.
pub(crate) fn typed(kind: &Kind, value: Value, strict: &Strict) -> Outcome<Taken> {
    let refuse = |why: String| {
        Failure::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {why}",
            kind.kind, kind.version, kind.kind
        ))
    };
    let read = match &kind.custom {
        Some(custom) => custom.decode(kind, value),
        None => builtin(kind, value),
    };
    let Decoded { mut value, unknown } = read.map_err(refuse)?;
    let duplicates = strict.duplicates.iter().map(|path| format!("duplicate field {path:?}"));
    let odd: Vec<String> =
        duplicates.chain(unknown.iter().map(|path| format!("unknown field {path:?}"))).collect();
    if strict.level == Strictness::Strict && !odd.is_empty() {
        let why = format!("strict decoding error: {}", odd.join(", "));
        return Err(match kind.custom {
            Some(_) => Failure::bad_request(why_custom(kind, &odd)),
            None => refuse(why),
        });
    }
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.clone().into();
    crate::defaults::fill(kind, &mut value);
    if kind.custom.is_none() {
        value = builtin(kind, value).map_err(refuse)?.value;
    }
    let warnings = if strict.level == Strictness::Warn { odd } else { Vec::new() };
    Ok(Taken { object: value, warnings })
}

fn why_custom(kind: &Kind, odd: &[String]) -> String {
    format!(
        "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
        kind.kind,
        kind.version,
        kind.kind,
        odd.join(", ")
    )
}

fn builtin(kind: &Kind, value: Value) -> Result<Decoded, String> {
    match go::struct_of(&kind.group, &kind.version, &kind.kind) {
        Some(name) => go::decode(&name, &value),
        None => Ok(Decoded { value, unknown: Vec::new() }),
    }
}
