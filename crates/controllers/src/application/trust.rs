//! What the servers of repositories are known by: host keys and certificates that an administrator put into ConfigMaps.

use object::{Key, Value};
use runtime::{Cache, Selection, Watches, resources};
use source::{Credentials, RepoUrl};

/// Holds lines of a `known_hosts` file under the key `ssh_known_hosts`.
const KNOWN_HOSTS: &str = "argocd-ssh-known-hosts-cm";
/// Holds certificates in PEM under the names of the servers.
const CERTIFICATES: &str = "argocd-tls-certs-cm";

/// The two ConfigMaps, as they are now.
pub struct Trust {
    namespace: String,
    known_hosts: Cache,
    certificates: Cache,
}

impl Trust {
    /// Watches the ConfigMaps of `namespace`, and nothing else of it.
    pub fn new(watches: &Watches, namespace: &str) -> Self {
        let named = |name: &str| {
            let fields = Some(format!("metadata.name={name}"));
            let selection = Selection { fields, ..Selection::namespace(namespace) };
            watches.cache_with(&resources::CONFIG_MAPS, &selection)
        };
        let (known_hosts, certificates) = (named(KNOWN_HOSTS), named(CERTIFICATES));
        Self { namespace: namespace.to_owned(), known_hosts, certificates }
    }

    /// Returns the caches, to wait for and to be woken by.
    pub fn caches(&self) -> [&Cache; 2] {
        [&self.known_hosts, &self.certificates]
    }

    /// Fills in what the server of `url` is known by. Without a ConfigMap that is what the machine knows.
    pub fn apply(&self, url: &RepoUrl, credentials: &mut Credentials) {
        credentials.ssh_known_hosts = self.text(&self.known_hosts, KNOWN_HOSTS, "ssh_known_hosts");
        credentials.ca_certificates = self.text(&self.certificates, CERTIFICATES, url.host());
    }

    fn text(&self, cache: &Cache, name: &str, key: &str) -> String {
        let map = cache.get(&Key::new(&self.namespace, name));
        let text = map.as_ref().and_then(|map| map.get(&["data", key]).and_then(Value::as_str));
        text.unwrap_or_default().to_owned()
    }
}
