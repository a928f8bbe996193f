//! The two servers that Envoy asks: tagwarden over the ECI example, and a tonic server that always
//! says OK, on the same runtime, socket and limits.

use std::io::Read as _;
use std::num::NonZeroUsize;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tagwarden::service::{self, Phase};
use tagwarden::wire::envoy::service::auth::v3 as auth;
use tagwarden::wire::envoy::service::auth::v3::authorization_server::{
    Authorization, AuthorizationServer,
};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::eci::decision_point;

/// Serves as the product does, with one worker, until standard input ends.
pub(crate) fn ours(socket: &str) {
    let (pdp, _publisher) = decision_point();
    let config = service::Config {
        listen: vec![format!("unix:{socket},mode=0600").parse().unwrap()],
        workers: NonZeroUsize::new(1),
        ..service::Config::default()
    };
    let server = service::Server::bind(config).unwrap();
    until_closed(async move {
        println!("ready");
        let (_stop, phases) = watch::channel(Phase::Serving);
        server.run(pdp, phases).await.unwrap();
    });
}

/// Always says OK.
struct AlwaysOk;

#[tonic::async_trait]
impl Authorization for AlwaysOk {
    async fn check(
        &self,
        request: Request<auth::CheckRequest>,
    ) -> Result<Response<auth::CheckResponse>, Status> {
        std::hint::black_box(request.get_ref());
        let ok = auth::OkHttpResponse::default();
        Ok(Response::new(auth::CheckResponse {
            status: Some(tonic_types::pb::Status::default()),
            http_response: Some(auth::check_response::HttpResponse::OkResponse(ok)),
            dynamic_metadata: None,
        }))
    }
}

/// Serves it on one thread, until standard input ends.
pub(crate) fn bare(socket: &str) {
    let socket = socket.to_owned();
    until_closed(async move {
        let listener = UnixListener::bind(socket).unwrap();
        println!("ready");
        let service = AuthorizationServer::new(AlwaysOk);
        let limits = tagwarden::service::ConnectionConfig::default();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .max_concurrent_streams(limits.streams)
                .max_header_list_size(limits.header_bytes);
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
    });
}

/// Runs a server on a runtime of one thread, and ends with whoever started it.
fn until_closed(server: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(server);
}
