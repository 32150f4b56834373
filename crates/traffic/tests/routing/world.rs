//! A cluster that holds router objects and nothing else.

use std::sync::Arc;

use object::{Object, Value};
use traffic::{Change, Live, Problem, Reference, Routed, Router, Wanted};

/// Router objects, as an API server keeps them.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub objects: Vec<Object>,
    version: u32,
    completes: bool,
    drops_names: bool,
}

impl World {
    pub fn new(objects: Vec<Object>) -> Self {
        let mut world = Self::default();
        for object in objects {
            world.put(object);
        }
        world
    }

    /// Returns a world that puts defaults into what it keeps, as an API server does.
    pub fn that_completes(objects: Vec<Object>) -> Self {
        let mut world = Self { completes: true, ..Self::default() };
        for object in objects {
            world.put(object);
        }
        world
    }

    /// Returns a world whose definitions know no names of rules.
    pub fn that_drops_names(objects: Vec<Object>) -> Self {
        let mut world = Self { drops_names: true, ..Self::default() };
        for object in objects {
            world.put(object);
        }
        world
    }

    pub fn live(&self) -> Live {
        self.objects.iter().cloned().map(Arc::new).collect()
    }

    pub fn get(&self, kind: &str, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.kind() == kind && object.name() == name)
    }

    /// Plans for all routers and carries it out, one after the other.
    pub fn route(&mut self, routers: &[Router], wanted: &Wanted<'_>) -> Result<Routed, Problem> {
        let mut all = Routed::default();
        for router in routers {
            let routed = router.plan(wanted, &self.live())?;
            for change in &routed.changes {
                self.apply(change);
            }
            all.changes.extend(routed.changes);
            all.events.extend(routed.events);
            all.verified = all.verified.or(routed.verified);
        }
        Ok(all)
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(object) => {
                assert!(self.find(&Reference::of(object)).is_none(), "{change}: the name is taken");
                self.put(object.clone());
            }
            Change::Patch { reference, resource_version, .. } => {
                let index = self.find(reference).unwrap_or_else(|| panic!("{change}: not there"));
                let live = self.objects.remove(index);
                assert_eq!(live.resource_version(), resource_version, "{change}: conflict");
                let mut value = live.to_value();
                patch::merge::apply(&mut value, &change.body().unwrap());
                assert_ne!(value, live.to_value(), "{change}: changes nothing");
                self.put(Object::from_value(value));
            }
            Change::Delete { reference, uid } => {
                let index = self.find(reference).unwrap_or_else(|| panic!("{change}: not there"));
                assert_eq!(self.objects.remove(index).uid(), uid, "{change}: another object");
            }
        }
    }

    fn find(&self, reference: &Reference) -> Option<usize> {
        self.objects.iter().position(|object| Reference::of(object) == *reference)
    }

    fn put(&mut self, mut object: Object) {
        self.version += 1;
        if self.completes {
            crate::schema::complete(&mut object);
        }
        if self.drops_names {
            let rules = object.as_map_mut().get_mut("spec").and_then(|spec| spec.get_mut("rules"));
            for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
                rule.as_object_mut().unwrap().remove("name");
            }
        }
        object.set(&["metadata", "resourceVersion"], self.version.to_string());
        if object.uid().is_empty() {
            object.set(&["metadata", "uid"], format!("uid-{}", self.version));
        }
        self.objects.push(object);
    }
}

/// Returns the object without what the API server puts into it.
pub fn bare(object: &Object) -> Value {
    let mut object = object.clone();
    object.remove(&["metadata", "resourceVersion"]);
    object.remove(&["metadata", "uid"]);
    let map = object.as_map_mut();
    if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, value| {
            !(matches!(key.as_str(), "labels" | "annotations")
                && value.as_object().is_some_and(object::Map::is_empty))
        });
    }
    object.into_value()
}
