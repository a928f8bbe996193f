//! Stopping: calls under way are answered, streams are told, nobody holds the server for ever.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tagwarden::service::{Config, Ended, Phase};
use tagwarden::wire::v1;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::server::{
    authorize_head, config, empty_message, start_ready, within, without_resource,
};

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_are_told_and_a_silent_peer_holds_nobody() {
    let running = start_ready(config());
    let _silent = running.connect().await;
    let mut health = HealthClient::new(running.channel().await);
    let asked = HealthCheckRequest {
        service: String::new(),
    };
    let mut watched = within(health.watch(asked)).await.unwrap().into_inner();
    // NOT_SERVING may be told first, if the snapshot was not seen yet.
    while within(watched.next()).await.unwrap().unwrap().status() != ServingStatus::Serving {}
    let (questions, asked) = mpsc::channel(1);
    let mut client = running.client().await;
    let answers = within(client.authorize_stream(ReceiverStream::new(asked)))
        .await
        .unwrap();
    let mut answers = answers.into_inner();
    let question = v1::AuthorizeStreamRequest {
        request: Some(without_resource()),
    };
    questions.send(question).await.unwrap();
    within(answers.next()).await.unwrap().unwrap();

    running.tell(Phase::Draining);
    let last = within(watched.next()).await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
    let end = within(watched.next()).await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable, "{end}");
    let end = within(answers.next()).await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable, "{end}");
    assert_eq!(running.ended().await, Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_is_answered_and_no_new_connection_is_taken() {
    let running = start_ready(config());
    let address = running.tcp();
    let mut sender = running.driven().await;
    let (answer, mut body) = sender.send_request(authorize_head(), false).unwrap();
    body.send_data(empty_message().slice(..2), false).unwrap();
    // The server has seen the call when it answers one that came after it.
    let (seen, _) = within(sender.clone().ready())
        .await
        .unwrap()
        .send_request(authorize_head(), true)
        .unwrap();
    within(seen).await.unwrap();
    running.tell(Phase::Draining);
    // The listener is gone once a connection is refused.
    within(async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    body.send_data(empty_message().slice(2..), true).unwrap();
    let head = within(answer).await.unwrap().into_parts().0;
    assert_eq!(head.headers["grpc-status"], "3");
    assert_eq!(running.ended().await, Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_is_cut_at_the_deadline() {
    let running = start_ready(Config {
        drain: Duration::from_millis(200),
        ..config()
    });
    let mut sender = running.driven().await;
    let (answer, _body) = sender.send_request(authorize_head(), false).unwrap();
    let (seen, _) = within(sender.clone().ready())
        .await
        .unwrap()
        .send_request(authorize_head(), true)
        .unwrap();
    within(seen).await.unwrap();
    running.tell(Phase::Draining);
    assert_eq!(running.ended().await, Ended::Cut { connections: 1 });
    assert!(within(answer).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let running = start_ready(Config {
        drain: Duration::from_hours(1),
        ..config()
    });
    let mut sender = running.driven().await;
    let (answer, _body) = sender.send_request(authorize_head(), false).unwrap();
    let (seen, _) = within(sender.clone().ready())
        .await
        .unwrap()
        .send_request(authorize_head(), true)
        .unwrap();
    within(seen).await.unwrap();
    running.tell(Phase::Draining);
    running.tell(Phase::Ended);
    assert_eq!(running.ended().await, Ended::Cut { connections: 1 });
    assert!(within(answer).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_on_an_accepted_connection_is_lost() {
    let running = start_ready(config());
    let mut answers = Vec::new();
    for _ in 0..64 {
        let (mut sender, connection) = running.http2().await;
        let (answer, mut body) = sender.send_request(authorize_head(), false).unwrap();
        body.send_data(empty_message(), true).unwrap();
        let mut connection = Box::pin(connection);
        // One turn writes the call to the socket: a call that a peer has not sent when it is told
        // to go is the peer's to send elsewhere.
        assert!((&mut connection).now_or_never().is_none());
        tokio::spawn(connection);
        answers.push(async move {
            let answer = answer.await;
            drop(sender);
            answer
        });
    }
    running.tell(Phase::Draining);
    for answer in within(join_all(answers)).await {
        assert_eq!(answer.unwrap().headers()["grpc-status"], "3");
    }
    assert_eq!(running.ended().await, Ended::Drained);
}
