//! Pod templates: equal or not, and their hash.

use object::{Object, Value};

/// Label that tells the pods of one template from those of others.
pub(super) const HASH: &str = "pod-template-hash";
/// Letters that spell no words. Source: `k8s.io/apimachinery/pkg/util/rand.SafeEncodeString`.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Returns true when both objects have the same `spec.template`, the hash label aside.
pub(super) fn same(left: &Object, right: &Object) -> bool {
    bare(left) == bare(right)
}

fn bare(object: &Object) -> Value {
    let mut template = object.get(&["spec", "template"]).cloned().unwrap_or_default();
    if let Some(labels) = template["metadata"].get_mut("labels").and_then(Value::as_object_mut) {
        labels.remove(HASH);
    }
    template
}

/// Returns a hash of the template that follows from its content and the number of collisions alone.
pub(super) fn hash(object: &Object, collisions: i64) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325;
    feed(&bare(object), &mut state);
    add(&collisions.to_le_bytes(), &mut state);
    let text = (state & 0xffff_ffff).to_string();
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    text.bytes().map(letter).collect()
}

/// FNV-1a over the value with its keys in order.
fn feed(value: &Value, state: &mut u64) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                add(key.as_bytes(), state);
                add(b":", state);
                feed(value, state);
            }
            add(b"}", state);
        }
        Value::Array(items) => {
            items.iter().for_each(|item| feed(item, state));
            add(b"]", state);
        }
        other => add(other.to_string().as_bytes(), state),
    }
}

fn add(bytes: &[u8], state: &mut u64) {
    for byte in bytes {
        *state = (*state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn the_hash_ignores_its_own_label_and_heeds_collisions() {
        let object = |labels: Value| {
            Object::from_value(json!({"spec": {"template": {"metadata": {"labels": labels}}}}))
        };
        let (plain, labeled) = (object(json!({"a": "b"})), object(json!({"a": "b", HASH: "x"})));
        assert!(same(&plain, &labeled));
        assert_eq!(hash(&plain, 0), hash(&labeled, 0));
        assert_ne!(hash(&plain, 0), hash(&plain, 1));
        assert_ne!(hash(&plain, 0), hash(&object(json!({"a": "c"})), 0));
    }
}
