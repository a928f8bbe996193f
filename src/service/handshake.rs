//! The way from a socket to HTTP/2: TLS where the listener wants it, then the preface.
//!
//! All of it happens within one time-out, on the worker that serves the connection. Of the part of
//! a handshake that costs signatures, only so many are under way at once ([`Gate`]); before that a
//! peer has sent a whole greeting.
//!
//! Not here: who is trusted (`tls`).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::server::Acceptor;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::peer::{Peer, PeerAddress};
use super::phase::{Phase, reached};
use super::socket::Socket;
use crate::telemetry::{Handshake, Seldom};
use crate::tls::certificate::{ClientCertificate, InvalidCertificate, client};
use crate::tls::{Endpoint, RefusedCertificate};

/// What every HTTP/2 client sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How many bytes tell what a peer speaks.
const TELLING: usize = 5;
/// How long a peer may take once the server drains.
const LINGER: Duration = Duration::from_secs(1);

/// Why a connection was not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the peer speaks HTTP/2 without TLS on an address for TLS")]
    PlainHttp2,
    #[error("the peer does not speak TLS on an address for TLS")]
    Plain,
    #[error("the peer speaks TLS on an address without it")]
    Tls,
    #[error("the peer does not speak HTTP/2")]
    NotHttp2,
    #[error("the peer did not ask for HTTP/2 (`h2`) in its TLS handshake")]
    NoProtocol,
    #[error("the peer showed no certificate")]
    NoCertificate,
    #[error("the peer's certificate is refused: {0}")]
    Certificate(String),
    #[error("TLS handshake failed: {0}")]
    Failed(#[source] io::Error),
    #[error("the peer left before it asked for anything")]
    Closed,
    #[error("no HTTP/2 preface in time")]
    Late,
    #[error("no HTTP/2 preface before the server stops")]
    Stopping,
}

impl Fault {
    fn outcome(&self) -> Handshake {
        match self {
            Self::PlainHttp2 | Self::Plain | Self::Tls => Handshake::NotTls,
            Self::NotHttp2 | Self::NoProtocol => Handshake::NotHttp2,
            Self::NoCertificate => Handshake::NoCertificate,
            Self::Certificate(_) => Handshake::CertificateRefused,
            Self::Failed(_) => Handshake::Failed,
            Self::Closed | Self::Late | Self::Stopping => Handshake::Unfinished,
        }
    }

    /// What the peer may have been configured for wrongly: somebody should be told.
    fn is_telling(&self) -> bool {
        match self {
            Self::PlainHttp2
            | Self::Plain
            | Self::Tls
            | Self::NoProtocol
            | Self::NoCertificate
            | Self::Certificate(_)
            | Self::Failed(_) => true,
            Self::NotHttp2 | Self::Closed | Self::Late | Self::Stopping => false,
        }
    }

    /// Logs it: what is telling as a warning, though not each of a flood.
    pub(super) fn tell(&self, address: PeerAddress, seldom: &Seldom) {
        let skipped = if self.is_telling() {
            seldom.pass()
        } else {
            None
        };
        if let Some(skipped) = skipped {
            tracing::warn!(?address, fault = %self, skipped, "connection refused");
        } else {
            tracing::debug!(?address, fault = %self, "connection refused");
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        use rustls::Error;
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(Error::NoCertificatesPresented) => Self::NoCertificate,
            Some(Error::NoApplicationProtocol) => Self::NoProtocol,
            Some(Error::InvalidCertificate(refused)) => Self::Certificate(why(refused)),
            _ if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Failed(error),
        }
    }
}

impl From<InvalidCertificate> for Fault {
    fn from(invalid: InvalidCertificate) -> Self {
        Self::Certificate(invalid.to_string())
    }
}

fn why(refused: &rustls::CertificateError) -> String {
    let rustls::CertificateError::Other(other) = refused else {
        return refused.to_string();
    };
    let own = other.0.downcast_ref::<RefusedCertificate>();
    own.map_or_else(|| refused.to_string(), ToString::to_string)
}

/// The places for handshakes of all workers.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    /// Of faults on addresses without TLS.
    pub(super) seldom: Arc<Seldom>,
}

impl Gate {
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            seldom: Arc::default(),
        }
    }
}

/// Opens connections.
pub(super) struct Opening<'a> {
    pub(super) gate: &'a Gate,
    /// The time for all of it.
    pub(super) limit: Duration,
    pub(super) phases: &'a mut watch::Receiver<Phase>,
}

impl Opening<'_> {
    /// Opens one, and says who is at its other end. Faults are logged and counted here.
    pub(super) async fn open(
        self,
        socket: Socket,
        address: PeerAddress,
        endpoint: Option<&Endpoint>,
    ) -> Option<(Socket, Arc<Peer>)> {
        let Self {
            gate,
            limit,
            phases,
        } = self;
        let opening = async {
            match endpoint {
                None => Ok((plain(socket).await?, Peer::new(address))),
                Some(endpoint) => {
                    let (socket, shown) = tls(socket, endpoint, gate).await?;
                    Ok((socket, Peer::over_tls(address, shown)))
                }
            }
        };
        let hurried = async {
            reached(phases, Phase::Draining).await;
            sleep(LINGER).await;
        };
        let opened = tokio::select! {
            opened = timeout(limit, opening) => opened.unwrap_or(Err(Fault::Late)),
            () = hurried => Err(Fault::Stopping),
        };
        if let Some(endpoint) = endpoint {
            let outcome = opened
                .as_ref()
                .map_or_else(Fault::outcome, |_| Handshake::Done);
            endpoint.handshakes().count(outcome);
        }
        let seldom = endpoint.map_or(&*gate.seldom, Endpoint::seldom);
        opened.map_err(|fault| fault.tell(address, seldom)).ok()
    }
}

/// HTTP/2 without TLS.
async fn plain(mut socket: Socket) -> Result<Socket, Fault> {
    let telling = tell_apart(&mut socket).await?;
    if is_tls(telling) {
        return Err(Fault::Tls);
    }
    read_preface(&mut socket).await?;
    Ok(socket)
}

/// TLS, and HTTP/2 inside of it.
async fn tls(
    mut socket: Socket,
    endpoint: &Endpoint,
    gate: &Gate,
) -> Result<(Socket, Option<ClientCertificate>), Fault> {
    let telling = tell_apart(&mut socket).await?;
    if !is_tls(telling) {
        let is_http2 = PREFACE.starts_with(&telling);
        return Err(if is_http2 {
            Fault::PlainHttp2
        } else {
            Fault::Plain
        });
    }
    let greeting = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    let place = gate.places.acquire().await;
    let place = place.map_err(io::Error::other)?;
    let stream = greeting.into_stream(endpoint.server()).await?;
    drop(place);
    let shown = shown(&stream)?;
    let mut socket = Socket::from(stream);
    read_preface(&mut socket).await?;
    Ok((socket, shown))
}

/// What a peer proved in its handshake.
fn shown(stream: &TlsStream<Socket>) -> Result<Option<ClientCertificate>, Fault> {
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(crate::tls::pair::ALPN) {
        return Err(Fault::NoProtocol);
    }
    let first = session.peer_certificates().and_then(<[_]>::first);
    Ok(first.map(client).transpose()?)
}

/// The first bytes, which are read again afterwards.
async fn tell_apart(socket: &mut Socket) -> Result<[u8; TELLING], Fault> {
    let mut telling = [0; TELLING];
    let read = socket.read_exact(&mut telling).await;
    read.map_err(|_| Fault::Closed)?;
    socket.unread(Bytes::copy_from_slice(&telling));
    Ok(telling)
}

/// Whether bytes begin a TLS handshake: its record type, and the first part of any version.
fn is_tls(telling: [u8; TELLING]) -> bool {
    let [kind, major, ..] = telling;
    (kind, major) == (22, 3)
}

/// Reads the preface, and puts it back for the protocol's own reading.
async fn read_preface(socket: &mut Socket) -> Result<(), Fault> {
    let mut preface = [0; PREFACE.len()];
    let read = socket.read_exact(&mut preface).await;
    read.map_err(|_| Fault::Closed)?;
    if preface == *PREFACE {
        socket.unread(Bytes::from_static(PREFACE));
        Ok(())
    } else {
        Err(Fault::NotHttp2)
    }
}
