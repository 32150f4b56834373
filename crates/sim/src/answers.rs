//! What simulated pods answer: HTTP without sockets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use object::{Key, LabelSelector, Object, Value};
use runtime::http::{Answer, HttpClient, HttpError, HttpRequest, HttpResponse};
use runtime::{Cache, Watches, resources};

/// Host of the pages that answer whatever the pods do.
pub const PAGES: &str = "metrics.test";

/// Answers requests to Services as their ready pods would, each in turn, by the image they run.
#[derive(Clone)]
pub struct Answers {
    services: Cache,
    pods: Cache,
    by_image: Arc<BTreeMap<String, Value>>,
    pages: Arc<BTreeMap<String, Value>>,
    turns: Arc<Mutex<BTreeMap<Key, usize>>>,
}

impl Answers {
    /// Returns a client for the Services of the cluster that `watches` sees; `by_image` says what each image answers, `pages`
    /// what [`PAGES`] answers, by path and query.
    pub fn new(watches: &Watches, by_image: BTreeMap<String, Value>, pages: BTreeMap<String, Value>) -> Self {
        let (services, pods) = (watches.cache(&resources::SERVICES), watches.cache(&resources::PODS));
        Self { services, pods, by_image: Arc::new(by_image), pages: Arc::new(pages), turns: Arc::default() }
    }

    /// Returns the answer of the next ready pod of `service`, as `name.namespace`.
    ///
    /// Errors: there is no such Service, no ready pod, or an image that answers nothing.
    pub fn ask(&self, service: &str) -> Result<Value, String> {
        let (name, rest) = service.split_once('.').ok_or_else(|| format!("{service} is no Service"))?;
        let namespace = rest.split('.').next().unwrap_or_default();
        let key = Key::new(namespace, name);
        let found = self.services.get(&key).ok_or_else(|| format!("Service {key} does not exist"))?;
        let ready = self.ready(&found);
        if ready.is_empty() {
            return Err(format!("Service {key} has no ready pod"));
        }
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(key).or_default();
        *turn = turn.wrapping_add(1);
        let pod = &ready[*turn % ready.len()];
        let image = pod.items(&["spec", "containers"])[0]["image"].as_str().unwrap_or_default();
        self.by_image.get(image).cloned().ok_or_else(|| format!("image {image} answers nothing"))
    }

    fn ready(&self, service: &Object) -> Vec<Arc<Object>> {
        let labels =
            service.get(&["spec", "selector"]).and_then(Value::as_object).cloned().unwrap_or_default();
        let labels =
            labels.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect();
        let selector = LabelSelector::from_map(&labels);
        let pods = self.pods.in_namespace(service.namespace()).into_iter();
        pods.filter(|pod| !pod.is_deleting() && selector.matches(&pod.labels()) && is_ready(pod)).collect()
    }
}

/// Returns true when the pod takes requests.
pub(crate) fn is_ready(pod: &Object) -> bool {
    let conditions = pod.items(&["status", "conditions"]);
    conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Returns the page that is asked for: path and query, where the first field of a form stands for the query.
fn asked(place: &str, form: &[u8]) -> String {
    let form = String::from_utf8_lossy(form);
    match form.split('&').next().filter(|field| field.contains('=')) {
        Some(field) => format!("{place}?{field}"),
        None => place.to_owned(),
    }
}

impl HttpClient for Answers {
    fn send(&self, request: HttpRequest) -> Answer<'_> {
        Box::pin(async move {
            let place = request.url.split("//").nth(1).unwrap_or_default();
            let host = place.split(['/', ':']).next().unwrap_or_default();
            let answer = |status, body: &Value| {
                Ok(HttpResponse { status, headers: Vec::new(), body: Bytes::from(body.to_string()) })
            };
            if host == PAGES {
                let page =
                    self.pages.get(&asked(place.strip_prefix(host).unwrap_or_default(), &request.body));
                return page.map_or_else(|| answer(404, &Value::Null), |page| answer(200, page));
            }
            match self.ask(host) {
                Ok(body) => answer(200, &body),
                Err(cause) => Err(HttpError::Failed { method: request.method, url: request.url, cause }),
            }
        })
    }
}
