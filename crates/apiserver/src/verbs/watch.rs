//! GET with `watch`: changes as JSON lines.

mod events;

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use object::Time;
use runtime::Clock;
use serde_json::{Value, json};
use store::{StoreError, Watch};

use crate::call::Call;
use crate::encode::Form;
use crate::field::FieldError;
use crate::selection::Selection;
use crate::status::{Failure, Outcome};
use crate::stored;
use events::Events;

/// A watch in progress: what is ready to be sent, and where more comes from.
struct Session {
    ready: std::collections::VecDeque<Bytes>,
    watch: Option<Watch>,
    events: Events,
    clock: Clock,
    ends: Time,
    bookmarks: Option<Duration>,
}

pub(super) fn bad_version(text: &str) -> Failure {
    let value = json!(text);
    let detail = format!("strconv.ParseUint: parsing {text:?}: invalid syntax");
    let error = FieldError::invalid("resourceVersion", &value, detail);
    Failure::bad_request(format!("invalid resource version: {error}"))
}

/// Starts a watch.
pub(super) fn answer(call: &Call) -> Outcome<Response> {
    check_options(call)?;
    let form = Form::of(call)?;
    let selection = Selection::of(call)?;
    let events = Events { kind: call.kind().clone(), selection, form };
    let limits = &call.api.config.limits;
    let seconds = call.query.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
    let lasts = seconds.map_or(limits.watch, Duration::from_secs);
    let clock = call.api.clock.clone();
    let bookmarks = call.query.flag("allowWatchBookmarks").then_some(limits.bookmark);
    let ends = clock.now().after(lasts);
    let mut session =
        Session { ready: std::collections::VecDeque::new(), watch: None, events, clock, ends, bookmarks };
    session.begin(call)?;
    Ok(streamed(session))
}

fn check_options(call: &Call) -> Outcome<()> {
    let query = &call.query;
    let (initial, matching) = (query.has("sendInitialEvents"), query.get("resourceVersionMatch"));
    if initial && matching != "NotOlderThan" {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(wrong_options(&[FieldError::forbidden("resourceVersionMatch", why)]));
    }
    if initial || matching.is_empty() {
        return Ok(());
    }
    let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
    let mut errors = vec![FieldError::forbidden("resourceVersionMatch", why)];
    if matching != "NotOlderThan" {
        let allowed = ["NotOlderThan"];
        errors.push(FieldError::not_supported("resourceVersionMatch", &json!(matching), &allowed));
    }
    Err(wrong_options(&errors))
}

fn wrong_options(errors: &[FieldError]) -> Failure {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let list = if texts.len() == 1 { texts[0].clone() } else { format!("[{}]", texts.join(", ")) };
    let causes: Vec<Value> = errors.iter().map(FieldError::cause).collect();
    Failure::new(422, "Invalid", format!("ListOptions.meta.k8s.io \"\" is invalid: {list}"))
        .with("group", "meta.k8s.io")
        .with("kind", "ListOptions")
        .with("causes", causes)
}

fn streamed(session: Session) -> Response {
    let lines = stream::unfold(session, |mut session| async move {
        let line = session.next().await?;
        Some((Ok::<_, std::convert::Infallible>(line), session))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Session {
    /// Queues what is there already, and starts the watch from there.
    fn begin(&mut self, call: &Call) -> Outcome<()> {
        let store = &call.api.store;
        let version = call.query.number("resourceVersion");
        let version = version.map_err(|_| {
            let mut failure = bad_version(call.query.get("resourceVersion"));
            failure.message = failure.message.replacen("invalid resource version: ", "", 1);
            (failure.code, failure.reason) = (500, "");
            failure
        })?;
        let initial = call.query.flag("sendInitialEvents");
        let from_now = version.unwrap_or_default() == 0;
        let quiet = call.query.has("sendInitialEvents") && !initial;
        let prefix = self.events.kind.scope(&call.target.namespace);
        let start = if initial || (from_now && !quiet) {
            let revision = self.existing(call, &prefix)?;
            if initial && self.bookmarks.is_some() {
                let line = self.events.initial_end(revision);
                self.ready.push_back(line);
            }
            revision
        } else if from_now {
            store.revision()
        } else {
            version.unwrap_or_default()
        };
        if let Some(wanted) = version.filter(|wanted| *wanted > store.revision()) {
            let current = store.revision();
            return Err(StoreError::Future { requested: wanted, current }.into());
        }
        match store.watch(&prefix, start) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => self.ready.push_back(error_line(error)),
        }
        Ok(())
    }

    fn existing(&mut self, call: &Call, prefix: &str) -> Outcome<u64> {
        let page = call.api.store.range(prefix, None, None, None)?;
        for entry in &page.entries {
            let object = stored::read(&self.events.kind, entry);
            if self.events.selection.matches(&object) {
                let line = self.events.line("ADDED", object);
                self.ready.push_back(line);
            }
        }
        Ok(page.revision)
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            let left = self.ends.since(self.clock.now());
            if left.is_zero() {
                return None;
            }
            let pause = self.bookmarks.map_or(left, |every| every.min(left));
            let watch = self.watch.as_mut()?;
            tokio::select! {
                biased;
                change = watch.next() => match change? {
                    Ok(change) => {
                        if let Some(line) = self.events.change(&change) {
                            self.ready.push_back(line);
                        }
                    }
                    Err(error) => {
                        self.watch = None;
                        self.ready.push_back(error_line(error));
                    }
                },
                () = self.clock.sleep(pause) => {
                    if self.bookmarks.is_some() {
                        let revision = watch.progress();
                        self.ready.push_back(self.events.bookmark(revision));
                    }
                }
            }
        }
    }
}

fn error_line(error: StoreError) -> Bytes {
    let failure = Failure::from(error);
    line("ERROR", &failure.body())
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut text = json!({ "type": kind, "object": object }).to_string();
    text.push('\n');
    text.into()
}
