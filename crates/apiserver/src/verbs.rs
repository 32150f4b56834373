//! What can be done with objects: one module a verb.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod update;
pub(crate) mod watch;

use axum::response::Response;
use http::Method;

use crate::call::{Call, Reply};
use crate::status::{Failure, Outcome};
use crate::{encode, subresources};

/// Does what the request asks for.
pub(crate) async fn answer(call: &Call) -> Outcome<Response> {
    if call.target.subresource != "log" {
        encode::Form::of(call)?;
    }
    call.query.check_manager()?;
    let kind = call.kind();
    let named = !call.target.name.is_empty();
    if !call.target.subresource.is_empty() {
        let verbs = &kind.subresources[&call.target.subresource].verbs;
        if !verbs.iter().any(|verb| verb == word(&call.method, true)) {
            return Err(Failure::no_method());
        }
        return subresources::answer(call).await;
    }
    if !kind.allows(word(&call.method, named)) {
        return Err(Failure::no_method());
    }
    if matches!(call.method, Method::GET | Method::HEAD) && call.query.flag("watch") {
        return watch::answer(call);
    }
    let reply = match (&call.method, named) {
        (&Method::GET | &Method::HEAD, true) => get(call)?,
        (&Method::GET | &Method::HEAD, false) => list::answer(call)?,
        (&Method::POST, false) => create::answer(call).await?,
        (&Method::PUT, true) => update::answer(call).await?,
        (&Method::PATCH, true) => patch::answer(call).await?,
        (&Method::DELETE, true) => delete::answer(call).await?,
        (&Method::DELETE, false) => delete::collection(call).await?,
        _ => return Err(Failure::no_method()),
    };
    encode::reply(call, reply)
}

fn word(method: &Method, named: bool) -> &'static str {
    match (method, named) {
        (&Method::GET | &Method::HEAD, true) => "get",
        (&Method::GET | &Method::HEAD, false) => "list",
        (&Method::POST, _) => "create",
        (&Method::PUT, true) => "update",
        (&Method::PATCH, true) => "patch",
        (&Method::DELETE, true) => "delete",
        (&Method::DELETE, false) => "deletecollection",
        _ => "none",
    }
}

/// Returns the object. A `resourceVersion` in the query only means "not older than".
pub(crate) fn get(call: &Call) -> Outcome<Reply> {
    let wanted = call.query.number("resourceVersion")?.unwrap_or_default();
    let current = call.api.store.revision();
    if wanted > current {
        return Err(store::StoreError::Future { requested: wanted, current }.into());
    }
    Ok(Reply::new(200, call.load()?.0))
}
