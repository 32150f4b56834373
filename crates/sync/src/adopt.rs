//! From client-side to server-side apply: who owns what.

use object::{Map, Object, Value, json};

use crate::action::{Adoption, FIELD_MANAGER};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotation that names one more manager to take over from.
const MANAGER: &str = "argocd.argoproj.io/client-side-apply-migration-manager";
/// Who client-side apply writes as: kubectl, and Argo CD now and formerly.
const CLIENT_SIDE: [&str; 3] = ["kubectl-client-side-apply", FIELD_MANAGER, "argocd-application-controller"];

/// Returns the ownership to take over before `live` is applied for the first time; `None` when there is nothing to.
///
/// Source: `k8s.io/client-go/util/csaupgrade`: the fields of the managers' updates become those of our manager's apply.
/// The last-applied annotation is one of them, so applying a target removes it.
pub fn adoption(live: &Object) -> Option<Adoption> {
    live.annotation(LAST_APPLIED)?;
    let entries = live.items(&["metadata", "managedFields"]);
    let is_ours = |entry: &Value| entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply";
    let extra = live.annotation(MANAGER);
    let is_taken = |entry: &&Value| {
        let manager = entry["manager"].as_str().unwrap_or_default();
        let plain = entry["subresource"].as_str().is_none_or(str::is_empty);
        entry["operation"] == "Update" && plain && (CLIENT_SIDE.contains(&manager) || extra == Some(manager))
    };
    let taken: Vec<&Value> = entries.iter().filter(is_taken).collect();
    if taken.is_empty() || entries.iter().any(is_ours) {
        return None;
    }
    let mut fields = Value::Object(Map::new());
    taken.iter().for_each(|entry| unite(&mut fields, &entry["fieldsV1"]));
    // The annotation may be owned by nobody we take over from.
    unite(&mut fields, &json!({"f:metadata": {"f:annotations": {format!("f:{LAST_APPLIED}"): {}}}}));
    let mut entry = taken[0].clone();
    entry["manager"] = FIELD_MANAGER.into();
    entry["operation"] = "Apply".into();
    entry["fieldsV1"] = fields;
    let others = entries.iter().filter(|entry| !is_taken(entry)).cloned();
    Some(Adoption {
        managed_fields: std::iter::once(entry).chain(others).collect(),
        resource_version: live.resource_version().to_owned(),
    })
}

/// Adds the paths of one `fieldsV1` to another.
fn unite(fields: &mut Value, more: &Value) {
    let (Value::Object(fields), Value::Object(more)) = (fields, more) else { return };
    for (name, below) in more {
        unite(fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())), below);
    }
}
