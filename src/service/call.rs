//! One call: to the service that its path names, until its deadline.
//!
//! Decisions are called directly, without a router; health checks go through one on the worker; all
//! else runs on the runtime for slow work. Streams end when the server drains and
//! they have nothing to say.

mod deadline;
mod open;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service as _;

use self::open::Open;
use super::authorization::{Authorization, Method};
use super::pdp::Served;
use super::peer::{Deadline, Peer};
use super::phase::Phase;
use crate::wire::status::CallError;
use crate::wire::v1::tagging_service_server::TaggingServiceServer;

const TAGGING: &str = "/tagwarden.v1.TaggingService/";
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

pub(super) type Answer = Result<Response<Body>, Infallible>;
pub(super) type BoxAnswer = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The services of one worker.
#[derive(Debug, Clone)]
pub(super) struct Services {
    pub(super) authorization: Authorization,
    pub(super) tagging: TaggingServiceServer<Served>,
    pub(super) others: Routes,
    /// The runtime for slow work.
    pub(super) slow: Handle,
    /// The longest that a call without a stream may take.
    pub(super) longest: Duration,
    pub(super) phases: watch::Receiver<Phase>,
}

/// The services as the calls of one connection see them.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) services: Arc<Services>,
    pub(super) peer: Arc<Peer>,
    /// Set by the first call.
    pub(super) called: Arc<AtomicBool>,
}

impl Service<Request<Incoming>> for Calls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Call;

    fn call(&self, request: Request<Incoming>) -> Call {
        self.called.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        let deadline = match deadline::of(request.headers()) {
            Ok(deadline) => deadline,
            Err(error) => return Call::answered(&error),
        };
        request.extensions_mut().insert(Arc::clone(&self.peer));
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(Deadline(deadline));
        }
        self.route(request, deadline)
    }
}

impl Calls {
    fn route(&self, request: Request<Body>, deadline: Option<Instant>) -> Call {
        let services = &self.services;
        let path = request.uri().path();
        let method = Method::of(path);
        if let Some(method @ (Method::Authorize | Method::Batch | Method::Filter)) = method {
            let until = Until::new(deadline, services.longest);
            return Call::new(services.authorization.call(method, request), until);
        }
        if path.starts_with(TAGGING) {
            let until = Until::new(deadline, services.longest);
            return Call::new(services.tagging.clone().call(request), until);
        }
        if path == HEALTH_CHECK {
            let until = Until::new(deadline, services.longest);
            return Call::new(Box::pin(services.others.clone().call(request)), until);
        }
        let inner: BoxAnswer = match method {
            Some(method) => services.authorization.call(method, request),
            None => Box::pin(on_slow(Arc::clone(services), request)),
        };
        Call::new(
            Box::pin(open(inner, deadline, services.phases.clone())),
            Until::Never,
        )
    }
}

/// Runs a call on the runtime for slow work; it ends when nobody waits for it any more.
async fn on_slow(services: Arc<Services>, request: Request<Body>) -> Answer {
    let mut others = services.others.clone();
    let task = services
        .slow
        .spawn(async move { others.call(request).await });
    match AbortOnDropHandle::new(task).await {
        Ok(answer) => answer,
        // The runtime for slow work is gone, or the call panicked.
        Err(_) => Ok(CallError::Stopping.to_status().into_http()),
    }
}

/// A call whose answer may stay open: the deadline is for all of it.
async fn open(
    inner: BoxAnswer,
    deadline: Option<Instant>,
    phases: watch::Receiver<Phase>,
) -> Answer {
    let answer = match deadline {
        Some(deadline) => match timeout_at(deadline, inner).await {
            Ok(answer) => answer?,
            Err(_) => CallError::DeadlineExceeded.to_status().into_http(),
        },
        None => inner.await?,
    };
    Ok(answer.map(|body| Body::new(Open::new(body, deadline, phases))))
}

/// Until when a call is waited for.
#[derive(Debug)]
enum Until {
    Never,
    At(Instant),
    /// The call was not finished at once, and a timer runs.
    Running(Pin<Box<Sleep>>),
}

impl Until {
    fn new(deadline: Option<Instant>, longest: Duration) -> Self {
        let limit = Instant::now() + longest;
        Self::At(deadline.map_or(limit, |deadline| deadline.min(limit)))
    }
}

/// A call under way.
pub(super) struct Call {
    inner: BoxAnswer,
    until: Until,
}

impl Call {
    fn new(inner: BoxAnswer, until: Until) -> Self {
        Self { inner, until }
    }

    fn answered(error: &CallError) -> Self {
        let answer = error.to_status().into_http();
        Self::new(Box::pin(std::future::ready(Ok(answer))), Until::Never)
    }
}

impl Future for Call {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let call = self.get_mut();
        if let Poll::Ready(answer) = call.inner.as_mut().poll(context) {
            return Poll::Ready(answer);
        }
        // Most calls are finished by now and need no timer.
        if let Until::At(limit) = call.until {
            call.until = Until::Running(Box::pin(sleep_until(limit)));
        }
        let Until::Running(timer) = &mut call.until else {
            return Poll::Pending;
        };
        timer
            .as_mut()
            .poll(context)
            .map(|()| Ok(CallError::DeadlineExceeded.to_status().into_http()))
    }
}
