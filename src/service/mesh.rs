//! `envoy.service.auth.v3.Authorization`: convert, load, decide, convert.
//!
//! One snapshot tells which route a request matches and what its policies say. Whatever is wrong
//! with the request is an answer; an error of the call is for peers that may not call, and for
//! messages that are none (security 10).

use bytes::Bytes;
use prost::Message as _;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::pdp::{Call, Pdp, Served, answer};
use crate::engine::decision::Decision;
use crate::model::caller::Rpc;
use crate::model::route::OnDeny as Shape;
use crate::model::verdict::{DenyReason, OnDeny};
use crate::routing::{self, Asked};
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::Effect;
use crate::wire::codec::{PREFIX, begin_frame, end_frame};
use crate::wire::envoy::service::auth::v3 as auth;
use crate::wire::envoy::service::auth::v3::authorization_server::Authorization;
use crate::wire::mesh::{
    Allowed, Shown, Told, allowed, attributes, denied, empty, failed, forwarded, malformed,
    question,
};
use crate::wire::reply::is_allowed;
use crate::wire::status::CallError;
use tonic::Code;

/// What a client is told of a request that may not be made.
const ACCESS_DENIED: &str = "ACCESS_DENIED";

impl Pdp {
    /// Answers a proxy: bytes to a message with its prefix in front.
    pub(super) fn check_now(&self, call: &Call, request: &[u8]) -> Result<Bytes, CallError> {
        let request = auth::CheckRequest::decode(request)
            .map_err(|error| CallError::MessageInvalid(error.to_string()))?;
        let response = self.check_request(call, &request)?;
        let mut answer = begin_frame(PREFIX + response.encoded_len());
        // A vector has place for all of it.
        let _ = response.encode(&mut answer);
        Ok(end_frame(answer))
    }

    /// Answers a proxy.
    fn check_request(
        &self,
        call: &Call,
        request: &auth::CheckRequest,
    ) -> Result<auth::CheckResponse, CallError> {
        let checked = self.with_newest(|snapshot| {
            let caller = call.caller(snapshot, Rpc::Check)?;
            let start = Instant::now();
            let (effect, response) = self.check_in(snapshot, caller, request);
            self.count(Rpc::Check, effect, start.elapsed());
            Ok(response)
        });
        match checked {
            // Without policies, or with policies that are too old, nothing is decided.
            Err(error) if error.code() == Code::Unavailable => {
                let (id, reason) = (self.next_id(), error.reason());
                let told = Told {
                    id: &id,
                    reason: Some(reason),
                    ..Told::default()
                };
                Ok(fault(&told))
            }
            checked => checked,
        }
    }

    fn check_in(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: &auth::CheckRequest,
    ) -> (Effect, auth::CheckResponse) {
        let id = self.next_id();
        let told = Told {
            id: &id,
            decided_by: Some((snapshot, caller.rights.disclosure)),
            ..Told::default()
        };
        let Some(attributes) = attributes(request) else {
            let code = routing::Reason::NoRoute.as_str();
            return (Effect::Deny, refused(told, code, None));
        };
        let protocol = routing::protocol(&attributes);
        let told = Told { protocol, ..told };
        match routing::ask(&snapshot.routes, &attributes) {
            Ok(asked) => {
                let route = Some(asked.route.name.as_str());
                self.decide_asked(snapshot, caller, &asked, Told { route, ..told })
            }
            Err(wrong) => {
                let route = wrong.route.map(|route| route.name.as_str());
                let told = Told { route, ..told };
                let code = wrong.reason.as_str();
                if wrong.reason.is_forbidden() {
                    (Effect::Deny, refused(told, code, Some(&wrong.what)))
                } else {
                    (Effect::Error, mistaken(told, code, Some(&wrong.what)))
                }
            }
        }
    }

    fn decide_asked<'a>(
        &self,
        snapshot: &'a Snapshot,
        caller: &Caller,
        asked: &Asked<'_>,
        told: Told<'a>,
    ) -> (Effect, auth::CheckResponse) {
        let values: Vec<[&str; 1]> = asked.context.iter().map(|(_, value)| [&**value]).collect();
        let message = question(asked, &values);
        let mut ignored = 0;
        let considered = self.desk(caller, snapshot).consider_routed(
            &message,
            &mut ignored,
            |engine, decision, _, _| {
                let obligations = if is_allowed(decision) {
                    engine.obligations(decision)
                } else {
                    Vec::new()
                };
                (*decision, Allowed { obligations })
            },
        );
        match considered {
            Ok((decision, passing)) if is_allowed(&decision) => {
                let statement = decision.cause.statement;
                let told = Told { statement, ..told };
                (Effect::Allow, allowed(&told, &passing))
            }
            Ok((decision, _)) => (Effect::Deny, shown(&decision, &asked.route.on_deny, told)),
            Err(error) => unanswered(&error, told),
        }
    }
}

/// A refusal, as its route shows it.
fn shown(decision: &Decision, shape: &Shape, told: Told<'_>) -> auth::CheckResponse {
    let told = Told {
        reason: decision.reason.map(reason),
        statement: decision.cause.statement,
        ..told
    };
    match (decision.on_deny, shape) {
        (OnDeny::EmptyResult, Shape::Empty(result)) => empty(&told, result),
        (OnDeny::EmptyResult, Shape::Forward) => forwarded(&told),
        (OnDeny::EmptyResult, Shape::Error) | (OnDeny::Error, _) => {
            let (code, message) = (ACCESS_DENIED, None);
            denied(&told, Shown { code, message })
        }
    }
}

/// A request that is not decided: malformed, not allowed to be asked, or asked of an account whose
/// documents are refused.
fn unanswered(error: &CallError, told: Told<'_>) -> (Effect, auth::CheckResponse) {
    let told = Told {
        reason: Some(error.reason()),
        ..told
    };
    let code = error.code();
    if code == Code::Unavailable {
        (Effect::Error, fault(&told))
    } else if code == Code::InvalidArgument {
        (Effect::Error, mistaken(told, error.reason(), None))
    } else {
        let (code, message) = (ACCESS_DENIED, None);
        (Effect::Deny, denied(&told, Shown { code, message }))
    }
}

fn refused(told: Told<'_>, code: &str, message: Option<&str>) -> auth::CheckResponse {
    let reason = Some(code);
    denied(&Told { reason, ..told }, Shown { code, message })
}

fn mistaken(told: Told<'_>, code: &str, message: Option<&str>) -> auth::CheckResponse {
    let reason = Some(code);
    malformed(&Told { reason, ..told }, Shown { code, message })
}

/// What is wrong inside stays inside.
fn fault(told: &Told<'_>) -> auth::CheckResponse {
    let (code, message) = ("UNAVAILABLE", None);
    failed(told, Shown { code, message })
}

fn reason(reason: DenyReason) -> &'static str {
    match reason {
        DenyReason::Implicit => "IMPLICIT_DENY",
        DenyReason::Explicit => "EXPLICIT_DENY",
        DenyReason::PrincipalUnknown => "PRINCIPAL_UNKNOWN",
        DenyReason::ObligationRequired => "OBLIGATION_REQUIRED",
        DenyReason::ResourceUnknown => "RESOURCE_UNKNOWN",
    }
}

#[tonic::async_trait]
impl Authorization for Served {
    async fn check(
        &self,
        request: Request<auth::CheckRequest>,
    ) -> Result<Response<auth::CheckResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        answer(self.0.check_request(&Call::new(&extensions), &message))
    }
}
