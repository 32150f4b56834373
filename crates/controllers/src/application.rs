//! The Application controller: keeps the cluster equal to Git.
//!
//! observe ([`Observer`]) → validate and plan (crate `sync`) → apply (`act`) → report (`report`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::application::{Application, OperationPhase, REFRESH_ANNOTATION};
use object::{Key, Object, Time, json};
use runtime::{
    Cache, Cluster, Controller, EventType, Failure, Next, Order, Patch, Queue, Reconcile, Recorder,
    Selection, Tasks, Watches, resources,
};
use source::Repositories;
use sync::{Level, Settings};

mod act;
mod managed;
mod observe;
mod report;
mod target;
mod trust;
mod wake;

use managed::Managed;
use observe::Observer;
use target::{SECRET_TYPE, Targets};
use trust::Trust;

/// How the controller is set up.
#[derive(Clone, Debug)]
pub struct ApplicationConfig {
    /// Rules of comparing and syncing; `settings.namespace` is where Applications are looked for.
    pub settings: Settings,
    /// Longest random delay of a comparison that is due, so that they do not all come at once.
    pub jitter: Duration,
    /// Applications that are worked on side by side.
    pub workers: usize,
    /// Order of Applications that are due at the same time.
    pub order: Order,
}

impl Default for ApplicationConfig {
    fn default() -> Self {
        let settings = Settings::default();
        Self { settings, jitter: Duration::from_secs(60), workers: 20, order: Order::Arrival }
    }
}

/// Wakes Applications from outside, e.g. from a webhook. Cheap to clone.
#[derive(Clone)]
pub struct Refresher {
    queue: Arc<Queue>,
    requests: Requests,
    applications: Cache,
    watches: Watches,
    tasks: Tasks,
}

impl Refresher {
    /// Asks for a comparison with the latest commit of each Application that `wanted` picks; returns how many. Those of
    /// other replicas are asked for by the annotation that users ask with.
    pub fn refresh(&self, wanted: impl Fn(&Object) -> bool) -> usize {
        let picked = self.applications.iter().filter(|object| wanted(object));
        let keys: Vec<Key> = picked.map(|object| object.key()).collect();
        for key in &keys {
            if self.watches.shards().owns(key) {
                self.requests.ask(key, Level::LatestForced, &self.queue);
            } else {
                self.pass_on(key.clone());
            }
        }
        keys.len()
    }

    fn pass_on(&self, key: Key) {
        let cluster = self.watches.cluster().clone();
        let patch = Patch::merge(json!({"metadata": {"annotations": {REFRESH_ANNOTATION: "normal"}}}));
        self.tasks.spawn("refresh", async move {
            if let Err(error) = cluster.patch(&resources::APPLICATIONS, &key, &patch).await {
                tracing::warn!(application = %key, %error, "its replica could not be told to compare it");
            }
        });
    }
}

/// When each Application was last compared with the latest commit of its source. Only saves work: it may be lost.
#[derive(Default)]
struct Compared(Mutex<BTreeMap<Key, Time>>);

impl Compared {
    fn at(&self, key: &Key) -> Option<Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    fn set(&self, key: &Key, at: Option<Time>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match at {
            Some(at) => all.insert(key.clone(), at),
            None => all.remove(key),
        };
    }
}

/// How thorough the next comparison of an Application was asked to be.
#[derive(Clone, Default)]
struct Requests(Arc<Mutex<BTreeMap<Key, Level>>>);

impl Requests {
    fn ask(&self, key: &Key, level: Level, queue: &Queue) {
        self.note(key, level);
        queue.add(key.clone());
    }

    /// Writes down how thorough the next comparison has to be, whenever it comes.
    fn note(&self, key: &Key, level: Level) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = asked.entry(key.clone()).or_insert(level);
        *entry = (*entry).max(level);
    }

    fn take(&self, key: &Key) -> Level {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key).unwrap_or(Level::Nothing)
    }
}

/// Starts the Application controller; it ends with `tasks`.
pub fn run(
    watches: &Watches,
    repositories: Arc<Repositories>,
    config: ApplicationConfig,
    tasks: &Tasks,
) -> Refresher {
    let cluster = watches.cluster().clone();
    let namespace = config.settings.namespace.clone();
    let applications = watches.cache_with(&resources::APPLICATIONS, &Selection::namespace(&namespace));
    let projects = watches.cache_with(&resources::APP_PROJECTS, &Selection::namespace(&namespace));
    let namespaces = watches.cache(&resources::NAMESPACES);
    let types = format!("{SECRET_TYPE} in (repository,repo-creds)");
    let selection = Selection { labels: Some(types), ..Selection::namespace(&namespace) };
    let secrets = watches.cache_with(&resources::SECRETS, &selection);
    let requests = Requests::default();
    let trust = Trust::new(watches, &namespace);
    let controller = Controller::new("application", cluster.clock().clone())
        .workers(config.workers)
        .order(config.order)
        .report_to(watches.activity())
        .shared(watches.shards(), |key| Some(key.clone()))
        .reconcile_each(&applications)
        .watch(&projects, wake::of_project(applications.clone(), requests.clone()))
        .watch(&namespaces, |_| Vec::new())
        .watch(&secrets, wake::of_credentials(applications.clone(), requests.clone()));
    let controller = trust.caches().into_iter().fold(controller, |controller, cache| {
        controller.watch(cache, wake::of_trust(applications.clone(), requests.clone()))
    });
    let queue = controller.queue();
    let wake = {
        let (queue, requests, namespace) = (queue.clone(), requests.clone(), namespace.clone());
        Arc::new(move |instance: &str| {
            let (namespace, name) = instance.split_once('_').unwrap_or((&namespace, instance));
            requests.ask(&Key::new(namespace, name), Level::Recent, &queue);
        })
    };
    let observer = Observer {
        managed: Managed::new(watches.clone(), tasks, wake),
        targets: Targets::new(repositories, secrets, trust),
        projects,
        namespaces,
        settings: config.settings,
    };
    let refresher = Refresher {
        queue,
        requests: requests.clone(),
        applications: applications.clone(),
        watches: watches.clone(),
        tasks: tasks.clone(),
    };
    let recorder = Recorder::new(cluster.clone(), "argocd-application-controller", tasks);
    let compared = Compared::default();
    let shell =
        Shell { cluster, applications, observer, requests, compared, recorder, jitter: config.jitter };
    controller.run(shell, tasks);
    refresher
}

struct Shell {
    cluster: Cluster,
    applications: Cache,
    observer: Observer,
    requests: Requests,
    compared: Compared,
    recorder: Recorder,
    jitter: Duration,
}

impl Reconcile for Shell {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        let asked = self.requests.take(key);
        let Some(object) = self.applications.get(key) else {
            self.observer.targets.forget(key);
            self.compared.set(key, None);
            return Ok(Next::Done);
        };
        let app = match Application::from_object(&object) {
            Ok(app) => app,
            Err(error) => return self.mistyped(&object, &error.to_string()).await,
        };
        if object.is_deleting() {
            return self.delete(&app).await;
        }
        if app.operation.is_some() || is_running(&app) {
            return self.step(&app).await;
        }
        self.refresh(&app, asked).await
    }
}

fn is_running(app: &Application) -> bool {
    let phase = app.status.operation_state.as_ref().map(|state| state.phase);
    matches!(phase, Some(OperationPhase::Running | OperationPhase::Terminating))
}

impl Shell {
    /// Compares, and starts an automated sync where one is due.
    async fn refresh(&self, app: &Application, asked: Level) -> Result<Next, Failure> {
        let now = self.cluster.clock().now();
        let key = app.object.key();
        let level = sync::level_needed(app, asked, self.compared.at(&key), &self.observer.settings, now);
        let observation = self.observer.observe(app, level, now).await?;
        let refresh = sync::refresh(app, &observation);
        tracing::debug!(application = %app.object.key(), ?level, why = %refresh.why, "compared");
        let changes = report::refreshed(app, &refresh);
        self.write(&app.object, changes).await?;
        if level >= Level::Latest {
            self.compared.set(&key, Some(now));
        }
        self.record(app, &refresh.events);
        Ok(refresh.wake.map_or(Next::Done, |wake| Next::At(wake.after(jitter(&key, self.jitter)))))
    }

    /// Carries the running operation one pass on.
    async fn step(&self, app: &Application) -> Result<Next, Failure> {
        let now = self.cluster.clock().now();
        let observation = self.observer.observe_operation(app, now).await?;
        let mut step = sync::step(app, &observation);
        while !step.actions.is_empty() {
            let (outcomes, problem) = self.act(&step.actions).await;
            let now = self.cluster.clock().now();
            step = match problem {
                Some(problem) => step.interrupted(&outcomes, &problem, now),
                None => step.settle(&outcomes, now),
            };
        }
        tracing::debug!(application = %app.object.key(), why = %step.why, "operation");
        self.write(&app.object, report::stepped(app, &step)).await?;
        self.record(app, &step.events);
        if let Some(level) = step.refresh {
            let mut asked = self.requests.0.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(app.object.key(), level);
        }
        Ok(match step.wake {
            Some(wake) => Next::At(wake),
            None if step.done || step.refresh.is_some() => Next::After(Duration::ZERO),
            None => Next::Done,
        })
    }

    /// Carries out the actions in order; returns their outcomes, up to the first for which the server could not be asked,
    /// and what it said then.
    async fn act(&self, actions: &[sync::Action]) -> (Vec<sync::Outcome>, Option<String>) {
        let mut outcomes = Vec::new();
        for action in actions {
            match act::act(&self.cluster, &self.observer.managed, action).await {
                Ok(outcome) => outcomes.push(outcome),
                Err(problem) => return (outcomes, Some(problem)),
            }
        }
        (outcomes, None)
    }

    /// Deletes what the Application manages, then lets it go.
    async fn delete(&self, app: &Application) -> Result<Next, Failure> {
        let now = self.cluster.clock().now();
        let observation = self.observer.observe(app, Level::Nothing, now).await?;
        let deletion = sync::deletion(app, &observation);
        tracing::debug!(application = %app.object.key(), why = %deletion.why, "deleting");
        for action in &deletion.actions {
            match act::act(&self.cluster, &self.observer.managed, action).await {
                Ok(sync::Outcome::Refused(message)) | Err(message) => return Err(Failure::new(message)),
                Ok(_) => {}
            }
        }
        self.write(&app.object, report::released(app, &deletion)).await?;
        Ok(match deletion.why {
            sync::Why::Acting(_) => Next::After(Duration::from_secs(5)),
            // the source may be there again, which nothing tells
            sync::Why::Blocked(_) => Next::After(Duration::from_secs(30)),
            _ => Next::Done,
        })
    }

    /// Tells on the object that it cannot be read.
    async fn mistyped(&self, object: &Object, message: &str) -> Result<Next, Failure> {
        tracing::info!(application = %object.key(), message, "application cannot be read");
        self.write(object, report::mistyped(object, message, self.cluster.clock().now())).await?;
        Ok(Next::Done)
    }

    /// Writes the changes, if there are any, unless the object has changed since it was looked at.
    async fn write(&self, object: &Object, changes: Option<object::Value>) -> Result<(), Failure> {
        let Some(mut changes) = changes else { return Ok(()) };
        changes["metadata"]["resourceVersion"] = object.resource_version().into();
        let patch = runtime::Patch::merge(changes);
        let stored = self.cluster.patch(&resources::APPLICATIONS, &object.key(), &patch).await?;
        self.applications.note(stored);
        Ok(())
    }

    fn record(&self, app: &Application, events: &[sync::Event]) {
        for event in events {
            let kind = match event.kind {
                sync::EventKind::Normal => EventType::Normal,
                sync::EventKind::Warning => EventType::Warning,
            };
            self.recorder.record(&app.object, kind, event.reason, &event.message);
        }
    }
}

/// Returns the share of `longest` that is this Application's: the same each time, spread evenly over Applications.
fn jitter(key: &Key, longest: Duration) -> Duration {
    let hash = key.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    longest * u32::try_from(hash % 1000).unwrap_or_default() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_bounded_and_spread() {
        let longest = Duration::from_secs(60);
        let all: Vec<Duration> =
            (0..100).map(|n| jitter(&Key::new("argocd", &format!("app-{n}")), longest)).collect();
        assert!(all.iter().all(|jitter| *jitter < longest));
        let early = all.iter().filter(|jitter| **jitter < longest / 2).count();
        assert!((25..75).contains(&early), "{early}");
    }
}
