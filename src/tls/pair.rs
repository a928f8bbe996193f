//! A certificate with its key, and the trust bundle of clients, as rustls serves with them.
//!
//! What is put into force can be served with: the key is that of the certificate, the certificate
//! is valid now and one for servers, and every certificate of the trust bundle can be read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use super::certificate::{Facts, InvalidCertificate, Validity};
use super::files::{Content, ReadError};
use super::kept::Material;
use super::verifier::Verifier;
use super::{Clients, Config};

/// The only protocol inside of TLS.
pub(crate) const ALPN: &[u8] = b"h2";
/// The most certificates of a file.
const MAX_CERTIFICATES: usize = 1_000;

/// Why certificates cannot be put into force.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPair {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What should be PEM is not.
    #[error("{} is not PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate, or there are more than allowed.
    #[error("{} has no certificate, or more than {MAX_CERTIFICATES}", path.display())]
    Count {
        /// The file.
        path: PathBuf,
    },
    /// There is no private key, or more than one.
    #[error("{} does not have exactly one private key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// A certificate cannot be used.
    #[error("{}: {cause}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: InvalidCertificate,
    },
    /// The certificate is not valid now.
    #[error(
        "the certificate of {} is valid from {} to {} only",
        path.display(), validity.not_before, validity.not_after
    )]
    Time {
        /// The file.
        path: PathBuf,
        /// From when and until when.
        validity: Validity,
    },
    /// The certificate is not for servers.
    #[error("the certificate of {} is not one for servers", path.display())]
    Purpose {
        /// The file.
        path: PathBuf,
    },
    /// The certificate and the key do not belong together, or a certificate is no authority.
    #[error("{}: {cause}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What rustls says.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Certificates in force.
#[derive(Debug)]
pub struct Certificates {
    /// What handshakes are made with.
    pub(crate) server: Arc<ServerConfig>,
    /// Until when each certificate is valid.
    pub expiries: Vec<Expiry>,
}

/// Until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// What it is for.
    pub part: Part,
    /// Its place in its file, from 0.
    pub place: usize,
    /// The last instant.
    pub not_after: Timestamp,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The server shows it.
    Server,
    /// Clients' certificates are verified by it.
    ClientCa,
}

impl Part {
    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::ClientCa => "client_ca",
        }
    }
}

impl Material for Config {
    type Made = Certificates;
    type Error = InvalidPair;

    const WHAT: &'static str = "certificates";

    fn summary(made: &Certificates) -> String {
        let first = made.expiries.iter().map(|expiry| expiry.not_after).min();
        first.map_or_else(String::new, |first| format!("all valid until {first}"))
    }

    fn paths(&self) -> Vec<&Path> {
        let clients = self.clients.as_ref();
        let ca = clients.map(|clients| clients.ca.as_path());
        [self.certificate.as_path(), &self.key]
            .into_iter()
            .chain(ca)
            .collect()
    }

    fn make(&self, files: &[Content]) -> Result<Certificates, InvalidPair> {
        let (chain, key, ca) = match files {
            [chain, key] => (chain, key, None),
            [chain, key, ca, ..] => (chain, key, Some(ca)),
            [] | [_] => {
                return Err(InvalidPair::Key {
                    path: self.key.clone(),
                });
            }
        };
        let certificates = certificates(chain)?;
        check_server(&certificates, &chain.path)?;
        let mut expiries = expiries(Part::Server, &certificates, &chain.path)?;
        let provider = Arc::new(ring::default_provider());
        let verifier = match (&self.clients, ca) {
            (Some(clients), Some(ca)) => {
                let (roots, until) = trusted(ca)?;
                expiries.extend(until);
                Arc::new(verifier(roots, clients, &ca.path)?)
            }
            (None, _) | (_, None) => WebPkiClientVerifier::no_client_auth(),
        };
        let refused = |cause: rustls::Error| InvalidPair::Refused {
            path: chain.path.clone(),
            cause: cause.into(),
        };
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(refused)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates, private_key(key)?)
            .map_err(refused)?;
        server.alpn_protocols = vec![ALPN.to_vec()];
        // Every connection is verified anew: a session that goes on would skip the certificate.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Certificates {
            server: Arc::new(server),
            expiries,
        })
    }
}

fn verifier(roots: RootCertStore, clients: &Clients, path: &Path) -> Result<Verifier, InvalidPair> {
    let provider = Arc::new(ring::default_provider());
    Verifier::new(roots, clients, provider).map_err(|cause| InvalidPair::Refused {
        path: path.to_owned(),
        cause: cause.into(),
    })
}

/// The certificates of a PEM file; what else is in it is passed over.
pub(super) fn certificates(file: &Content) -> Result<Vec<CertificateDer<'static>>, InvalidPair> {
    let read: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&file.bytes)
        .take(MAX_CERTIFICATES + 1)
        .collect();
    let path = || file.path.clone();
    let read = read.map_err(|_| InvalidPair::Pem { path: path() })?;
    if (1..=MAX_CERTIFICATES).contains(&read.len()) {
        Ok(read)
    } else {
        Err(InvalidPair::Count { path: path() })
    }
}

/// The only private key of a PEM file.
pub(super) fn private_key(file: &Content) -> Result<PrivateKeyDer<'static>, InvalidPair> {
    let path = || file.path.clone();
    let mut keys = PrivateKeyDer::pem_slice_iter(&file.bytes);
    match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => Ok(key),
        (Some(Err(_)), _) | (_, Some(Err(_))) => Err(InvalidPair::Pem { path: path() }),
        (None, _) | (Some(Ok(_)), Some(Ok(_))) => Err(InvalidPair::Key { path: path() }),
    }
}

/// The authorities of a trust bundle, and until when they are valid.
pub(super) fn trusted(file: &Content) -> Result<(RootCertStore, Vec<Expiry>), InvalidPair> {
    let certificates = certificates(file)?;
    let expiries = expiries(Part::ClientCa, &certificates, &file.path)?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots
            .add(certificate)
            .map_err(|cause| InvalidPair::Refused {
                path: file.path.clone(),
                cause: cause.into(),
            })?;
    }
    Ok((roots, expiries))
}

fn check_server(chain: &[CertificateDer<'_>], path: &Path) -> Result<(), InvalidPair> {
    let path = || path.to_owned();
    let invalid = |cause| InvalidPair::Certificate {
        path: path(),
        cause,
    };
    let Some(first) = chain.first() else {
        return Err(InvalidPair::Count { path: path() });
    };
    let facts = Facts::read(first).map_err(invalid)?;
    let validity = facts.validity().map_err(invalid)?;
    let now = Timestamp::now();
    if now < validity.not_before || validity.not_after < now {
        let path = path();
        return Err(InvalidPair::Time { path, validity });
    }
    if facts.is_for_servers().map_err(invalid)? {
        Ok(())
    } else {
        Err(InvalidPair::Purpose { path: path() })
    }
}

fn expiries(
    part: Part,
    certificates: &[CertificateDer<'_>],
    path: &Path,
) -> Result<Vec<Expiry>, InvalidPair> {
    let invalid = |cause| InvalidPair::Certificate {
        path: path.to_owned(),
        cause,
    };
    let read = certificates.iter().enumerate().map(|(place, certificate)| {
        let validity = Facts::read(certificate).and_then(|facts| facts.validity());
        let Validity { not_after, .. } = validity.map_err(invalid)?;
        Ok(Expiry {
            part,
            place,
            not_after,
        })
    });
    read.collect()
}
