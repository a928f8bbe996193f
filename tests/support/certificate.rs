//! Certificates made for a test, and clients that show them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use super::server::within;

const DAY: Duration = Duration::from_hours(24);

/// An authority of a test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// What a certificate says.
pub(crate) struct Says {
    pub(crate) names: Vec<SanType>,
    pub(crate) purpose: ExtendedKeyUsagePurpose,
    /// From when and until when, in days from now.
    pub(crate) days: (i32, i32),
}

impl Says {
    pub(crate) fn client(names: &[SanType]) -> Self {
        Self {
            names: names.to_vec(),
            purpose: ExtendedKeyUsagePurpose::ClientAuth,
            days: (-1, 1),
        }
    }

    pub(crate) fn server() -> Self {
        Self {
            names: vec![SanType::IpAddress(Ipv4Addr::LOCALHOST.into())],
            purpose: ExtendedKeyUsagePurpose::ServerAuth,
            days: (-1, 1),
        }
    }

    pub(crate) fn days(self, from: i32, to: i32) -> Self {
        let days = (from, to);
        Self { days, ..self }
    }
}

pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

pub(crate) fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

fn in_days(days: i32) -> SystemTime {
    let distance = DAY * days.unsigned_abs();
    if days < 0 {
        SystemTime::now() - distance
    } else {
        SystemTime::now() + distance
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    pub(crate) fn issue(&self, says: Says) -> Pair {
        let Says {
            names,
            purpose,
            days: (from, to),
        } = says;
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![purpose];
        params.not_before = in_days(from).into();
        params.not_after = in_days(to).into();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client's configuration that trusts this authority.
    pub(crate) fn trusted_by(&self, own: Option<&Pair>) -> ClientConfig {
        self.trusted_with(own, &[&TLS13, &TLS12])
    }

    /// The same, for some versions.
    pub(crate) fn trusted_with(
        &self,
        own: Option<&Pair>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let der = CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap();
        roots.add(der).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(Pair { certificate, key }) => {
                let chain = CertificateDer::pem_slice_iter(certificate.as_bytes());
                let chain = chain.collect::<Result<_, _>>().unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

/// The files of a server's credentials in a folder.
pub(crate) struct Files(pub(crate) tempfile::TempDir);

impl Files {
    pub(crate) fn new(pair: &Pair, ca: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.replace(pair);
        files.write("ca.pem", ca);
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn replace(&self, pair: &Pair) {
        self.write("tls.crt", &pair.certificate);
        self.write("tls.key", &pair.key);
    }

    pub(crate) fn arg(&self, name: &str) -> String {
        arg(&self.path(name))
    }
}

pub(crate) fn arg(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Handshakes with a server, as its name `127.0.0.1`.
pub(crate) async fn handshake(
    address: SocketAddr,
    config: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    let server = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let socket = within(TcpStream::connect(address)).await?;
    socket.set_nodelay(true)?;
    within(TlsConnector::from(Arc::new(config)).connect(server, socket)).await
}

/// A channel over TLS. Calls fail where the handshake does.
pub(crate) fn channel(address: SocketAddr, config: ClientConfig) -> Channel {
    let connector = tower::service_fn(move |_| {
        let config = config.clone();
        async move { handshake(address, config).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(connector)
}
