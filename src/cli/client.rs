//! Connections of commands to a running server.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::service_fn;

use crate::tls::client::{Own, client};
use crate::tls::token::read_token;

/// How a server is reached over TLS.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Connecting {
    /// The authorities of the server's certificate, for `https://` addresses: a PEM file.
    #[arg(long, env = "TAGWARDEN_CLIENT_TLS_CA", value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The certificate to show, for `https://` addresses: a PEM file.
    #[arg(
        long,
        env = "TAGWARDEN_CLIENT_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// Its private key: a PEM file.
    #[arg(
        long,
        env = "TAGWARDEN_CLIENT_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// The bearer token to send, for `https://` addresses: a file with mode 0600 or 0400.
    #[arg(long, env = "TAGWARDEN_CLIENT_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A connection that sends a token with each call, if there is one.
pub(super) type Connection = InterceptedService<Channel, Token>;

/// The token of a connection.
#[derive(Debug, Clone)]
pub(super) struct Token(Option<MetadataValue<Ascii>>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A runtime for one command.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.context("the runtime cannot be started")
}

impl Connecting {
    /// Connects to `<ip>:<port>`, `https://<host>:<port>` or `unix:/path`.
    pub(super) async fn connect(&self, address: &str) -> anyhow::Result<Connection> {
        let connected = match address.strip_prefix("https://") {
            Some(host) => self.secured(host).await,
            None => self.plain(address).await,
        };
        let channel = connected.with_context(|| format!("cannot connect to {address}"))?;
        Ok(InterceptedService::new(channel, self.token()?))
    }

    fn token(&self) -> anyhow::Result<Token> {
        let Some(path) = &self.token_file else {
            return Ok(Token(None));
        };
        let mut value = MetadataValue::try_from(format!("Bearer {}", read_token(path)?))?;
        value.set_sensitive(true);
        Ok(Token(Some(value)))
    }

    async fn secured(&self, host: &str) -> anyhow::Result<Channel> {
        let Some(ca) = &self.tls_ca else {
            bail!("an `https://` address needs --tls-ca");
        };
        let own = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Own {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            (None, _) | (_, None) => None,
        };
        let config = Arc::new(client(ca, own.as_ref())?);
        let uri: http::Uri = format!("https://{host}").parse()?;
        let Some(named) = uri.host() else {
            bail!("`{host}` is no `<host>:<port>`");
        };
        let server = ServerName::try_from(named.trim_matches(['[', ']']).to_owned())?;
        let target = match uri.port() {
            Some(_) => host.trim_end_matches('/').to_owned(),
            None => bail!("`{host}` has no port"),
        };
        let connector = service_fn(move |_| {
            let (config, target, server) = (Arc::clone(&config), target.clone(), server.clone());
            async move { handshake(config, target, server).await.map(TokioIo::new) }
        });
        // The connector does what `https` says; the channel would want to do it again.
        let origin = Endpoint::from_shared(format!("http://{host}"))?;
        Ok(origin.connect_with_connector(connector).await?)
    }

    async fn plain(&self, address: &str) -> anyhow::Result<Channel> {
        let Self {
            tls_ca,
            tls_cert,
            tls_key,
            token_file,
        } = self;
        let given = [tls_ca, tls_cert, tls_key, token_file];
        if given.into_iter().any(Option::is_some) {
            bail!("--tls-ca, --tls-cert, --tls-key and --token-file are for `https://` addresses");
        }
        let Some(path) = address.strip_prefix("unix:") else {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
            return Ok(endpoint.connect().await?);
        };
        let path = PathBuf::from(path);
        let connector = service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        Ok(endpoint.connect_with_connector(connector).await?)
    }
}

async fn handshake(
    config: Arc<ClientConfig>,
    target: String,
    server: ServerName<'static>,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let socket = TcpStream::connect(target).await?;
    socket.set_nodelay(true)?;
    TlsConnector::from(config).connect(server, socket).await
}
