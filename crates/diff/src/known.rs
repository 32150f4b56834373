//! What of an object its kind has a place for.

use object::{Object, Value};
use patch::schema::{Schema, Type, TypeRef};

/// Returns `object` without the fields that its built-in kind does not know: what the server makes of an object whose
/// validation is off. Objects of other kinds come back as they are.
///
/// **Source:** decoding of JSON by Kubernetes when it is not strict. Example: `invalidKey` of a ConfigMap is dropped.
pub fn known(object: &Object) -> Object {
    let (gvk, schema) = (object.gvk(), Schema::builtin());
    let Some(kind) = schema.type_of(&gvk.group, &gvk.version, &gvk.kind) else { return object.clone() };
    let mut value = object.to_value();
    drop_unknown(&mut value, schema, &kind);
    Object::from_value(value)
}

fn drop_unknown(value: &mut Value, schema: &Schema, of: &TypeRef) {
    match (schema.resolve(of), value) {
        (Type::Struct(known), Value::Object(map)) => {
            map.retain(|field, value| match known.fields.get(field) {
                Some(field) => {
                    drop_unknown(value, schema, &field.ty);
                    true
                }
                None => known.others.is_some() || matches!(field.as_str(), "apiVersion" | "kind"),
            });
        }
        (Type::Map { element, .. }, Value::Object(map)) => {
            map.values_mut().for_each(|value| drop_unknown(value, schema, element));
        }
        (Type::List(list), Value::Array(items)) => {
            items.iter_mut().for_each(|item| drop_unknown(item, schema, &list.element));
        }
        // what has another form is for the server to refuse
        (
            Type::Struct(_) | Type::Map { .. } | Type::List(_) | Type::Scalar(_) | Type::Untyped,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
        ) => {}
    }
}

#[cfg(test)]
mod tests {
    use object::json;

    use super::*;

    #[test]
    fn unknown_fields_go_at_every_depth_and_data_stays() {
        let object = Object::from_value(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "surprise": 1,
            "metadata": {"name": "a", "annotations": {"any": "thing"}, "nmae": "b"},
            "spec": {"replicas": 2, "repilcas": 3, "template": {"spec": {"containers": [
                {"name": "a", "image": "b", "imgae": "c", "resources": {"limits": {"example.com/gpu": "1"}}}]}}},
        }));
        let wanted = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "annotations": {"any": "thing"}},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [
                {"name": "a", "image": "b", "resources": {"limits": {"example.com/gpu": "1"}}}]}}},
        });
        assert_eq!(known(&object).into_value(), wanted);
    }

    #[test]
    fn other_kinds_and_wrong_types_are_left_to_the_server() {
        for value in [
            json!({"apiVersion": "x.io/v1", "kind": "Wide", "metadata": {"name": "a"}, "any": 1}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": [1]}),
        ] {
            assert_eq!(known(&Object::from_value(value.clone())).into_value(), value);
        }
    }
}
