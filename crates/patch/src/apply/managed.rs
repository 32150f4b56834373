//! `metadata.managedFields`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fields::{PathElement, Set};

/// What a manager did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn text(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who owns fields. Appliers are one owner in all API versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    pub manager: String,
    pub operation: Operation,
    /// Empty for appliers.
    pub api_version: String,
    pub subresource: String,
}

impl Owner {
    pub fn applier(manager: &str, subresource: Option<&str>) -> Self {
        Self::new(manager, Operation::Apply, "", subresource.unwrap_or_default())
    }

    pub fn updater(manager: &str, api_version: &str, subresource: Option<&str>) -> Self {
        Self::new(manager, Operation::Update, api_version, subresource.unwrap_or_default())
    }

    fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        Self {
            manager: if manager.is_empty() { "unknown" } else { manager }.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: subresource.to_owned(),
        }
    }
}

/// What an owner owns, in which version.
#[derive(Debug, Clone, PartialEq)]
pub struct Owned {
    pub set: Set,
    pub api_version: String,
}

/// All owners of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Managed {
    pub fields: BTreeMap<Owner, Owned>,
    /// When each owner last changed something, RFC 3339.
    pub times: BTreeMap<Owner, String>,
}

impl Managed {
    /// Reads the managed fields of an object.
    pub fn decode(object: &Value) -> Result<Self, String> {
        let mut managed = Self::default();
        for (index, entry) in entries(object).iter().enumerate() {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            let operation = match text("operation") {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return Err("operation must be `Apply` or `Update`".to_owned()),
            };
            let api_version = text("apiVersion");
            if api_version.is_empty() {
                return Err("apiVersion must not be empty".to_owned());
            }
            match text("fieldsType") {
                "FieldsV1" => {}
                "" => return Err(format!("missing fieldsType in managed fields entry {index}")),
                other => {
                    return Err(format!("invalid fieldsType {other:?} in managed fields entry {index}"));
                }
            }
            let owner_version = if operation == Operation::Apply { "" } else { api_version };
            let owner = Owner {
                manager: text("manager").to_owned(),
                operation,
                api_version: owner_version.to_owned(),
                subresource: text("subresource").to_owned(),
            };
            let set = match entry.get("fieldsV1").filter(|fields| !fields.is_null()) {
                Some(fields) => {
                    Set::from_fields_v1(fields).map_err(|why| format!("error decoding set: {why}"))?
                }
                None => Set::new(),
            };
            if let Some(time) = entry["time"].as_str() {
                managed.times.insert(owner.clone(), time.to_owned());
            }
            managed.fields.insert(owner, Owned { set, api_version: api_version.to_owned() });
        }
        Ok(managed)
    }

    /// The managed fields a write starts from: its own where it brings readable ones along (never on a
    /// subresource), else those of the stored object. An empty list, or one empty entry, resets them.
    pub fn of_write(before: Option<&Value>, after: &Value, subresource: Option<&str>) -> Self {
        let live = || before.map_or_else(Self::default, |live| Self::decode(live).unwrap_or_default());
        if subresource.is_some_and(|name| !name.is_empty()) {
            return live();
        }
        let is_reset = match after["metadata"].get("managedFields").and_then(Value::as_array) {
            Some(entries) => match entries.as_slice() {
                [] => true,
                [one] => one.as_object().is_some_and(Map::is_empty),
                _ => false,
            },
            None => false,
        };
        if is_reset {
            return Self::default();
        }
        match Self::decode(after) {
            Ok(managed) if !managed.fields.is_empty() => managed,
            _ => live(),
        }
    }

    /// Writes the managed fields into an object: appliers first, then by time, manager, version, subresource.
    pub fn encode_into(&self, object: &mut Value) {
        let mut owners: Vec<&Owner> = self.fields.keys().collect();
        owners.sort_by_key(|owner| {
            let time = self.times.get(*owner).map_or("", String::as_str);
            let api_version = &self.fields[*owner].api_version;
            (owner.operation, time, &owner.manager, api_version, &owner.subresource)
        });
        let entries: Vec<Value> = owners.into_iter().map(|owner| self.entry(owner)).collect();
        if let Some(map) = object.as_object_mut() {
            let meta = map.entry("metadata").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                if entries.is_empty() {
                    meta.remove("managedFields");
                } else {
                    meta.insert("managedFields".to_owned(), Value::Array(entries));
                }
            }
        }
    }

    fn entry(&self, owner: &Owner) -> Value {
        let owned = &self.fields[owner];
        let mut entry = json!({
            "manager": owner.manager,
            "operation": owner.operation.text(),
            "apiVersion": owned.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": owned.set.to_fields_v1(),
        });
        if let Some(time) = self.times.get(owner) {
            entry["time"] = json!(time);
        }
        if !owner.subresource.is_empty() {
            entry["subresource"] = json!(owner.subresource);
        }
        entry
    }

    /// Merges the oldest updaters of each version into one until there are no more than `most`.
    pub fn cap_updaters(&mut self, most: usize, bucket_name: &str) {
        let mut updaters: Vec<Owner> =
            self.fields.keys().filter(|owner| owner.operation == Operation::Update).cloned().collect();
        updaters.sort_by_key(|owner| (self.times.get(owner).cloned().unwrap_or_default(), owner.clone()));
        let mut count = updaters.len();
        let mut first_of_version: BTreeMap<String, Owner> = BTreeMap::new();
        for owner in updaters {
            if count <= most {
                return;
            }
            let Some(owned) = self.fields.get(&owner).cloned() else { continue };
            let Some(first) = first_of_version.get(&owned.api_version) else {
                first_of_version.insert(owned.api_version, owner);
                continue;
            };
            let bucket = Owner::updater(bucket_name, &owned.api_version, None);
            if !self.fields.contains_key(&bucket)
                && let Some(of_first) = self.fields.remove(first)
            {
                self.fields.insert(bucket.clone(), of_first);
            }
            self.fields.remove(&owner);
            let time = self.times.get(&owner).cloned();
            if let Some(all) = self.fields.get_mut(&bucket) {
                all.set = all.set.union(&owned.set);
            }
            if let Some(time) = time {
                self.times.insert(bucket, time);
            }
            count -= 1;
        }
    }
}

fn entries(object: &Value) -> &[Value] {
    object["metadata"]["managedFields"].as_array().map_or(&[], Vec::as_slice)
}

/// Paths that are never owned.
pub fn never_owned() -> Set {
    let mut set = Set::new();
    for name in ["apiVersion", "kind", "metadata"] {
        set.insert(&[PathElement::field(name)]);
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&[PathElement::field("metadata"), PathElement::field(name)]);
    }
    set
}
