//! The services as a client sees them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use prost::Message as _;
use tagwarden::model::verdict::limits;
use tagwarden::wire::v1;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::{StatusExt as _, pb};

use crate::support::raw::{End, call, framed};
use crate::support::server::{
    LIMIT, Running, SOURCE, authorize_head, config, empty_message, head, start, start_ready,
    within, without_resource,
};

fn reason(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .expect("an ErrorInfo")
        .reason
        .clone()
}

fn field(status: &Status) -> String {
    status
        .get_error_details()
        .bad_request()
        .unwrap()
        .field_violations[0]
        .field
        .clone()
}

fn item_reason(result: &v1::AuthorizeResult) -> String {
    let Some(v1::authorize_result::Result::Error(error)) = &result.result else {
        panic!("an answer: {result:?}")
    };
    let details = prost::Message::encode_to_vec(error);
    let code = Code::from_i32(error.code);
    reason(&Status::with_details(
        code,
        error.message.clone(),
        details.into(),
    ))
}

fn resource(arn: &str) -> v1::Resource {
    v1::Resource {
        arn: arn.to_owned(),
        ..v1::Resource::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_before_the_first_snapshot() {
    let mut running = start(config());
    let mut client = running.client().await;
    let refused = within(client.authorize(without_resource()))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::Unavailable, "SNAPSHOT_NOT_READY")
    );
    assert!(refused.get_error_details().retry_info().is_some());

    let mut health = HealthClient::new(running.channel().await);
    for service in ["", "tagwarden.v1.AuthorizationService"] {
        let asked = HealthCheckRequest {
            service: service.to_owned(),
        };
        let told = within(health.check(asked.clone()))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(told.status(), ServingStatus::NotServing, "{service}");
    }
    let asked = HealthCheckRequest {
        service: String::new(),
    };
    let mut watched = within(health.watch(asked)).await.unwrap().into_inner();
    let first = within(watched.next()).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::NotServing);
    running.publish(1);
    let second = within(watched.next()).await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::Serving);

    let refused = within(client.authorize(without_resource()))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::InvalidArgument, "NO_RESOURCE")
    );
    assert_eq!(field(&refused), "resources");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_caller_may_not_see_cannot_be_asked() {
    let running = start_ready(config());
    let asked = v1::AuthorizeRequest {
        explain: true,
        ..without_resource()
    };
    let refused = within(running.client().await.authorize(asked))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::PermissionDenied, "CALLER_NOT_ALLOWED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_errors_of_items_and_limits_of_its_own() {
    let running = start_ready(config());
    let mut client = running.client().await;
    let of = |requests| v1::BatchAuthorizeRequest { requests };
    let other = v1::AuthorizeRequest {
        principal: String::new(),
        ..without_resource()
    };
    let mut many = vec![without_resource(); 200];
    many[130] = other;
    let answered = within(client.batch_authorize(of(many)))
        .await
        .unwrap()
        .into_inner();
    let reasons: Vec<_> = answered.results.iter().map(item_reason).collect();
    assert_eq!(reasons.len(), 200);
    for (place, reason) in reasons.iter().enumerate() {
        let expected = if place == 130 {
            "INVALID_REQUEST"
        } else {
            "NO_RESOURCE"
        };
        assert_eq!(reason, expected, "{place}");
    }
    let over = of(vec![without_resource(); 1_001]);
    let refused = within(client.batch_authorize(over)).await.unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::InvalidArgument, "BATCH_LIMIT")
    );
    let full = v1::AuthorizeRequest {
        resources: vec![resource("*"); 50],
        ..without_resource()
    };
    let refused = within(client.batch_authorize(of(vec![full; 101])))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::InvalidArgument, "SUB_CHECK_LIMIT")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order_and_outlives_refusals() {
    let running = start_ready(config());
    let mut client = running.client().await;
    let question = |place: usize| v1::AuthorizeStreamRequest {
        request: (!place.is_multiple_of(3)).then(|| v1::AuthorizeRequest {
            action: if place % 3 == 1 {
                "ecs".to_owned()
            } else {
                "ecs:StopInstance".to_owned()
            },
            ..without_resource()
        }),
    };
    let questions = tokio_stream::iter((0..300).map(question));
    let mut answers = within(client.authorize_stream(questions))
        .await
        .unwrap()
        .into_inner();
    for place in 0..300 {
        let answer = within(answers.next()).await.unwrap().unwrap();
        let expected = if place % 3 == 2 {
            "NO_RESOURCE"
        } else {
            "INVALID_REQUEST"
        };
        assert_eq!(item_reason(&answer.result.unwrap()), expected, "{place}");
    }
    assert!(within(answers.next()).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_bounded_and_name_one_resource_each() {
    let running = start_ready(config());
    let mut client = running.client().await;
    let of = |candidates| v1::FilterResourcesRequest {
        principal: "acs:ram::1:user/alice".to_owned(),
        action: "ecs:DescribeInstances".to_owned(),
        candidates,
        ..v1::FilterResourcesRequest::default()
    };
    let none = within(client.filter_resources(of(Vec::new())))
        .await
        .unwrap()
        .into_inner();
    assert!(none.arns.is_empty() && none.revision.unwrap().number == 1);
    let open = of(vec![resource("acs:ecs::1:instance/*")]);
    let refused = within(client.filter_resources(open)).await.unwrap_err();
    assert_eq!(
        (&*reason(&refused), &*field(&refused)),
        ("RESOURCE_ID_REQUIRED", "candidates[0].arn")
    );
    let many = (0..1_001)
        .map(|place| resource(&format!("acs:ecs::1:instance/{place}")))
        .collect();
    let refused = within(client.filter_resources(of(many))).await.unwrap_err();
    assert_eq!(reason(&refused), "CANDIDATE_LIMIT");
    // Without a tag that is known to be there a candidate is dropped before anything is decided.
    let tag = v1::Tag {
        key: "env".to_owned(),
        value: "test".to_owned(),
    };
    let filtered = v1::FilterResourcesRequest {
        filter_tags: Some(v1::TagSet { tags: vec![tag] }),
        ..of(vec![resource("acs:ecs::1:instance/1")])
    };
    let none = within(client.filter_resources(filtered))
        .await
        .unwrap()
        .into_inner();
    assert!(none.arns.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_is_waited_for_only_with_a_deadline() {
    let mut running = start_ready(config());
    let mut client = running.client().await;
    let asking = |source: u64, number| v1::AuthorizeRequest {
        min_revision: Some(v1::RevisionToken {
            source: format!("{source:016x}"),
            number,
        }),
        ..without_resource()
    };
    let mut check = async |request: Request<v1::AuthorizeRequest>, expected: &str| {
        let refused = within(client.authorize(request)).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
    };
    check(Request::new(asking(SOURCE, 1)), "NO_RESOURCE").await;
    check(Request::new(asking(SOURCE + 1, 1)), "REVISION_UNREACHABLE").await;
    check(Request::new(asking(SOURCE, 1_002)), "REVISION_UNREACHABLE").await;
    check(Request::new(asking(SOURCE, 2)), "REVISION_NOT_REACHED").await;
    let mut client = running.client().await;
    let waiting = tokio::spawn(async move {
        let mut request = Request::new(asking(SOURCE, 2));
        request.set_timeout(Duration::from_secs(10));
        within(client.authorize(request)).await.unwrap_err()
    });
    running.publish(2);
    assert_eq!(reason(&waiting.await.unwrap()), "NO_RESOURCE");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_reflection_tell_the_services() {
    use tonic_reflection::pb::{v1 as new, v1alpha as old};
    let running = start(config());
    let services = |names: Vec<String>| {
        for name in ["tagwarden.v1.AuthorizationService", "grpc.health.v1.Health"] {
            assert!(names.iter().any(|told| told == name), "{names:?}");
        }
    };

    let mut client =
        new::server_reflection_client::ServerReflectionClient::new(running.channel().await);
    let asked = new::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            new::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };
    let answers = within(client.server_reflection_info(tokio_stream::iter([asked])))
        .await
        .unwrap();
    let answer = within(answers.into_inner().next()).await.unwrap().unwrap();
    let Some(new::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        answer.message_response
    else {
        panic!("no list of services")
    };
    services(
        list.service
            .into_iter()
            .map(|service| service.name)
            .collect(),
    );

    let mut client =
        old::server_reflection_client::ServerReflectionClient::new(running.channel().await);
    let asked = old::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            old::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };
    let answers = within(client.server_reflection_info(tokio_stream::iter([asked])))
        .await
        .unwrap();
    let answer = within(answers.into_inner().next()).await.unwrap().unwrap();
    let Some(old::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
        answer.message_response
    else {
        panic!("no list of services")
    };
    services(
        list.service
            .into_iter()
            .map(|service| service.name)
            .collect(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_is_refused_and_the_next_one_is_answered() {
    let running = start_ready(config());
    let mut client = running.client().await;
    let huge = v1::AuthorizeRequest {
        principal: "x".repeat(5 << 20),
        ..without_resource()
    };
    let refused = within(client.authorize(huge)).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    assert_eq!(reason(&refused), "MESSAGE_TOO_LARGE");
    let refused = within(client.authorize(without_resource()))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "NO_RESOURCE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_finished_ends_at_its_deadline() {
    let running = start_ready(config());
    let mut sender = running.driven().await;
    let mut check = async |path: &str, time: &str, status: &str| {
        let call = head(path).header("grpc-timeout", time).body(()).unwrap();
        let (answer, _body) = sender.send_request(call, false).unwrap();
        let (head, mut body) = within(answer).await.unwrap().into_parts();
        let told = if let Some(told) = head.headers.get("grpc-status") {
            told.clone()
        } else {
            let trailers = within(body.trailers()).await.unwrap().unwrap();
            trailers["grpc-status"].clone()
        };
        assert_eq!(told, status, "{path} {time}");
    };
    let authorize = "/tagwarden.v1.AuthorizationService/Authorize";
    check(authorize, "50m", "4").await;
    check(authorize, "50x", "3").await;
    check(
        "/tagwarden.v1.AuthorizationService/AuthorizeStream",
        "50m",
        "4",
    )
    .await;
    check(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "50m",
        "4",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_field_is_refused_by_field() {
    let running = start_ready(config());
    let mut sender = running.driven().await;
    let (answer, mut body) = sender.send_request(authorize_head(), false).unwrap();
    body.send_data(empty_message(), true).unwrap();
    let head = within(answer).await.unwrap().into_parts().0;
    assert_eq!(head.headers["grpc-status"], "3");
    let details = tonic::Status::from_header_map(&head.headers).unwrap();
    assert_eq!(field(&details), "principal");
    let told = <pb::Status as prost::Message>::decode(details.details()).unwrap();
    assert_eq!(told.code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_the_senders_fault() {
    let running = start_ready(config());
    let mut sender = running.driven().await;
    let (answer, mut body) = sender.send_request(authorize_head(), false).unwrap();
    // A text of two bytes that is no UTF-8.
    let bytes = Bytes::from_static(&[0, 0, 0, 0, 4, 0x0a, 2, 0xff, 0xff]);
    body.send_data(bytes, true).unwrap();
    let head = within(answer).await.unwrap().into_parts().0;
    let status = Status::from_header_map(&head.headers).unwrap();
    assert_eq!(
        (status.code(), &*reason(&status)),
        (Code::InvalidArgument, "INVALID_REQUEST")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_transport_refuses_has_a_reason_too() {
    let running = start_ready(config());
    let mut sender = running.driven().await;
    for path in [
        "/",
        "/tagwarden.v1.AuthorizationService/Nothing",
        "/tagwarden.v1.TaggingService/",
        "/tagwarden.v1.ManagementService/ApplyBundle",
        "/grpc.health.v1.Health/Nothing",
    ] {
        let call = head(path).body(()).unwrap();
        let (answer, mut body) = sender.send_request(call, false).unwrap();
        // It may be refused before it is whole.
        let _ = body.send_data(empty_message(), true);
        let head = within(answer).await.unwrap().into_parts().0;
        let status = Status::from_header_map(&head.headers).unwrap();
        assert_eq!(
            (status.code(), &*reason(&status), status.message()),
            (
                Code::Unimplemented,
                "METHOD_UNKNOWN",
                "no such service or method"
            ),
            "{path}"
        );
    }
    let mut health = HealthClient::new(running.channel().await);
    let asked = HealthCheckRequest {
        service: "nothing".to_owned(),
    };
    let refused = within(health.check(asked)).await.unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::NotFound, "SERVICE_UNKNOWN")
    );
    // A message of a stream that is too large, and one that is compressed.
    let huge = v1::AuthorizeStreamRequest {
        request: Some(v1::AuthorizeRequest {
            principal: "x".repeat(5 << 20),
            ..without_resource()
        }),
    };
    let mut client = running.client().await;
    let answers = within(client.authorize_stream(tokio_stream::iter([huge]))).await;
    let refused = within(answers.unwrap().into_inner().next()).await;
    let refused = refused.unwrap().unwrap_err();
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::OutOfRange, "MESSAGE_TOO_LARGE")
    );
    let call = head("/tagwarden.v1.AuthorizationService/Authorize")
        .header("grpc-encoding", "gzip")
        .body(());
    let (answer, mut body) = sender.send_request(call.unwrap(), false).unwrap();
    let _ = body.send_data(Bytes::from_static(&[1, 0, 0, 0, 0]), true);
    let head = within(answer).await.unwrap().into_parts().0;
    let status = Status::from_header_map(&head.headers).unwrap();
    assert_eq!(
        (status.code(), &*reason(&status)),
        (Code::Unimplemented, "UNIMPLEMENTED"),
        "{status}"
    );
}

/// A call that waits for a revision that nobody has published.
fn waiting(seconds: u64) -> Request<v1::AuthorizeRequest> {
    let mut request = Request::new(v1::AuthorizeRequest {
        min_revision: Some(v1::RevisionToken {
            source: format!("{SOURCE:016x}"),
            number: 2,
        }),
        ..without_resource()
    });
    request.set_timeout(Duration::from_secs(seconds));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_places_for_64_calls_that_wait() {
    let mut running = start_ready(config());
    let client = running.client().await;
    let mut calls = JoinSet::new();
    for _ in 0..65 {
        let mut client = client.clone();
        calls.spawn(async move { client.authorize(waiting(60)).await.unwrap_err() });
    }
    let first = within(calls.join_next()).await.unwrap().unwrap();
    assert_eq!(
        (first.code(), &*reason(&first)),
        (Code::ResourceExhausted, "TOO_MANY_WAITERS")
    );
    assert!(first.get_error_details().retry_info().is_some());
    running.publish(2);
    while let Some(other) = within(calls.join_next()).await {
        assert_eq!(reason(&other.unwrap()), "NO_RESOURCE");
    }
}

/// Asks for a revision that nobody has published yet; why there is no answer.
async fn waited(sender: SendRequest<Bytes>, number: u64) -> String {
    let mut request = waiting(60).into_inner();
    request.min_revision.as_mut().unwrap().number = number;
    let message = framed(0, &request.encode_to_vec());
    let head = head("/tagwarden.v1.AuthorizationService/Authorize");
    let head = head.header("grpc-timeout", "1M").body(()).unwrap();
    let reply = call(&sender, head, &[&message], End::WithData).await;
    reason(&reply.status())
}

/// One call more than there are places for, by as many on each connection as it has places for;
/// then what they wait for.
async fn fill(
    running: &mut Running,
    connections: &[SendRequest<Bytes>],
    number: u64,
) -> BTreeMap<String, usize> {
    let mut calls = JoinSet::new();
    for place in 0..=limits::WAITERS {
        let sender = &connections[place / limits::CONNECTION_WAITERS];
        calls.spawn(waited(sender.clone(), number));
    }
    let mut told = BTreeMap::new();
    while let Some(reason) = within(calls.join_next()).await {
        if told.is_empty() {
            running.publish(number);
        }
        *told.entry(reason.unwrap()).or_default() += 1;
    }
    told
}

// security 9: "at most 64 waiters a connection, 1,024 in all".
#[tokio::test(flavor = "multi_thread")]
async fn all_connections_have_places_for_1024_calls_that_wait() {
    let mut running = start_ready(config());
    let mut connections = Vec::new();
    for _ in 0..=limits::WAITERS / limits::CONNECTION_WAITERS {
        connections.push(running.driven().await);
    }
    let begin = Instant::now();
    let late = |told: &BTreeMap<_, _>| told.contains_key("REVISION_NOT_REACHED");
    let mut number = 2;
    let mut told = fill(&mut running, &connections, number).await;
    // A place is left after two seconds: a machine that is too busy to take all of them in that time
    // has another try.
    while late(&told) && begin.elapsed() < LIMIT {
        number += 1;
        told = fill(&mut running, &connections, number).await;
    }
    let expected = [("NO_RESOURCE", limits::WAITERS), ("TOO_MANY_WAITERS", 1)];
    let expected = expected.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(told, expected.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_for_a_revision_at_most_two_seconds() {
    let running = start_ready(config());
    let begin = Instant::now();
    let mut client = running.client().await;
    let refused = within(client.authorize(waiting(3_600))).await.unwrap_err();
    assert_eq!(reason(&refused), "REVISION_NOT_REACHED");
    assert!(begin.elapsed() >= Duration::from_secs(2));
}
