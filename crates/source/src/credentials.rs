//! Credentials of repositories and the Secrets they come from.

use std::{collections::BTreeMap, fmt};

use crate::{RepoUrl, SourceError};

/// What a repository is read with. Its `Debug` shows which fields are set, never their content.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User of HTTP basic authentication.
    pub username: String,
    /// Password or token of HTTP basic authentication.
    pub password: String,
    /// Token of `Authorization: Bearer`; used when there is no password.
    pub bearer_token: String,
    /// Private key in PEM or OpenSSH format.
    pub ssh_private_key: String,
    /// Lines of a `known_hosts` file that the SSH server must be in.
    pub ssh_known_hosts: String,
    /// Accept any TLS certificate, and any SSH host key.
    pub insecure: bool,
    /// Certificates, in PEM, that are trusted besides the system's.
    pub ca_certificates: String,
    /// Client certificate chain in PEM.
    pub tls_client_certificate: String,
    /// Private key of the client certificate in PEM.
    pub tls_client_key: String,
    /// URL of the HTTP proxy.
    pub proxy: String,
}

impl Credentials {
    /// Returns the credentials in the data of a `repository` or `repo-creds` Secret, already decoded from base64.
    ///
    /// Errors: [`SourceError::InvalidCredentials`] when a Secret asks for a kind of authentication that is not
    /// implemented: GitHub App, Google service account, Azure.
    pub fn from_secret(url: &RepoUrl, data: &BTreeMap<String, String>) -> Result<Self, SourceError> {
        const UNSUPPORTED: [&str; 4] = [
            "githubAppPrivateKey",
            "gcpServiceAccountKey",
            "useAzureWorkloadIdentity",
            "azureServicePrincipalClientSecret",
        ];
        let text = |key: &str| data.get(key).map(|value| value.trim().to_owned()).unwrap_or_default();
        let on = |key: &str| text(key) == "true";
        if let Some(key) = UNSUPPORTED.into_iter().find(|key| !matches!(text(key).as_str(), "" | "false")) {
            let message = format!("{key} is not supported yet");
            return Err(SourceError::InvalidCredentials { url: url.clone(), message });
        }
        Ok(Self {
            username: text("username"),
            password: text("password"),
            bearer_token: text("bearerToken"),
            ssh_private_key: text("sshPrivateKey"),
            ssh_known_hosts: String::new(),
            insecure: on("insecure") || on("insecureIgnoreHostKey"),
            ca_certificates: String::new(),
            tls_client_certificate: text("tlsClientCertData"),
            tls_client_key: text("tlsClientCertKey"),
            proxy: text("proxy"),
        })
    }

    /// Returns the text without the secrets it may have picked up on its way through libraries.
    pub(crate) fn conceal(&self, text: String) -> String {
        let secrets = [&self.password, &self.bearer_token, &self.proxy];
        secrets
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(text, |text, secret| text.replace(secret, "***"))
    }

    /// True when anything proves who asks.
    pub(crate) fn authenticate(&self) -> bool {
        [&self.username, &self.password, &self.bearer_token, &self.ssh_private_key, &self.tls_client_key]
            .into_iter()
            .any(|field| !field.is_empty())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            password,
            bearer_token,
            ssh_private_key,
            ssh_known_hosts,
            insecure,
            ca_certificates,
            tls_client_certificate,
            tls_client_key,
            proxy,
        } = self;
        let mut out = f.debug_struct("Credentials");
        for (name, value) in [
            ("username", username),
            ("password", password),
            ("bearer_token", bearer_token),
            ("ssh_private_key", ssh_private_key),
            ("ssh_known_hosts", ssh_known_hosts),
            ("ca_certificates", ca_certificates),
            ("tls_client_certificate", tls_client_certificate),
            ("tls_client_key", tls_client_key),
            ("proxy", proxy),
        ] {
            if !value.is_empty() {
                out.field(name, &"<set>");
            }
        }
        out.field("insecure", insecure).finish()
    }
}

/// The label `argocd.argoproj.io/secret-type` of a Secret that holds credentials for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretType {
    /// `repository`: for one URL.
    Repository,
    /// `repo-creds`: for every URL that starts with its own, unless the repository has credentials of its own.
    RepositoryTemplate,
}

impl SecretType {
    /// Returns the type in the label's value.
    pub fn parse(label: &str) -> Option<Self> {
        match label {
            "repository" => Some(Self::Repository),
            "repo-creds" => Some(Self::RepositoryTemplate),
            _ => None,
        }
    }
}

/// One Secret with credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct RepositorySecret {
    /// What it is for.
    pub kind: SecretType,
    /// Its data, decoded from base64; `url` says for which repositories.
    pub data: BTreeMap<String, String>,
}

impl fmt::Debug for RepositorySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.data.keys().collect();
        f.debug_struct("RepositorySecret").field("kind", &self.kind).field("keys", &keys).finish()
    }
}

impl RepositorySecret {
    /// Returns true when the credentials may be used for `url`: it is the repository's own Secret, or a template whose URL
    /// `url` starts with. Another Secret may still come first: see [`choose`].
    pub fn concerns(&self, url: &RepoUrl) -> bool {
        match self.kind {
            SecretType::Repository => RepoUrl::parse(self.url()).is_ok_and(|own| own == *url),
            SecretType::RepositoryTemplate => !self.url().is_empty() && starts_with(url, self.url()),
        }
    }

    fn url(&self) -> &str {
        self.data.get("url").map(|url| url.trim()).unwrap_or_default()
    }
}

/// Returns the credentials for `url`: those of its own `repository` Secret if it has any in it, else those of the
/// `repo-creds` Secret with the longest URL that `url` starts with; none otherwise.
///
/// **Source:** Argo CD, private repositories, credential templates. Errors: as [`Credentials::from_secret`].
pub fn choose(url: &RepoUrl, secrets: &[RepositorySecret]) -> Result<Option<Credentials>, SourceError> {
    let of = |kind| secrets.iter().filter(move |secret| secret.kind == kind && secret.concerns(url));
    let own = of(SecretType::Repository)
        .next()
        .map(|secret| Credentials::from_secret(url, &secret.data))
        .transpose()?;
    if own.as_ref().is_some_and(Credentials::authenticate) {
        return Ok(own);
    }
    let template = of(SecretType::RepositoryTemplate)
        .max_by_key(|secret| secret.url().len())
        .map(|secret| Credentials::from_secret(url, &secret.data))
        .transpose()?;
    Ok(match (own, template) {
        (Some(own), Some(template)) => Some(Credentials {
            insecure: own.insecure || template.insecure,
            proxy: if own.proxy.is_empty() { template.proxy.clone() } else { own.proxy },
            ..template
        }),
        (own, template) => template.or(own),
    })
}

/// Case of letters does not matter, nor the spelling of the address as long as the prefix is an address itself.
fn starts_with(url: &RepoUrl, prefix: &str) -> bool {
    let prefix = prefix.to_ascii_lowercase();
    let normal = RepoUrl::parse(&prefix).map(|url| url.normalized().to_owned());
    let prefixes = [Some(prefix), normal.ok()];
    prefixes.into_iter().flatten().any(|prefix| {
        [url.normalized(), url.as_str()].into_iter().any(|url| url.to_ascii_lowercase().starts_with(&prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(kind: SecretType, fields: &[(&str, &str)]) -> RepositorySecret {
        let data = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        RepositorySecret { kind, data }
    }

    fn secrets() -> Vec<RepositorySecret> {
        use SecretType::{Repository, RepositoryTemplate};
        vec![
            secret(
                Repository,
                &[("url", "https://github.com/a/own.git"), ("username", "own"), ("password", "p")],
            ),
            secret(Repository, &[("url", "https://github.com/a/bare"), ("insecure", "true")]),
            secret(RepositoryTemplate, &[("url", "https://github.com"), ("password", "short")]),
            secret(RepositoryTemplate, &[("url", "https://github.com/a"), ("password", "long")]),
        ]
    }

    #[track_caller]
    fn chosen(url: &str) -> Option<Credentials> {
        choose(&RepoUrl::parse(url).unwrap(), &secrets()).unwrap()
    }

    #[test]
    fn own_credentials_win_over_templates() {
        assert_eq!(chosen("https://GITHUB.com/a/own").unwrap().username, "own");
    }

    #[test]
    fn the_longest_prefix_wins() {
        assert_eq!(chosen("https://github.com/a/other").unwrap().password, "long");
        assert_eq!(chosen("https://github.com/b/other").unwrap().password, "short");
        assert_eq!(chosen("https://gitlab.com/b/other"), None);
    }

    #[test]
    fn a_secret_without_credentials_takes_those_of_a_template() {
        let credentials = chosen("https://github.com/a/bare").unwrap();
        assert_eq!((credentials.password.as_str(), credentials.insecure), ("long", true));
    }

    #[test]
    fn a_secret_concerns_the_repositories_it_may_be_used_for() {
        let concerned = |url: &str| {
            let url = RepoUrl::parse(url).unwrap();
            secrets().iter().map(|secret| secret.concerns(&url)).collect::<Vec<_>>()
        };
        assert_eq!(concerned("https://github.com/a/own"), [true, false, true, true]);
        assert_eq!(concerned("https://github.com/b/x.git"), [false, false, true, false]);
        assert_eq!(concerned("https://gitlab.com/a/own"), [false; 4]);
        let empty = secret(SecretType::RepositoryTemplate, &[("password", "x")]);
        assert!(!empty.concerns(&RepoUrl::parse("https://github.com/a/own").unwrap()));
    }

    #[test]
    fn debug_shows_no_content() {
        let text = format!("{:?} {:?}", chosen("https://github.com/a/own"), secrets());
        assert!(text.contains("password") && !text.contains("\"p\"") && !text.contains("long"), "{text}");
    }

    #[test]
    fn secrets_are_taken_out_of_messages() {
        let credentials = Credentials {
            password: "s3cret".into(),
            proxy: "http://u:pw@proxy".into(),
            ..Credentials::default()
        };
        let text = "cannot reach http://u:pw@proxy with s3cret".to_owned();
        assert_eq!(credentials.conceal(text), "cannot reach *** with ***");
    }

    #[test]
    fn kinds_that_are_not_implemented_are_errors() {
        let url = RepoUrl::parse("https://h/a").unwrap();
        let data = BTreeMap::from([("githubAppPrivateKey".to_owned(), "x".to_owned())]);
        assert!(
            Credentials::from_secret(&url, &data).unwrap_err().to_string().contains("githubAppPrivateKey")
        );
    }
}
