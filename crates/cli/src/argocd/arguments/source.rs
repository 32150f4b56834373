//! Flags that make the spec of an Application.

use clap::Args;
use object::{Object, Value, json};

use super::super::context::Failure;
use super::automation::Automation;
use super::renderers::{HelmFlags, KustomizeFlags, OtherRendererFlags};
use crate::print::arguments::integer;

/// Flags of `create` and `set`.
#[derive(Args, Debug, Default)]
pub(in super::super) struct SpecFlags {
    #[command(flatten)]
    pub source: SourceFlags,
    #[command(flatten)]
    hydrator: HydratorFlags,
    /// Address of the cluster to deploy to.
    #[arg(long, value_name = "URL")]
    dest_server: Option<String>,
    /// Name of the cluster to deploy to.
    #[arg(long, value_name = "NAME")]
    dest_name: Option<String>,
    /// Namespace to deploy to.
    #[arg(long, value_name = "NAMESPACE")]
    dest_namespace: Option<String>,
    /// Project of the Application.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// How much history is kept; 10 when never said.
    #[arg(long, value_parser = integer, value_name = "COUNT")]
    revision_history_limit: Option<i64>,
    /// Accepted for compatibility.
    #[arg(long, hide = true)]
    env: Option<String>,
    /// Look at repository, revision, folder, manifests, project and cluster first.
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        action = clap::ArgAction::Set)]
    pub validate: bool,
    #[command(flatten)]
    automation: Automation,
}

/// Flags about one source.
#[derive(Args, Debug, Default)]
pub(in super::super) struct SourceFlags {
    /// Repository of the manifests.
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// Folder in the repository.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Branch, tag or commit, or version of a chart.
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Prefix of the tags among which a range of versions chooses.
    #[arg(long, value_name = "PREFIX")]
    tag_prefix: Option<String>,
    /// Chart of a Helm repository.
    #[arg(long, value_name = "NAME")]
    helm_chart: Option<String>,
    /// Name by which other sources refer to this one.
    #[arg(long = "ref", value_name = "NAME")]
    reference: Option<String>,
    /// Name of the source among several.
    #[arg(long, value_name = "NAME")]
    pub source_name: Option<String>,
    /// Read the folders below too.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    directory_recurse: Option<bool>,
    /// Pattern of the files to read.
    #[arg(long, value_name = "GLOB")]
    directory_include: Option<String>,
    /// Pattern of the files to leave out.
    #[arg(long, value_name = "GLOB")]
    directory_exclude: Option<String>,
    /// Read files of any extension.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    directory_disable_extension_filter: Option<bool>,
    #[command(flatten)]
    helm: HelmFlags,
    #[command(flatten)]
    kustomize: KustomizeFlags,
    #[command(flatten)]
    other: OtherRendererFlags,
}

/// Flags of the source hydrator.
#[derive(Args, Debug, Default)]
struct HydratorFlags {
    /// Repository of the dry source.
    #[arg(long, value_name = "URL")]
    dry_source_repo: Option<String>,
    /// Revision of the dry source.
    #[arg(long, value_name = "REVISION")]
    dry_source_revision: Option<String>,
    /// Folder of the dry source.
    #[arg(long, value_name = "PATH")]
    dry_source_path: Option<String>,
    /// Branch to sync from.
    #[arg(long, value_name = "BRANCH")]
    sync_source_branch: Option<String>,
    /// Folder to sync from.
    #[arg(long, value_name = "PATH")]
    sync_source_path: Option<String>,
    /// Branch to write manifests to.
    #[arg(long, value_name = "BRANCH")]
    hydrate_to_branch: Option<String>,
}

impl SpecFlags {
    /// Writes what the flags say into the spec of `app`; `position` is the source, from 1, of one with several.
    ///
    /// Returns whether any flag was given.
    pub fn write(&self, app: &mut Object, position: Option<usize>) -> Result<bool, Failure> {
        let flags = &self.hydrator;
        let texts: [(&Option<String>, &[&str]); 10] = [
            (&self.dest_server, &["spec", "destination", "server"]),
            (&self.dest_name, &["spec", "destination", "name"]),
            (&self.dest_namespace, &["spec", "destination", "namespace"]),
            (&self.project, &["spec", "project"]),
            (&flags.dry_source_repo, &["spec", "sourceHydrator", "drySource", "repoURL"]),
            (&flags.dry_source_revision, &["spec", "sourceHydrator", "drySource", "targetRevision"]),
            (&flags.dry_source_path, &["spec", "sourceHydrator", "drySource", "path"]),
            (&flags.sync_source_branch, &["spec", "sourceHydrator", "syncSource", "targetBranch"]),
            (&flags.sync_source_path, &["spec", "sourceHydrator", "syncSource", "path"]),
            (&flags.hydrate_to_branch, &["spec", "sourceHydrator", "hydrateTo", "targetBranch"]),
        ];
        let mut given = write_texts(app, &texts);
        if let Some(limit) = self.revision_history_limit {
            app.set(&["spec", "revisionHistoryLimit"], limit);
            given = true;
        }
        if self.source.write(&mut Object::default(), &Object::default()).unwrap_or(true) {
            let mut source = source(app, position)?;
            self.source.write(&mut source, app)?;
            set_source(app, position, source);
            given = true;
        }
        given |= self.automation.write(app)?;
        Ok(given)
    }
}

impl SourceFlags {
    /// Writes what the flags say into a source of Application `app`; returns whether any was given.
    pub fn write(&self, source: &mut Object, app: &Object) -> Result<bool, Failure> {
        let texts: [(&Option<String>, &[&str]); 9] = [
            (&self.source_name, &["name"]),
            (&self.repo, &["repoURL"]),
            (&self.path, &["path"]),
            (&self.revision, &["targetRevision"]),
            (&self.tag_prefix, &["tagPrefix"]),
            (&self.helm_chart, &["chart"]),
            (&self.reference, &["ref"]),
            (&self.directory_include, &["directory", "include"]),
            (&self.directory_exclude, &["directory", "exclude"]),
        ];
        let mut given = write_texts(source, &texts);
        let switches = [
            ("recurse", self.directory_recurse),
            ("disableExtensionFilter", self.directory_disable_extension_filter),
        ];
        for (field, switch) in switches {
            if let Some(switch) = switch {
                source.set(&["directory", field], switch);
                given = true;
            }
        }
        given |= self.helm.write(source, app)?;
        given |= self.kustomize.write(source)?;
        Ok(self.other.write(source)? || given)
    }
}

/// Writes the texts that were given to their places; returns whether there was any.
fn write_texts(object: &mut Object, texts: &[(&Option<String>, &[&str])]) -> bool {
    let mut given = false;
    for (text, path) in texts {
        if let Some(text) = text {
            object.set(path, text.clone());
            given = true;
        }
    }
    given
}

/// Returns the position, from 1, of the source that a name or a position means; `None` for a position that was not
/// given.
pub(in super::super) fn position(
    app: &Object,
    position: Option<i64>,
    name: Option<&str>,
) -> Result<Option<usize>, Failure> {
    let position = position.filter(|position| *position != -1);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(position.map(|position| usize::try_from(position).unwrap_or_default()));
    };
    if position.is_some() {
        return Err(Failure::fatal("Only one of source-position and source-name can be specified."));
    }
    let sources = app.items(&["spec", "sources"]);
    let index = sources.iter().position(|source| source["name"].as_str() == Some(name));
    index.map(|index| Some(index + 1)).ok_or_else(|| Failure::fatal(format!("Unknown source name '{name}'")))
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
        app.set(&["spec", "sources"], Value::from(several));
    }
}
