//! The evaluation endpoints of OpenID AuthZEN's Authorization API 1.0.
//!
//! A subject's id is a principal, an action's name an action, a resource's id an ARN; properties and
//! context say what else a question has ([`question`]).
//! Nobody is taken to carry out obligations: what would need one is denied.

mod question;

use prost::Message as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use self::question::Evaluation;
use super::answer::http_status;
use super::message::Names;
use super::{Door, message};
use crate::service::pdp::Call;
use crate::wire::status::CallError;
use crate::wire::v1;

/// One evaluation.
pub(super) const EVALUATION: &str = "/access/v1/evaluation";
/// Many.
pub(super) const EVALUATIONS: &str = "/access/v1/evaluations";

const AUTHORIZE: &str = "/tagwarden.v1.AuthorizationService/Authorize";
const BATCH: &str = "/tagwarden.v1.AuthorizationService/BatchAuthorize";
const ANSWER: &str = "tagwarden.v1.AuthorizeResponse";

/// Many evaluations: what stands beside them is what one of them has that does not say otherwise.
///
/// Each is read by itself: one that cannot be read is the error of one.
#[derive(Debug, Deserialize)]
struct Evaluations {
    subject: Option<question::Subject>,
    action: Option<question::Action>,
    resource: Option<question::Resource>,
    context: Option<question::Context>,
    #[serde(default, rename = "evaluations")]
    each: Vec<Value>,
    #[serde(default)]
    options: Options,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    #[serde(default)]
    evaluations_semantic: Semantic,
}

/// After which answer no further one is told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    fn ends_after(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// Answers one evaluation.
pub(super) async fn evaluation(door: &Door, call: Call, body: &[u8]) -> Result<Vec<u8>, Status> {
    let asked: Evaluation = read(body)?;
    single(door, call, asked).await
}

/// Answers many, against one snapshot; without any it is one.
pub(super) async fn evaluations(door: &Door, call: Call, body: &[u8]) -> Result<Vec<u8>, Status> {
    let Evaluations {
        subject,
        action,
        resource,
        context,
        each,
        options,
    } = read(body)?;
    let beside = Evaluation {
        subject,
        action,
        resource,
        context,
    };
    if each.is_empty() {
        return single(door, call, beside).await;
    }
    let question = |one| from_value::<Evaluation>(one)?.or(&beside).question();
    let questions: Vec<_> = each.into_iter().map(question).collect();
    let mut answers = batch(door, call, &questions).await?.into_iter();
    let mut told = Vec::with_capacity(questions.len());
    for question in questions {
        // What cannot be asked was not: the answers are those of the others.
        let answer = match question {
            Ok(_) => answers
                .next()
                .map_or_else(unanswered, |result| result_of(door, result)),
            Err(error) => failure(&error.to_status()),
        };
        let is_permit = answer.get("decision") == Some(&Value::Bool(true));
        let is_last = options.evaluations_semantic.ends_after(is_permit);
        told.push(answer);
        if is_last {
            break;
        }
    }
    Ok(json!({"evaluations": told}).to_string().into_bytes())
}

async fn single(door: &Door, call: Call, asked: Evaluation) -> Result<Vec<u8>, Status> {
    let question = asked.question().map_err(|error| error.to_status())?;
    let message = question.encode_to_vec().into();
    let answer = door.calls.ask(AUTHORIZE, call, message).await?;
    let told = decision(door, &answer)?;
    Ok(told.to_string().into_bytes())
}

async fn batch(
    door: &Door,
    call: Call,
    questions: &[Result<v1::AuthorizeRequest, CallError>],
) -> Result<Vec<v1::AuthorizeResult>, Status> {
    let requests = questions
        .iter()
        .filter_map(|question| question.as_ref().ok());
    let requests = v1::BatchAuthorizeRequest {
        requests: requests.cloned().collect(),
    };
    let message = requests.encode_to_vec().into();
    let answer = door.calls.ask(BATCH, call, message).await?;
    let unreadable = |_| Status::internal("the answer cannot be read");
    let answer = v1::BatchAuthorizeResponse::decode(answer).map_err(unreadable)?;
    Ok(answer.results)
}

/// What one result of a batch comes to.
fn result_of(door: &Door, result: v1::AuthorizeResult) -> Value {
    use v1::authorize_result::Result as Of;
    match result.result {
        Some(Of::Response(answer)) => {
            let told = decision(door, &answer.encode_to_vec());
            told.unwrap_or_else(|status| failure(&status))
        }
        Some(Of::Error(error)) => {
            let (code, said) = (Code::from_i32(error.code), error.message.clone());
            let details = error.encode_to_vec().into();
            failure(&Status::with_details(code, said, details))
        }
        None => unanswered(),
    }
}

/// What an answer comes to: the decision, and all else that it tells as context.
fn decision(door: &Door, answer: &[u8]) -> Result<Value, Status> {
    let unreadable = || Status::internal("the answer cannot be written as JSON");
    let descriptor = door.messages.message(ANSWER).ok_or_else(unreadable)?;
    let told = message::write(descriptor, answer)?;
    let mut told: Value = serde_json::from_slice(&told).map_err(|_| unreadable())?;
    let effect = told.as_object_mut().and_then(|told| told.remove("effect"));
    let decision = effect.is_some_and(|effect| effect == "EFFECT_ALLOW");
    Ok(json!({"decision": decision, "context": told}))
}

/// What one evaluation of many comes to that has no answer: closed, and told as a failure.
fn failure(status: &Status) -> Value {
    let reason = status.get_details_error_info().map(|info| info.reason);
    let error = json!({
        "status": http_status(status.code()).as_u16(),
        "message": status.message(),
        "reason": reason,
    });
    json!({"decision": false, "context": {"error": error}})
}

fn unanswered() -> Value {
    failure(&Status::internal("there is no answer"))
}

/// Reads a body.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Status> {
    message::check(body, Names::AsWritten)
        .map_err(|errors| CallError::MessageInvalid(errors.to_string()))
        .and_then(|()| serde_json::from_slice(body).map_err(|error| unreadable(&error)))
        .map_err(|error| error.to_status())
}

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, CallError> {
    serde_json::from_value(value).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> CallError {
    CallError::MessageInvalid(error.to_string())
}
