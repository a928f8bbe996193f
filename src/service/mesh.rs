//! `envoy.service.auth.v3.Authorization`: convert, load, decide, convert.
//!
//! One snapshot tells which route a request matches and what its policies say. Whatever is wrong
//! with the request is an answer; an error of the call is for peers that may not call, and for
//! messages that are none (security 10).

use bytes::Bytes;
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status};

use super::pdp::{Call, Pdp, Served, answer, rights};
use crate::engine::decision::Decision;
use crate::model::caller::{Origin, Rpc};
use crate::model::route::OnDeny as Shape;
use crate::model::verdict::{DenyReason, OnDeny};
use crate::routing::{self, Asked, Attributes};
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::Effect;
use crate::wire::codec::{begin_frame, end_frame};
use crate::wire::encode::Writer;
use crate::wire::envoy::service::auth::v3 as auth;
use crate::wire::envoy::service::auth::v3::authorization_server::Authorization;
use crate::wire::mesh::{
    Shown, Told, allowed, attributes, denied, empty, failed, fill, forwarded, malformed,
    with_attributes,
};
use crate::wire::message::{Authorize, decode};
use crate::wire::reply::is_allowed;
use crate::wire::status::CallError;

/// Place for an answer that passes: it has about 350 bytes.
const ANSWER_BYTES: usize = 512;

/// What a client is told of a request that may not be made.
const ACCESS_DENIED: &str = "ACCESS_DENIED";

impl Pdp {
    /// Answers a proxy: bytes to a message with its prefix in front.
    pub(super) fn check_now(&self, call: &Call, request: &[u8]) -> Result<Bytes, CallError> {
        let mut answer = begin_frame(ANSWER_BYTES);
        self.check(call.origin(), request, &mut answer)?;
        Ok(end_frame(answer))
    }

    /// Answers a proxy from somewhere, without a socket: appends the bytes of a `CheckResponse` to
    /// those that are there.
    ///
    /// # Errors
    ///
    /// As a call of `Check`.
    pub fn check(
        &self,
        origin: &Origin,
        request: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        with_attributes(request, |attributes| {
            self.check_request(origin, attributes, &mut Writer(answer))
        })?
    }

    fn check_request(
        &self,
        origin: &Origin,
        request: Option<Attributes<'_>>,
        answer: &mut Writer<'_>,
    ) -> Result<(), CallError> {
        let checked = self.with_newest(|snapshot| {
            let caller = snapshot.callers.find(origin);
            rights::check_rpc(caller, Rpc::Check)?;
            let start = Instant::now();
            let effect = self.check_in(snapshot, caller, request, answer);
            self.count(Rpc::Check, effect, start.elapsed());
            Ok(())
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
                fault(&told, answer);
                Ok(())
            }
            checked => checked,
        }
    }

    fn check_in(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        request: Option<Attributes<'_>>,
        answer: &mut Writer<'_>,
    ) -> Effect {
        let id = self.next_id();
        let told = Told {
            id: &id,
            decided_by: Some((snapshot, caller.rights.disclosure)),
            ..Told::default()
        };
        let Some(attributes) = request else {
            let code = routing::Reason::NoRoute.as_str();
            return refused(told, code, None, answer);
        };
        let protocol = routing::protocol(&attributes);
        let told = Told { protocol, ..told };
        match routing::ask(&snapshot.routes, &attributes) {
            Ok(asked) => {
                let route = Some(asked.route.name.as_str());
                let told = Told { route, ..told };
                self.decide_asked((snapshot, caller), &asked, told, answer)
            }
            Err(wrong) => {
                let route = wrong.route.map(|route| route.name.as_str());
                let told = Told { route, ..told };
                let code = wrong.reason.as_str();
                if wrong.reason.is_forbidden() {
                    refused(told, code, Some(&wrong.what), answer)
                } else {
                    mistaken(told, code, Some(&wrong.what), answer)
                }
            }
        }
    }

    fn decide_asked(
        &self,
        (snapshot, caller): (&Snapshot, &Caller),
        asked: &Asked<'_>,
        told: Told<'_>,
        answer: &mut Writer<'_>,
    ) -> Effect {
        let values: Vec<[&str; 1]> = asked.context.iter().map(|(_, value)| [&**value]).collect();
        let mut message = Authorize::default();
        fill(&mut message, asked, &values);
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
                (*decision, obligations)
            },
        );
        match considered {
            Ok((decision, obligations)) if is_allowed(&decision) => {
                let statement = decision.cause.statement;
                let told = Told { statement, ..told };
                allowed(&told, &obligations, answer);
                Effect::Allow
            }
            Ok((decision, _)) => {
                shown(&decision, &asked.route.on_deny, told, answer);
                Effect::Deny
            }
            Err(error) => unanswered(&error, told, answer),
        }
    }
}

/// A refusal, as its route shows it.
fn shown(decision: &Decision, shape: &Shape, told: Told<'_>, answer: &mut Writer<'_>) {
    let told = Told {
        reason: decision.reason.map(reason),
        statement: decision.cause.statement,
        ..told
    };
    match (decision.on_deny, shape) {
        (OnDeny::EmptyResult, Shape::Empty(result)) => empty(&told, result, answer),
        (OnDeny::EmptyResult, Shape::Forward) => forwarded(&told, answer),
        (OnDeny::EmptyResult, Shape::Error) | (OnDeny::Error, _) => {
            let (code, message) = (ACCESS_DENIED, None);
            denied(&told, Shown { code, message }, answer);
        }
    }
}

/// A request that is not decided: malformed, not allowed to be asked, or asked of an account whose
/// documents are refused.
fn unanswered(error: &CallError, told: Told<'_>, answer: &mut Writer<'_>) -> Effect {
    let told = Told {
        reason: Some(error.reason()),
        ..told
    };
    let code = error.code();
    if code == Code::Unavailable {
        fault(&told, answer)
    } else if code == Code::InvalidArgument {
        mistaken(told, error.reason(), None, answer)
    } else {
        let (code, message) = (ACCESS_DENIED, None);
        denied(&told, Shown { code, message }, answer);
        Effect::Deny
    }
}

fn refused(told: Told<'_>, code: &str, message: Option<&str>, answer: &mut Writer<'_>) -> Effect {
    let reason = Some(code);
    denied(&Told { reason, ..told }, Shown { code, message }, answer);
    Effect::Deny
}

fn mistaken(told: Told<'_>, code: &str, message: Option<&str>, answer: &mut Writer<'_>) -> Effect {
    let reason = Some(code);
    malformed(&Told { reason, ..told }, Shown { code, message }, answer);
    Effect::Error
}

/// What is wrong inside stays inside.
fn fault(told: &Told<'_>, answer: &mut Writer<'_>) -> Effect {
    let (code, message) = ("UNAVAILABLE", None);
    failed(told, Shown { code, message }, answer);
    Effect::Error
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

/// Calls that are no usual ones, with the layers of a gRPC server.
#[tonic::async_trait]
impl Authorization for Served {
    async fn check(
        &self,
        request: Request<auth::CheckRequest>,
    ) -> Result<Response<auth::CheckResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        let mut written = Vec::new();
        let checked = self.0.check_request(
            call.origin(),
            attributes(&message),
            &mut Writer(&mut written),
        );
        answer(checked.and_then(|()| decode(&written)))
    }
}
