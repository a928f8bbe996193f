//! One call of the management channel: who makes it, by the connection or by a token, and that it
//! comes to its end in time.
//!
//! Not here: what who calls may do (`management::permission`).

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tower::Service as _;

use super::LONGEST_MESSAGE;
use super::body::Timed;
use super::serving::Shared;
use crate::model::caller::Origin;
use crate::service::peer::Peer;
use crate::tls::Endpoint;
use crate::wire::status::{CallError, explained};

/// What stands before a token.
const BEARER: &[u8] = b"Bearer ";

/// The calls of one connection.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Arc<Peer>,
    /// Set by the first call that is let in.
    pub(super) called: Arc<AtomicBool>,
}

impl Calls {
    /// Answers one, if whoever makes it proves to be somebody.
    pub(super) async fn call(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let mut request = request.map(|body| Body::new(Timed::new(body, LONGEST_MESSAGE)));
        let endpoint = self.shared.endpoint.as_deref();
        let caller = proven(&self.peer, endpoint, request.headers_mut());
        let Some(caller) = caller.filter(|caller| may_call(&caller.origin)) else {
            self.tell_refused();
            return Ok(CallError::ManagementDenied.to_status().into_http());
        };
        self.called.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(caller);
        let answer = self.shared.routes.clone().call(request).await;
        answer.map(explained)
    }

    fn tell_refused(&self) {
        let endpoint = self.shared.endpoint.as_deref();
        let seldom = endpoint.map_or(&*self.shared.gate.seldom, Endpoint::seldom);
        if let Some(skipped) = seldom.pass() {
            let address = self.peer.address;
            let user = match self.peer.origin {
                Origin::Unix { uid, .. } => Some(uid),
                Origin::Loopback | Origin::Remote | Origin::Proven(_) => None,
            };
            tracing::warn!(?address, user, skipped, "a management call is refused");
        }
    }
}

/// Who calls: the peer of the connection, or the holder of the token that the call carries. `None`
/// where it carries one that is not good.
fn proven(
    peer: &Arc<Peer>,
    endpoint: Option<&Endpoint>,
    headers: &mut HeaderMap,
) -> Option<Arc<Peer>> {
    let Some(endpoint) = endpoint else {
        return Some(Arc::clone(peer));
    };
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let caller = match (given.next(), given.next()) {
        (None, _) => Some(Arc::clone(peer)),
        (Some(one), None) => {
            let token = bearer(one.as_bytes())?;
            endpoint.holder(token).map(|holder| peer.with_token(holder))
        }
        (Some(_), Some(_)) => None,
    };
    headers.remove(AUTHORIZATION);
    caller
}

/// The token of `Bearer TOKEN`; the scheme is in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(BEARER.len())?;
    scheme.eq_ignore_ascii_case(BEARER).then_some(token)
}

/// Whether a peer proves to be somebody: at the socket by what the kernel says of it. What it may
/// do is for the handlers.
fn may_call(origin: &Origin) -> bool {
    match origin {
        Origin::Unix { .. } | Origin::Proven(_) => true,
        Origin::Loopback | Origin::Remote => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_follow_their_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some(b"abc".as_slice()));
        assert_eq!(bearer(b"bearer abc"), Some(b"abc".as_slice()));
        for value in [
            b"abc".as_slice(),
            b"Basic abc",
            b"Bearer",
            b"Bearerabc",
            b"",
        ] {
            assert_eq!(bearer(value), None);
        }
    }
}
