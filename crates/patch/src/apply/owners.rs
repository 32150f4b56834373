//! How ownership moves.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Force;
use super::error::subject;
use super::managed::{Owned, Owner};
use crate::fields::{PathElement, Set, compare_values};
use crate::schema::{Schema, TypeRef};
use crate::typed;

type Fields = BTreeMap<Owner, Owned>;

/// A field that somebody else owns and that would change.
#[derive(Debug)]
pub struct Conflict {
    pub owner: Owner,
    pub path: Vec<PathElement>,
}

/// Why an apply does not go on.
#[derive(Debug)]
pub enum Failure {
    Conflicts(Vec<Conflict>),
    Invalid(String),
}

/// The result of an apply.
#[derive(Debug)]
pub struct Applied {
    /// The object; none if it stays as it is.
    pub object: Option<Value>,
    pub fields: Fields,
}

/// The type and version in which objects are compared.
#[derive(Clone, Copy)]
pub struct Ownership<'a> {
    pub schema: &'a Schema,
    pub ty: &'a TypeRef,
    pub api_version: &'a str,
}

impl Ownership<'_> {
    /// All owners after `owner` wrote `after` over `before`.
    pub fn update(
        &self,
        (before, after): (&Value, &Value),
        fields: &Fields,
        owner: &Owner,
    ) -> Result<Fields, String> {
        let compared = typed::compare(self.schema, self.ty, before, after)?;
        let mut fields = self.reconciled(fields);
        settle(&mut fields, &compared, owner);
        let own = fields.remove(owner).map(|owned| owned.set).unwrap_or_default();
        let set = own.difference(&compared.removed).union(&compared.modified).union(&compared.added);
        if !set.is_empty() {
            fields.insert(owner.clone(), Owned { set, api_version: self.api_version.to_owned() });
        }
        Ok(fields)
    }

    /// The object and owners after `owner` applied.
    pub fn apply(
        &self,
        (live, applied): (&Value, &Value),
        managed: &super::Managed,
        owner: &Owner,
        force: Force,
    ) -> Result<Applied, Failure> {
        let (schema, ty) = (self.schema, self.ty);
        let mut fields = self.reconciled(&managed.fields);
        let merged = typed::merge(schema, ty, live, applied)
            .map_err(|why| Failure::Invalid(format!("failed to merge config: {why}")))?;
        let set = typed::field_set(schema, ty, applied);
        let previous = fields.insert(owner.clone(), Owned { set, api_version: self.api_version.to_owned() });
        let mut object = match previous {
            Some(previous) if !previous.set.is_empty() => self.pruned(&merged, &fields, &previous.set),
            _ => merged,
        };
        if !schema.is_custom() {
            object = typed::without_nulls(schema, ty, &object);
        }
        let compared = typed::compare(schema, ty, live, &object).map_err(|why| {
            let subject = subject(live);
            Failure::Invalid(format!("failed to create typed live object ({subject}): {why}"))
        })?;
        if force == Force::No {
            let conflicts = conflicts(&fields, &compared, owner);
            if !conflicts.is_empty() {
                return Err(Failure::Conflicts(conflicts));
            }
        }
        settle(&mut fields, &compared, owner);
        let is_same = compare_values(live, &object).is_eq();
        Ok(Applied { object: (!is_same).then_some(object), fields })
    }

    fn reconciled(&self, fields: &Fields) -> Fields {
        let one = |owned: &Owned| Owned {
            set: typed::reconciled(self.schema, self.ty, &owned.set),
            api_version: owned.api_version.clone(),
        };
        fields.iter().map(|(owner, owned)| (owner.clone(), one(owned))).collect()
    }

    /// `merged` without what only the applier owned before and no longer applies.
    fn pruned(&self, merged: &Value, fields: &Fields, previous: &Set) -> Value {
        let (schema, ty) = (self.schema, self.ty);
        let named = |set: &Set| typed::with_named_fields(schema, ty, set);
        let previous = named(previous);
        let merged_set = named(&typed::field_set(schema, ty, merged));
        let mut pruned = typed::without(schema, ty, merged, &previous);
        // What anybody owns now comes back, version by version.
        let mut by_version: BTreeMap<&str, Set> = BTreeMap::new();
        for owned in fields.values() {
            let all = by_version.entry(&owned.api_version).or_default();
            *all = all.union(&owned.set);
        }
        for owned in by_version.values() {
            let there = named(&typed::field_set(schema, ty, &pruned));
            let gone = merged_set.difference(&there.union(&named(owned)));
            pruned = typed::without(schema, ty, merged, &gone);
        }
        // What the applier never owned comes back, too: it only hung below something that went.
        let there = named(&typed::field_set(schema, ty, &pruned));
        let gone = merged_set.difference(&there).intersection(&previous);
        typed::without_emptied(schema, ty, merged, &gone)
    }
}

/// What others own of the changed fields.
fn conflicts(fields: &Fields, compared: &typed::Comparison, owner: &Owner) -> Vec<Conflict> {
    let changed = compared.modified.union(&compared.added);
    let mut conflicts = Vec::new();
    for (other, owned) in fields.iter().filter(|(other, _)| *other != owner) {
        let shared = owned.set.intersection(&changed);
        conflicts.extend(shared.paths().into_iter().map(|path| Conflict { owner: other.clone(), path }));
    }
    conflicts
}

/// Takes changed and removed fields from all others; owners of nothing go.
fn settle(fields: &mut Fields, compared: &typed::Comparison, owner: &Owner) {
    let changed = compared.modified.union(&compared.added);
    for (_, owned) in fields.iter_mut().filter(|(other, _)| *other != owner) {
        let lost = owned.set.intersection(&changed);
        owned.set = owned.set.difference(&lost).difference(&compared.removed);
    }
    fields.retain(|_, owned| !owned.set.is_empty());
}
