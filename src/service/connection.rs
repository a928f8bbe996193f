//! One connection, from its first byte to its last.
//!
//! A peer has a bounded time for what comes before HTTP/2 (`handshake`) and another for its first
//! call; after that pings tell whether it is there. When the server drains the peer is told with
//! GOAWAY, and its open calls end by themselves or with the server.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::rt::bounds::Http2ServerConnExec;
use hyper::server::conn::http2;
use hyper::service::HttpService;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::call::{Calls, Services};
use super::handshake::{Gate, Opening};
use super::peer::PeerAddress;
use super::phase::{Phase, reached};
use super::socket::Socket;
use crate::tls::Endpoint;

/// How long a peer that was told to go may stay, where the server itself goes on.
const LINGER: Duration = Duration::from_secs(1);

/// The limits of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The time for the TLS handshake, if there is one, and the HTTP/2 preface; while the server
    /// drains at most a second. Default: 5 s.
    pub handshake: Duration,
    /// The most TLS handshakes under way at once, of all connections. Default: 64.
    pub handshakes: usize,
    /// The time from the preface to the first call. Default: 30 s.
    pub first_call: Duration,
    /// The longest that a call without a stream may take. Default: 30 s.
    pub longest_call: Duration,
    /// How often a peer is pinged. Default: 20 s.
    pub ping_every: Duration,
    /// How long a ping may be unanswered. Default: 10 s.
    pub ping_timeout: Duration,
    /// The most calls at once. Default: 256.
    pub streams: u32,
    /// The most bytes of a call's headers. Default: 16 KiB.
    pub header_bytes: u32,
    /// The most bytes of a message. Default: 4 MiB.
    pub message_bytes: usize,
    /// The most calls that the peer may reset before they are taken up. Default: 20.
    pub pending_resets: usize,
    /// The most calls that may be reset for the peer's errors. Default: 128.
    pub error_resets: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            handshakes: 64,
            first_call: Duration::from_secs(30),
            longest_call: Duration::from_secs(30),
            ping_every: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            streams: 256,
            header_bytes: 16 * 1_024,
            message_bytes: 4 * 1_024 * 1_024,
            pending_resets: 20,
            error_resets: 128,
        }
    }
}

impl Config {
    fn builder(&self) -> http2::Builder<TokioExecutor> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            // A call has no use for it.
            .auto_date_header(false)
            .max_concurrent_streams(self.streams)
            .max_header_list_size(self.header_bytes)
            .max_pending_accept_reset_streams(self.pending_resets)
            .max_local_error_reset_streams(self.error_resets)
            .keep_alive_interval(self.ping_every)
            .keep_alive_timeout(self.ping_timeout);
        builder
    }
}

/// What the connections of one worker share.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pub(super) config: Arc<Config>,
    pub(super) gate: Gate,
    pub(super) services: Arc<Services>,
    pub(super) phases: watch::Receiver<Phase>,
}

impl Connections {
    /// Serves one connection to its end.
    pub(super) async fn serve(
        self,
        socket: Socket,
        address: PeerAddress,
        endpoint: Option<Arc<Endpoint>>,
    ) {
        let Self {
            config,
            gate,
            services,
            mut phases,
        } = self;
        let opening = Opening {
            gate: &gate,
            limit: config.handshake,
            phases: &mut phases,
        };
        let opened = opening.open(socket, address, endpoint.as_deref()).await;
        let Some((socket, peer)) = opened else {
            return;
        };
        let called = Arc::new(AtomicBool::new(false));
        let calls = Calls {
            services,
            peer: Arc::clone(&peer),
            called: Arc::clone(&called),
        };
        let serving = config
            .builder()
            .serve_connection(TokioIo::new(socket), calls);
        let first_call = Instant::now() + config.first_call;
        if let Err(error) = to_its_end(serving, first_call, &called, phases).await {
            tracing::debug!(address = ?peer.address, %error, "connection failed");
        }
    }
}

/// Drives a connection until it is closed, by the peer or by us.
pub(super) async fn to_its_end<S, B>(
    serving: http2::Connection<TokioIo<Socket>, S, TokioExecutor>,
    first_call: Instant,
    called: &AtomicBool,
    mut phases: watch::Receiver<Phase>,
) -> hyper::Result<()>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioExecutor: Http2ServerConnExec<S::Future, B>,
{
    let mut serving = pin!(serving);
    let mut timer = pin!(sleep_until(first_call));
    let mut told = false;
    let mut waiting = true;
    loop {
        let next = if told { Phase::Ended } else { Phase::Draining };
        tokio::select! {
            ended = &mut serving => return ended,
            () = reached(&mut phases, next) => {
                if told {
                    return Ok(());
                }
                serving.as_mut().graceful_shutdown();
                told = true;
            }
            () = &mut timer, if waiting => {
                waiting = false;
                if called.load(Ordering::Relaxed) {
                    continue;
                }
                if told {
                    return Ok(());
                }
                serving.as_mut().graceful_shutdown();
                told = true;
                waiting = true;
                timer.as_mut().reset(Instant::now() + LINGER);
            }
        }
    }
}
