//! The environment and the command line of a container.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use base64::Engine as _;
use object::{Key, Object, Value, quantity};
use runtime::{ApiError, Cluster, Resource, resources};

use crate::status::HOST;

/// The ConfigMaps and Secrets that a pod names, by kind and name; those that do not exist are absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(BTreeMap<(bool, String), BTreeMap<String, Vec<u8>>>);

impl Sources {
    /// Reads everything that the pod names, in environment and volumes.
    pub(crate) async fn fetch(cluster: &Cluster, pod: &Object) -> Result<Self, ApiError> {
        let mut names = std::collections::BTreeSet::new();
        let spec = pod.get(&["spec"]).unwrap_or(&Value::Null);
        collect(spec, &mut names);
        let mut sources = Self::default();
        for (secret, name) in names {
            let resource: Resource = if secret { resources::SECRETS } else { resources::CONFIG_MAPS };
            if let Some(object) = cluster.get(&resource, &Key::new(pod.namespace(), &name)).await? {
                sources.0.insert((secret, name), data(&object));
            }
        }
        Ok(sources)
    }

    /// Returns the entries of a ConfigMap.
    pub(crate) fn config_map(&self, name: &str) -> Option<&BTreeMap<String, Vec<u8>>> {
        self.0.get(&(false, name.to_owned()))
    }

    /// Returns the entries of a Secret, decoded.
    pub(crate) fn secret(&self, name: &str) -> Option<&BTreeMap<String, Vec<u8>>> {
        self.0.get(&(true, name.to_owned()))
    }
}

/// Finds references by the fields in which a pod's spec names ConfigMaps and Secrets.
fn collect(value: &Value, names: &mut std::collections::BTreeSet<(bool, String)>) {
    match value {
        Value::Object(map) => {
            for (field, value) in map {
                let found = match field.as_str() {
                    "configMapKeyRef" | "configMapRef" | "configMap" => Some((false, &value["name"])),
                    "secretKeyRef" | "secretRef" => Some((true, &value["name"])),
                    "secret" => Some((
                        true,
                        if value["name"].is_null() { &value["secretName"] } else { &value["name"] },
                    )),
                    _ => None,
                };
                if let Some((secret, Value::String(name))) = found {
                    names.insert((secret, name.clone()));
                }
                collect(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

fn data(object: &Object) -> BTreeMap<String, Vec<u8>> {
    let entries = |field: &str| object.get(&[field]).and_then(Value::as_object).into_iter().flatten();
    let plain = object.kind() == "ConfigMap";
    let mut data = BTreeMap::new();
    for (key, value) in entries("data") {
        let text = value.as_str().unwrap_or_default();
        data.insert(key.clone(), if plain { text.as_bytes().to_vec() } else { decode(text) });
    }
    for (key, value) in entries("binaryData") {
        data.insert(key.clone(), decode(value.as_str().unwrap_or_default()));
    }
    data
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}

/// What the downward API tells beside the pod itself.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub ip: Ipv4Addr,
    pub node: String,
}

/// Returns the variables of a container: those of the image, `envFrom`, then `env`, later ones replacing earlier.
///
/// Errors: the sentence of `CreateContainerConfigError`.
pub(crate) fn variables(
    pod: &Object,
    container: &Value,
    image: &[String],
    (sources, facts): (&Sources, &Facts),
) -> Result<Vec<(String, String)>, String> {
    let mut env = BTreeMap::new();
    for entry in image {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        env.insert(name.to_owned(), value.to_owned());
    }
    for source in container["envFrom"].as_array().into_iter().flatten() {
        env_from(source, sources, &mut env)?;
    }
    for entry in container["env"].as_array().into_iter().flatten() {
        let Some(name) = entry["name"].as_str() else { continue };
        let value = match entry.get("valueFrom").filter(|from| from.is_object()) {
            Some(from) => value_from(pod, container, from, (sources, facts))?,
            None => Some(expand(entry["value"].as_str().unwrap_or_default(), &env)),
        };
        if let Some(value) = value {
            env.insert(name.to_owned(), value);
        }
    }
    env.entry("PATH".into())
        .or_insert_with(|| "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    env.entry("HOSTNAME".into()).or_insert_with(|| pod.name().to_owned());
    env.insert("SLIPWAY_POD_IP".into(), facts.ip.to_string());
    Ok(env.into_iter().collect())
}

fn env_from(source: &Value, sources: &Sources, env: &mut BTreeMap<String, String>) -> Result<(), String> {
    let prefix = source["prefix"].as_str().unwrap_or_default();
    for (field, kind) in [("configMapRef", "configmap"), ("secretRef", "secret")] {
        let Some(name) = source[field]["name"].as_str() else { continue };
        let found = if kind == "secret" { sources.secret(name) } else { sources.config_map(name) };
        let Some(found) = found else {
            if source[field]["optional"] == true {
                continue;
            }
            return Err(format!("{kind} \"{name}\" not found"));
        };
        for (key, value) in found {
            env.insert(format!("{prefix}{key}"), String::from_utf8_lossy(value).into_owned());
        }
    }
    Ok(())
}

fn value_from(
    pod: &Object,
    container: &Value,
    from: &Value,
    (sources, facts): (&Sources, &Facts),
) -> Result<Option<String>, String> {
    if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
        return field(pod, path, facts).map(Some);
    }
    if from["resourceFieldRef"].is_object() {
        return Ok(Some(resource(pod, container, &from["resourceFieldRef"])));
    }
    for (reference, kind) in [("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")] {
        let reference = &from[reference];
        let (Some(name), Some(key)) = (reference["name"].as_str(), reference["key"].as_str()) else {
            continue;
        };
        let found = if kind == "secret" { sources.secret(name) } else { sources.config_map(name) };
        return match (found, found.and_then(|data| data.get(key))) {
            (_, Some(value)) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
            _ if reference["optional"] == true => Ok(None),
            (None, _) => Err(format!("{kind} \"{name}\" not found")),
            (Some(_), None) => Err(format!("couldn't find key {key} in {kind} {}/{name}", pod.namespace())),
        };
    }
    Err("env value has no known source".into())
}

/// Returns a field of the downward API.
pub(crate) fn field(pod: &Object, path: &str, facts: &Facts) -> Result<String, String> {
    if let Some((map, key)) = path.strip_suffix("']").and_then(|path| path.split_once("['")) {
        let field = map.strip_prefix("metadata.").ok_or_else(|| format!("unsupported fieldPath: {path}"))?;
        return Ok(pod.str(&["metadata", field, key]).to_owned());
    }
    let lines = |map: BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value:?}")).collect::<Vec<_>>().join("\n")
    };
    Ok(match path {
        "metadata.name" => pod.name().into(),
        "metadata.namespace" => pod.namespace().into(),
        "metadata.uid" => pod.uid().into(),
        "metadata.labels" => lines(pod.labels()),
        "metadata.annotations" => lines(pod.annotations()),
        "spec.nodeName" => facts.node.clone(),
        "spec.serviceAccountName" => pod.str(&["spec", "serviceAccountName"]).into(),
        "status.podIP" | "status.podIPs" => facts.ip.to_string(),
        "status.hostIP" | "status.hostIPs" => HOST.to_string(),
        other => return Err(format!("unsupported fieldPath: {other}")),
    })
}

/// Returns a request or limit in units of the divisor, rounded up; a limit that is not set is the machine's.
pub(crate) fn resource(pod: &Object, container: &Value, reference: &Value) -> String {
    let named = reference["containerName"].as_str();
    let mut containers = pod.items(&["spec", "containers"]).iter();
    let container = named.and_then(|name| containers.find(|one| one["name"] == name)).unwrap_or(container);
    let (kind, name) =
        reference["resource"].as_str().and_then(|text| text.split_once('.')).unwrap_or_default();
    let value = container["resources"][kind][name].as_str().and_then(quantity::milli);
    let value = value.unwrap_or_else(|| {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if kind == "limits" && name == "cpu" { i64::try_from(cpus).unwrap_or(1) * 1000 } else { 0 }
    });
    let divisor =
        reference["divisor"].as_str().and_then(quantity::milli).filter(|one| *one > 0).unwrap_or(1000);
    (value.div_euclid(divisor) + i64::from(value.rem_euclid(divisor) != 0)).to_string()
}

/// Returns `text` with `$(NAME)` replaced by variables; `$$` is a dollar, unknown names stay.
///
/// Source: `k8s.io/kubernetes/third_party/forked/golang/expansion`.
pub(crate) fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match env.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    fn facts() -> Facts {
        Facts { ip: Ipv4Addr::new(127, 64, 0, 7), node: "n".into() }
    }

    fn pod() -> Object {
        Object::from_value(json!({"metadata": {"name": "p", "namespace": "ns", "labels": {"app.x/y": "z"}}}))
    }

    #[expect(clippy::needless_pass_by_value, reason = "json!() at the call reads better so")]
    fn env(container: Value, sources: &Sources) -> Result<BTreeMap<String, String>, String> {
        let image = ["A=image".to_owned()];
        variables(&pod(), &container, &image, (sources, &facts())).map(|env| env.into_iter().collect())
    }

    #[test]
    fn expansion() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        for (text, expected) in
            [("x$(A)y", "x1y"), ("$(B)", "$(B)"), ("$$(A)", "$(A)"), ("$", "$"), ("$(A", "$(A")]
        {
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }

    #[test]
    fn every_source() {
        let map = BTreeMap::from([("k".to_owned(), b"v".to_vec())]);
        let sources =
            Sources(BTreeMap::from([((false, "cm".to_owned()), map.clone()), ((true, "s".to_owned()), map)]));
        let env = env(
            json!({
                "envFrom": [{"configMapRef": {"name": "cm"}, "prefix": "P_"}],
                "resources": {"limits": {"cpu": "1500m"}},
                "env": [
                    {"name": "B", "value": "$(A)-$(P_k)"},
                    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app.x/y']"}}},
                    {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                    {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k", "optional": true}}}
                ]
            }),
            &sources,
        )
        .unwrap();
        let pairs = [
            ("A", "image"),
            ("B", "image-v"),
            ("IP", "127.64.0.7"),
            ("LABEL", "z"),
            ("SECRET", "v"),
            ("CPU", "2"),
            ("SLIPWAY_POD_IP", "127.64.0.7"),
        ];
        for (name, value) in pairs {
            assert_eq!(env.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!env.contains_key("NONE"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let container =
            json!({"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}}]});
        assert_eq!(env(container.clone(), &Sources::default()), Err("configmap \"cm\" not found".into()));
        let sources = Sources(BTreeMap::from([((false, "cm".to_owned()), BTreeMap::new())]));
        assert_eq!(env(container, &sources), Err("couldn't find key k in configmap ns/cm".into()));
    }

    #[test]
    fn references_are_found_wherever_they_are() {
        let mut names = std::collections::BTreeSet::new();
        collect(
            &json!({"volumes": [{"name": "v", "secret": {"secretName": "a"}},
                {"name": "p", "projected": {"sources": [{"configMap": {"name": "b"}}, {"secret": {"name": "c"}}]}}]}),
            &mut names,
        );
        assert_eq!(names, [(true, "a".into()), (false, "b".into()), (true, "c".into())].into());
    }
}
