//! The floor: a tonic method with the same messages, read by prost, and a constant answer.
//!
//! The same runtime, sockets and limits as the server's; the generated service is called without a
//! router, which is a tenth more than a tonic server as most write it.

use std::convert::Infallible;
use std::pin::Pin;

use http::Response;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_server::{
    AuthorizationService, AuthorizationServiceServer,
};
use tagwarden::wire::v1::tagging_service_server::{TaggingService, TaggingServiceServer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tonic::body::Body;
use tonic::{Request, Status, Streaming};
use tower::Service as _;

/// Answers that are always the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Constant {
    pub(crate) authorize: v1::AuthorizeResponse,
    pub(crate) tagging: v1::ValidateTaggingResponse,
}

type Answered<T> = Result<tonic::Response<T>, Status>;

fn unused<T>() -> Answered<T> {
    Err(Status::unimplemented("not measured"))
}

#[tonic::async_trait]
impl AuthorizationService for Constant {
    async fn authorize(
        &self,
        request: Request<v1::AuthorizeRequest>,
    ) -> Answered<v1::AuthorizeResponse> {
        std::hint::black_box(request.get_ref());
        Ok(tonic::Response::new(self.authorize.clone()))
    }

    async fn batch_authorize(
        &self,
        _: Request<v1::BatchAuthorizeRequest>,
    ) -> Answered<v1::BatchAuthorizeResponse> {
        unused()
    }

    type AuthorizeStreamStream = Pin<
        Box<dyn futures_util::Stream<Item = Result<v1::AuthorizeStreamResponse, Status>> + Send>,
    >;

    async fn authorize_stream(
        &self,
        _: Request<Streaming<v1::AuthorizeStreamRequest>>,
    ) -> Answered<Self::AuthorizeStreamStream> {
        unused()
    }

    async fn filter_resources(
        &self,
        _: Request<v1::FilterResourcesRequest>,
    ) -> Answered<v1::FilterResourcesResponse> {
        unused()
    }
}

#[tonic::async_trait]
impl TaggingService for Constant {
    async fn validate_tagging(
        &self,
        request: Request<v1::ValidateTaggingRequest>,
    ) -> Answered<v1::ValidateTaggingResponse> {
        std::hint::black_box(request.get_ref());
        Ok(tonic::Response::new(self.tagging.clone()))
    }

    async fn batch_validate_tagging(
        &self,
        _: Request<v1::BatchValidateTaggingRequest>,
    ) -> Answered<v1::BatchValidateTaggingResponse> {
        unused()
    }

    async fn authorize_tagging(
        &self,
        _: Request<v1::AuthorizeTaggingRequest>,
    ) -> Answered<v1::AuthorizeTaggingResponse> {
        unused()
    }

    async fn get_effective_tag_policy(
        &self,
        _: Request<v1::GetEffectiveTagPolicyRequest>,
    ) -> Answered<v1::GetEffectiveTagPolicyResponse> {
        unused()
    }

    async fn list_tag_resources(
        &self,
        _: Request<v1::ListTagResourcesRequest>,
    ) -> Answered<v1::ListTagResourcesResponse> {
        unused()
    }

    async fn list_resources_by_tags(
        &self,
        _: Request<v1::ListResourcesByTagsRequest>,
    ) -> Answered<v1::ListResourcesByTagsResponse> {
        unused()
    }

    async fn list_tag_keys(
        &self,
        _: Request<v1::ListTagKeysRequest>,
    ) -> Answered<v1::ListTagKeysResponse> {
        unused()
    }

    async fn list_tag_values(
        &self,
        _: Request<v1::ListTagValuesRequest>,
    ) -> Answered<v1::ListTagValuesResponse> {
        unused()
    }
}

/// The services of the floor.
#[derive(Clone)]
struct Services {
    authorization: AuthorizationServiceServer<Constant>,
    tagging: TaggingServiceServer<Constant>,
}

impl hyper::service::Service<http::Request<Incoming>> for Services {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        if request
            .uri()
            .path()
            .starts_with("/tagwarden.v1.Authorization")
        {
            self.authorization.clone().call(request)
        } else {
            self.tagging.clone().call(request)
        }
    }
}

/// Serves on both sockets, for ever.
pub(crate) async fn serve(tcp: TcpListener, unix: UnixListener, constant: Constant) {
    let services = Services {
        authorization: AuthorizationServiceServer::new(constant.clone()),
        tagging: TaggingServiceServer::new(constant),
    };
    loop {
        tokio::select! {
            accepted = tcp.accept() => {
                let (stream, _) = accepted.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(connection(stream, services.clone()));
            }
            accepted = unix.accept() => {
                tokio::spawn(connection(accepted.unwrap().0, services.clone()));
            }
        }
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, services: Services) {
    let limits = tagwarden::service::ConnectionConfig::default();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes)
        .keep_alive_interval(limits.ping_every)
        .keep_alive_timeout(limits.ping_timeout);
    // A peer that is gone is no matter here.
    let _ = builder
        .serve_connection(TokioIo::new(stream), services)
        .await;
}
