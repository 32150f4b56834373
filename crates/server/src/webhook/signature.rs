//! Whether a payload comes from somebody who knows the secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use object::{Object, Value};
use ring::hmac;

/// Key of the secret in the Secret `argocd-secret`.
const SECRET_KEY: &str = "webhook.github.secret";
/// Header with the signature that is to be preferred.
const SHA256_HEADER: &str = "x-hub-signature-256";
/// Header with the older signature; read only when the other is absent.
const SHA1_HEADER: &str = "x-hub-signature";

/// What payloads are held to.
#[derive(Clone, PartialEq, Eq)]
pub enum Signing {
    /// Nobody knows yet whether there is a secret: no payload can be taken.
    Unknown,
    /// There is no secret: every payload is taken.
    Open,
    /// The secret that payloads must be signed with.
    Secret(Vec<u8>),
    /// There is a secret that cannot be read: no payload can be taken.
    Unreadable,
}

impl Signing {
    /// Returns what the Secret `argocd-secret` asks for; without the Secret or the key, nothing.
    ///
    /// A value `$key` stands for another key of the same Secret, as in Argo CD; a value `$secret:key` is
    /// [`Signing::Unreadable`].
    pub fn from_secret(secret: Option<&Object>) -> Self {
        let Some(secret) = secret else { return Self::Open };
        let Some(value) = secret.get(&["data", SECRET_KEY]) else { return Self::Open };
        let Some(value) = decode(value) else { return Self::Unreadable };
        let Some(name) = value.strip_prefix(b"$") else { return Self::of(value) };
        let name = String::from_utf8_lossy(name).into_owned();
        match secret.get(&["data", &name]).map(decode) {
            Some(Some(value)) => Self::of(value),
            _ => Self::Unreadable,
        }
    }

    fn of(secret: Vec<u8>) -> Self {
        if secret.is_empty() { Self::Open } else { Self::Secret(secret) }
    }
}

/// Returns the decoded value with the spaces around it removed, as a file made by an editor ends with a line break.
fn decode(value: &Value) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    Some(bytes.trim_ascii().to_vec())
}

/// Returns true when `headers` carry the signature of `body` with `secret`. The time it takes does not depend on where
/// a wrong signature differs.
///
/// **Source:** GitHub, "Validating webhook deliveries".
pub fn is_signed(headers: &HeaderMap, body: &[u8], secret: &[u8]) -> bool {
    let (header, prefix, algorithm) = match headers.get(SHA256_HEADER) {
        Some(header) => (Some(header), "sha256=", hmac::HMAC_SHA256),
        None => (headers.get(SHA1_HEADER), "sha1=", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
    };
    let given = header.and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix(prefix));
    let Some(tag) = given.and_then(unhex) else { return false };
    hmac::verify(&hmac::Key::new(algorithm, secret), body, &tag).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    fn secret(data: &Value) -> Object {
        Object::from_value(json!({"apiVersion": "v1", "kind": "Secret", "data": data}))
    }

    /// The worked example of GitHub's documentation.
    #[test]
    fn the_documented_example_holds() {
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let (secret, body) = (b"It's a Secret to Everybody", b"Hello, World!");
        assert!(is_signed(&headers(SHA256_HEADER, good), body, secret));
        assert!(!is_signed(&headers(SHA256_HEADER, good), b"Hello, World?", secret));
        assert!(!is_signed(&headers(SHA256_HEADER, good), body, b"another"));
        assert!(!is_signed(&headers(SHA256_HEADER, &good[..good.len() - 2]), body, secret));
        assert!(!is_signed(&headers(SHA256_HEADER, "sha256=zz"), body, secret));
        assert!(!is_signed(&HeaderMap::new(), body, secret));
    }

    /// RFC 2202, case 2 of HMAC-SHA-1.
    #[test]
    fn the_older_signature_counts_only_alone() {
        let good = "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let (secret, body) = (b"Jefe", b"what do ya want for nothing?");
        let mut headers = headers(SHA1_HEADER, good);
        assert!(is_signed(&headers, body, secret));
        headers.insert(SHA256_HEADER, "sha256=00".parse().unwrap());
        assert!(!is_signed(&headers, body, secret));
    }

    #[test]
    fn the_secret_is_found_or_payloads_are_refused() {
        let read = |data| Signing::from_secret(Some(&secret(&data)));
        assert!(Signing::from_secret(None) == Signing::Open);
        assert!(read(json!({})) == Signing::Open);
        assert!(read(json!({SECRET_KEY: ""})) == Signing::Open);
        assert!(read(json!({SECRET_KEY: "c2hoCg=="})) == Signing::Secret(b"shh".to_vec()));
        assert!(read(json!({SECRET_KEY: "not base64!"})) == Signing::Unreadable);
        assert!(read(json!({SECRET_KEY: "JGhvb2s=", "hook": "c2ho"})) == Signing::Secret(b"shh".to_vec()));
        assert!(read(json!({SECRET_KEY: "JG90aGVyOmhvb2s="})) == Signing::Unreadable);
    }
}
