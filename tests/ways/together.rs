//! Batches and streams of questions.

use bytes::Bytes;
use h2::client::SendRequest;
use tonic::Code;

use super::{
    BATCH, Callers, STREAM, asking, detect, example, publish, question, revision, serve, tell,
    told, without_ids,
};
use crate::support::raw::{End, Reply, by_tonic, call, framed, messages};
use crate::support::server::{SOURCE, head, within};

use prost::Message as _;
use tagwarden::model::verdict::limits;
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorize_result::Result as Told;
use tonic::Status;

/// Questions with an answer and without, and why.
fn items() -> Vec<(&'static str, v1::AuthorizeRequest)> {
    let mut items = vec![
        ("OK", asking(|_| {})),
        ("NO_RESOURCE", asking(|request| request.resources.clear())),
        (
            "INVALID_REQUEST",
            asking(|request| request.principal = "alice".to_owned()),
        ),
        (
            "CALLER_NOT_ALLOWED",
            asking(|request| request.explain = true),
        ),
        (
            "REVISION_NOT_REACHED",
            asking(|request| request.min_revision = Some(revision(8))),
        ),
        (
            "OK",
            asking(|request| request.min_revision = Some(revision(7))),
        ),
        (
            "OK",
            asking(|request| request.action = "ecs:Nothing".to_owned()),
        ),
        (
            "OK",
            asking(|request| {
                // An answer of more than 128 bytes, as others are of less.
                request.resources = (0..20)
                    .map(|place| v1::Resource {
                        arn: format!("acs:ecs:cn-hangzhou:200000000002:instance/i-{place}"),
                        ..detect(&[("team", "north")]).resource.unwrap()
                    })
                    .collect();
            }),
        ),
    ];
    items.extend((0..130).map(|_| ("OK", asking(|_| {}))));
    items
}

fn reason(result: &v1::AuthorizeResult) -> String {
    match result.result.as_ref().unwrap() {
        Told::Response(_) => "OK".to_owned(),
        Told::Error(error) => {
            let details = error.encode_to_vec().into();
            let status = Status::with_details(Code::from_i32(error.code), "", details);
            tagwarden::wire::status::reason_of(&status).unwrap()
        }
    }
}

fn batch(requests: Vec<v1::AuthorizeRequest>) -> Vec<u8> {
    v1::BatchAuthorizeRequest { requests }.encode_to_vec()
}

/// The bytes of a question in a stream.
fn streamed(request: Option<v1::AuthorizeRequest>) -> Vec<u8> {
    v1::AuthorizeStreamRequest { request }.encode_to_vec()
}

async fn ask(sender: &SendRequest<Bytes>, path: &str, body: &[u8]) -> Reply {
    let head = head(path).body(()).unwrap();
    call(sender, head, &[body], End::WithData).await
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_a_batch_are_the_same_bytes() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    let (reasons, requests): (Vec<_>, Vec<_>) = items().into_iter().unzip();
    let message = batch(requests);
    assert_eq!(tell(&sender, BATCH, &message).await, "OK");
    let reply = ask(&sender, BATCH, &framed(0, &message)).await;
    let answers: v1::BatchAuthorizeResponse = reply.message();
    assert!(answers.results.iter().map(reason).eq(reasons));
    // A field that nobody knows, in a form that only prost reads.
    let with_group = [&message[..], &[0x13, 0x14]].concat();
    assert_eq!(tell(&sender, BATCH, &with_group).await, "OK");
    let other = ask(&sender, BATCH, &framed(0, &with_group)).await;
    assert_eq!(without_ids(BATCH, reply), without_ids(BATCH, other));
    assert_eq!(tell(&sender, BATCH, &[]).await, "OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_without_an_answer_are_refused_in_the_same_words() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    let check = async |expected: &str, message: &[u8]| {
        assert_eq!(tell(&sender, BATCH, message).await, expected);
    };
    let empty = v1::AuthorizeRequest::default;
    check("BATCH_LIMIT", &batch(vec![empty(); limits::BATCH + 1])).await;
    let full = v1::AuthorizeRequest {
        resources: vec![v1::Resource::default(); 50],
        ..empty()
    };
    let over = limits::SUB_CHECKS / 50 + 1;
    check("SUB_CHECK_LIMIT", &batch(vec![full; over])).await;
    let cut = [batch(vec![asking(|_| {}); 3]), vec![0x0a, 5, 0x0a]].concat();
    check("INVALID_REQUEST", &cut).await;
}

/// How a body may arrive. Many small pieces would be taken for an attack.
fn pieces(body: &[u8], length: usize) -> Vec<&[u8]> {
    let (small, rest) = body.split_at(body.len().min(10));
    small.chunks(3).chain(rest.chunks(length)).collect()
}

/// A body in pieces and as tonic cuts it; what is told at the end, and of each question.
async fn compare(sender: &SendRequest<Bytes>, body: &[u8], end: End) -> (String, Vec<String>) {
    let head = || head(STREAM).body(()).unwrap();
    let reference = call(sender, by_tonic(head()), &[body], end).await;
    let reference = without_ids(STREAM, reference);
    let small = if body.len() < 2_000 { 31 } else { 301 };
    for length in [small, 1_000, body.len().max(1)] {
        let reply = call(sender, head(), &pieces(body, length), end).await;
        assert_eq!(without_ids(STREAM, reply), reference, "{length} {end:?}");
    }
    let answers = messages(&reference.body).into_iter().map(|message| {
        let answer = v1::AuthorizeStreamResponse::decode(message).unwrap();
        reason(&answer.result.unwrap())
    });
    (told(&reference), answers.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_the_same_however_it_is_cut() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    let (mut reasons, requests): (Vec<_>, Vec<_>) = items().into_iter().unzip();
    let questions = requests.into_iter().map(|request| streamed(Some(request)));
    let mut body: Vec<u8> = questions.flat_map(|message| framed(0, &message)).collect();
    body.extend(framed(0, &streamed(None)));
    reasons.push("INVALID_REQUEST");
    for end in [End::WithData, End::Afterwards, End::Trailers] {
        let (told, answers) = compare(&sender, &body, end).await;
        assert_eq!((&*told, answers.len()), ("OK", reasons.len()));
        assert_eq!(answers, reasons);
    }
    let (told, answers) = compare(&sender, &[], End::Afterwards).await;
    assert_eq!((&*told, answers.len()), ("OK", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_stream_ends_it_the_same() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    let good = framed(0, &streamed(Some(asking(|_| {}))));
    let too_large = framed(0, &vec![b'x'; (4 << 20) + 1])[..4_000].to_vec();
    let bodies = [
        ("PROTOCOL_ERROR", framed(1, b"x")),
        ("PROTOCOL_ERROR", framed(9, b"x")),
        ("MESSAGE_TOO_LARGE", too_large),
        ("INVALID_REQUEST", framed(0, &[0xff; 9])),
        ("PROTOCOL_ERROR", good[..3].to_vec()),
        ("PROTOCOL_ERROR", good[..40].to_vec()),
    ];
    for (expected, bad) in bodies {
        let is_cut = expected == "PROTOCOL_ERROR" && bad[0] == 0;
        let mut body = [good.repeat(5), bad].concat();
        if !is_cut {
            // What follows is not answered.
            body.extend(&good);
        }
        for end in [End::WithData, End::Afterwards, End::Trailers] {
            let (told, answers) = compare(&sender, &body, end).await;
            assert_eq!(answers, ["OK"; 5], "{expected} {end:?}");
            // With trailers a message that is cut off is nobody's fault.
            let is_taken = is_cut && matches!(end, End::Trailers);
            assert_eq!(told, if is_taken { "OK" } else { expected }, "{end:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_waits_for_a_revision_keeps_its_place() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let mut sender = running.driven().await;
    let late = asking(|request| request.min_revision = Some(revision(8)));
    let absent = asking(|request| {
        let source = format!("{:016x}", SOURCE + 1);
        request.min_revision = Some(v1::RevisionToken { source, number: 8 });
    });
    let questions = [asking(|_| {}), late, absent, asking(|_| {})];
    let questions = questions.map(|request| framed(0, &streamed(Some(request))));
    let head = head(STREAM).header("grpc-timeout", "1M").body(()).unwrap();
    let (answer, mut body) = sender.send_request(head, false).unwrap();
    body.send_data(questions.concat().into(), true).unwrap();
    let mut answers = within(answer).await.unwrap().into_body();
    // What was asked before is answered while the second question waits.
    let mut read = within(answers.data()).await.unwrap().unwrap().to_vec();
    assert_eq!(messages(&read).len(), 1);
    running.publish(8);
    while let Some(data) = within(answers.data()).await {
        read.extend(data.unwrap());
    }
    let trailers = within(answers.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    let told = messages(&read).into_iter().map(|message| {
        let answer = v1::AuthorizeStreamResponse::decode(message).unwrap();
        reason(&answer.result.unwrap())
    });
    assert!(told.eq(["OK", "OK", "REVISION_UNREACHABLE", "OK"]));
}

/// A single question is told what a call of its own is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_told_what_a_call_is_told() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    let single = ask(&sender, super::AUTHORIZE, &framed(0, &question(|_| {}))).await;
    let mut single: v1::AuthorizeResponse = single.message();
    super::forget(&mut single);
    let alone = streamed(Some(asking(|_| {})));
    let reply = ask(&sender, STREAM, &framed(0, &alone)).await;
    let streamed: v1::AuthorizeStreamResponse = without_ids(STREAM, reply).message();
    assert_eq!(
        streamed.result.unwrap().result,
        Some(Told::Response(single))
    );
}
