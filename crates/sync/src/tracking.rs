//! Whose a live object is.

use api::application::Application;
use object::Object;

use crate::observation::{Settings, TrackingMethod};

/// Annotation `<app>:<group>/<Kind>:<namespace>/<name>`.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
const LABEL_LIMIT: usize = 63;

/// Returns the name by which objects are marked as those of `app`: `<namespace>_<name>` outside the controller's
/// namespace.
pub fn instance(app: &Application, settings: &Settings) -> String {
    if app.namespace() == settings.namespace || app.namespace().is_empty() {
        app.name().to_owned()
    } else {
        format!("{}_{}", app.namespace(), app.name())
    }
}

/// Marks `object` as one of `instance`. Cluster-scoped objects carry the destination `namespace` in their id.
pub fn mark(object: &mut Object, instance: &str, namespace: &str, settings: &Settings) {
    let tracking = &settings.tracking;
    // Operators copy labels from definitions to instances, so definitions are not marked by label.
    let labels = object.kind() != "CustomResourceDefinition";
    match tracking.method {
        TrackingMethod::Label if labels => object.set_label(&tracking.label, instance),
        TrackingMethod::Label => {}
        TrackingMethod::AnnotationAndLabel => {
            let end = instance.char_indices().map(|(at, _)| at).nth(LABEL_LIMIT).unwrap_or(instance.len());
            object.set_label(&tracking.label, &instance[..end]);
            annotate(object, instance, namespace);
        }
        TrackingMethod::Annotation => annotate(object, instance, namespace),
    }
    if !tracking.installation.is_empty() {
        object.set_annotation(INSTALLATION_ID, &tracking.installation);
    }
}

fn annotate(object: &mut Object, instance: &str, namespace: &str) {
    let gvk = object.gvk();
    let namespace = if object.namespace().is_empty() { namespace } else { object.namespace() };
    let id = format!("{instance}:{}/{}:{namespace}/{}", gvk.group, gvk.kind, object.name());
    object.set_annotation(TRACKING_ID, &id);
}

/// Whose a live object is, by its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Name as made by [`instance`].
    pub instance: String,
    /// False when the id names another object: the mark was copied.
    pub genuine: bool,
}

/// Returns whose `live` is; `None` when it carries no mark or that of another installation.
pub fn owner(live: &Object, settings: &Settings) -> Option<Owner> {
    let tracking = &settings.tracking;
    if live.annotation(INSTALLATION_ID).unwrap_or_default() != tracking.installation {
        return None;
    }
    match tracking.method {
        TrackingMethod::Label => {
            let instance = live.label(&tracking.label)?.to_owned();
            Some(Owner { instance, genuine: true })
        }
        TrackingMethod::Annotation | TrackingMethod::AnnotationAndLabel => {
            of_id(live, live.annotation(TRACKING_ID)?)
        }
    }
}

fn of_id(live: &Object, id: &str) -> Option<Owner> {
    let (instance, rest) = id.split_once(':')?;
    let (kind, place) = rest.split_once(':')?;
    let (namespace, name) = place.split_once('/')?;
    let gvk = live.gvk();
    let genuine = kind == format!("{}/{}", gvk.group, gvk.kind)
        && name == live.name()
        && (live.namespace().is_empty() || namespace == live.namespace());
    Some(Owner { instance: instance.to_owned(), genuine })
}
