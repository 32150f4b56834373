//! The difference of two objects as a strategic merge patch.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::at::At;
use super::list::distinct;
use super::order::{self, Elements};
use super::{DELETE_FROM, DIRECTIVE, RETAIN_KEYS, SET_ORDER};
use crate::PatchError;
use crate::schema::{PatchStrategy, Retain};
use crate::text::{go_type, go_value};

type Object = Map<String, Value>;

/// Which differences are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Everything,
    /// What is new or other, not what is gone.
    Changes,
    /// What is gone.
    Deletions,
}

/// How objects are compared.
#[derive(Clone, Copy)]
pub struct Differ {
    take: Take,
    retain: Retain,
}

/// A list's part of a patch.
#[derive(Default)]
struct ListPatch {
    changes: Vec<Value>,
    deletions: Vec<Value>,
    order: Vec<Value>,
}

impl Differ {
    pub fn new(take: Take) -> Self {
        Self { take, retain: Retain::All }
    }

    fn changes(self) -> bool {
        self.take != Take::Deletions
    }

    fn deletions(self) -> bool {
        self.take != Take::Changes
    }

    /// The patch from `original` to `modified`.
    pub fn maps(self, original: &Object, modified: &Object, at: At<'_>) -> Result<Object, PatchError> {
        let mut patch = Object::new();
        for (key, wanted) in modified {
            match original.get(key) {
                Some(found) => self.key(key, (found, wanted), &mut patch, at)?,
                None if self.changes() => {
                    patch.insert(key.clone(), wanted.clone());
                }
                None => {}
            }
        }
        if self.deletions() {
            for key in original.keys().filter(|key| !modified.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
        }
        if self.retain == Retain::Named {
            retain_keys(&mut patch, original, modified);
        }
        Ok(patch)
    }

    fn key(
        self,
        key: &str,
        (found, wanted): (&Value, &Value),
        patch: &mut Object,
        at: At<'_>,
    ) -> Result<(), PatchError> {
        if key == DIRECTIVE {
            if !found.is_string() || !wanted.is_string() {
                let text = format!("invalid value for special key: {DIRECTIVE}");
                return Err(PatchError::Internal(text));
            }
            if found != wanted {
                patch.insert(key.to_owned(), wanted.clone());
            }
            return Ok(());
        }
        match (found, wanted) {
            (Value::Object(found), Value::Object(wanted)) => self.object(key, (found, wanted), patch, at),
            (Value::Array(found), Value::Array(wanted)) => self.list(key, (found, wanted), patch, at),
            _ => {
                if self.changes() && (found != wanted || go_type(found) != go_type(wanted)) {
                    patch.insert(key.to_owned(), wanted.clone());
                }
                Ok(())
            }
        }
    }

    fn object(
        self,
        key: &str,
        (found, wanted): (&Object, &Object),
        patch: &mut Object,
        at: At<'_>,
    ) -> Result<(), PatchError> {
        let (sub, rule) = match at.object(key) {
            Ok(found) => found,
            Err(_) if found == wanted => return Ok(()),
            Err(error) => return Err(error),
        };
        if rule.strategy == PatchStrategy::Replace {
            if self.changes() {
                patch.insert(key.to_owned(), Value::Object(wanted.clone()));
            }
            return Ok(());
        }
        let change = Self { retain: rule.retain, ..self }.maps(found, wanted, sub)?;
        if !change.is_empty() {
            patch.insert(key.to_owned(), Value::Object(change));
        }
        Ok(())
    }

    fn list(
        self,
        key: &str,
        (found, wanted): (&[Value], &[Value]),
        patch: &mut Object,
        at: At<'_>,
    ) -> Result<(), PatchError> {
        let (sub, rule) = match at.list(key) {
            Ok(found) => found,
            Err(_) if found == wanted => return Ok(()),
            Err(error) => return Err(error),
        };
        if rule.strategy != PatchStrategy::Merge {
            if self.changes() && found != wanted {
                patch.insert(key.to_owned(), Value::Array(wanted.to_vec()));
            }
            return Ok(());
        }
        let change = Self { retain: rule.retain, ..self }.lists(found, wanted, &rule.merge_key, sub)?;
        let named = [
            (key.to_owned(), change.changes),
            (format!("{DELETE_FROM}/{key}"), change.deletions),
            (format!("{SET_ORDER}/{key}"), change.order),
        ];
        for (key, items) in named.into_iter().filter(|(_, items)| !items.is_empty()) {
            patch.insert(key, Value::Array(items));
        }
        Ok(())
    }

    fn lists(
        self,
        found: &[Value],
        wanted: &[Value],
        merge_key: &str,
        at: At<'_>,
    ) -> Result<ListPatch, PatchError> {
        if found.is_empty() {
            let changes = if self.changes() { wanted.to_vec() } else { Vec::new() };
            return Ok(ListPatch { changes, ..ListPatch::default() });
        }
        match order::elements(&[found, wanted])? {
            Elements::Maps => self.lists_of_maps(found, wanted, merge_key, at),
            Elements::Scalars => self.lists_of_scalars(found, wanted),
        }
    }

    fn lists_of_maps(
        self,
        found: &[Value],
        wanted: &[Value],
        merge_key: &str,
        at: At<'_>,
    ) -> Result<ListPatch, PatchError> {
        order::check_merge_keys(merge_key, &[found, wanted])?;
        let id = |value: &Value| go_value(value.get(merge_key).unwrap_or(&Value::Null));
        let mut changes = Vec::new();
        let mut deletions = Vec::new();
        for pair in zipped(found, wanted, id) {
            match pair {
                (Some(Value::Object(found)), Some(Value::Object(wanted))) => {
                    let mut change = self.maps(found, wanted, at)?;
                    if !change.is_empty() {
                        change.insert(merge_key.to_owned(), wanted[merge_key].clone());
                        changes.push(Value::Object(change));
                    }
                }
                (None, Some(wanted)) if self.changes() => changes.push(wanted.clone()),
                (Some(found), None) if self.deletions() => {
                    deletions.push(json!({ merge_key: found[merge_key], DIRECTIVE: "delete" }));
                }
                _ => {}
            }
        }
        let mut changes = order::sorted(changes, wanted, merge_key, Elements::Maps)?;
        changes.append(&mut deletions);
        let same = found.len() == wanted.len()
            && found.iter().zip(wanted).all(|(found, wanted)| found[merge_key] == wanted[merge_key]);
        let ordered = !changes.is_empty() || self.changes() && !same;
        let order = wanted.iter().filter(|_| ordered).map(|item| json!({ merge_key: item[merge_key] }));
        Ok(ListPatch { changes, deletions, order: order.collect() })
    }

    fn lists_of_scalars(self, found: &[Value], wanted: &[Value]) -> Result<ListPatch, PatchError> {
        let mut patch = ListPatch::default();
        for pair in zipped(found, wanted, go_value) {
            match pair {
                (None, Some(wanted)) if self.changes() => patch.changes.push(wanted.clone()),
                (Some(found), None) if self.deletions() => patch.deletions.push(found.clone()),
                _ => {}
            }
        }
        patch.deletions = distinct(patch.deletions);
        patch.changes = order::sorted(patch.changes, wanted, "", Elements::Scalars)?;
        if !patch.deletions.is_empty() || self.changes() && found != wanted {
            patch.order = wanted.to_vec();
        }
        Ok(patch)
    }
}

/// Both lists sorted by `id`, equals side by side.
fn zipped<'a>(
    left: &'a [Value],
    right: &'a [Value],
    id: impl Fn(&Value) -> String,
) -> Vec<(Option<&'a Value>, Option<&'a Value>)> {
    let by_id = |list: &'a [Value]| {
        let mut list: Vec<(String, &'a Value)> = list.iter().map(|value| (id(value), value)).collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list.into_iter().peekable()
    };
    let (mut left, mut right) = (by_id(left), by_id(right));
    let mut pairs = Vec::new();
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(l), Some(r)) => l.0.cmp(&r.0),
        };
        let one = if order == Ordering::Greater { None } else { left.next() };
        let other = if order == Ordering::Less { None } else { right.next() };
        pairs.push((one.map(|(_, value)| value), other.map(|(_, value)| value)));
    }
}

/// Adds `$retainKeys` where the patch says something or a key must go.
fn retain_keys(patch: &mut Object, original: &Object, modified: &Object) {
    let gone = original.iter().any(|(key, value)| !value.is_null() && !modified.contains_key(key));
    let mut kept: Vec<String> =
        modified.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.clone()).collect();
    kept.sort();
    if !kept.is_empty() && (!patch.is_empty() || gone) {
        patch.insert(RETAIN_KEYS.to_owned(), json!(kept));
    }
}
