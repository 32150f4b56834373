//! Time limits, TLS and authentication over http.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use gix::{
    credentials::{
        helper::{Action, NextAction},
        protocol::Outcome,
    },
    protocol::transport::client::blocking_io::http::{Options, reqwest as backend},
};
use reqwest::{Certificate, Identity, Proxy};

use crate::{Credentials, RepoUrl, url::Transport};

/// Returns the options of every request: `limit` counts from connecting to the last byte.
pub(super) fn options(url: &RepoUrl, credentials: &Credentials, limit: Duration) -> Options {
    let credentials_of_client = credentials.clone();
    let client = backend::Options {
        configure_client: Some(Box::new(move |_| {
            let builder = client(&credentials_of_client, limit).map_err(gix::Error::from_error)?;
            Ok(reqwest::blocking::ClientBuilder::from(builder).timeout(limit))
        })),
        configure_request: None,
    };
    Options {
        extra_headers: header(url, credentials).into_iter().collect(),
        user_agent: Some("slipway".into()),
        backend: Some(Arc::new(Mutex::new(client))),
        ..Options::default()
    }
}

fn client(credentials: &Credentials, limit: Duration) -> reqwest::Result<reqwest::ClientBuilder> {
    let mut builder = reqwest::Client::builder()
        .timeout(limit)
        .connect_timeout(limit)
        .http1_title_case_headers()
        .tls_danger_accept_invalid_certs(credentials.insecure);
    if !credentials.ca_certificates.is_empty() {
        builder =
            builder.tls_certs_merge(Certificate::from_pem_bundle(credentials.ca_certificates.as_bytes())?);
    }
    if !credentials.tls_client_key.is_empty() {
        let pem = format!("{}\n{}\n", credentials.tls_client_certificate, credentials.tls_client_key);
        builder = builder.identity(Identity::from_pem(pem.as_bytes())?);
    }
    if !credentials.proxy.is_empty() {
        builder = builder.proxy(Proxy::all(&credentials.proxy)?);
    }
    Ok(builder)
}

/// Returns the header of bearer tokens, and of passwords where gix sends none itself: over plain http. Requests with
/// it are never redirected.
fn header(url: &RepoUrl, credentials: &Credentials) -> Option<String> {
    let Credentials { username, password, bearer_token, .. } = credentials;
    if password.is_empty() && !bearer_token.is_empty() {
        return Some(format!("Authorization: Bearer {bearer_token}"));
    }
    let plain = url.transport() == Transport::Http && !(username.is_empty() && password.is_empty());
    plain
        .then(|| format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))))
}

/// Answers the server's question for a user and a password; asks nobody and runs no program. Another server, one that
/// ours redirects to, gets no answer.
pub(super) fn answer(
    url: &RepoUrl,
    credentials: &Credentials,
) -> impl FnMut(Action) -> gix::Result<Option<Outcome>> + use<> {
    let known = (url.transport() == Transport::Https && !credentials.password.is_empty())
        .then(|| (credentials.username.clone(), credentials.password.clone()));
    let ours = origin(url.as_str());
    move |action| {
        let Action::Get(context) = action else { return Ok(None) };
        let asks = context.url.as_ref().and_then(|url| origin(&url.to_string()));
        let Some((username, password)) = known.clone().filter(|_| asks.is_some() && asks == ours) else {
            return Ok(None);
        };
        // a token alone goes with any user name
        let username = if username.is_empty() { "git".into() } else { username };
        let identity = gix::sec::identity::Account { username, password, oauth_refresh_token: None };
        Ok(Some(Outcome { identity, next: NextAction::from(context) }))
    }
}

/// Returns scheme, host and port.
fn origin(url: &str) -> Option<(String, String, Option<u16>)> {
    let url = reqwest::Url::parse(url).ok()?;
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()))
}

#[cfg(test)]
mod tests {
    use gix::credentials::protocol::Context;

    use super::*;

    fn asked(by: &str) -> Option<String> {
        let url = RepoUrl::parse("https://git.example.com/a.git").unwrap();
        let credentials = Credentials { password: "p".into(), ..Default::default() };
        let context = Context { url: Some(by.into()), ..Default::default() };
        answer(&url, &credentials)(Action::Get(context)).unwrap().map(|outcome| outcome.identity.password)
    }

    #[test]
    fn only_the_server_itself_is_told_the_password() {
        assert_eq!(asked("https://git.example.com/b/c"), Some("p".into()));
        for other in
            ["https://evil.example.com/a.git", "http://git.example.com/a", "https://git.example.com:444/a"]
        {
            assert_eq!(asked(other), None, "{other}");
        }
    }

    #[test]
    fn headers_carry_tokens_and_plain_passwords() {
        let header = |url, credentials| header(&RepoUrl::parse(url).unwrap(), &credentials);
        let token = Credentials { bearer_token: "t".into(), ..Default::default() };
        assert_eq!(header("https://h/a", token), Some("Authorization: Bearer t".into()));
        let password = Credentials { username: "u".into(), password: "p".into(), ..Default::default() };
        assert_eq!(header("http://h/a", password.clone()), Some("Authorization: Basic dTpw".into()));
        assert_eq!(header("https://h/a", password), None);
    }
}
