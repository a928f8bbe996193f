//! Decisions over plain HTTP with JSON, on a listener of its own: for browsers and `curl`, and for
//! whoever speaks AuthZEN. Off by default.
//!
//! `POST /tagwarden.v1.AuthorizationService/Authorize` and every other call of a data service that
//! has one answer, with messages in proto3's JSON; `POST /access/v1/evaluation` and
//! `/access/v1/evaluations` as the Authorization API 1.0 of OpenID AuthZEN has them. Each is handed
//! on as the call of gRPC that it is, so that nothing is decided here, and rights, limits and errors
//! are the same.
//!
//! It runs beside slow work, on none of the threads that decide.

mod answer;
mod authzen;
mod call;
mod message;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use self::answer::{failed, json, refused};
use self::call::Calls;
use self::message::Messages;
use super::pdp::Pdp;
use super::web::host::{self, WrongHost};
use super::web::{Answer, BindWebError, Ends, Site, Web};

/// The header by which a request and its answer are found together.
const REQUEST_ID: &str = "x-request-id";
/// The most bytes of it that are given back.
const REQUEST_ID_BYTES: usize = 128;

/// How the listener runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Host names that requests may name, beside those of the loopback and the address itself.
    pub hosts: Vec<String>,
    /// The most connections at once; further ones wait.
    pub connections: usize,
    /// The most bytes of a message.
    pub message_bytes: usize,
    /// The longest that a request may take, its body included.
    pub longest: Duration,
}

impl Config {
    /// The defaults for an address.
    pub fn new(listen: SocketAddr, hosts: Vec<String>) -> Self {
        Self {
            listen,
            hosts,
            connections: 256,
            message_bytes: 4 * 1_024 * 1_024,
            longest: Duration::from_secs(30),
        }
    }
}

/// The listener, bound.
#[derive(Debug)]
pub struct Rest {
    web: Web,
    config: Config,
    messages: Messages,
}

/// Why there is no such listener.
#[derive(Debug, thiserror::Error)]
pub enum BindRestError {
    /// The address is taken.
    #[error(transparent)]
    Bind(#[from] BindWebError),
    /// The descriptors of the API cannot be read.
    #[error("the API's descriptors cannot be read: {0}")]
    Messages(#[from] prost_reflect::DescriptorError),
}

impl Rest {
    /// Takes the address.
    ///
    /// # Errors
    ///
    /// When it is taken.
    pub fn bind(config: Config) -> Result<Self, BindRestError> {
        Ok(Self {
            web: Web::bind(config.listen, config.connections)?,
            messages: Messages::new()?,
            config,
        })
    }

    /// Where it listens, with the port that was taken.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.web.address()
    }

    /// Serves until `stop` is cancelled, and lets the requests under way end.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub async fn run(self, pdp: Pdp, stop: CancellationToken) -> io::Result<()> {
        let Self {
            web,
            config,
            messages,
        } = self;
        let calls = Calls::new(pdp, config.message_bytes);
        let door = Door {
            calls,
            messages,
            config,
        };
        web.run(door, stop).await
    }
}

/// What answers.
struct Door {
    calls: Calls,
    messages: Messages,
    config: Config,
}

impl Site for Door {
    async fn answer(&self, request: Request<Incoming>, ends: Ends) -> Answer {
        let id = request.headers().get(REQUEST_ID).cloned();
        let told = tokio::time::timeout(self.config.longest, self.tell(request, ends));
        let mut answer = told.await.unwrap_or_else(|_| {
            let late = crate::wire::status::CallError::DeadlineExceeded;
            failed(&late.to_status(), &self.messages)
        });
        if let Some(id) = id.filter(|id| id.len() <= REQUEST_ID_BYTES) {
            answer.headers_mut().insert(REQUEST_ID, id);
        }
        answer
    }
}

impl Door {
    async fn tell(&self, request: Request<Incoming>, ends: Ends) -> Answer {
        if let Some(wrong) = self.refusal(&request, &ends) {
            return wrong;
        }
        let (head, body) = request.into_parts();
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let call = match Calls::call(Arc::clone(&ends.peer), &head.headers) {
            Ok(call) => call,
            Err(error) => return failed(&error.to_status(), &self.messages),
        };
        let told = match head.uri.path() {
            authzen::EVALUATION => authzen::evaluation(self, call, &body).await,
            authzen::EVALUATIONS => authzen::evaluations(self, call, &body).await,
            path => self.decide(path, call, &body).await,
        };
        match told {
            Ok(said) => json(StatusCode::OK, said),
            Err(status) => failed(&status, &self.messages),
        }
    }

    /// security 1.3: "HTTP listeners refuse an unlisted `Host`, send no CORS headers, require a JSON
    /// content type". A path is looked at first, so that what is not there is told as that.
    fn refusal(&self, request: &Request<Incoming>, ends: &Ends) -> Option<Answer> {
        if let Err(wrong) = host::check(request, ends.own, &self.config.hosts) {
            let status = match wrong {
                WrongHost::NotOne => StatusCode::BAD_REQUEST,
                WrongHost::NotListed => StatusCode::MISDIRECTED_REQUEST,
            };
            return Some(refused(status, &wrong.to_string()));
        }
        let path = request.uri().path();
        let is_evaluation = matches!(path, authzen::EVALUATION | authzen::EVALUATIONS);
        if !is_evaluation && self.messages.method(path).is_none() {
            return Some(refused(StatusCode::NOT_FOUND, "no such call"));
        }
        if request.method() != Method::POST {
            let mut answer = refused(StatusCode::METHOD_NOT_ALLOWED, "only POST");
            let allowed = HeaderValue::from_static("POST");
            answer.headers_mut().insert(header::ALLOW, allowed);
            return Some(answer);
        }
        if !is_json(request.headers()) {
            let said = "the content type is not `application/json`, or the content is encoded";
            // The certification of AuthZEN asks for 400, and has no other.
            let status = if is_evaluation {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            };
            return Some(refused(status, said));
        }
        None
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Answer> {
        let limited = Limited::new(body, self.config.message_bytes);
        match limited.collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                let said = format!("more than {} bytes", self.config.message_bytes);
                Err(refused(StatusCode::PAYLOAD_TOO_LARGE, &said))
            }
            Err(_) => Err(refused(StatusCode::BAD_REQUEST, "the body is cut off")),
        }
    }

    /// One call of gRPC, with its messages in JSON.
    async fn decide(
        &self,
        path: &str,
        call: super::pdp::Call,
        body: &[u8],
    ) -> Result<Vec<u8>, Status> {
        let Some(method) = self.messages.method(path) else {
            return Err(Status::unimplemented("no such call"));
        };
        let message = message::read(method.input(), body).map_err(|error| error.to_status())?;
        let answer = self.calls.ask(path, call, message).await?;
        message::write(method.output(), &answer)
    }
}

/// Whether a request has JSON as it is.
fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (kinds.next(), kinds.next());
    let kind = first.and_then(|kind| kind.to_str().ok());
    let is_kind = kind.is_some_and(|kind| {
        let (kind, parameter) = kind.split_once(';').unwrap_or((kind, "charset=utf-8"));
        let is_utf8 = parameter.trim().eq_ignore_ascii_case("charset=utf-8");
        kind.trim().eq_ignore_ascii_case("application/json") && is_utf8
    });
    is_kind && second.is_none() && !headers.contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_json() {
        let check = |kinds: &[&'static str], expected| {
            let mut headers = HeaderMap::new();
            for kind in kinds {
                headers.append(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            assert_eq!(is_json(&headers), expected, "{kinds:?}");
        };
        check(&["application/json"], true);
        check(&["Application/JSON; charset=UTF-8"], true);
        check(&[], false);
        check(&["text/plain"], false);
        check(&["application/json; charset=latin1"], false);
        check(&["application/json", "text/plain"], false);
        check(&["application/jsonp"], false);
        check(&["application/x-www-form-urlencoded"], false);
    }
}
