//! Comparison of an Application of 1,000 objects with what the cluster has.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use api::application::{Application, IN_CLUSTER, SyncCode};
use object::{GroupKind, Object, json};
use runtime::{Patch, Resource, Selection, resources};
use sync::{Cluster, FIELD_MANAGER, Level, Observation, Refresh, Scope, Settings, Target};
use tokio::time::Instant;

use crate::figure::{Figure, median};
use crate::place::Place;

/// Objects of the Application.
const OBJECTS: u64 = 1000;
/// Comparisons; the middle one counts.
const ROUNDS: usize = 15;
/// What the objects are, in equal shares.
static KINDS: [Resource; 4] =
    [resources::CONFIG_MAPS, resources::SERVICES, resources::SECRETS, resources::DEPLOYMENTS];

/// Measures with live objects as an API server stores what a sync applied: with defaults and managed fields.
///
/// **Errors:** the API refuses an object, or the comparison does not find what it must.
pub(crate) async fn measure(print: &mut dyn FnMut(Figure)) -> anyhow::Result<()> {
    let place = Place::new().await?;
    let app = application()?;
    let mut observation = observation(&place);
    apply(&place, &app, &observation, print).await?;
    observation.live = live(&place).await?;
    let compared = time("all in sync", (&app, &observation), SyncCode::Synced, print)?;
    // As it mostly is: the last status is known.
    let known = Application { status: compared.status, ..app };
    time("all in sync, status known", (&known, &observation), SyncCode::Synced, print)?;
    change_every_tenth(&mut observation);
    time("a tenth out of sync", (&known, &observation), SyncCode::OutOfSync, print)?;
    place.tasks.stop().await;
    Ok(())
}

fn time(
    name: &str,
    (app, observation): (&Application, &Observation),
    wanted: SyncCode,
    print: &mut dyn FnMut(Figure),
) -> anyhow::Result<Refresh> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let refresh = sync::refresh(app, observation);
        times.push(start.elapsed());
        last = Some(refresh);
    }
    let last = last.context("no round")?;
    if last.status.sync.status != Some(wanted) {
        bail!("{name}: {:?} instead of {wanted:?}: {:?}", last.status.sync.status, last.status.conditions);
    }
    let what = format!("comparison of {OBJECTS} objects, {name}");
    print(Figure::new(what, median(times).as_secs_f64() * 1000.0, "ms"));
    Ok(last)
}

/// Applies every target as a sync would.
async fn apply(
    place: &Place,
    app: &Application,
    observation: &Observation,
    print: &mut dyn FnMut(Figure),
) -> anyhow::Result<()> {
    let Target::Found { objects, .. } = &observation.target else { bail!("no targets") };
    let pairs = sync::reconcile(app, objects, observation);
    let start = Instant::now();
    for target in pairs.resources.values().filter_map(|pair| pair.target.as_ref()) {
        let kind = KINDS.iter().find(|kind| kind.gvk() == target.gvk()).context("an unknown kind")?;
        let patch = Patch::apply(target.to_value(), FIELD_MANAGER).force();
        place.cluster.patch(kind, &target.key(), &patch).await?;
    }
    print(Figure::rate("server-side apply in process, one by one", OBJECTS, start.elapsed(), "objects/s"));
    Ok(())
}

async fn live(place: &Place) -> anyhow::Result<Vec<Arc<Object>>> {
    let mut live = Vec::new();
    for kind in &KINDS {
        let listed = place.cluster.list(kind, Some("default"), &Selection::default()).await?;
        live.extend(listed.into_iter().map(Arc::new));
    }
    Ok(live)
}

fn change_every_tenth(observation: &mut Observation) {
    let Target::Found { objects, .. } = &mut observation.target else { return };
    for object in objects.iter_mut().step_by(10) {
        object.set(&["metadata", "labels", "tier"], "changed");
    }
}

fn application() -> anyhow::Result<Application> {
    let object = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd", "uid": "00000000-0000-0000-0000-000000000001"},
        "spec": {
            "project": "default",
            "source": {"repoURL": "https://git.example.com/shop.git", "path": "deploy", "targetRevision": "main"},
            "destination": {"server": IN_CLUSTER, "namespace": "default"}
        }
    }));
    Ok(Application::from_object(&object)?)
}

fn observation(place: &Place) -> Observation {
    let kinds = KINDS.iter().map(|kind| (GroupKind::new(&kind.group, &kind.kind), Scope::Namespaced));
    Observation {
        now: place.cluster.clock().now(),
        level: Level::Latest,
        target: Target::Found {
            revision: "6a740f35db080f5bc897a7e1b965bcec2ab95fec".into(),
            objects: (0..OBJECTS).map(target).collect(),
            left_out: Vec::new(),
            source_type: "Directory",
        },
        live: Vec::new(),
        namespace: None,
        kinds: kinds.collect(),
        project: None,
        cluster: Cluster::Known { server: IN_CLUSTER.into() },
        settings: Settings::default(),
    }
}

fn target(number: u64) -> Object {
    let name = format!("shop-{number:04}");
    let labels = json!({"app": name, "tier": "back"});
    let metadata = json!({"name": name, "namespace": "default", "labels": labels});
    Object::from_value(match number % 4 {
        0 => json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata,
            "data": {"settings.yaml": "a: 1\nb: 2\n".repeat(40), "level": "info", "number": number.to_string()}
        }),
        1 => json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"selector": {"app": name}, "ports": [{"name": "web", "port": 80, "targetPort": "web"}]}
        }),
        2 => json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque",
            "data": {"password": "c2VjcmV0", "user": "c2hvcA=="}
        }),
        _ => json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": name}}, "template": template(&name)}
        }),
    })
}

fn template(name: &str) -> object::Value {
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {
            "containers": [{
                "name": "shop", "image": "registry.example.com/shop:1.0", "args": ["--port", "8080"],
                "env": [{"name": "MODE", "value": "fast"}, {"name": "REGION", "value": "north"}],
                "ports": [{"name": "web", "containerPort": 8080}],
                "resources": {"limits": {"cpu": "1", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": "web"}},
                "volumeMounts": [{"name": "settings", "mountPath": "/etc/shop"}]
            }],
            "volumes": [{"name": "settings", "configMap": {"name": name}}]
        }
    })
}
