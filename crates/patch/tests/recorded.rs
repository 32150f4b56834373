//! What a real kube-apiserver 1.36.3 answered to creates, updates, patches and applies, against ours.
//!
//! `recorded/ownership.json` holds one case a line: the stored object before, the request, the answer. Times of
//! managed fields are not compared; what the server defaults or sets beyond the request may only be more than ours.

use patch::apply::{ApplyError, ApplyOptions, Force, UpdateOptions, apply, update};
use patch::schema::{Schema, TypeRef};
use patch::{PatchError, json, merge, strategic};
use serde_json::Value;

const NOW: &str = "2026-11-21T10:00:00Z";

/// What the server sets on creation after it has recorded who owns what: allocation, admission, strategies.
const SET_AFTER_TRACKING: &[(&str, &str, &str)] = &[
    ("Service", "/spec", "clusterIP"),
    ("Service", "/spec", "clusterIPs"),
    ("Service", "/spec", "ipFamilies"),
    ("Service", "/spec", "ipFamilyPolicy"),
    ("Job", "/spec", "selector"),
    ("Job", "/spec/template/metadata", "labels"),
    ("Job", "/metadata", "labels"),
    ("Pod", "/spec", "preemptionPolicy"),
    ("Pod", "/spec", "priority"),
    ("Pod", "/spec", "tolerations"),
    ("Pod", "", "status"),
    ("Namespace", "/spec", "finalizers"),
    ("Namespace", "", "status"),
];

struct Case {
    value: Value,
    ty: TypeRef,
}

impl Case {
    fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_default()
    }

    fn before(&self) -> Option<&Value> {
        Some(&self.value["before"]).filter(|before| !before.is_null())
    }

    fn api_version(&self) -> String {
        let part = |index: usize| self.value["kind"][index].as_str().unwrap_or_default();
        if part(0).is_empty() { part(1).to_owned() } else { format!("{}/{}", part(0), part(1)) }
    }

    fn succeeded(&self) -> bool {
        self.value["status"].as_u64().is_some_and(|status| status < 300)
    }

    #[track_caller]
    fn same_owners(&self, ours: &Value) {
        assert_eq!(owners(ours), owners(&self.value["answer"]), "{}", self.text("name"));
    }

    /// Everything of ours is in the answer; generation and resource version are the server's to set.
    #[track_caller]
    fn within_answer(&self, ours: &Value) {
        let (mut path, mut ours) = (String::new(), ours.clone());
        for key in ["resourceVersion", "generation"] {
            ours["metadata"][key] = self.value["answer"]["metadata"][key].clone();
        }
        assert!(within(&ours, &self.value["answer"], &mut path), "{}: {path} differs", self.text("name"));
    }

    /// The stored object as the server has it, after a write that brought these managed fields along.
    fn written(&self) -> Value {
        let mut after = bare(&self.value["answer"]);
        if self.before().is_none() {
            let of_kind = |(kind, _, _): &&(&str, &str, &str)| self.value["kind"][2] == *kind;
            for (_, parent, key) in SET_AFTER_TRACKING.iter().filter(of_kind) {
                if let Some(Value::Object(map)) = after.pointer_mut(parent) {
                    map.remove(*key);
                }
            }
        }
        if self.text("verb") == "update" {
            after["metadata"]["managedFields"] = self.value["body"]["metadata"]["managedFields"].clone();
        } else if let Some(managed) = self.before().and_then(|before| before["metadata"].get("managedFields"))
        {
            after["metadata"]["managedFields"] = managed.clone();
        }
        let api_version = self.api_version();
        let options = UpdateOptions {
            manager: self.text("manager"),
            api_version: &api_version,
            subresource: self.value["subresource"].as_str(),
            now: NOW,
        };
        update(self.before(), after, &options, Schema::builtin(), &self.ty)
    }

    fn applied(&self) {
        let api_version = self.api_version();
        let options = ApplyOptions {
            manager: self.text("manager"),
            force: if self.value["force"] == true { Force::Yes } else { Force::No },
            api_version: &api_version,
            subresource: None,
            now: NOW,
        };
        let result = apply(self.before(), &self.value["body"], &options, Schema::builtin(), &self.ty);
        match (result, self.value["status"].as_u64()) {
            (Ok(ours), Some(200 | 201)) => {
                self.same_owners(&ours);
                self.within_answer(&bare(&ours));
            }
            // Validation of the result, which is not this crate's.
            (Ok(_), Some(422)) => {}
            (Err(error), status) => {
                let wanted = match error {
                    ApplyError::Conflicts(_) => 409,
                    ApplyError::BadRequest(_) => 400,
                    ApplyError::Invalid(_) => 500,
                };
                assert_eq!(Some(wanted), status, "{}: {error}", self.text("name"));
                assert_eq!(error.to_string(), self.message(), "{}", self.text("name"));
            }
            (Ok(_), status) => panic!("{}: the server answered {status:?}", self.text("name")),
        }
    }

    fn message(&self) -> &str {
        self.value["answer"]["message"].as_str().unwrap_or_default()
    }

    fn patched(&self) {
        let Some(before) = self.before() else { panic!("{}: nothing to patch", self.text("name")) };
        let (mut ours, body) = (bare(before), &self.value["body"]);
        let result = match self.text("verb") {
            "strategic" => strategic::apply(&mut ours, body, Schema::builtin(), &self.ty),
            "json" => json::apply(&mut ours, body),
            _ => {
                merge::apply(&mut ours, body);
                Ok(())
            }
        };
        match result {
            Ok(()) => {
                assert!(self.succeeded(), "{}: {}", self.text("name"), self.message());
                self.within_answer(&ours);
                self.same_owners(&self.written());
            }
            Err(error) => {
                let wanted = match error {
                    PatchError::Malformed(_) => 400,
                    PatchError::TooLarge(_) => 413,
                    PatchError::NotApplicable(_) => 422,
                    PatchError::Internal(_) => 500,
                };
                assert_eq!(self.value["status"], wanted, "{}: {error}", self.text("name"));
                // The server keeps to itself why a JSON patch does not fit.
                if wanted != 422 {
                    assert_eq!(error.to_string(), self.message(), "{}", self.text("name"));
                }
            }
        }
    }
}

fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.remove("managedFields");
    }
    object
}

/// Managed fields without times, which order them, so sorted.
fn owners(object: &Value) -> Vec<Value> {
    let mut entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
        entry.remove("time");
    }
    entries
        .sort_by_key(|entry| format!("{} {} {}", entry["manager"], entry["operation"], entry["subresource"]));
    entries
}

/// Whether all of `part` is in `whole`; `path` is where it is not.
fn within(part: &Value, whole: &Value, path: &mut String) -> bool {
    let length = path.len();
    let inside = match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().all(|(key, value)| {
            path.truncate(length);
            path.push('.');
            path.push_str(key);
            let is_empty =
                value.as_object().is_some_and(serde_json::Map::is_empty) || value == &Value::Array(vec![]);
            match whole.get(key) {
                Some(found) => within(value, found, path),
                None => value.is_null() || is_empty,
            }
        }),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| within(part, whole, path))
        }
        (part, whole) => part == whole,
    };
    if inside {
        path.truncate(length);
    }
    inside
}

#[test]
fn the_real_server_answered_the_same() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("recorded/ownership.json")).expect("cases");
    assert!(cases.len() > 50, "{}", cases.len());
    for value in cases {
        let part = |index: usize| value["kind"][index].as_str().unwrap_or_default().to_owned();
        let ty = Schema::builtin().type_of(&part(0), &part(1), &part(2)).expect("a built-in kind");
        let case = Case { value, ty };
        match case.text("verb") {
            "create" | "update" => case.same_owners(&case.written()),
            "apply" => case.applied(),
            _ => case.patched(),
        }
    }
}
