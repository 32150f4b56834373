//! Arguments: `{{args.name}}` in the text of a metric.

use std::collections::BTreeMap;

use api::analysis::{AnalysisRun, Argument, Metric, SecretKeyRef};
use object::Value;

/// Values of the Secret keys that a run's arguments name.
pub type Secrets = BTreeMap<(String, String), String>;

/// What stands for a secret value while the run is only checked, and in everything that is shown.
const HIDDEN: &str = "*****";

/// Returns the Secret keys that the arguments of a run name.
pub fn secrets(run: &AnalysisRun) -> Vec<&SecretKeyRef> {
    run.spec.args.iter().filter_map(secret).collect()
}

fn secret(argument: &Argument) -> Option<&SecretKeyRef> {
    argument.value_from.as_ref()?.secret_key_ref.as_ref()
}

/// Returns `metric` with its arguments filled in. Without `known` secrets their values stay hidden.
///
/// Errors: an argument without value, or a placeholder without argument: `failed to resolve {{args.x}}`.
pub fn resolve(metric: &Metric, arguments: &[Argument], known: Option<&Secrets>) -> Result<Metric, String> {
    let mut values = BTreeMap::new();
    for argument in arguments {
        values.insert(argument.name.as_str(), value(argument, known)?);
    }
    let text = serde_json::to_string(metric).map_err(|error| error.to_string())?;
    let text = fill(&text, &values)?;
    serde_json::from_str(&text).map_err(|error| format!("metric {}: {error}", metric.name))
}

fn value(argument: &Argument, known: Option<&Secrets>) -> Result<String, String> {
    if let Some(value) = &argument.value {
        if argument.value_from.is_some() {
            return Err(format!("arg {} has both Value and ValueFrom fields", argument.name));
        }
        return Ok(value.clone());
    }
    let Some(reference) = secret(argument) else {
        return Err(format!("argument '{}' does not have a value", argument.name));
    };
    let Some(known) = known else { return Ok(HIDDEN.into()) };
    let key = (reference.name.clone(), reference.key.clone());
    known.get(&key).cloned().ok_or_else(|| format!("key '{}' does not exist in secret '{}'", key.1, key.0))
}

/// Replaces each placeholder by its value, escaped for the JSON text it stands in.
fn fill(text: &str, values: &BTreeMap<&str, String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else { break };
        let name = rest[start + 2..start + length].trim();
        out.push_str(&rest[..start]);
        rest = &rest[start + length + 2..];
        let value = name.strip_prefix("args.").and_then(|argument| values.get(argument));
        let value = value.ok_or_else(|| format!("failed to resolve {{{{{name}}}}}"))?;
        let quoted = Value::String(value.clone()).to_string();
        out.push_str(&quoted[1..quoted.len() - 1]);
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns `text` with every secret value hidden.
pub fn redact(text: &str, secrets: &Secrets) -> String {
    let values = secrets.values().filter(|value| !value.is_empty());
    values.fold(text.to_owned(), |text, value| text.replace(value.as_str(), HIDDEN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::analysis::{Provider, ValueFrom, WebMetric};

    fn argument(name: &str, value: Option<&str>, key: Option<&str>) -> Argument {
        let reference = key.map(|key| SecretKeyRef { name: "s".into(), key: key.into() });
        Argument {
            name: name.into(),
            value: value.map(str::to_owned),
            value_from: reference.map(|key| ValueFrom { secret_key_ref: Some(key), ..ValueFrom::default() }),
        }
    }

    fn metric(url: &str) -> Metric {
        let web = WebMetric { url: url.into(), ..WebMetric::default() };
        Metric {
            name: "m".into(),
            provider: Provider { web: Some(web), ..Provider::default() },
            ..Metric::default()
        }
    }

    fn url(metric: &Metric) -> &str {
        &metric.provider.web.as_ref().unwrap().url
    }

    #[test]
    fn placeholders_are_filled_and_escaped() {
        let arguments = [argument("host", Some("a\"b"), None), argument("port", Some("80"), None)];
        let resolved = resolve(&metric("http://{{args.host}}:{{ args.port }}/"), &arguments, None).unwrap();
        assert_eq!(url(&resolved), "http://a\"b:80/");
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        let error = resolve(&metric("{{args.gone}}"), &[], None).unwrap_err();
        assert_eq!(error, "failed to resolve {{args.gone}}");
        let error = resolve(&metric("x"), &[argument("a", None, None)], None).unwrap_err();
        assert_eq!(error, "argument 'a' does not have a value");
        let error = resolve(&metric("x"), &[argument("a", Some("1"), Some("k"))], None).unwrap_err();
        assert_eq!(error, "arg a has both Value and ValueFrom fields");
    }

    #[test]
    fn secrets_are_filled_only_when_known_and_never_shown() {
        let arguments = [argument("token", None, Some("k"))];
        assert_eq!(url(&resolve(&metric("{{args.token}}"), &arguments, None).unwrap()), "*****");
        let known = Secrets::from([(("s".into(), "k".into()), "hunter2".into())]);
        assert_eq!(url(&resolve(&metric("{{args.token}}"), &arguments, Some(&known)).unwrap()), "hunter2");
        assert_eq!(redact("GET http://x?t=hunter2: refused", &known), "GET http://x?t=*****: refused");
    }
}
