//! Flags that make the spec of an Application.

use clap::Args;
use object::{Object, Value, json};

use super::super::context::Failure;

/// Flags of `create` and `set`.
#[derive(Args, Debug, Default)]
pub(in super::super) struct SpecFlags {
    /// Repository of the manifests.
    #[arg(long)]
    pub repo: Option<String>,
    /// Folder in the repository.
    #[arg(long)]
    pub path: Option<String>,
    /// Branch, tag or commit.
    #[arg(long)]
    pub revision: Option<String>,
    /// Address of the cluster to deploy to.
    #[arg(long)]
    pub dest_server: Option<String>,
    /// Name of the cluster to deploy to.
    #[arg(long)]
    pub dest_name: Option<String>,
    /// Namespace to deploy to.
    #[arg(long)]
    pub dest_namespace: Option<String>,
    /// Project of the Application.
    #[arg(long)]
    pub project: Option<String>,
    /// How much history is kept.
    #[arg(long)]
    pub revision_history_limit: Option<i64>,
    /// Read the folders below too.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub directory_recurse: Option<bool>,
    /// Pattern of the files to read.
    #[arg(long)]
    pub directory_include: Option<String>,
    /// Pattern of the files to leave out.
    #[arg(long)]
    pub directory_exclude: Option<String>,
    /// Helm parameters, e.g. image.tag=v2.
    #[arg(short, long = "parameter", value_name = "KEY=VALUE")]
    pub parameters: Vec<String>,
    /// Helm values files.
    #[arg(long)]
    pub values: Vec<String>,
    /// Name of the Helm release.
    #[arg(long)]
    pub release_name: Option<String>,
    /// Prefix that Kustomize puts before names.
    #[arg(long)]
    pub nameprefix: Option<String>,
    /// Suffix that Kustomize puts behind names.
    #[arg(long)]
    pub namesuffix: Option<String>,
    /// Images that Kustomize replaces, e.g. a=b:v2.
    #[arg(long = "kustomize-image")]
    pub kustomize_images: Vec<String>,
    #[command(flatten)]
    pub automation: Automation,
}

/// Flags about when and how is synced.
#[derive(Args, Debug, Default)]
pub(in super::super) struct Automation {
    /// When to sync: automated (auto) or none.
    #[arg(long)]
    pub sync_policy: Option<String>,
    /// Delete what the source no longer has.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub auto_prune: Option<bool>,
    /// Undo changes made to the cluster.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub self_heal: Option<bool>,
    /// Sync even when nothing is left.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_empty: Option<bool>,
    /// Options of a sync, e.g. CreateNamespace=true; `!` before to take one back.
    #[arg(long = "sync-option", value_name = "KEY=VALUE")]
    pub sync_options: Vec<String>,
    /// How often a failed sync is tried again.
    #[arg(long, allow_hyphen_values = true)]
    pub sync_retry_limit: Option<i64>,
    /// First wait between tries.
    #[arg(long)]
    pub sync_retry_backoff_duration: Option<String>,
    /// Longest wait between tries.
    #[arg(long)]
    pub sync_retry_backoff_max_duration: Option<String>,
    /// How much longer each wait is.
    #[arg(long)]
    pub sync_retry_backoff_factor: Option<i64>,
}

impl SpecFlags {
    /// Writes what the flags say into the spec of `app`; `position` is the source, from 1, of one with several.
    ///
    /// Returns whether any flag was given.
    pub fn write(&self, app: &mut Object, position: Option<usize>) -> Result<bool, Failure> {
        let texts = [
            (&self.dest_server, ["destination", "server"].as_slice()),
            (&self.dest_name, &["destination", "name"]),
            (&self.dest_namespace, &["destination", "namespace"]),
            (&self.project, &["project"]),
        ];
        let mut given = false;
        for (text, path) in texts {
            if let Some(text) = text {
                let path: Vec<&str> = std::iter::once("spec").chain(path.iter().copied()).collect();
                app.set(&path, text.clone());
                given = true;
            }
        }
        if let Some(limit) = self.revision_history_limit {
            app.set(&["spec", "revisionHistoryLimit"], limit);
            given = true;
        }
        if self.touches_source() {
            let mut source = source(app, position)?;
            self.write_source(&mut source)?;
            set_source(app, position, source);
            given = true;
        }
        given |= self.automation.write(app)?;
        Ok(given)
    }

    fn texts(&self) -> [(&Option<String>, &'static [&'static str]); 8] {
        [
            (&self.repo, &["repoURL"]),
            (&self.path, &["path"]),
            (&self.revision, &["targetRevision"]),
            (&self.directory_include, &["directory", "include"]),
            (&self.directory_exclude, &["directory", "exclude"]),
            (&self.release_name, &["helm", "releaseName"]),
            (&self.nameprefix, &["kustomize", "namePrefix"]),
            (&self.namesuffix, &["kustomize", "nameSuffix"]),
        ]
    }

    fn touches_source(&self) -> bool {
        let lists = [&self.parameters, &self.values, &self.kustomize_images];
        self.texts().iter().any(|(text, _)| text.is_some())
            || self.directory_recurse.is_some()
            || lists.iter().any(|list| !list.is_empty())
    }

    fn write_source(&self, source: &mut Object) -> Result<(), Failure> {
        for (text, path) in self.texts() {
            if let Some(text) = text {
                source.set(path, text.clone());
            }
        }
        if let Some(recurse) = self.directory_recurse {
            source.set(&["directory", "recurse"], recurse);
        }
        if !self.values.is_empty() {
            source.set(&["helm", "valueFiles"], self.values.clone());
        }
        self.kustomize_images.iter().for_each(|image| add_image(source, image));
        self.parameters.iter().try_for_each(|parameter| add_parameter(source, parameter))
    }
}

/// Returns the source of the Application that flags change.
pub(in super::super) fn source(app: &Object, position: Option<usize>) -> Result<Object, Failure> {
    let several = app.items(&["spec", "sources"]);
    if several.is_empty() {
        return Ok(Object::from_value(app.get(&["spec", "source"]).cloned().unwrap_or_else(|| json!({}))));
    }
    let Some(index) = position.and_then(|position| position.checked_sub(1)) else {
        return Err(Failure::fatal(
            "Source position should be specified and must be greater than 0 for applications with multiple sources",
        ));
    };
    let source = several.get(index).ok_or_else(|| {
        Failure::fatal("Source position should be less than the number of sources in the application")
    })?;
    Ok(Object::from_value(source.clone()))
}

/// Puts a source back where [`source`] found it.
pub(in super::super) fn set_source(app: &mut Object, position: Option<usize>, source: Object) {
    let mut several = app.items(&["spec", "sources"]).to_vec();
    if several.is_empty() {
        if !source.as_map().is_empty() {
            app.set(&["spec", "source"], source.into_value());
        }
        return;
    }
    if let Some(slot) = position.and_then(|position| several.get_mut(position.checked_sub(1)?)) {
        *slot = source.into_value();
        app.set(&["spec", "sources"], several);
    }
}

fn add_parameter(source: &mut Object, parameter: &str) -> Result<(), Failure> {
    let Some((name, value)) = parameter.split_once('=') else {
        let text = format!("expected helm parameter of the form: param=value. Received: {parameter}");
        return Err(Failure::failed(text));
    };
    let mut all = source.items(&["helm", "parameters"]).to_vec();
    let entry = json!({"name": name, "value": value});
    match all.iter_mut().find(|known| known["name"] == name) {
        Some(known) => *known = entry,
        None => all.push(entry),
    }
    source.set(&["helm", "parameters"], all);
    Ok(())
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

impl Automation {
    /// Writes what the flags say into `spec.syncPolicy`; returns whether any flag was given.
    fn write(&self, app: &mut Object) -> Result<bool, Failure> {
        let mut given = self.write_policy(app)?;
        let switches = [
            (self.auto_prune, "auto-prune", "prune"),
            (self.self_heal, "self-heal", "selfHeal"),
            (self.allow_empty, "allow-empty", "allowEmpty"),
        ];
        for (value, flag, field) in switches {
            let Some(value) = value else { continue };
            if app.get(&["spec", "syncPolicy", "automated"]).is_none_or(Value::is_null) {
                let text = format!("Cannot set --{flag}: application not configured with automatic sync");
                return Err(Failure::failed(text));
            }
            app.set(&["spec", "syncPolicy", "automated", field], value);
            given = true;
        }
        given |= !self.sync_options.is_empty();
        self.sync_options.iter().for_each(|option| set_option(app, option));
        Ok(self.write_retry(app) || given)
    }

    fn write_policy(&self, app: &mut Object) -> Result<bool, Failure> {
        match self.sync_policy.as_deref() {
            None => return Ok(false),
            Some("none") => {
                app.remove(&["spec", "syncPolicy", "automated"]);
                if app.get(&["spec", "syncPolicy"]).is_some_and(|policy| *policy == json!({})) {
                    app.remove(&["spec", "syncPolicy"]);
                }
            }
            Some("automated" | "automatic" | "auto") => {
                if app.get(&["spec", "syncPolicy", "automated"]).is_none() {
                    app.set(&["spec", "syncPolicy", "automated"], json!({}));
                }
            }
            Some(other) => return Err(Failure::failed(format!("Invalid sync-policy: {other}"))),
        }
        Ok(true)
    }

    fn write_retry(&self, app: &mut Object) -> bool {
        let retry = ["spec", "syncPolicy", "retry"];
        let mut given = false;
        let mut set = |field: &[&str], value: Option<Value>| {
            if let Some(value) = value {
                let path: Vec<&str> = retry.iter().chain(field).copied().collect();
                app.set(&path, value);
                given = true;
            }
        };
        set(&["limit"], self.sync_retry_limit.map(Value::from));
        set(&["backoff", "duration"], self.sync_retry_backoff_duration.clone().map(Value::from));
        set(&["backoff", "maxDuration"], self.sync_retry_backoff_max_duration.clone().map(Value::from));
        set(&["backoff", "factor"], self.sync_retry_backoff_factor.map(Value::from));
        given
    }
}

/// Adds a sync option, or takes the one behind `!` back.
fn set_option(app: &mut Object, option: &str) {
    let path = ["spec", "syncPolicy", "syncOptions"];
    let mut all = app.items(&path).to_vec();
    match option.strip_prefix('!') {
        Some(option) => all.retain(|known| known != option),
        None if !all.iter().any(|known| known == option) => all.push(option.into()),
        None => {}
    }
    app.set(&path, all);
}
