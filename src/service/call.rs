//! One call: to the service that its path names, until its deadline.
//!
//! Decisions, batches and streams of them, and `ValidateTagging` are answered here as long as nothing
//! about a call is unusual; the other methods of both services are called directly, without a router;
//! health checks go through one on the worker; all else runs on the runtime for slow work. Streams end
//! when the server drains and they have nothing to say.

mod body;
mod cut;
pub(super) mod deadline;
mod gather;
mod open;
mod quick;
mod stream;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
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

pub(super) use self::body::Answer as AnswerBody;
use self::open::Open;
use self::quick::{BoxWhole, Quick, Told};
use super::authorization::{Authorization, Method};
use super::pdp::{self, Served};
use super::peer::Peer;
use super::phase::Phase;
use crate::wire::envoy::service::auth::v3::authorization_server::AuthorizationServer;
use crate::wire::status::{CallError, explained};
use crate::wire::v1::tagging_service_server::TaggingServiceServer;

const TAGGING: &str = "/tagwarden.v1.TaggingService/";
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

pub(super) type Answer = Result<Response<Body>, Infallible>;
pub(super) type BoxAnswer = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The services of one worker.
#[derive(Debug, Clone)]
pub(super) struct Services {
    pub(super) authorization: Authorization,
    pub(super) tagging: TaggingServiceServer<Served>,
    pub(super) mesh: AuthorizationServer<Served>,
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
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Call;

    fn call(&self, request: Request<Incoming>) -> Call {
        self.called.store(true, Ordering::Relaxed);
        let deadline = match deadline::of(request.headers()) {
            Ok(deadline) => deadline,
            Err(error) => return Call::answered(&error),
        };
        let call = pdp::Call {
            peer: Some(Arc::clone(&self.peer)),
            deadline,
        };
        self.route(request, call)
    }
}

impl Calls {
    fn route(&self, request: Request<Incoming>, call: pdp::Call) -> Call {
        let services = &self.services;
        let deadline = call.deadline;
        let until = Until::Later(deadline, services.longest);
        let is_coded = request.headers().contains_key("grpc-encoding");
        if !is_coded && let Some(method) = quick::Method::of(request.uri().path()) {
            let quick = Quick::new(Arc::clone(services), method, call, request);
            let inner = Inner::Quick(quick);
            return Call { inner, until };
        }
        let method = Method::of(request.uri().path());
        if !is_coded && method == Some(Method::Stream) {
            let answer = stream::answer(services, call, request);
            return Call::new(Box::pin(std::future::ready(Ok(answer))), Until::Never);
        }
        let mut request = request.map(Body::new);
        call.extend(request.extensions_mut());
        if let Some(method @ (Method::Authorize | Method::Batch | Method::Filter)) = method {
            return Call::new(services.authorization.call(method, request), until);
        }
        let path = request.uri().path();
        if let Some(method) = path.strip_prefix(TAGGING) {
            if is_listing(method) {
                let listed = on_slow(Arc::clone(services), request, Slow::Tagging);
                return Call::new(Box::pin(listed), until);
            }
            return Call::new(services.tagging.clone().call(request), until);
        }
        if path == CHECK {
            return Call::new(services.mesh.clone().call(request), until);
        }
        if path == HEALTH_CHECK {
            return Call::new(Box::pin(services.others.clone().call(request)), until);
        }
        let inner: BoxAnswer = match method {
            Some(method) => services.authorization.call(method, request),
            None => Box::pin(on_slow(Arc::clone(services), request, Slow::Others)),
        };
        Call::new(
            Box::pin(open(inner, deadline, services.phases.clone())),
            Until::Never,
        )
    }
}

/// Whether a method of the tagging service tells what the directory has: how long that takes is
/// not bounded by microseconds.
fn is_listing(method: &str) -> bool {
    matches!(
        method,
        "ListTagResources" | "ListResourcesByTags" | "ListTagKeys" | "ListTagValues"
    )
}

/// A service whose calls run on the runtime for slow work.
#[derive(Debug, Clone, Copy)]
enum Slow {
    Tagging,
    Others,
}

/// Runs a call on the runtime for slow work; it ends when nobody waits for it any more.
async fn on_slow(services: Arc<Services>, request: Request<Body>, slow: Slow) -> Answer {
    let handle = services.slow.clone();
    let task = handle.spawn(async move {
        match slow {
            Slow::Tagging => services.tagging.clone().call(request).await,
            Slow::Others => services.others.clone().call(request).await,
        }
    });
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
    /// Its deadline, and how long it may take in any case, from when it is not finished at once.
    Later(Option<Instant>, Duration),
    /// The call was not finished at once, and a timer runs.
    Running(Pin<Box<Sleep>>),
}

/// A call under way.
pub(super) struct Call {
    inner: Inner,
    until: Until,
}

#[expect(
    clippy::large_enum_variant,
    reason = "nearly all calls are of the large one, which needs no allocation so"
)]
enum Inner {
    Quick(Quick),
    Begun(BoxWhole),
    Boxed(BoxAnswer),
}

impl Call {
    fn new(inner: BoxAnswer, until: Until) -> Self {
        let inner = Inner::Boxed(inner);
        Self { inner, until }
    }

    fn answered(error: &CallError) -> Self {
        let answer = error.to_status().into_http();
        Self::new(Box::pin(std::future::ready(Ok(answer))), Until::Never)
    }

    fn poll_inner(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Response<AnswerBody>, Infallible>> {
        if let Inner::Quick(quick) = &mut self.inner {
            match ready!(quick.poll(context)) {
                Told::Answered(answer) => return Poll::Ready(Ok(answer)),
                Told::Begun(inner) => self.inner = Inner::Begun(inner),
                Told::Left(inner) => self.inner = Inner::Boxed(inner),
            }
        }
        match &mut self.inner {
            Inner::Quick(_) => Poll::Pending,
            Inner::Begun(inner) => inner.as_mut().poll(context).map(Ok),
            Inner::Boxed(inner) => {
                let answer = ready!(inner.as_mut().poll(context));
                Poll::Ready(answer.map(|answer| explained(answer).map(AnswerBody::Other)))
            }
        }
    }
}

impl Future for Call {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.get_mut();
        if let Poll::Ready(answer) = call.poll_inner(context) {
            return Poll::Ready(answer);
        }
        // Most calls are finished by now and need no timer.
        if let Until::Later(deadline, longest) = call.until {
            let limit = Instant::now() + longest;
            let limit = deadline.map_or(limit, |deadline| deadline.min(limit));
            call.until = Until::Running(Box::pin(sleep_until(limit)));
        }
        let Until::Running(timer) = &mut call.until else {
            return Poll::Pending;
        };
        timer.as_mut().poll(context).map(|()| {
            let late = CallError::DeadlineExceeded.to_status().into_http();
            Ok(late.map(AnswerBody::Other))
        })
    }
}
