//! What patches need to know of a type: its fields, which lists are maps or sets, which maps are one leaf,
//! and how `kubectl` and the API server merge each field.

mod builtin;
mod crd;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

/// A graph of types and the kinds that start in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    kinds: BTreeMap<String, TypeRef>,
    types: BTreeMap<Arc<str>, Type>,
    root: Option<TypeRef>,
}

/// A use of a type: by name, in place, or of whatever is found there.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeRef {
    /// A type of the graph; `map` overrides how it is merged where it is used.
    Named {
        /// The name in the graph, such as `core.v1.PodSpec`.
        name: Arc<str>,
        /// The use's own `x-kubernetes-map-type`.
        map: Option<MapKind>,
    },
    /// A type without a name.
    Inline(Arc<Type>),
    /// Nothing is known: maps merge field by field, lists are one leaf.
    Untyped,
}

/// The shape of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// An object with known fields.
    Struct(Struct),
    /// An object whose keys are data.
    Map {
        /// The type of each value.
        element: TypeRef,
        /// Whether the keys are owned one by one.
        kind: MapKind,
    },
    /// A list.
    List(List),
    /// A leaf.
    Scalar(Scalar),
    /// Nothing is known: see [`TypeRef::Untyped`].
    Untyped,
}

/// An object with known fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    /// The known fields by JSON name.
    pub fields: BTreeMap<String, Field>,
    /// The type of fields that are not known; none where they are an error.
    pub others: Option<TypeRef>,
    /// Whether the fields are owned one by one.
    pub kind: MapKind,
    /// The fields that must be there.
    pub required: BTreeSet<String>,
}

/// One field of a [`Struct`].
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The field's type.
    pub ty: TypeRef,
    /// How the strategic merge patch treats it.
    pub patch: PatchRule,
    /// The default that OpenAPI gives.
    pub default: Option<Value>,
}

/// `x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatchRule {
    /// How the two values are put together.
    pub strategy: PatchStrategy,
    /// Whether `$retainKeys` is made for, and clears, this field's keys.
    pub retain: Retain,
    /// The key that tells a list's elements apart; empty for lists of scalars.
    pub merge_key: String,
}

/// How the strategic merge patch puts two values together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatchStrategy {
    /// Nothing said: objects merge, lists are replaced.
    #[default]
    Unset,
    /// Lists merge, too.
    Merge,
    /// The patch's value stands.
    Replace,
}

/// Whether a field has the `retainKeys` strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retain {
    /// Keys that a patch does not name stay.
    #[default]
    All,
    /// Keys that `$retainKeys` does not name go.
    Named,
}

/// How the keys of an object are owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapKind {
    /// The object is one leaf.
    Atomic,
    /// Each key by itself.
    #[default]
    Granular,
}

/// A list.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// The type of each element.
    pub element: TypeRef,
    /// How elements are owned.
    pub kind: ListKind,
}

/// How the elements of a list are owned: `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListKind {
    /// The list is one leaf.
    Atomic,
    /// Each scalar by itself.
    Set,
    /// Each object by the values of these keys.
    Map(Vec<String>),
}

/// The leaf types that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    String,
    /// An integer or float.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any of them: quantities, times, int-or-string.
    Any,
}

static UNTYPED: Type = Type::Untyped;
/// A use of the unknown type that lives as long as needed.
pub(crate) static UNTYPED_REF: TypeRef = TypeRef::Untyped;

impl Schema {
    /// The built-in kinds of Kubernetes 1.36 that Slipway serves.
    #[must_use]
    pub fn builtin() -> &'static Self {
        builtin::schema()
    }

    /// The schema of a custom resource's version.
    ///
    /// **Source:** `openAPIV3Schema` with the `x-kubernetes-*` extensions of structural schemas; `metadata` is
    /// always `ObjectMeta`, also of embedded resources.
    #[must_use]
    pub fn from_crd(open_api_v3_schema: &Value) -> Self {
        crd::schema(open_api_v3_schema)
    }

    /// The type of objects of a kind; of a custom resource's schema always its root.
    ///
    /// `group` is empty for core kinds. `meta.k8s.io/v1` gives the meta types by name.
    #[must_use]
    pub fn type_of(&self, group: &str, version: &str, kind: &str) -> Option<TypeRef> {
        self.root.clone().or_else(|| self.kinds.get(&format!("{group}/{version}/{kind}")).cloned())
    }

    /// Whether this is a custom resource's schema.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.root.is_some()
    }

    /// All `group/version/Kind` that start in this graph, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// The type a reference stands for; [`Type::Untyped`] for a name that is not in the graph.
    #[must_use]
    pub fn resolve<'a>(&'a self, reference: &'a TypeRef) -> &'a Type {
        match reference {
            TypeRef::Inline(ty) => ty,
            TypeRef::Untyped => &UNTYPED,
            TypeRef::Named { name, .. } => match self.types.get(name) {
                Some(ty) => ty,
                None if self.root.is_some() => Self::builtin().types.get(name).unwrap_or(&UNTYPED),
                None => &UNTYPED,
            },
        }
    }

    /// The field `name` of an object type, if it is a known field.
    #[must_use]
    pub fn field<'a>(&'a self, reference: &'a TypeRef, name: &str) -> Option<&'a Field> {
        match self.resolve(reference) {
            Type::Struct(object) => object.fields.get(name),
            Type::Map { .. } | Type::List(_) | Type::Scalar(_) | Type::Untyped => None,
        }
    }
}

impl TypeRef {
    /// A reference to a named type of the graph, such as `core.v1.PodTemplateSpec`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::Named { name: name.into(), map: None }
    }

    /// A reference to a type in place.
    #[must_use]
    pub fn inline(ty: Type) -> Self {
        Self::Inline(Arc::new(ty))
    }
}

impl PatchRule {
    /// Reads the two OpenAPI extensions; the strategy is a comma-separated list.
    #[must_use]
    pub fn parse(strategies: &str, merge_key: &str) -> Self {
        let mut rule = Self { merge_key: merge_key.to_owned(), ..Self::default() };
        for strategy in strategies.split(',') {
            match strategy {
                "merge" => rule.strategy = PatchStrategy::Merge,
                "replace" => rule.strategy = PatchStrategy::Replace,
                "retainKeys" => rule.retain = Retain::Named,
                _ => {}
            }
        }
        rule
    }
}

#[cfg(test)]
mod tests;
