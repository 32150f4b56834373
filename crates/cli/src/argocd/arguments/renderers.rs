//! Flags about how manifests are made of a source: Helm, Kustomize, Jsonnet, plugins.

use clap::Args;
use object::{Object, Value, json};

use super::super::context::Failure;

/// Largest values file that is read, in bytes.
const MAX_VALUES: u64 = 1 << 20;

/// Flags of a Helm source.
#[derive(Args, Debug, Default)]
pub(in super::super) struct HelmFlags {
    /// Helm parameters, e.g. image.tag=v2.
    #[arg(short, long = "parameter", value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// Helm values, e.g. image.tag=v2.
    #[arg(long = "helm-set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Helm values that stay strings.
    #[arg(long = "helm-set-string", value_name = "KEY=VALUE")]
    set_string: Vec<String>,
    /// Helm values that are read from files of the repository.
    #[arg(long = "helm-set-file", value_name = "KEY=PATH")]
    set_file: Vec<String>,
    /// Helm values files of the repository.
    #[arg(long, value_name = "PATH")]
    values: Vec<String>,
    /// File with Helm values to write into the Application.
    #[arg(long, value_name = "FILE")]
    values_literal_file: Option<String>,
    /// Name of the Helm release.
    #[arg(long, value_name = "NAME")]
    release_name: Option<String>,
    /// Version of Helm.
    #[arg(long, value_name = "VERSION")]
    helm_version: Option<String>,
    /// Namespace that Helm renders for.
    #[arg(long, value_name = "NAMESPACE")]
    helm_namespace: Option<String>,
    /// Version of Kubernetes that Helm renders for.
    #[arg(long, value_name = "VERSION")]
    helm_kube_version: Option<String>,
    /// APIs that Helm renders for, e.g. v1/Service.
    #[arg(long, value_name = "GROUP/VERSION/KIND")]
    helm_api_versions: Vec<String>,
    /// Send credentials to all domains.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    helm_pass_credentials: Option<bool>,
    /// Leave the definitions of a chart out.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    helm_skip_crds: Option<bool>,
    /// Leave the tests of a chart out.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    helm_skip_tests: Option<bool>,
    /// Do not check values against the chart's schema.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    helm_skip_schema_validation: Option<bool>,
    /// Do without values files that the repository does not have.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    ignore_missing_value_files: Option<bool>,
}

/// Flags of a Kustomize source.
#[derive(Args, Debug, Default)]
pub(in super::super) struct KustomizeFlags {
    /// Prefix that Kustomize puts before names.
    #[arg(long, value_name = "PREFIX")]
    nameprefix: Option<String>,
    /// Suffix that Kustomize puts behind names.
    #[arg(long, value_name = "SUFFIX")]
    namesuffix: Option<String>,
    /// Images that Kustomize replaces, e.g. a=b:v2.
    #[arg(long = "kustomize-image", value_name = "IMAGE")]
    images: Vec<String>,
    /// Counts that Kustomize sets, e.g. web=3.
    #[arg(long = "kustomize-replica", value_name = "NAME=COUNT")]
    replicas: Vec<String>,
    /// Version of Kustomize.
    #[arg(long, value_name = "VERSION")]
    kustomize_version: Option<String>,
    /// Namespace that Kustomize sets.
    #[arg(long, value_name = "NAMESPACE")]
    kustomize_namespace: Option<String>,
    /// Version of Kubernetes that charts are rendered for.
    #[arg(long, value_name = "VERSION")]
    kustomize_kube_version: Option<String>,
    /// APIs that charts are rendered for, e.g. v1/Service.
    #[arg(long, value_name = "GROUP/VERSION/KIND")]
    kustomize_api_versions: Vec<String>,
    /// Labels that Kustomize adds.
    #[arg(long = "kustomize-common-label", value_name = "KEY=VALUE")]
    common_labels: Vec<String>,
    /// Annotations that Kustomize adds.
    #[arg(long = "kustomize-common-annotation", value_name = "KEY=VALUE")]
    common_annotations: Vec<String>,
    /// Replace labels that are there.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    kustomize_force_common_label: Option<bool>,
    /// Replace annotations that are there.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    kustomize_force_common_annotation: Option<bool>,
    /// Do not add labels to selectors.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    kustomize_label_without_selector: Option<bool>,
    /// Add labels to templates.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    kustomize_label_include_templates: Option<bool>,
    /// Do without components that the repository does not have.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    ignore_missing_components: Option<bool>,
}

/// Flags of Jsonnet files and of plugins.
#[derive(Args, Debug, Default)]
pub(in super::super) struct OtherRendererFlags {
    /// Jsonnet top-level arguments that are strings.
    #[arg(long, value_name = "KEY=VALUE")]
    jsonnet_tla_str: Vec<String>,
    /// Jsonnet top-level arguments that are code.
    #[arg(long, value_name = "KEY=CODE")]
    jsonnet_tla_code: Vec<String>,
    /// Jsonnet external variables that are strings.
    #[arg(long, value_name = "KEY=VALUE")]
    jsonnet_ext_var_str: Vec<String>,
    /// Jsonnet external variables that are code.
    #[arg(long, value_name = "KEY=CODE")]
    jsonnet_ext_var_code: Vec<String>,
    /// Jsonnet libraries of the repository.
    #[arg(long, value_name = "PATH")]
    jsonnet_libs: Vec<String>,
    /// Plugin that makes the manifests.
    #[arg(long, value_name = "NAME")]
    config_management_plugin: Option<String>,
    /// Environment of the plugin.
    #[arg(long, value_name = "KEY=VALUE")]
    plugin_env: Vec<String>,
}

impl HelmFlags {
    /// Writes what the flags say into a source of Application `app`; returns whether any was given.
    pub fn write(&self, source: &mut Object, app: &Object) -> Result<bool, Failure> {
        let before = source.clone();
        self.write_parameters(source, app)?;
        write_texts(
            source,
            "helm",
            &[
                ("releaseName", &self.release_name),
                ("version", &self.helm_version),
                ("namespace", &self.helm_namespace),
                ("kubeVersion", &self.helm_kube_version),
            ],
        );
        write_switches(
            source,
            "helm",
            &[
                ("passCredentials", self.helm_pass_credentials),
                ("skipCrds", self.helm_skip_crds),
                ("skipTests", self.helm_skip_tests),
                ("skipSchemaValidation", self.helm_skip_schema_validation),
                ("ignoreMissingValueFiles", self.ignore_missing_value_files),
            ],
        );
        write_lists(
            source,
            "helm",
            &[("valueFiles", &self.values), ("apiVersions", &self.helm_api_versions)],
        );
        if let Some(file) = &self.values_literal_file {
            source.remove(&["helm", "values"]);
            source.set(&["helm", "valuesObject"], literal_values(file)?);
        }
        Ok(*source != before || self.any())
    }

    fn any(&self) -> bool {
        let lists = [
            &self.parameters,
            &self.set,
            &self.set_string,
            &self.set_file,
            &self.values,
            &self.helm_api_versions,
        ];
        let texts = [
            &self.values_literal_file,
            &self.release_name,
            &self.helm_version,
            &self.helm_namespace,
            &self.helm_kube_version,
        ];
        let switches = [
            self.helm_pass_credentials,
            self.helm_skip_crds,
            self.helm_skip_tests,
            self.helm_skip_schema_validation,
            self.ignore_missing_value_files,
        ];
        lists.iter().any(|list| !list.is_empty())
            || texts.iter().any(|text| text.is_some())
            || switches.iter().any(Option::is_some)
    }

    fn write_parameters(&self, source: &mut Object, app: &Object) -> Result<(), Failure> {
        if let Some(first) = self.parameters.first() {
            let other =
                ["kustomize", "directory", "plugin"].iter().any(|field| source.get(&[*field]).is_some());
            let known = app.str(&["status", "sourceType"]);
            let helm = source.get(&["helm"]).is_some() || source.get(&["chart"]).is_some();
            if !helm && (other || !matches!(known, "" | "Helm") || (known.is_empty() && !first.contains('=')))
            {
                return Err(Failure::failed("Parameters can only be set against Helm applications"));
            }
        }
        for text in self.parameters.iter().chain(&self.set) {
            let (name, value) = pair(text, "helm parameter of the form: param=value")?;
            put(source, &["helm", "parameters"], json!({"name": name, "value": value}));
        }
        for text in &self.set_string {
            let (name, value) = pair(text, "helm parameter of the form: param=value")?;
            put(source, &["helm", "parameters"], json!({"name": name, "value": value, "forceString": true}));
        }
        for text in &self.set_file {
            let (name, path) = pair(text, "helm file parameter of the form: param=path")?;
            put(source, &["helm", "fileParameters"], json!({"name": name, "path": path}));
        }
        Ok(())
    }
}

impl KustomizeFlags {
    /// Writes what the flags say into a source; returns whether any was given.
    pub fn write(&self, source: &mut Object) -> Result<bool, Failure> {
        let texts = [
            ("namePrefix", &self.nameprefix),
            ("nameSuffix", &self.namesuffix),
            ("version", &self.kustomize_version),
            ("namespace", &self.kustomize_namespace),
            ("kubeVersion", &self.kustomize_kube_version),
        ];
        let switches = [
            ("forceCommonLabels", self.kustomize_force_common_label),
            ("forceCommonAnnotations", self.kustomize_force_common_annotation),
            ("labelWithoutSelector", self.kustomize_label_without_selector),
            ("labelIncludeTemplates", self.kustomize_label_include_templates),
            ("ignoreMissingComponents", self.ignore_missing_components),
        ];
        write_texts(source, "kustomize", &texts);
        write_switches(source, "kustomize", &switches);
        write_lists(source, "kustomize", &[("apiVersions", &self.kustomize_api_versions)]);
        let marks = [("commonLabels", &self.common_labels), ("commonAnnotations", &self.common_annotations)];
        for (field, texts) in marks {
            for text in texts {
                let (key, value) = pair(text, "label of the form: key=value")?;
                source.set(&["kustomize", field, key], value);
            }
        }
        for text in &self.replicas {
            let (name, count) = pair(text, "parameter of the form: name=count")?;
            let count: i64 = count.parse().map_err(|_| {
                Failure::fatal(format!("expected integer value for count. Received: {count}"))
            })?;
            put(source, &["kustomize", "replicas"], json!({"name": name, "count": count}));
        }
        self.images.iter().for_each(|image| add_image(source, image));
        let lists = [
            &self.images,
            &self.replicas,
            &self.common_labels,
            &self.common_annotations,
            &self.kustomize_api_versions,
        ];
        Ok(texts.iter().any(|(_, text)| text.is_some())
            || switches.iter().any(|(_, switch)| switch.is_some())
            || lists.iter().any(|list| !list.is_empty()))
    }
}

impl OtherRendererFlags {
    /// Writes what the flags say into a source; returns whether any was given.
    pub fn write(&self, source: &mut Object) -> Result<bool, Failure> {
        let variables = [
            ("tlas", &self.jsonnet_tla_str, false),
            ("tlas", &self.jsonnet_tla_code, true),
            ("extVars", &self.jsonnet_ext_var_str, false),
            ("extVars", &self.jsonnet_ext_var_code, true),
        ];
        for (field, texts, code) in variables {
            for text in texts {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                let mut entry = json!({"name": name, "value": value});
                if code {
                    entry["code"] = true.into();
                }
                put(source, &["directory", "jsonnet", field], entry);
            }
        }
        if !self.jsonnet_libs.is_empty() {
            source.set(&["directory", "jsonnet", "libs"], self.jsonnet_libs.clone());
        }
        if let Some(name) = &self.config_management_plugin {
            source.set(&["plugin", "name"], name.clone());
        }
        for text in &self.plugin_env {
            let (name, value) = pair(text, "env entry of the form: param=value")?;
            put(source, &["plugin", "env"], json!({"name": name, "value": value}));
        }
        Ok(variables.iter().any(|(_, texts, _)| !texts.is_empty())
            || !self.jsonnet_libs.is_empty()
            || self.config_management_plugin.is_some()
            || !self.plugin_env.is_empty())
    }
}

fn write_texts(source: &mut Object, part: &str, fields: &[(&str, &Option<String>)]) {
    for (field, text) in fields {
        if let Some(text) = text {
            source.set(&[part, field], text.clone());
        }
    }
}

fn write_switches(source: &mut Object, part: &str, fields: &[(&str, Option<bool>)]) {
    for (field, switch) in fields {
        if let Some(switch) = switch {
            source.set(&[part, field], *switch);
        }
    }
}

fn write_lists(source: &mut Object, part: &str, fields: &[(&str, &Vec<String>)]) {
    for (field, list) in fields.iter().filter(|(_, list)| !list.is_empty()) {
        source.set(&[part, field], (*list).clone());
    }
}

fn pair<'a>(text: &'a str, wanted: &str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once('=').ok_or_else(|| Failure::failed(format!("expected {wanted}. Received: {text}")))
}

/// Puts an entry into a list, in the place of the one with its name.
fn put(source: &mut Object, path: &[&str], entry: Value) {
    let mut all = source.items(path).to_vec();
    match all.iter_mut().find(|known| known["name"] == entry["name"]) {
        Some(known) => *known = entry,
        None => all.push(entry),
    }
    source.set(path, all);
}

/// Returns the values in a file. Errors: a file that cannot be read or is no mapping.
fn literal_values(file: &str) -> Result<Value, Failure> {
    use std::io::Read as _;
    let fail = |error: std::io::Error| Failure::fatal(format!("open {file}: {error}"));
    let mut text = String::new();
    std::fs::File::open(file).map_err(fail)?.take(MAX_VALUES).read_to_string(&mut text).map_err(fail)?;
    let values = object::yaml::document(&text)
        .map_err(|error| Failure::fatal(format!("failed converting yaml to json: {error}")))?;
    if values.is_object() {
        Ok(values)
    } else {
        Err(Failure::fatal(format!("{file} holds no mapping of values")))
    }
}

/// Returns the part of a Kustomize image that names it: before `=`, else before the tag or digest.
pub(in super::super) fn image_name(image: &str) -> &str {
    let name = image.split_once('=').map_or(image, |(name, _)| name);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((before, after)) if !after.contains('/') => before,
        _ => name,
    }
}

fn add_image(source: &mut Object, image: &str) {
    let mut all = source.items(&["kustomize", "images"]).to_vec();
    match all.iter_mut().find(|known| known.as_str().map(image_name) == Some(image_name(image))) {
        Some(known) => *known = Value::from(image),
        None => all.push(image.into()),
    }
    source.set(&["kustomize", "images"], all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_replaced_by_name() {
        let mut source = Object::default();
        let flags = HelmFlags {
            parameters: vec!["a=1".into(), "b=2".into(), "a=3=4".into()],
            set_string: vec!["c=true".into()],
            ..HelmFlags::default()
        };
        assert_eq!(flags.write(&mut source, &Object::default()), Ok(true));
        let wanted = json!({"helm": {"parameters": [
            {"name": "a", "value": "3=4"}, {"name": "b", "value": "2"},
            {"name": "c", "value": "true", "forceString": true}]}});
        assert_eq!(source.to_value(), wanted);
        assert_eq!(HelmFlags::default().write(&mut source, &Object::default()), Ok(false));
    }

    #[test]
    fn parameters_need_helm() {
        let flags = HelmFlags { parameters: vec!["a=1".into()], ..HelmFlags::default() };
        let app = Object::from_value(json!({"status": {"sourceType": "Directory"}}));
        assert!(flags.write(&mut Object::default(), &app).is_err());
    }

    #[test]
    fn kustomize_and_jsonnet_are_written_where_they_belong() {
        let mut source = Object::default();
        let kustomize = KustomizeFlags {
            replicas: vec!["web=3".into()],
            common_labels: vec!["a=b".into()],
            images: vec!["x=y:1".into(), "x=z:2".into()],
            ..KustomizeFlags::default()
        };
        assert_eq!(kustomize.write(&mut source), Ok(true));
        let jsonnet =
            OtherRendererFlags { jsonnet_tla_code: vec!["n=1".into()], ..OtherRendererFlags::default() };
        assert_eq!(jsonnet.write(&mut source), Ok(true));
        let wanted = json!({
            "kustomize": {"replicas": [{"name": "web", "count": 3}], "commonLabels": {"a": "b"}, "images": ["x=z:2"]},
            "directory": {"jsonnet": {"tlas": [{"name": "n", "value": "1", "code": true}]}}});
        assert_eq!(source.to_value(), wanted);
    }
}
