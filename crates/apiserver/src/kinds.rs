//! The kinds that are served, as data.
//!
//! `kinds/builtin.json` is what a kube-apiserver 1.36.3 says of its resources: discovery, and the columns of tables.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::Value;

use crate::crd::Custom;

/// One resource: its names, what can be done with it, and how it is shown.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "`kind` and `listKind` are the words of discovery")]
pub(crate) struct Kind {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub list_kind: String,
    pub namespaced: bool,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub verbs: Vec<String>,
    pub hash: String,
    pub subresources: BTreeMap<String, Subresource>,
    pub columns: Vec<Column>,
    /// `None` for built-in kinds.
    pub custom: Option<Arc<Custom>>,
}

/// A subresource of a [`Kind`]; `group` and `version` are those of what it speaks, empty where they are the kind's.
#[derive(Clone, Debug)]
pub(crate) struct Subresource {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub verbs: Vec<String>,
}

/// A column of a server-side table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// The column's definition, as it is sent.
    pub definition: Value,
    /// Where a custom resource's cell is found.
    pub path: Option<object::jsonpath::JsonPath>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    group_version: String,
    name: String,
    #[serde(default)]
    singular_name: String,
    namespaced: bool,
    kind: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    version: String,
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    storage_version_hash: String,
    #[serde(default)]
    columns: Vec<Value>,
}

static BUILTIN: LazyLock<Vec<Arc<Kind>>> = LazyLock::new(|| load(include_str!("kinds/builtin.json")));

/// Returns the built-in kinds, in discovery's order.
pub(crate) fn builtin() -> &'static [Arc<Kind>] {
    &BUILTIN
}

/// Returns the built-in kind of this group, version and resource.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
    let fits = |kind: &&Arc<Kind>| kind.group == group && kind.version == version && kind.plural == plural;
    BUILTIN.iter().find(fits).cloned()
}

#[expect(clippy::expect_used, reason = "the table is part of the program and a test reads it")]
fn load(text: &str) -> Vec<Arc<Kind>> {
    let rows: Vec<Row> = serde_json::from_str(text).expect("builtin.json has the shape of Row");
    let mut kinds: Vec<Kind> = Vec::new();
    for row in rows {
        let (group, version) = split_version(&row.group_version);
        match row.name.split_once('/') {
            Some((plural, sub)) => {
                let found = kinds.iter_mut().find(|kind| kind.group == group && kind.plural == plural);
                if let Some(kind) = found {
                    kind.subresources.insert(sub.to_owned(), row.subresource());
                }
            }
            None => kinds.push(row.kind(group, version)),
        }
    }
    kinds.into_iter().map(Arc::new).collect()
}

impl Row {
    fn subresource(self) -> Subresource {
        Subresource { group: self.group, version: self.version, kind: self.kind, verbs: self.verbs }
    }

    fn kind(&self, group: &str, version: &str) -> Kind {
        let column = |definition: &Value| Column { definition: definition.clone(), path: None };
        Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: self.name.clone(),
            singular: self.singular_name.clone(),
            kind: self.kind.clone(),
            list_kind: format!("{}List", self.kind),
            namespaced: self.namespaced,
            short_names: self.short_names.clone(),
            categories: self.categories.clone(),
            verbs: self.verbs.clone(),
            hash: self.storage_version_hash.clone(),
            subresources: BTreeMap::new(),
            columns: self.columns.iter().map(column).collect(),
            custom: None,
        }
    }
}

/// Splits `group/version`; the core group is empty.
pub(crate) fn split_version(group_version: &str) -> (&str, &str) {
    group_version.split_once('/').unwrap_or(("", group_version))
}

impl Kind {
    /// Returns `group/version`, or `version` in the core group.
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Returns `plural.group`, or `plural` in the core group.
    pub fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Returns `Kind.group`, or `Kind` in the core group.
    pub fn qualified_kind(&self) -> String {
        match self.group.as_str() {
            "" => self.kind.clone(),
            group => format!("{}.{group}", self.kind),
        }
    }

    /// Returns `group/plural`: which kind this is, whatever its version; as used to tell kinds apart in tables of rules.
    pub fn id(&self) -> String {
        format!("{}/{}", self.group, self.plural)
    }

    /// Returns whether two groups' kinds are one in the store: Events are.
    pub fn is_new_event(&self) -> bool {
        self.group == "events.k8s.io"
    }

    /// Returns the prefix of the store's keys of all objects of the kind, with its final slash.
    pub fn prefix(&self) -> String {
        let group = if self.is_new_event() { "" } else { self.group.as_str() };
        format!("/{group}/{}/", self.plural)
    }

    /// Returns the store's key of an object; `namespace` is ignored for cluster-scoped kinds.
    pub fn key(&self, namespace: &str, name: &str) -> String {
        if self.namespaced {
            format!("{}{namespace}/{name}", self.prefix())
        } else {
            format!("{}{name}", self.prefix())
        }
    }

    /// Returns the prefix of the keys in a namespace; of all when `namespace` is empty.
    pub fn scope(&self, namespace: &str) -> String {
        if self.namespaced && !namespace.is_empty() {
            format!("{}{namespace}/", self.prefix())
        } else {
            self.prefix()
        }
    }

    /// Returns whether `status` is a resource of its own, so that writes to the object leave it.
    pub fn has_status(&self) -> bool {
        self.subresources.contains_key("status")
    }

    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}
