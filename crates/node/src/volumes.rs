//! Volumes as directories, and where a container finds them.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use object::{Object, Value};

use crate::environment::{self, Facts, Sources};

/// Writes the volumes of a pod below `dir`, one directory each.
///
/// Errors: the sentence of a `FailedMount` event: what is missing, or the I/O problem.
pub(crate) fn materialise(dir: &Path, pod: &Object, sources: &Sources, facts: &Facts) -> Result<(), String> {
    for volume in pod.items(&["spec", "volumes"]) {
        let name = volume["name"].as_str().unwrap_or_default();
        let path = inside(dir, name).ok_or_else(|| format!("invalid volume name {name:?}"))?;
        let fail = |error: io::Error| format!("volume \"{name}\": {error}");
        fs::create_dir_all(&path).map_err(fail)?;
        for (file, content) in files(pod, volume, sources, facts)? {
            let target =
                inside(&path, &file).ok_or_else(|| format!("volume \"{name}\": invalid path {file:?}"))?;
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(fail)?;
            }
            fs::write(target, content).map_err(fail)?;
        }
    }
    Ok(())
}

type Files = Vec<(String, Vec<u8>)>;

fn files(pod: &Object, volume: &Value, sources: &Sources, facts: &Facts) -> Result<Files, String> {
    if let Some(projected) = volume["projected"]["sources"].as_array() {
        let parts: Result<Vec<Files>, String> =
            projected.iter().map(|source| one(pod, source, sources, facts)).collect();
        return Ok(parts?.into_iter().flatten().collect());
    }
    one(pod, volume, sources, facts)
}

fn one(pod: &Object, source: &Value, sources: &Sources, facts: &Facts) -> Result<Files, String> {
    if let Some(items) = source["downwardAPI"]["items"].as_array() {
        return items.iter().map(|item| downward(pod, item, facts)).collect();
    }
    let (kind, reference) = match (&source["configMap"], &source["secret"]) {
        (Value::Object(_), _) => ("configmap", &source["configMap"]),
        (_, Value::Object(_)) => ("secret", &source["secret"]),
        _ => return Ok(Vec::new()),
    };
    let name = reference["name"].as_str().or_else(|| reference["secretName"].as_str()).unwrap_or_default();
    let data = if kind == "secret" { sources.secret(name) } else { sources.config_map(name) };
    let optional = reference["optional"] == true;
    let Some(data) = data else {
        return if optional { Ok(Vec::new()) } else { Err(format!("{kind} \"{name}\" not found")) };
    };
    let Some(items) = reference["items"].as_array() else {
        return Ok(data.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
    };
    let mut files = Vec::new();
    for item in items {
        let key = item["key"].as_str().unwrap_or_default();
        match data.get(key) {
            Some(value) => files.push((item["path"].as_str().unwrap_or(key).to_owned(), value.clone())),
            None if optional => {}
            None => return Err(format!("{kind} references non-existent config key: {key}")),
        }
    }
    Ok(files)
}

fn downward(pod: &Object, item: &Value, facts: &Facts) -> Result<(String, Vec<u8>), String> {
    let path = item["path"].as_str().unwrap_or_default().to_owned();
    let text = match item["fieldRef"]["fieldPath"].as_str() {
        Some(field) => environment::field(pod, field, facts)?,
        None => environment::resource(pod, &Value::Null, &item["resourceFieldRef"]),
    };
    Ok((path, text.into_bytes()))
}

/// Links the mounts of a container below `rootfs`, each at its `mountPath`, and returns the variables that tell where
/// the volumes are.
pub(crate) fn mount(
    rootfs: &Path,
    volumes: &Path,
    container: &Value,
) -> Result<Vec<(String, String)>, String> {
    let mut env = vec![("SLIPWAY_ROOTFS".to_owned(), rootfs.display().to_string())];
    fs::create_dir_all(rootfs).map_err(|error| error.to_string())?;
    for mount in container["volumeMounts"].as_array().into_iter().flatten() {
        let name = mount["name"].as_str().unwrap_or_default();
        let mount_path = mount["mountPath"].as_str().unwrap_or_default();
        let fail = |problem: String| format!("mount of volume \"{name}\" at {mount_path:?}: {problem}");
        let invalid = || fail("invalid path".into());
        let mut source = inside(volumes, name).ok_or_else(invalid)?;
        if let Some(sub_path) = mount["subPath"].as_str().filter(|path| !path.is_empty()) {
            source = inside(&source, sub_path).ok_or_else(invalid)?;
        }
        let target = inside(rootfs, mount_path.trim_start_matches('/')).ok_or_else(invalid)?;
        link(&source, &target).map_err(|error| fail(error.to_string()))?;
        let variable = name.replace(['-', '.'], "_").to_uppercase();
        env.push((format!("SLIPWAY_VOLUME_{variable}"), source.display().to_string()));
    }
    Ok(env)
}

fn link(source: &Path, target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(source, target)
}

/// Returns `relative` below `base`; `None` when it is empty or would leave it.
pub(crate) fn inside(base: &Path, relative: &str) -> Option<PathBuf> {
    let path = Path::new(relative);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (plain && !relative.is_empty()).then(|| base.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    fn facts() -> Facts {
        Facts { ip: std::net::Ipv4Addr::new(127, 64, 0, 7), node: "n".into() }
    }

    #[test]
    fn nothing_leaves_its_directory() {
        for path in ["", "..", "a/../../b", "/etc/passwd"] {
            assert_eq!(inside(Path::new("/base"), path), None, "{path}");
        }
        assert_eq!(inside(Path::new("/base"), "a/b"), Some("/base/a/b".into()));
    }

    #[test]
    fn downward_files_and_links_to_mounts() {
        let dir = tempfile::tempdir().unwrap();
        let pod = Object::from_value(json!({
            "metadata": {"name": "p", "labels": {"a": "b"}},
            "spec": {"volumes": [
                {"name": "info", "downwardAPI": {"items": [{"path": "x/labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                {"name": "my-tmp", "emptyDir": {}}]}
        }));
        let (volumes, rootfs) = (dir.path().join("volumes"), dir.path().join("rootfs"));
        materialise(&volumes, &pod, &Sources::default(), &facts()).unwrap();
        let container = json!({"volumeMounts": [
            {"name": "info", "mountPath": "/etc/info"}, {"name": "my-tmp", "mountPath": "/tmp"}]});
        let env = mount(&rootfs, &volumes, &container).unwrap();
        assert_eq!(fs::read_to_string(rootfs.join("etc/info/x/labels")).unwrap(), "a=\"b\"");
        assert!(
            env.iter()
                .any(|(name, value)| name == "SLIPWAY_VOLUME_MY_TMP" && value.ends_with("volumes/my-tmp"))
        );
        assert!(mount(&rootfs, &volumes, &container).is_ok(), "again after a restart");
        let escape = json!({"volumeMounts": [{"name": "info", "mountPath": "/../../x"}]});
        assert!(mount(&rootfs, &volumes, &escape).unwrap_err().contains("invalid path"));
    }

    #[test]
    fn a_missing_config_map_is_named_and_a_bad_path_refused() {
        let dir = tempfile::tempdir().unwrap();
        let pod = |volume: Value| Object::from_value(json!({"metadata": {}, "spec": {"volumes": [volume]}}));
        let missing = pod(json!({"name": "c", "configMap": {"name": "cm"}}));
        let outcome = materialise(dir.path(), &missing, &Sources::default(), &facts());
        assert_eq!(outcome, Err("configmap \"cm\" not found".into()));
        let item = json!({"path": "../evil", "fieldRef": {"fieldPath": "metadata.name"}});
        let evil = pod(json!({"name": "c", "downwardAPI": {"items": [item]}}));
        assert!(
            materialise(dir.path(), &evil, &Sources::default(), &facts())
                .unwrap_err()
                .contains("invalid path")
        );
    }
}
