//! How deep documents are nested: what is too deep to be read back is never read, nor kept.

use serde_json::Value;

use crate::status::{Failure, Outcome};

/// Looks at a JSON text without reading it, so that no reader has to go down into it. What is no JSON passes: the reader
/// says what is wrong with it.
///
/// **Errors:** 400 when it is nested deeper than `limit`.
pub(crate) fn of_json(text: &[u8], limit: usize) -> Outcome<()> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return Err(too_deep(limit));
        }
    }
    Ok(())
}

/// Looks at an object that is about to be kept: patches can make it deeper than what came in.
///
/// **Errors:** 400 when it is nested deeper than `limit`.
pub(crate) fn of_value(value: &Value, limit: usize) -> Outcome<()> {
    fn fits(value: &Value, left: usize) -> bool {
        match value {
            Value::Object(map) => left > 0 && map.values().all(|child| fits(child, left - 1)),
            Value::Array(items) => left > 0 && items.iter().all(|child| fits(child, left - 1)),
            _ => true,
        }
    }
    if fits(value, limit) { Ok(()) } else { Err(too_deep(limit)) }
}

fn too_deep(limit: usize) -> Failure {
    Failure::bad_request(format!("the object is nested too deep: limit is {limit} levels"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_measured_without_being_read() {
        assert!(of_json(b"[[1],[2]]", 2).is_ok());
        assert!(of_json(b"[[[1]]]", 2).is_err());
        assert!(of_json(br#"{"a": "[[[[\"[[["}"#, 1).is_ok());
        assert!(of_json(&vec![b'['; 3 << 20], 100).is_err());
    }

    #[test]
    fn a_value_is_measured() {
        assert!(of_value(&json!({"a": [1]}), 2).is_ok());
        assert!(of_value(&json!({"a": [{}]}), 2).is_err());
    }
}
