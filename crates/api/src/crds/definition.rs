//! A CustomResourceDefinition around a schema.

use object::{Object, Value, json};

use super::schema::{Schema, field, metadata, silent, string};

/// What a CustomResourceDefinition says apart from constants of our group.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) short: &'static [&'static str],
    pub(super) scope: Scope,
    pub(super) subresources: Subresources,
    pub(super) columns: &'static [Column],
    pub(super) description: &'static str,
    /// Schema of the parts beside `apiVersion`, `kind` and `metadata`.
    pub(super) schema: Schema,
}

/// Where objects live.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    Namespaced,
    Cluster,
}

/// Parts of an object that are written apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subresources {
    /// None: `status` is written with the object.
    None,
    Status,
    /// `status`, and `scale` as autoscalers read it.
    StatusAndScale,
}

/// A column of `kubectl get`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) path: &'static str,
    pub(super) description: &'static str,
    /// 0 is always shown, others with `-o wide`.
    pub(super) priority: i32,
}

impl Definition {
    /// Returns the CustomResourceDefinition, version `v1alpha1`, served and stored.
    pub(super) fn to_object(&self) -> Object {
        let singular = self.kind.to_lowercase();
        let mut names = json!({
            "kind": self.kind, "listKind": format!("{}List", self.kind),
            "plural": self.plural, "singular": singular,
        });
        if !self.short.is_empty() {
            names["shortNames"] = json!(self.short);
        }
        Object::from_value(json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{}.argoproj.io", self.plural)},
            "spec": {
                "group": "argoproj.io",
                "names": names,
                "scope": match self.scope { Scope::Namespaced => "Namespaced", Scope::Cluster => "Cluster" },
                "versions": [self.version()],
            },
        }))
    }

    fn version(&self) -> Value {
        let mut version = json!({
            "name": "v1alpha1", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": self.whole().into_value()},
        });
        if !self.columns.is_empty() {
            version["additionalPrinterColumns"] =
                self.columns.iter().copied().map(Column::to_value).collect();
        }
        match self.subresources {
            Subresources::None => {}
            Subresources::Status => version["subresources"] = json!({"status": {}}),
            Subresources::StatusAndScale => {
                version["subresources"] = json!({"status": {}, "scale": {
                    "specReplicasPath": ".spec.replicas",
                    "statusReplicasPath": ".status.HPAReplicas",
                    "labelSelectorPath": ".status.selector",
                }});
            }
        }
        version
    }

    fn whole(&self) -> Schema {
        self.schema
            .clone()
            .and(&[
                field("apiVersion", string(), "Group and version of this object."),
                field("kind", string(), "Kind of this object."),
                silent("metadata", metadata()),
            ])
            .with("description", self.description)
    }
}

impl Column {
    fn to_value(self) -> Value {
        let mut column = json!({"name": self.name, "type": self.kind, "jsonPath": self.path});
        if !self.description.is_empty() {
            column["description"] = json!(self.description);
        }
        if self.priority > 0 {
            column["priority"] = json!(self.priority);
        }
        column
    }
}
