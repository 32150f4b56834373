//! The hashes that name ReplicaSets and tell whether the steps changed.
//!
//! Source: Argo Rollouts `utils/hash` and `utils/conditions`: FNV-1a-32 over the bytes Go's `encoding/json` makes of the
//! typed value. The bytes depend on the field order of Go's structs, on what they omit when empty, on canonical
//! quantities and on the escaping of `<`, `>`, `&`; `hash/go-order.json` holds the first two.

mod encode;
mod order;

use api::rollout::CanaryStep;
use object::Value;

pub use encode::EncodeError;

const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Returns the pod-template hash of `template`, as in the names of ReplicaSets.
///
/// Errors: [`EncodeError`] naming the field whose type the template gets wrong.
pub fn pod_template(template: &Value, collision_count: Option<i32>) -> Result<String, EncodeError> {
    let mut bytes = encode::pod_template(template)?.into_bytes();
    if let Some(count) = collision_count {
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
    }
    Ok(safe(fnv(&bytes)))
}

/// Returns the bytes that are hashed: the same for templates that differ only in notation.
pub(crate) fn canonical(template: &Value) -> Result<String, EncodeError> {
    encode::pod_template(template)
}

/// Returns the hash of canary steps, as in `status.currentStepHash`.
///
/// Example: no steps hash as `null`, which is what Go makes of an empty list.
pub fn steps(steps: &[CanaryStep]) -> String {
    let text =
        if steps.is_empty() { "null".to_owned() } else { serde_json::to_string(steps).unwrap_or_default() };
    safe(fnv(escape_html(&text).as_bytes()))
}

/// Returns a short name for `text`.
pub(crate) fn text(text: &str) -> String {
    safe(fnv(text.as_bytes()))
}

/// Returns FNV-1a of 32 bits.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Returns the decimal digits of `hash` in an alphabet without vowels (`rand.SafeEncodeString`).
fn safe(hash: u32) -> String {
    hash.to_string().bytes().map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()])).collect()
}

/// Returns JSON text with `<`, `>`, `&`, U+2028 and U+2029 escaped as Go does. They occur only within strings.
fn escape_html(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)))
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
