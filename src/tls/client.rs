//! The other side: what a client verifies servers by, and shows them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};

use super::files::read_settled;
use super::pair::{ALPN, InvalidPair, certificates, private_key, trusted};

/// The files of a client's own certificate, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How a client connects that trusts the authorities of a file alone.
///
/// # Errors
///
/// When a file cannot be read, or the certificate and the key do not belong together.
pub fn client(ca: &Path, own: Option<&Own>) -> Result<ClientConfig, InvalidPair> {
    let refused = |cause: rustls::Error| InvalidPair::Refused {
        path: own.map_or_else(|| ca.to_owned(), |own| own.certificate.clone()),
        cause: cause.into(),
    };
    let mut roots = None;
    for file in read_settled(&[ca])? {
        roots = Some(trusted(&file)?.0);
    }
    let roots = roots.unwrap_or_else(rustls::RootCertStore::empty);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(refused)?
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let files = read_settled(&[&own.certificate, &own.key])?;
            let [certificate, key] = files.as_slice() else {
                let path = own.key.clone();
                return Err(InvalidPair::Key { path });
            };
            let (chain, key) = (certificates(certificate)?, private_key(key)?);
            builder.with_client_auth_cert(chain, key).map_err(refused)?
        }
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}
