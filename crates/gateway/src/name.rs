//! Names by which Services are called.

use object::Key;

/// A host that names a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Namespace and name of the Service.
    pub service: Key,
    /// Port in the name, if any.
    pub port: Option<u16>,
    /// Whether the name can mean nothing but a Service: it ends in `.svc`, `.svc.cluster.local` or `.localhost`.
    pub certain: bool,
}

/// Returns the Service that a host means: `<service>.<namespace>` with or without `.svc`, `.svc.cluster.local` or
/// `.localhost`, and with or without a port. `None` for every other name.
pub fn parse_host(host: &str) -> Option<Host> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok()?)),
        None => (host, None),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let suffixes = [".svc.cluster.local", ".svc", ".localhost"];
    let stripped = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
    let (service, namespace) = stripped.unwrap_or(&name).split_once('.')?;
    let label = |text: &str| {
        !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let valid = label(service) && label(namespace);
    valid.then(|| Host { service: Key::new(namespace, service), port, certain: stripped.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, port, certain) in [
            ("web.shop.localhost:8080", Some(8080), true),
            ("web.shop", None, false),
            ("WEB.shop.svc", None, true),
            ("web.shop.svc.cluster.local.:80", Some(80), true),
        ] {
            let expected = Host { service: Key::new("shop", "web"), port, certain };
            assert_eq!(parse_host(text), Some(expected), "{text}");
        }
        for text in ["localhost", "web", "a.b.c", "127.0.0.1", "127.0.0.1:80", "web.shop:x", "-.", "a_b.c"] {
            assert_eq!(parse_host(text), None, "{text}");
        }
    }
}
