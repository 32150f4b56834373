//! JSON of Applications with fields in the order that the existing tool prints them.

use std::fmt::Write as _;

use object::Value;

/// Fields in order, by the name of the field that holds them. Source: the Go types `Application` and what they hold.
const ORDERS: &[(&str, &[&str])] = &[
    ("", &["metadata", "spec", "status", "operation"]),
    (
        "metadata",
        &[
            "name",
            "generateName",
            "namespace",
            "selfLink",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
            "annotations",
            "ownerReferences",
            "finalizers",
            "managedFields",
        ],
    ),
    (
        "managedFields",
        &["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"],
    ),
    ("ownerReferences", &["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]),
    (
        "spec",
        &[
            "source",
            "destination",
            "project",
            "syncPolicy",
            "ignoreDifferences",
            "info",
            "revisionHistoryLimit",
            "sources",
            "sourceHydrator",
        ],
    ),
    ("source", SOURCE),
    ("sources", SOURCE),
    (
        "helm",
        &[
            "valueFiles",
            "parameters",
            "releaseName",
            "values",
            "fileParameters",
            "version",
            "passCredentials",
            "ignoreMissingValueFiles",
            "skipCrds",
            "valuesObject",
            "namespace",
            "kubeVersion",
            "apiVersions",
            "skipTests",
            "skipSchemaValidation",
        ],
    ),
    ("parameters", &["name", "value", "forceString"]),
    ("fileParameters", &["name", "path"]),
    (
        "kustomize",
        &[
            "namePrefix",
            "nameSuffix",
            "images",
            "commonLabels",
            "version",
            "commonAnnotations",
            "forceCommonLabels",
            "forceCommonAnnotations",
            "namespace",
            "commonAnnotationsEnvsubst",
            "replicas",
            "patches",
            "components",
            "ignoreMissingComponents",
            "labelWithoutSelector",
            "kubeVersion",
            "apiVersions",
            "labelIncludeTemplates",
        ],
    ),
    ("directory", &["recurse", "jsonnet", "exclude", "include", "disableExtensionFilter"]),
    ("destination", &["server", "namespace", "name"]),
    ("syncPolicy", &["automated", "syncOptions", "retry", "managedNamespaceMetadata"]),
    ("automated", &["prune", "selfHeal", "allowEmpty", "enabled"]),
    ("retry", &["limit", "backoff", "refresh"]),
    ("backoff", &["duration", "factor", "maxDuration"]),
    (
        "ignoreDifferences",
        &["group", "kind", "name", "namespace", "jsonPointers", "jqPathExpressions", "managedFieldsManagers"],
    ),
    ("managedNamespaceMetadata", &["labels", "annotations"]),
    (
        "status",
        &[
            "resources",
            "sync",
            "health",
            "history",
            "conditions",
            "reconciledAt",
            "operationState",
            "observedAt",
            "sourceType",
            "summary",
            "resourceHealthSource",
            "sourceTypes",
            "controllerNamespace",
            "sourceHydrator",
        ],
    ),
    (
        "resources",
        &[
            "group",
            "version",
            "kind",
            "namespace",
            "name",
            "status",
            "health",
            "hook",
            "requiresPruning",
            "message",
            "hookType",
            "hookPhase",
            "syncPhase",
            "images",
            "syncWave",
            "requiresDeletionConfirmation",
        ],
    ),
    (
        "sync",
        &[
            "status",
            "comparedTo",
            "revision",
            "prune",
            "dryRun",
            "syncStrategy",
            "resources",
            "source",
            "manifests",
            "syncOptions",
            "sources",
            "revisions",
            "autoHealAttemptsCount",
        ],
    ),
    ("comparedTo", &["source", "destination", "sources", "ignoreDifferences"]),
    ("health", &["status", "message", "lastTransitionTime"]),
    (
        "history",
        &["revision", "deployedAt", "id", "source", "deployStartedAt", "sources", "revisions", "initiatedBy"],
    ),
    ("conditions", &["type", "message", "lastTransitionTime"]),
    (
        "operationState",
        &["operation", "phase", "message", "syncResult", "startedAt", "finishedAt", "retryCount"],
    ),
    ("operation", &["sync", "initiatedBy", "info", "retry"]),
    ("syncResult", &["resources", "revision", "source", "sources", "revisions", "managedNamespaceMetadata"]),
    ("syncStrategy", &["apply", "hook"]),
    ("initiatedBy", &["username", "automated"]),
    ("summary", &["externalURLs", "images"]),
];

const SOURCE: &[&str] = &[
    "repoURL",
    "path",
    "targetRevision",
    "helm",
    "kustomize",
    "directory",
    "plugin",
    "chart",
    "ref",
    "name",
    "tagPrefix",
];

/// Maps whose keys are the user's own.
const FREE: [&str; 5] = ["labels", "annotations", "fieldsV1", "valuesObject", "commonLabels"];

/// Returns an Application, or a list of them, as indented JSON that ends with a line feed.
pub fn ordered_json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, Some(""), 0);
    out.push('\n');
    out
}

/// Writes a value that is held by the field `parent`; `None` below maps whose keys are the user's own.
fn write(out: &mut String, value: &Value, parent: Option<&str>, depth: usize) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Array(list) if list.is_empty() => out.push_str("[]"),
        Value::Object(map) => {
            let order = parent.and_then(|parent| ORDERS.iter().find(|(name, _)| *name == parent));
            let order = order.map_or(&[][..], |(_, fields)| fields);
            let rank = |key: &str| order.iter().position(|field| *field == key).unwrap_or(order.len());
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
            for (index, (key, value)) in entries.into_iter().enumerate() {
                begin(out, if index == 0 { "{" } else { "," }, depth + 1);
                let _ = write!(out, "{}: ", escaped(&Value::from(key.as_str())));
                let below = parent.map(|_| key.as_str()).filter(|key| !FREE.contains(key));
                self::write(out, value, below, depth + 1);
            }
            begin(out, "", depth);
            out.push('}');
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                begin(out, if index == 0 { "[" } else { "," }, depth + 1);
                write(out, value, parent, depth + 1);
            }
            begin(out, "", depth);
            out.push(']');
        }
        leaf => out.push_str(&escaped(leaf)),
    }
}

fn begin(out: &mut String, text: &str, depth: usize) {
    out.push_str(text);
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Returns a leaf as Go writes it: safe inside HTML.
fn escaped(value: &Value) -> String {
    value.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn fields_stand_in_the_order_of_their_types() {
        let app = json!({
            "status": {"sync": {"revision": "r", "status": "Synced"}}, "spec": {"zebra": 1, "project": "<p>", "source": {}},
            "metadata": {"labels": {"spec": "b", "name": "c"}, "name": "a"}
        });
        let wanted = r#"{
  "metadata": {
    "name": "a",
    "labels": {
      "name": "c",
      "spec": "b"
    }
  },
  "spec": {
    "source": {},
    "project": "\u003cp\u003e",
    "zebra": 1
  },
  "status": {
    "sync": {
      "status": "Synced",
      "revision": "r"
    }
  }
}
"#;
        assert_eq!(ordered_json(&app), wanted);
        assert_eq!(ordered_json(&json!([])), "[]\n");
    }
}
