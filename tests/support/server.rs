//! A running server on a free port, and clients that behave and misbehave.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use http::Request;
use hyper_util::rt::TokioIo;
use tagwarden::directory::Directory;
use tagwarden::management::directory::DirectoryWriter;
use tagwarden::model::caller::principal::PrincipalPattern;
use tagwarden::model::caller::supply::{ContextKeys, Supply, SupplyRight};
use tagwarden::model::caller::{ActFor, Anonymous, Callers, Disclosure, Place, Rights, Rpc};
use tagwarden::publish::{Publisher, Reader, publication};
use tagwarden::service::pdp::{self, Clock, Pdp};
use tagwarden::service::{Config, Ended, Listen, Phase, RunError, Server, directory_step};
use tagwarden::snapshot::caller::CallerTable;
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::telemetry::DirectoryWrites;
use tagwarden::wire::page::PageKey;
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

/// The most that anything awaited in a test may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The source of the revisions that tests publish.
pub(crate) const SOURCE: u64 = 0xfeed;

/// A server under test.
pub(crate) struct Running {
    pub(crate) listen: Vec<Listen>,
    pub(crate) publisher: Publisher,
    stop: watch::Sender<Phase>,
    ended: JoinHandle<Result<Ended, RunError>>,
}

/// The default limits on a free port.
pub(crate) fn config() -> Config {
    Config {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..Config::default()
    }
}

/// Callers for tests of other things: peers on loopback may send everything, and ask for users and
/// for the sessions of account 1.
pub(crate) fn trusting(disclosure: Disclosure) -> CallerTable {
    let patterns = ["*", "acs:ram::1:role/*/*"];
    let patterns = patterns.map(|text| PrincipalPattern::try_from(text).unwrap());
    let mut supply = SupplyRight::ALL.to_vec();
    supply.retain(|right| *right != SupplyRight::Explain);
    CallerTable::new(&Callers {
        anonymous: Some(Anonymous {
            from: vec![Place::Loopback],
            rights: Rights {
                rpcs: Rpc::ALL.into_iter().collect(),
                act_for: ActFor::Patterns(patterns.into()),
                supply: Supply::new(supply, ContextKeys::All),
                disclosure,
            },
        }),
        named: Vec::new(),
    })
}

/// A directory in memory, and the thread of its writer.
pub(crate) fn directory_writer(
    directory: &Arc<Directory>,
    reader: &Reader,
) -> (DirectoryWriter, std::thread::JoinHandle<()>) {
    let started = DirectoryWriter::start(tagwarden::management::directory::Config {
        directory: Arc::clone(directory),
        reader: reader.clone(),
        store: None,
        writes: DirectoryWrites::default(),
        step: directory_step(),
    });
    started.unwrap()
}

/// Starts a server without a snapshot and without resources.
pub(crate) fn start(config: Config) -> Running {
    start_with(config, Arc::default())
}

/// Starts a server without a snapshot.
pub(crate) fn start_with(config: Config, directory: Arc<Directory>) -> Running {
    start_at(config, directory, Clock::default())
}

/// Starts a server without a snapshot, with a clock of the test's own.
pub(crate) fn start_at(config: Config, directory: Arc<Directory>, clock: Clock) -> Running {
    let (publisher, reader) = publication().unwrap();
    let pdp = Pdp::new(pdp::Config {
        reader,
        directory,
        clock,
        pages: PageKey::new([7; 64]),
    });
    let server = Server::bind(config).unwrap();
    let listen = server.addresses().unwrap();
    let (stop, stopping) = watch::channel(Phase::Serving);
    let ended = tokio::spawn(server.run(pdp, stopping));
    Running {
        listen,
        publisher,
        stop,
        ended,
    }
}

/// Starts a server with an empty snapshot.
pub(crate) fn start_ready(config: Config) -> Running {
    let mut running = start(config);
    running.publish(1);
    running
}

impl Running {
    /// Publishes a snapshot without policies, with a number.
    pub(crate) fn publish(&mut self, number: u64) {
        let revision = Revision {
            source: SOURCE,
            number,
            digest: 0,
        };
        self.publisher.publish(Snapshot {
            revision,
            callers: trusting(Disclosure::default()),
            ..Snapshot::default()
        });
    }

    /// Moves the server to a phase.
    pub(crate) fn tell(&self, phase: Phase) {
        self.stop.send_replace(phase);
    }

    /// Waits for the end of the server.
    pub(crate) async fn ended(self) -> Ended {
        let ended = within(self.ended).await.unwrap().unwrap();
        drop(self.publisher);
        ended
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        match &self.listen[0] {
            Listen::Tcp(address) | Listen::Tls(address) => *address,
            Listen::Unix { .. } => panic!("the first address is no TCP address"),
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Channel::from_shared(format!("http://{}", self.tcp())).unwrap();
        within(endpoint.connect()).await.unwrap()
    }

    /// A connection to a Unix socket.
    pub(crate) async fn channel_to(&self, socket: PathBuf) -> Channel {
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        within(endpoint.connect_with_connector(connector))
            .await
            .unwrap()
    }

    pub(crate) async fn client(&self) -> AuthorizationServiceClient<Channel> {
        AuthorizationServiceClient::new(self.channel().await)
    }

    /// A TCP connection on which nothing was sent.
    pub(crate) async fn connect(&self) -> TcpStream {
        within(TcpStream::connect(self.tcp())).await.unwrap()
    }

    /// An HTTP/2 connection; the driver must be polled.
    pub(crate) async fn http2(&self) -> (SendRequest<Bytes>, Connection<TcpStream, Bytes>) {
        within(h2::client::handshake(self.connect().await))
            .await
            .unwrap()
    }

    /// An HTTP/2 connection with a driver of its own.
    pub(crate) async fn driven(&self) -> SendRequest<Bytes> {
        let (sender, connection) = self.http2().await;
        tokio::spawn(connection);
        sender
    }
}

/// Waits for an event.
pub(crate) async fn within<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, event)
        .await
        .expect("nothing happened in time")
}

/// The head of a gRPC call.
pub(crate) fn head(path: &str) -> http::request::Builder {
    Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

/// The head of an `Authorize` call.
pub(crate) fn authorize_head() -> Request<()> {
    head("/tagwarden.v1.AuthorizationService/Authorize")
        .body(())
        .unwrap()
}

/// A request that is refused whatever the policies: it names no resource.
pub(crate) fn without_resource() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        principal: "acs:ram::1:user/alice".to_owned(),
        action: "ecs:DescribeInstances".to_owned(),
        ..v1::AuthorizeRequest::default()
    }
}

/// An empty gRPC message: five zero bytes.
pub(crate) fn empty_message() -> Bytes {
    Bytes::from_static(&[0; 5])
}
