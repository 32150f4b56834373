//! Volumes and where they are mounted.

use std::collections::{BTreeMap, BTreeSet};

use object::{Value, json};

use super::{Check, at, items, names, text};

/// Usable volumes by name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Value>;

/// Checks the volumes of a pod and returns those that can be mounted. Source: `ValidateVolumes`.
pub(super) fn volumes<'a>(check: &mut Check, volumes: &'a [Value], path: &str) -> Volumes<'a> {
    let mut usable = Volumes::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = at(path, index);
        let before = check.0.len();
        source(check, volume, &path);
        let name = text(volume, "name");
        if name.is_empty() {
            check.required(&format!("{path}.name"), "");
        } else {
            names::label(check, &format!("{path}.name"), name);
        }
        if usable.contains_key(name) {
            check.duplicate(&format!("{path}.name"), name);
        }
        if check.0.len() == before {
            usable.insert(name, volume);
        }
    }
    usable
}

/// Fields of a volume that must be there, in the order in which Kubernetes looks at the types.
const NEEDED: [(&str, &str); 5] = [
    ("emptyDir", ""),
    ("hostPath", "path"),
    ("secret", "secretName"),
    ("persistentVolumeClaim", "claimName"),
    ("configMap", "name"),
];

/// Source: `validateVolumeSource`, for the usual types.
fn source(check: &mut Check, volume: &Value, path: &str) {
    let fields = volume.as_object().into_iter().flatten();
    let others = fields.filter(|(field, value)| {
        *field != "name" && !value.is_null() && !NEEDED.iter().any(|(known, _)| known == field)
    });
    let mut given = 0;
    for (kind, needed) in NEEDED.into_iter().filter(|(kind, _)| !volume[*kind].is_null()) {
        given += 1;
        let (source, path) = (&volume[kind], format!("{path}.{kind}"));
        if given > 1 {
            check.forbidden(&path, "may not specify more than 1 volume type");
            continue;
        }
        if !needed.is_empty() && text(source, needed).is_empty() {
            check.required(&format!("{path}.{needed}"), "");
        }
        if matches!(kind, "secret" | "configMap") {
            files(check, source, &path);
        }
    }
    if given > 0 {
        for (kind, _) in others {
            check.forbidden(&format!("{path}.{kind}"), "may not specify more than 1 volume type");
        }
    }
}

fn files(check: &mut Check, source: &Value, path: &str) {
    let mode = &source["defaultMode"];
    if mode.as_i64().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        let message = "must be a number between 0 and 0777 (octal), both inclusive";
        check.invalid(&format!("{path}.defaultMode"), mode, message);
    }
    for (index, item) in items(source, "items").iter().enumerate() {
        for field in ["key", "path"] {
            if text(item, field).is_empty() {
                check.required(&format!("{path}.items[{index}].{field}"), "");
            }
        }
    }
}

/// Source: `ValidateVolumeMounts`.
pub(super) fn mounts(check: &mut Check, mounts: &[Value], path: &str, volumes: &Volumes<'_>) {
    let mut seen = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let place = at(path, index);
        let (name, to) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            check.required(&format!("{place}.name"), "");
        }
        if !volumes.contains_key(name) {
            check.not_found(&format!("{place}.name"), name);
        }
        if to.is_empty() {
            check.required(&format!("{place}.mountPath"), "");
        }
        if !seen.insert(to) {
            check.invalid(&format!("{place}.mountPath"), &json!(to), "must be unique");
        }
        for field in ["subPath", "subPathExpr"] {
            descending(check, &mount[field], &format!("{path}.{field}"));
        }
    }
}

/// Source: `validateLocalDescendingPath`.
fn descending(check: &mut Check, value: &Value, path: &str) {
    let Some(below) = value.as_str().filter(|below| !below.is_empty()) else { return };
    if below.starts_with('/') {
        check.invalid(path, value, "must be a relative path");
    }
    if below.split('/').any(|part| part == "..") {
        check.invalid(path, value, "must not contain '..'");
    }
}
