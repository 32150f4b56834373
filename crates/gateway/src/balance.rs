//! Who gets the next request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object::Key;
use runtime::{Cache, Change, Tasks, Watches, resources};

use crate::endpoints::{Backend, ready_endpoints, service_port};

/// The backends of every Service that was called, in turn. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Balance {
    services: Cache,
    slices: Cache,
    pods: Cache,
    turns: Arc<Mutex<Turns>>,
}

/// By Service and port.
type Turns = BTreeMap<(Key, Option<u16>), Turn>;

#[derive(Debug, Default)]
struct Turn {
    /// The backends as last worked out; `None` after a change.
    backends: Option<Arc<Vec<Backend>>>,
    next: usize,
}

/// Who is asked, in this order; the first is the one whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// There is no such Service, or it has no port.
    NoService,
    /// The Service has no ready endpoint.
    Nobody,
    /// These are ready.
    Backends(Vec<Backend>),
}

impl Balance {
    /// Returns a balance over the Services that `watches` sees.
    pub(crate) fn new(watches: &Watches, tasks: &Tasks) -> Self {
        let balance = Self {
            services: watches.cache(&resources::SERVICES),
            slices: watches.cache(&resources::ENDPOINT_SLICES),
            pods: watches.cache(&resources::PODS),
            turns: Arc::default(),
        };
        for cache in [&balance.services, &balance.slices, &balance.pods] {
            let (balance, mut changes) = (balance.clone(), cache.subscribe());
            tasks.spawn("gateway-endpoints", async move {
                while let Some(change) = changes.next().await {
                    balance.forget(&change);
                }
            });
        }
        balance
    }

    /// Returns the pods' cache.
    pub(crate) fn pods(&self) -> &Cache {
        &self.pods
    }

    /// Returns whether the Service exists.
    pub(crate) fn knows(&self, service: &Key) -> bool {
        self.services.get(service).is_some()
    }

    /// Returns the ready backends, starting with the one whose turn it is, and passes the turn on.
    pub(crate) fn pick(&self, key: &Key, port: Option<u16>) -> Pick {
        let Some(service) = self.services.get(key) else {
            self.turns().retain(|(other, _), _| other != key);
            return Pick::NoService;
        };
        let Some(port_spec) = service_port(&service, port) else { return Pick::NoService };
        let number = port_spec["port"].as_u64().and_then(|number| u16::try_from(number).ok());
        let mut turns = self.turns();
        let turn = turns.entry((key.clone(), number)).or_default();
        let backends = turn.backends.get_or_insert_with(|| {
            let slices = self.slices.in_namespace(&key.namespace);
            let pods = self.pods.in_namespace(&key.namespace);
            Arc::new(ready_endpoints(&service, port_spec, &slices, &pods))
        });
        if backends.is_empty() {
            return Pick::Nobody;
        }
        let first = turn.next % backends.len();
        turn.next = (first + 1) % backends.len();
        Pick::Backends(backends[first..].iter().chain(&backends[..first]).cloned().collect())
    }

    /// What was worked out for the namespace of a change no longer holds.
    fn forget(&self, change: &Change) {
        for ((service, _), turn) in self.turns().iter_mut() {
            if service.namespace == change.key.namespace {
                turn.backends = None;
            }
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
