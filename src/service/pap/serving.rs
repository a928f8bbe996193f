//! Connections of the management channel: so many at once, opened in time, each served as long as
//! it lives.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use super::calls::Calls;
use crate::service::accept::Listener;
use crate::service::connection::to_its_end;
use crate::service::handshake::{Gate, Opening};
use crate::service::peer::PeerAddress;
use crate::service::phase::Phase;
use crate::service::socket::Detached;
use crate::tls::Endpoint;

/// The time for the TLS handshake and the HTTP/2 preface.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The time from there to the first call that is let in.
const FIRST_CALL: Duration = Duration::from_secs(30);
/// How long to rest when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// What takes connections.
pub(super) struct Serving {
    pub(super) shared: Shared,
    pub(super) places: Arc<Semaphore>,
    pub(super) open: TaskTracker,
}

impl Serving {
    /// Serves each connection as long as it lives. Never ends.
    pub(super) async fn accept(&self, listener: &Listener) {
        loop {
            // INVARIANT: the semaphore is never closed.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((socket, address)) => {
                    let serving = self.shared.clone().serve(socket, address);
                    self.open.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a management connection could not be accepted");
                    sleep(REST).await;
                }
            }
        }
    }
}

/// What all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) routes: Routes,
    pub(super) endpoint: Option<Arc<Endpoint>>,
    pub(super) gate: Gate,
    pub(super) phases: watch::Receiver<Phase>,
}

impl Shared {
    async fn serve(mut self, socket: Detached, address: PeerAddress) {
        let Ok(socket) = socket.attach() else {
            return;
        };
        let opening = Opening {
            gate: &self.gate,
            limit: HANDSHAKE,
            phases: &mut self.phases,
        };
        let opened = opening
            .open(socket, address, self.endpoint.as_deref())
            .await;
        let Some((socket, peer)) = opened else {
            return;
        };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(64)
            .max_header_list_size(16 * 1_024)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let (phases, called) = (self.phases.clone(), Arc::new(AtomicBool::new(false)));
        let calls = Calls {
            shared: Arc::new(self),
            peer,
            called: Arc::clone(&called),
        };
        let service = service_fn(move |request| calls.clone().call(request));
        let serving = builder.serve_connection(TokioIo::new(socket), service);
        // What a peer does to its own connection concerns nobody else.
        let _ = to_its_end(serving, Instant::now() + FIRST_CALL, &called, phases).await;
    }
}
