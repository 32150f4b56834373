//! What an Application's decisions depend on, gathered.

use std::collections::BTreeSet;

use api::application::{Application, Source};
use object::{GroupKind, Gvk, Key, Object, Time};
use runtime::{ApiError, Cache};
use sync::{Cluster, Kinds, Level, Observation, Settings, Target};

use super::managed::Managed;
use super::target::Targets;

/// URL and name of the cluster that the controller runs in.
const IN_CLUSTER: (&str, &str) = ("https://kubernetes.default.svc", "in-cluster");

/// Gathers observations.
pub struct Observer {
    /// Live objects.
    pub managed: Managed,
    /// Sources.
    pub targets: Targets,
    /// AppProjects.
    pub projects: Cache,
    /// Namespaces.
    pub namespaces: Cache,
    /// Rules.
    pub settings: Settings,
}

impl Observer {
    /// Returns what a comparison of `level` depends on.
    pub async fn observe(&self, app: &Application, level: Level, now: Time) -> Result<Observation, ApiError> {
        let source = app.spec.first_source();
        let compared = &app.status.sync.revision;
        let revision =
            if level >= Level::Latest || compared.is_empty() { &source.target_revision } else { compared };
        self.gather(app, (&source, revision), level, now).await
    }

    /// Returns what the running or requested operation depends on: the revision it is for, not the latest.
    pub async fn observe_operation(&self, app: &Application, now: Time) -> Result<Observation, ApiError> {
        let state = app.status.operation_state.as_ref().filter(|state| !state.phase.is_completed());
        let operation = state.map(|state| &state.operation).or(app.operation.as_ref());
        let asked = operation.and_then(|operation| operation.sync.as_ref());
        let source = asked.and_then(|sync| sync.source.clone()).unwrap_or_else(|| app.spec.first_source());
        let pinned = state.and_then(|state| state.sync_result.as_ref()).map(|result| result.revision.clone());
        let revision = pinned
            .filter(|revision| !revision.is_empty())
            .or_else(|| asked.map(|sync| sync.revision.clone()).filter(|revision| !revision.is_empty()))
            .unwrap_or_else(|| source.target_revision.clone());
        self.gather(app, (&source, &revision), Level::LatestForced, now).await
    }

    async fn gather(
        &self,
        app: &Application,
        (source, revision): (&Source, &str),
        level: Level,
        now: Time,
    ) -> Result<Observation, ApiError> {
        let target = self.targets.read(&app.object.key(), source, revision, now).await;
        let kinds = self.managed.watch(&kinds(app, &target)).await?;
        let keys = keys(app, &target);
        let destination = Key::new("", &app.spec.destination.namespace);
        let project = if app.spec.project.is_empty() { "default" } else { app.spec.project.as_str() };
        Ok(Observation {
            now,
            level,
            live: self.managed.live(&sync::instance(app, &self.settings), &keys),
            target,
            namespace: self.namespaces.get(&destination),
            kinds: kinds.into_iter().collect::<Kinds>(),
            project: self.projects.get(&Key::new(&self.settings.namespace, project)),
            cluster: cluster(app),
            settings: self.settings.clone(),
        })
    }
}

/// Returns the kinds of the targets and of everything the Application was seen to manage, and the kind of the namespace
/// that a sync may have to make.
fn kinds(app: &Application, target: &Target) -> BTreeSet<Gvk> {
    let of_targets = objects(target).iter().map(Object::gvk);
    let seen = app
        .status
        .resources
        .iter()
        .map(|resource| Gvk::new(&resource.group, &resource.version, &resource.kind));
    let result = app.status.operation_state.as_ref().and_then(|state| state.sync_result.as_ref());
    let synced = result.into_iter().flat_map(|result| &result.resources);
    let synced = synced.map(|resource| Gvk::new(&resource.group, &resource.version, &resource.kind));
    let namespace = std::iter::once(Gvk::new("", "v1", "Namespace"));
    of_targets.chain(seen).chain(synced).chain(namespace).filter(|gvk| !gvk.version.is_empty()).collect()
}

fn keys(app: &Application, target: &Target) -> BTreeSet<(GroupKind, Key)> {
    let namespace = &app.spec.destination.namespace;
    let targets = objects(target).iter().flat_map(|object| {
        let namespace = if object.namespace().is_empty() { namespace } else { object.namespace() };
        let kind = object.group_kind();
        [(kind.clone(), Key::new(namespace, object.name())), (kind, Key::new("", object.name()))]
    });
    let result = app.status.operation_state.as_ref().and_then(|state| state.sync_result.as_ref());
    let synced = result.into_iter().flat_map(|result| &result.resources).map(|resource| {
        (GroupKind::new(&resource.group, &resource.kind), Key::new(&resource.namespace, &resource.name))
    });
    targets.chain(synced).collect()
}

fn objects(target: &Target) -> &[Object] {
    match target {
        Target::Found { objects, .. } => objects,
        Target::Failed { .. } => &[],
    }
}

fn cluster(app: &Application) -> Cluster {
    let destination = &app.spec.destination;
    if destination.server == IN_CLUSTER.0
        || (destination.server.is_empty() && destination.name == IN_CLUSTER.1)
    {
        return Cluster::Known { server: IN_CLUSTER.0.into() };
    }
    let message = if destination.server.is_empty() {
        format!("there are no clusters with this name: {}", destination.name)
    } else {
        format!("cluster \"{}\" not found", destination.server)
    };
    Cluster::Unknown { message }
}
