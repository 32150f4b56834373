//! What we embed of Kubernetes: pod templates, label selectors, labels and annotations.

use super::schema::{
    Field, Schema, anything, boolean, field, int32, labels, list, list_by, object, open, required, silent,
    string, strings,
};

/// A LabelSelector.
pub(super) fn selector() -> Schema {
    let expression = object(&[
        required("key", string(), "Name of the label."),
        required("operator", string(), "In, NotIn, Exists or DoesNotExist."),
        field("values", strings(), "Values, for In and NotIn."),
    ]);
    object(&[
        field("matchLabels", labels(), "Labels that must have these values."),
        field("matchExpressions", list(expression), "Conditions that must all hold."),
    ])
    .with("x-kubernetes-map-type", "atomic")
}

/// Labels and annotations.
pub(super) fn template_metadata() -> Schema {
    object(&[
        field("labels", labels(), "Labels to add."),
        field("annotations", labels(), "Annotations to add."),
    ])
}

/// A PodTemplateSpec.
///
/// Any field may be in a pod's spec, also of a newer Kubernetes. Named is only what changes how an object is written:
/// the keys by which server-side apply merges lists, and the defaults, because the pod-template hash is taken over
/// them. Both are those of Argo Rollouts' definitions.
pub(super) fn pod_template() -> Schema {
    object(&[
        field("metadata", template_metadata(), "Labels and annotations of the pods."),
        field("spec", pod_spec(), "A PodSpec, as in a Deployment."),
    ])
}

fn pod_spec() -> Schema {
    let containers = || list_by(&["name"], container());
    open(&[
        silent("containers", containers()).needed(),
        silent("initContainers", containers()),
        silent("ephemeralContainers", containers()),
        silent("hostAliases", list_by(&["ip"], open(&[key("ip")]))),
        silent("imagePullSecrets", list_by(&["name"], reference())),
        silent("resourceClaims", list_by(&["name"], open(&[key("name")]))),
        silent("schedulingGates", list_by(&["name"], open(&[key("name")]))),
        silent(
            "topologySpreadConstraints",
            list_by(
                &["topologyKey", "whenUnsatisfiable"],
                open(&[key("topologyKey"), key("whenUnsatisfiable")]),
            ),
        ),
    ])
}

fn container() -> Schema {
    let probe = || open(&[silent("grpc", open(&[or_empty("service")]))]);
    let port =
        open(&[silent("containerPort", int32()).needed(), silent("protocol", string().default("TCP"))]);
    open(&[
        key("name"),
        silent("env", list_by(&["name"], variable())),
        silent(
            "envFrom",
            list(open(&[silent("configMapRef", reference()), silent("secretRef", reference())])),
        ),
        silent("ports", list_by(&["containerPort", "protocol"], port)),
        silent("volumeMounts", list_by(&["mountPath"], open(&[key("mountPath")]))),
        silent("volumeDevices", list_by(&["devicePath"], open(&[key("devicePath")]))),
        silent("resources", open(&[silent("claims", list_by(&["name"], open(&[key("name")])))])),
        silent("livenessProbe", probe()),
        silent("readinessProbe", probe()),
        silent("startupProbe", probe()),
    ])
}

fn variable() -> Schema {
    let of_file = atomic(open(&[silent("optional", boolean().default(false))]));
    open(&[
        key("name"),
        silent(
            "valueFrom",
            open(&[
                silent("configMapKeyRef", reference()),
                silent("secretKeyRef", reference()),
                silent("fileKeyRef", of_file),
                silent("fieldRef", atomic(anything())),
                silent("resourceFieldRef", atomic(anything())),
            ]),
        ),
    ])
}

/// The name of an object, which is replaced as a whole.
fn reference() -> Schema {
    atomic(open(&[or_empty("name")]))
}

fn atomic(schema: Schema) -> Schema {
    schema.with("x-kubernetes-map-type", "atomic")
}

fn key(name: &'static str) -> Field {
    silent(name, string()).needed()
}

fn or_empty(name: &'static str) -> Field {
    silent(name, string().default(""))
}
