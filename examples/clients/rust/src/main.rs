//! Asks tagwarden what alice may do and whether tags comply, and handles every way to get no answer.
//!
//! An answer is ALLOW or DENY. Everything else is an error here, [`NotDecided`]: whoever enforces
//! then does what its own failure mode says, which for most is to refuse. Usage: client HOST:PORT

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, TimeoutExpired};
use tonic_types::{ErrorDetails, StatusExt};

use self::v1::authorization_service_client::AuthorizationServiceClient;
use self::v1::tagging_service_client::TaggingServiceClient;
use self::v1::{
    AuthorizeRequest, AuthorizeResponse, AuthorizeStreamRequest, Effect, OnDeny, Resource,
    RevisionToken, Session, Tag, TagSet, TagWrite, TaggingOperation, TaggingVerdict,
    ValidateTaggingRequest, authorize_result, obligation, session,
};

mod v1 {
    tonic::include_proto!("tagwarden.v1");
}

const ALICE: &str = "acs:ram::123456789012:user/alice";
const GROUPS: &str = "acs:eci:cn-hangzhou:123456789012:containergroup/";
const DELETE: &str = "DeleteContainerGroup";
const DEADLINE: Duration = Duration::from_secs(2);
/// Longer than the server waits for a revision: what it says of that comes in time.
const PATIENT: Duration = Duration::from_secs(4);
const TRIES: u32 = 2;

type Authorization = AuthorizationServiceClient<Channel>;

/// There is no answer.
#[derive(Debug)]
struct NotDecided {
    code: Code,
    reason: String,
    place: String,
    /// `None` where asking again is of no use.
    retry_after: Option<Duration>,
}

impl From<Status> for NotDecided {
    /// A status without details comes from the way there, and not from tagwarden.
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let mut causes = std::iter::successors(status.source(), |&cause| cause.source());
        // tonic's client calls its own time-out a cancellation.
        let is_late = causes.any(|cause| cause.is::<TimeoutExpired>());
        Self {
            code: if is_late {
                Code::DeadlineExceeded
            } else {
                status.code()
            },
            reason: details
                .error_info()
                .map_or_else(String::new, |info| info.reason.clone()),
            place: place(&details).unwrap_or_default(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

/// The field or the condition that the error is about.
fn place(details: &ErrorDetails) -> Option<String> {
    if let Some(wrong) = details.bad_request() {
        return Some(wrong.field_violations.first()?.field.clone());
    }
    let precondition = details.precondition_failure()?;
    Some(precondition.violations.first()?.subject.clone())
}

impl fmt::Display for NotDecided {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not decided: {}", upper_snake(self.code))?;
        if !self.reason.is_empty() {
            write!(formatter, " {}", self.reason)?;
        }
        if !self.place.is_empty() {
            write!(formatter, " in {}", self.place)?;
        }
        Ok(())
    }
}

impl Error for NotDecided {}

/// Writes `InvalidArgument` as all other languages do.
fn upper_snake(code: Code) -> String {
    let mut written = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.push(letter.to_ascii_uppercase());
    }
    written
}

/// A request with a deadline, which the server is told.
fn within<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}

/// Makes a call, and makes it again only where the server says that this may help.
async fn asked<T>(
    mut call: impl AsyncFnMut() -> Result<Response<T>, Status>,
) -> Result<T, NotDecided> {
    let mut attempt = 1;
    loop {
        let refused = match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => NotDecided::from(status),
        };
        match refused.retry_after {
            Some(delay) if attempt < TRIES => tokio::time::sleep(delay).await,
            _ => return Err(refused),
        }
        attempt += 1;
    }
}

async fn decide(
    client: &Authorization,
    request: &AuthorizeRequest,
    deadline: Duration,
) -> Result<AuthorizeResponse, NotDecided> {
    asked(async || {
        client
            .clone()
            .authorize(within(request.clone(), deadline))
            .await
    })
    .await
}

fn write(tags: &[(&str, &str)]) -> TagWrite {
    let tags = tags.iter().map(|(key, value)| Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    });
    TagWrite {
        set: Some(TagSet {
            tags: tags.collect(),
        }),
        ..TagWrite::default()
    }
}

/// A request about one container group.
fn question(action: &str, group: &str, tags: &[(&str, &str)]) -> AuthorizeRequest {
    AuthorizeRequest {
        principal: ALICE.to_owned(),
        action: format!("eci:{action}"),
        resources: vec![Resource {
            arn: format!("{GROUPS}{group}"),
            ..Resource::default()
        }],
        tag_write: (!tags.is_empty()).then(|| write(tags)),
        understands_obligations: true,
        ..AuthorizeRequest::default()
    }
}

/// What an answer says, in words.
fn decision(answer: &AuthorizeResponse) -> String {
    if answer.effect() == Effect::Allow {
        let filters = answer
            .obligations
            .iter()
            .map(|told| match &told.obligation {
                Some(obligation::Obligation::MustFilterTags(filter)) => {
                    let tags = filter.tags.iter();
                    let tags = tags.map(|tag| format!("{}={}", tag.key, tag.value));
                    format!(", filtered by {}", tags.collect::<Vec<_>>().join(","))
                }
                _ => ", with an obligation".to_owned(),
            });
        return format!("ALLOW{}", filters.collect::<String>());
    }
    let reason = answer.reason().as_str_name().replace("REASON_", "");
    let shown = match answer.on_deny() {
        OnDeny::EmptyResult => "an empty result",
        _ => "an error",
    };
    format!("DENY {reason}, shown as {shown}")
}

/// What a verdict on tags says, in words.
fn verdict(found: &TaggingVerdict) -> String {
    match found.violations.first() {
        None => "complies".to_owned(),
        Some(wrong) => {
            let shown = if found.intercepted {
                "intercepted"
            } else {
                "reported"
            };
            let (key, value) = (&wrong.expected_key, &wrong.nearest_value);
            format!("{shown}, {key} should be {value}")
        }
    }
}

async fn tell(client: &Authorization, what: &str, request: &AuthorizeRequest, deadline: Duration) {
    match decide(client, request, deadline).await {
        Ok(answer) => println!("{what}: {}", decision(&answer)),
        Err(refused) => println!("{what}: {refused}"),
    }
}

async fn authorize(client: &Authorization) {
    for (what, action, group, tags) in [
        ("delete eci-test", DELETE, "eci-test", &[][..]),
        ("delete eci-prod", DELETE, "eci-prod", &[]),
        ("list all", "DescribeContainerGroups", "*", &[]),
        (
            "list env=test",
            "DescribeContainerGroups",
            "*",
            &[("env", "test")],
        ),
    ] {
        let request = question(action, group, tags);
        tell(client, &format!("authorize {what}"), &request, DEADLINE).await;
    }
}

async fn validate(client: &TaggingServiceClient<Channel>) -> Result<(), NotDecided> {
    for value in ["Shanghai", "shanghai"] {
        let request = ValidateTaggingRequest {
            resource: question(DELETE, "*", &[]).resources.pop(),
            operation: TaggingOperation::Create.into(),
            tag_write: Some(write(&[("CostCenter", value)])),
            ..ValidateTaggingRequest::default()
        };
        let call = async || {
            let request = within(request.clone(), DEADLINE);
            client.clone().validate_tagging(request).await
        };
        let found = asked(call).await?.verdict.unwrap_or_default();
        println!("validate CostCenter={value}: {}", verdict(&found));
    }
    Ok(())
}

/// Answers come in the order of the questions; one that is refused does not end the stream.
async fn stream(client: &Authorization) -> Result<(), NotDecided> {
    let questions = ["eci-test", "*", "eci-prod"].map(|group| AuthorizeStreamRequest {
        request: Some(question(DELETE, group, &[])),
    });
    let questions = within(tokio_stream::iter(questions), DEADLINE);
    let mut answers = asked_once(client.clone().authorize_stream(questions).await)?;
    let mut number = 0;
    while let Some(answer) = answers.message().await? {
        number += 1;
        match answer.result.and_then(|result| result.result) {
            Some(authorize_result::Result::Response(answer)) => {
                println!("stream {number}: {}", decision(&answer));
            }
            Some(authorize_result::Result::Error(error)) => {
                let status = Status::with_details(
                    Code::from_i32(error.code),
                    error.message.clone(),
                    prost::Message::encode_to_vec(&error).into(),
                );
                println!("stream {number}: {}", NotDecided::from(status));
            }
            None => println!("stream {number}: nothing"),
        }
    }
    Ok(())
}

fn asked_once<T>(answered: Result<Response<T>, Status>) -> Result<T, NotDecided> {
    Ok(answered?.into_inner())
}

async fn refusals(client: &Authorization) -> Result<(), NotDecided> {
    let twice = question(
        "CreateContainerGroup",
        "*",
        &[("env", "test"), ("env", "prod")],
    );
    let unknown = question(DELETE, "eci-new", &[]);
    let mut session = question(DELETE, "eci-test", &[]);
    session.session = Some(Session {
        policy: Some(session::Policy::PolicyDocument("{}".to_owned())),
    });
    let mut broken = question(DELETE, "eci-test", &[]);
    broken.principal = ALICE.replace("123456789012", "999999999999");
    for (what, request) in [
        ("tag twice", twice),
        ("unknown group", unknown),
        ("session", session),
        ("broken account", broken),
    ] {
        tell(client, &format!("refused {what}"), &request, DEADLINE).await;
    }
    let mut later = question(DELETE, "eci-test", &[]);
    let told = decide(client, &later, DEADLINE).await?;
    later.min_revision = told.revision.map(|revision| RevisionToken {
        source: revision.source,
        number: revision.number + 1,
    });
    tell(client, "refused later revision", &later, PATIENT).await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: client HOST:PORT")?;
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    let client = AuthorizationServiceClient::new(channel.clone());
    authorize(&client).await;
    validate(&TaggingServiceClient::new(channel)).await?;
    stream(&client).await?;
    refusals(&client).await?;
    let nobody = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let nobody = AuthorizationServiceClient::new(nobody);
    tell(
        &nobody,
        "nobody there",
        &question(DELETE, "eci-test", &[]),
        DEADLINE,
    )
    .await;
    Ok(())
}
