//! The authority and the server's certificate, made once and kept.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ServeError;

/// The names and addresses that the server's certificate is good for.
const NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "10.96.0.1",
    "kubernetes",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// PEM texts.
pub(super) struct Certificates {
    pub authority: String,
    certificate: String,
    key: String,
}

fn wrong(error: impl std::fmt::Display) -> ServeError {
    ServeError::Certificate(error.to_string())
}

/// Returns the certificates in `directory`, made if they are not all there.
pub(super) fn open(directory: &Path) -> Result<Certificates, ServeError> {
    fs::create_dir_all(directory).map_err(|source| ServeError::File { path: directory.into(), source })?;
    let read = |name: &str| fs::read_to_string(directory.join(name)).ok();
    if let (Some(authority), Some(certificate), Some(key)) =
        (read("ca.crt"), read("server.crt"), read("server.key"))
    {
        return Ok(Certificates { authority, certificate, key });
    }
    let made = make().map_err(wrong)?;
    write_private(&directory.join("server.key"), &made.key)?;
    write_private(&directory.join("server.crt"), &made.certificate)?;
    write_private(&directory.join("ca.crt"), &made.authority)?;
    Ok(made)
}

/// Makes an authority, uses it once, and forgets its key.
fn make() -> Result<Certificates, rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.distinguished_name.push(DnType::CommonName, "slipway-dev-ca");
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let mut server = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
    server.distinguished_name.push(DnType::CommonName, "slipway-dev-apiserver");
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(Certificates {
        authority: authority_certificate.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// Writes a file that only its owner can read; never partly.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), ServeError> {
    let fail = |source| ServeError::File { path: path.into(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fail)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
    fs::rename(&fresh, path).map_err(fail)
}

impl Certificates {
    /// Returns the settings of a TLS server.
    pub fn server(&self) -> Result<ServerConfig, ServeError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(wrong)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(wrong)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(wrong)?.with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key).map_err(wrong)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}
