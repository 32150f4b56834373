//! Playing a script: one request after the other, the answers normalised.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::filter;
use crate::normal::Normaliser;
use crate::reference::Scope;
use crate::script::{Eventually, Script, Step, Watch};

/// No single answer may take longer; a watch may take so much longer than its own seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often [`Eventually`] asks before it gives up.
const ATTEMPTS: u32 = 150;
/// How long [`Eventually`] waits between two questions.
const PAUSE: Duration = Duration::from_millis(200);
/// Without a `fieldManager` the API server names the manager after this.
const USER_AGENT: &str = "transcript/1";

/// Why a script could not be played to its end. What the server answered is never an error.
#[derive(Debug, thiserror::Error)]
#[error("{script}, step {step}: {problem}")]
pub struct PlayError {
    /// The script's namespace.
    pub script: String,
    /// The step that failed.
    pub step: String,
    /// What went wrong.
    pub problem: Problem,
}

/// What went wrong in a step.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A `${…}` names nothing in the answers so far.
    #[error("nothing is named ${{{0}}}")]
    Reference(String),
    /// The step does not make an HTTP request.
    #[error("not a request: {0}")]
    Request(#[from] http::Error),
    /// The connection failed.
    #[error("no answer: {0}")]
    Transport(String),
    /// The server kept the answer back.
    #[error("no complete answer within {0:?}")]
    Timeout(Duration),
    /// The answer never became what [`Eventually`] wants.
    #[error("the answer never fitted; the last one was {0}")]
    Never(String),
    /// A watch sent a line that is not JSON.
    #[error("not a watch event: {0}")]
    Event(String),
}

/// Makes the script's namespace, plays its steps in order and returns one normalised answer a step.
///
/// The server's names, times and versions are replaced by placeholders, so that two servers can be compared; see
/// the README of the transcripts.
///
/// **Errors**: a step that cannot be sent, gets no answer, or whose `eventually` is not reached.
pub async fn play(client: &kube::Client, script: &Script) -> Result<Vec<Answer>, PlayError> {
    let mut player = Player {
        client,
        scope: Scope { namespace: &script.namespace, answers: BTreeMap::new() },
        normaliser: Normaliser::new(&script.text),
    };
    let fail =
        |step: &str, problem| PlayError { script: script.namespace.clone(), step: step.to_owned(), problem };
    player.make_namespace().await.map_err(|problem| fail("(namespace)", problem))?;
    let mut answers = Vec::with_capacity(script.steps.len());
    for step in &script.steps {
        answers.push(player.step(step).await.map_err(|problem| fail(&step.name, problem))?);
    }
    Ok(answers)
}

struct Player<'a> {
    client: &'a kube::Client,
    scope: Scope<'a>,
    normaliser: Normaliser<'a>,
}

/// An answer as it came.
struct Raw {
    status: u16,
    content_type: String,
    warnings: Vec<String>,
    body: Reply,
}

enum Reply {
    Empty,
    Json(Value),
    Text(String),
    Events(Vec<Value>),
}

impl Player<'_> {
    async fn make_namespace(&self) -> Result<(), Problem> {
        let body =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.scope.namespace}});
        let request = Request::post("/api/v1/namespaces")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .body(Body::from(body.to_string().into_bytes()))?;
        let raw = self.send(request, None).await?;
        if raw.status == 201 { Ok(()) } else { Err(Problem::Never(raw.to_string())) }
    }

    async fn step(&mut self, step: &Step) -> Result<Answer, Problem> {
        let mut raw = self.ask(step).await?;
        if let Some(wanted) = &step.eventually {
            let mut left = ATTEMPTS;
            while !fits(&raw, wanted) {
                left = left.checked_sub(1).ok_or_else(|| Problem::Never(raw.to_string()))?;
                tokio::time::sleep(PAUSE).await;
                raw = self.ask(step).await?;
            }
        }
        if let Reply::Json(value) = &raw.body {
            self.scope.answers.insert(step.name.clone(), value.clone());
        } else if let Reply::Events(events) = &raw.body {
            self.scope.answers.insert(step.name.clone(), Value::Array(events.clone()));
        }
        Ok(self.answer(step, raw))
    }

    async fn ask(&self, step: &Step) -> Result<Raw, Problem> {
        let request = self.request(step)?;
        self.send(request, step.watch).await
    }

    fn request(&self, step: &Step) -> Result<Request<Body>, Problem> {
        let mut request = Request::builder().method(step.method.as_str()).uri(self.uri(step)?);
        let mut headers = BTreeMap::from([("user-agent", USER_AGENT), ("accept", "application/json")]);
        let body = self.body(step)?;
        if body.is_some() {
            headers.insert("content-type", "application/json");
        }
        headers.extend(step.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request.body(body.map_or_else(Body::empty, |text| Body::from(text.into_bytes())))?)
    }

    fn body(&self, step: &Step) -> Result<Option<String>, Problem> {
        Ok(match (&step.text, &step.body) {
            (Some(text), _) => Some(self.scope.text(text).map_err(Problem::Reference)?),
            (None, Some(value)) => Some(self.scope.json(value).map_err(Problem::Reference)?.to_string()),
            (None, None) => None,
        })
    }

    fn uri(&self, step: &Step) -> Result<String, Problem> {
        let mut uri = self.scope.text(&step.path).map_err(Problem::Reference)?;
        let mut query = step.query.clone();
        if let Some(watch) = step.watch {
            query.insert("watch".to_owned(), "true".to_owned());
            query.insert("timeoutSeconds".to_owned(), watch.seconds.to_string());
        }
        let mut separator = '?';
        for (name, value) in &query {
            let value = self.scope.text(value).map_err(Problem::Reference)?;
            uri.push(separator);
            uri.push_str(&format!("{}={}", escape(name), escape(&value)));
            separator = '&';
        }
        Ok(uri)
    }

    async fn send(&self, request: Request<Body>, watch: Option<Watch>) -> Result<Raw, Problem> {
        let limit = PATIENCE + Duration::from_secs(watch.map_or(0, |watch| u64::from(watch.seconds)));
        let exchange = async {
            let response =
                self.client.send(request).await.map_err(|error| Problem::Transport(chain(&error)))?;
            read(response, watch).await
        };
        tokio::time::timeout(limit, exchange).await.map_err(|_| Problem::Timeout(limit))?
    }

    fn answer(&mut self, step: &Step, raw: Raw) -> Answer {
        let (mut body, mut text, mut events) = (None, None, None);
        match raw.body {
            Reply::Empty => {}
            Reply::Text(found) => text = Some(self.normaliser.text(&found)),
            Reply::Json(mut value) => {
                self.learn_refused_name(step, &value);
                trim(step, &mut value);
                body = Some(self.normaliser.json(&value));
            }
            Reply::Events(mut found) => {
                found.iter_mut().for_each(|event| trim(step, event));
                events = Some(found.iter().map(|event| self.normaliser.json(event)).collect());
            }
        }
        Answer {
            step: step.name.clone(),
            request: format!("{} {}", step.method.as_str(), step.path),
            status: raw.status,
            content_type: raw.content_type,
            warnings: raw.warnings.iter().map(|warning| self.normaliser.text(warning)).collect(),
            body,
            text,
            events,
        }
    }
}

impl Player<'_> {
    /// A refusal names the object by the name it would have got.
    fn learn_refused_name(&mut self, step: &Step, answer: &Value) {
        let prefix = step.body.as_ref().and_then(|body| body.pointer("/metadata/generateName"));
        let name = answer.pointer("/details/name");
        if let (Some(prefix), Some(name)) = (prefix.and_then(Value::as_str), name.and_then(Value::as_str)) {
            self.normaliser.learn_name(prefix, name);
        }
    }
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.status)?;
        match &self.body {
            Reply::Empty => Ok(()),
            Reply::Json(value) => write!(f, "{value}"),
            Reply::Text(text) => f.write_str(text),
            Reply::Events(events) => write!(f, "{} events", events.len()),
        }
    }
}

fn trim(step: &Step, value: &mut Value) {
    for (pointer, wanted) in &step.only {
        filter::only(value, pointer, wanted);
    }
    for pointer in &step.drop {
        filter::drop(value, pointer);
    }
}

fn fits(raw: &Raw, wanted: &Eventually) -> bool {
    let Reply::Json(value) = &raw.body else { return raw.status == wanted.status && wanted.has.is_empty() };
    raw.status == wanted.status
        && wanted.has.iter().all(|(pointer, expected)| value.pointer(pointer) == Some(expected))
}

async fn read(response: Response<Body>, watch: Option<Watch>) -> Result<Raw, Problem> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let content_type = headers.get(header::CONTENT_TYPE).map(text).unwrap_or_default();
    let warnings = headers.get_all(header::WARNING).iter().map(text).collect();
    let body = match watch.filter(|_| status == 200) {
        Some(watch) => Reply::Events(read_events(response.into_body(), watch.events).await?),
        None => read_body(response.into_body()).await?,
    };
    Ok(Raw { status, content_type, warnings, body })
}

async fn read_body(body: Body) -> Result<Reply, Problem> {
    let bytes: Bytes = body.collect().await.map_err(|error| Problem::Transport(chain(&error)))?.to_bytes();
    if bytes.is_empty() {
        return Ok(Reply::Empty);
    }
    Ok(serde_json::from_slice(&bytes)
        .map_or_else(|_| Reply::Text(String::from_utf8_lossy(&bytes).into_owned()), Reply::Json))
}

async fn read_events(mut body: Body, limit: Option<usize>) -> Result<Vec<Value>, Problem> {
    let mut events = Vec::new();
    let mut pending = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::Transport(chain(&error)))?;
        pending.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            let event = serde_json::from_slice(&line)
                .map_err(|_| Problem::Event(String::from_utf8_lossy(&line).into_owned()))?;
            events.push(event);
            if Some(events.len()) == limit {
                return Ok(events);
            }
        }
    }
    Ok(events)
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
