//! Reflection, made when somebody asks for it: most servers are never asked, and to take the API's
//! descriptors apart costs more than all else of a start.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic_reflection::server::{Builder, Error};
use tower::Service;

use crate::wire::DESCRIPTORS;

/// The descriptors that are told.
pub(super) fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

/// A service that is made with the first call to it.
#[derive(Debug)]
pub(super) struct Lazy<S> {
    make: fn() -> Result<S, Error>,
    service: Arc<OnceLock<Result<S, Error>>>,
}

impl<S> Lazy<S> {
    pub(super) fn new(make: fn() -> Result<S, Error>) -> Self {
        let service = Arc::default();
        Self { make, service }
    }
}

impl<S> Clone for Lazy<S> {
    fn clone(&self) -> Self {
        Self {
            make: self.make,
            service: Arc::clone(&self.service),
        }
    }
}

impl<S: NamedService> NamedService for Lazy<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Lazy<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    /// What is made is always ready, as all services of gRPC are.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Ok(service) = self.service.get_or_init(self.make) {
            Either::Left(service.clone().call(request))
        } else {
            let status = Status::internal("the API's descriptors cannot be read");
            Either::Right(ready(Ok(status.into_http())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptors_can_be_served() {
        assert!(builder().build_v1().is_ok());
        assert!(builder().build_v1alpha().is_ok());
    }
}
