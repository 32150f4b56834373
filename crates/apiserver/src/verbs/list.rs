//! GET of a collection: one consistent snapshot, whole or in pages.

use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::StoreError;

use crate::call::{Call, Reply};
use crate::selection::Selection;
use crate::status::{Failure, Outcome};
use crate::stored;

const ENGINE: base64::engine::GeneralPurpose = base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Where the next page starts.
#[derive(Debug, Serialize, Deserialize)]
struct Continue {
    v: String,
    /// The snapshot; -1 for the newest.
    rv: i64,
    /// The last key of the previous page, below the kind's prefix.
    start: String,
}

struct Place {
    at: Option<u64>,
    after: Option<String>,
}

/// Returns the list that the request asks for.
pub(crate) fn answer(call: &Call) -> Outcome<Reply> {
    check_options(call)?;
    let limit = call.query.number("limit")?.filter(|limit| *limit > 0);
    let place = place(call)?;
    page(call, &place, limit.and_then(|limit| usize::try_from(limit).ok())).map(|list| Reply::new(200, list))
}

/// Returns the whole list, however many pages were asked for.
pub(crate) fn all(call: &Call) -> Outcome<Value> {
    page(call, &Place { at: None, after: None }, None)
}

fn check_options(call: &Call) -> Outcome<()> {
    let (query, matching) = (&call.query, call.query.get("resourceVersionMatch"));
    let version = query.get("resourceVersion");
    let refuse = |detail: &str| {
        let error = crate::field::FieldError::forbidden("resourceVersionMatch", detail);
        let message = format!("{} is invalid: {error}", "ListOptions.meta.k8s.io \"\"");
        Err(Failure::new(422, "Invalid", message)
            .with("group", "meta.k8s.io")
            .with("kind", "ListOptions")
            .with("causes", vec![error.cause()]))
    };
    if query.has("sendInitialEvents") {
        let error = crate::field::FieldError::forbidden(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        );
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {error}");
        return Err(Failure::new(422, "Invalid", message)
            .with("group", "meta.k8s.io")
            .with("kind", "ListOptions")
            .with("causes", vec![error.cause()]));
    }
    if !matches!(matching, "" | "Exact" | "NotOlderThan") {
        let allowed = ["Exact", "NotOlderThan", ""];
        let error =
            crate::field::FieldError::not_supported("resourceVersionMatch", &json!(matching), &allowed);
        return Err(wrong_options(&error));
    }
    match matching {
        "" => Ok(()),
        _ if version.is_empty() => {
            refuse("resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        _ if !query.get("continue").is_empty() => {
            refuse("resourceVersionMatch is forbidden when continue is provided")
        }
        "Exact" if version == "0" => {
            refuse("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
        }
        _ => Ok(()),
    }
}

fn wrong_options(error: &crate::field::FieldError) -> Failure {
    let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {error}");
    Failure::new(422, "Invalid", message)
        .with("group", "meta.k8s.io")
        .with("kind", "ListOptions")
        .with("causes", vec![error.cause()])
}

fn place(call: &Call) -> Outcome<Place> {
    let (query, store) = (&call.query, &call.api.store);
    let token = query.get("continue");
    let version = query.number("resourceVersion").map_err(|_| {
        let text = query.get("resourceVersion");
        crate::verbs::watch::bad_version(text)
    })?;
    if !token.is_empty() {
        if version.is_some_and(|version| version > 0) {
            return Err(Failure::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        return resumed(call, token);
    }
    let current = store.revision();
    match version {
        Some(wanted) if wanted > current => Err(StoreError::Future { requested: wanted, current }.into()),
        Some(wanted) if wanted > 0 && exact(call) => Ok(Place { at: Some(wanted), after: None }),
        _ => Ok(Place { at: None, after: None }),
    }
}

/// A version with a limit and no word of how to match it means that very version.
fn exact(call: &Call) -> bool {
    match call.query.get("resourceVersionMatch") {
        "Exact" => true,
        "NotOlderThan" => false,
        _ => !matches!(call.query.get("limit"), "" | "0"),
    }
}

fn resumed(call: &Call, token: &str) -> Outcome<Place> {
    let invalid =
        |why: &str| Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes = ENGINE.decode(token.trim_end_matches('=')).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => {
                token.len() / 4 * 4
            }
        };
        invalid(&format!("illegal base64 data at input byte {at}"))
    })?;
    let parsed: Continue =
        serde_json::from_slice(&bytes).map_err(|error| invalid(&crate::intake::go_syntax(&error, &bytes)))?;
    if parsed.v != "meta.k8s.io/v1" {
        return Err(invalid(&format!("server does not recognize this encoded version {}", parsed.v)));
    }
    let after = Some(format!("{}{}", call.kind().prefix(), parsed.start.trim_end_matches('\0')));
    let at = u64::try_from(parsed.rv).ok();
    if at.is_some_and(|at| at < call.api.store.oldest()) {
        let message = "The provided continue parameter is too old to display a consistent list result. You can \
                       start a new list without the continue parameter, or use the continue token in this response \
                       to retrieve the remainder of the results. Continuing with the provided token results in an \
                       inconsistent list - objects that were created, modified, or deleted between the time the \
                       first chunk was returned and now may show up in the list.";
        let mut failure = Failure::expired(message);
        failure.next = Some(token_for(-1, &parsed.start));
        return Err(failure);
    }
    Ok(Place { at, after })
}

fn token_for(revision: i64, start: &str) -> String {
    let place = Continue { v: "meta.k8s.io/v1".into(), rv: revision, start: start.to_owned() };
    ENGINE.encode(serde_json::to_vec(&place).unwrap_or_default())
}

fn too_old(error: StoreError) -> Failure {
    match error {
        StoreError::Compacted { .. } => {
            Failure::expired("The resourceVersion for the provided list is too old.")
        }
        other => other.into(),
    }
}

fn page(call: &Call, place: &Place, limit: Option<usize>) -> Outcome<Value> {
    let kind = call.kind();
    let selection = Selection::of(call)?;
    let prefix = kind.scope(&call.target.namespace);
    let mut items = Vec::new();
    let mut last = None;
    let everything = selection.is_everything();
    let read = if everything { limit } else { None };
    let found = call.api.store.range(&prefix, place.after.as_deref(), read, place.at).map_err(too_old)?;
    let mut more = found.more;
    for entry in &found.entries {
        let object = stored::read(kind, entry);
        if !selection.matches(&object) {
            continue;
        }
        if limit.is_some_and(|limit| items.len() >= limit) {
            more = true;
            break;
        }
        items.push(object);
        last = Some(entry.key.clone());
    }
    let mut metadata = json!({ "resourceVersion": found.revision.to_string() });
    if let (true, Some(last)) = (more, last) {
        let start = last.strip_prefix(kind.prefix().as_str()).unwrap_or_default();
        let revision = i64::try_from(found.revision).unwrap_or(-1);
        metadata["continue"] = token_for(revision, &format!("{start}\0")).into();
        if everything {
            metadata["remainingItemCount"] = found.remaining.into();
        }
    }
    if kind.custom.is_some() && metadata["continue"].is_null() {
        metadata["continue"] = "".into();
    }
    let items = match kind.custom {
        Some(_) => Value::Array(items),
        None => without_type(items),
    };
    Ok(json!({
        "kind": kind.list_kind, "apiVersion": kind.api_version(), "metadata": metadata, "items": items,
    }))
}

/// The elements of a list of built-in kinds do not say their type.
pub(crate) fn without_type(items: Vec<Value>) -> Value {
    let strip = |mut item: Value| {
        if let Some(map) = item.as_object_mut() {
            map.remove("kind");
            map.remove("apiVersion");
        }
        item
    };
    items.into_iter().map(strip).collect()
}
