//! A place in the schema.

use crate::PatchError;
use crate::schema::{PatchRule, Schema, Type, TypeRef, UNTYPED_REF};

/// The type of the object being merged.
#[derive(Clone, Copy)]
pub struct At<'a> {
    schema: &'a Schema,
    ty: &'a TypeRef,
}

static PLAIN: PatchRule = PatchRule {
    strategy: crate::schema::PatchStrategy::Unset,
    retain: crate::schema::Retain::All,
    merge_key: String::new(),
};

impl<'a> At<'a> {
    pub fn new(schema: &'a Schema, ty: &'a TypeRef) -> Self {
        Self { schema, ty }
    }

    /// The type of the field `key` that holds an object, and how it is merged.
    pub fn object(self, key: &str) -> Result<(Self, &'a PatchRule), PatchError> {
        self.field(key)
    }

    /// The type of the elements of the list in field `key`, and how the list is merged.
    pub fn list(self, key: &str) -> Result<(Self, &'a PatchRule), PatchError> {
        let (at, rule) = self.field(key)?;
        let ty = match self.schema.resolve(at.ty) {
            Type::List(list) => &list.element,
            Type::Struct(_) | Type::Map { .. } | Type::Scalar(_) | Type::Untyped => &UNTYPED_REF,
        };
        Ok((Self { ty, ..self }, rule))
    }

    fn field(self, key: &str) -> Result<(Self, &'a PatchRule), PatchError> {
        let (ty, rule) = match self.schema.resolve(self.ty) {
            Type::Struct(object) => match (object.fields.get(key), &object.others) {
                (Some(field), _) => (&field.ty, &field.patch),
                (None, Some(element)) => (element, &PLAIN),
                (None, None) => return Err(self.no_field(key)),
            },
            Type::Map { element, .. } => (element, &PLAIN),
            Type::List(_) | Type::Scalar(_) | Type::Untyped => (&UNTYPED_REF, &PLAIN),
        };
        Ok((Self { ty, ..self }, rule))
    }

    fn no_field(self, key: &str) -> PatchError {
        PatchError::Internal(format!(
            "unable to find api field in struct {} for the json field \"{key}\"",
            self.name()
        ))
    }

    /// The name of the type as in Go, without its package.
    pub fn name(self) -> &'a str {
        match self.ty {
            TypeRef::Named { name, .. } => name.rsplit('.').next().unwrap_or(name),
            TypeRef::Inline(_) | TypeRef::Untyped => "",
        }
    }
}
