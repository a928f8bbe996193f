//! Peers that say nothing, too little, too much or the wrong thing: each is cut in bounded time,
//! and the others do not notice.

use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use h2::{Reason, SendStream};
use prost::Message as _;
use tagwarden::service::{Config, ConnectionConfig, Listen, Server};
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;

use crate::support::server::{
    Running, authorize_head, config, empty_message, head, start_ready, within, without_resource,
};

const SHORT: Duration = Duration::from_millis(100);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

fn with(connection: ConnectionConfig) -> Config {
    Config {
        connection,
        ..config()
    }
}

/// A call that a working server refuses.
async fn still_answers(running: &Running) {
    let refused = within(running.client().await.authorize(without_resource()))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

/// Reads until the server closes.
async fn closed(mut peer: TcpStream) {
    let mut read = Vec::new();
    // A reset is a close too.
    let _ = within(peer.read_to_end(&mut read)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_peer_is_cut() {
    let running = start_ready(with(ConnectionConfig {
        handshake: SHORT,
        ..ConnectionConfig::default()
    }));
    closed(running.connect().await).await;
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_byte_by_byte_is_cut() {
    let running = start_ready(with(ConnectionConfig {
        handshake: SHORT,
        ..ConnectionConfig::default()
    }));
    let mut peer = running.connect().await;
    let mut sent = 0;
    for byte in PREFACE {
        let mut answer = [0];
        if peer.write_all(&[*byte]).await.is_err() {
            break;
        }
        sent += 1;
        match timeout(Duration::from_millis(20), peer.read(&mut answer)).await {
            Err(_) => {}
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => panic!("the server answered before the preface"),
        }
    }
    assert!(sent < PREFACE.len(), "the preface could be sent at leisure");
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_speaks_something_else_is_cut_at_once() {
    let running = start_ready(config());
    let mut peer = running.connect().await;
    peer.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    closed(peer).await;
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_calls_is_told_to_go_and_cut() {
    let running = start_ready(with(ConnectionConfig {
        first_call: SHORT,
        ..ConnectionConfig::default()
    }));
    let mut peer = running.connect().await;
    peer.write_all(PREFACE).await.unwrap();
    peer.write_all(&EMPTY_SETTINGS).await.unwrap();
    // Half of the head of a call.
    peer.write_all(&[0, 0, 20, 1, 4, 0, 0, 0, 1, 0x82])
        .await
        .unwrap();
    closed(peer).await;
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_no_ping_is_cut() {
    let limits = ConnectionConfig {
        ping_every: SHORT,
        ping_timeout: SHORT,
        ..ConnectionConfig::default()
    };
    let running = start_ready(with(limits));
    let mut peer = running.connect().await;
    peer.write_all(PREFACE).await.unwrap();
    peer.write_all(&EMPTY_SETTINGS).await.unwrap();
    closed(peer).await;
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_finished_is_ended() {
    let limits = ConnectionConfig {
        longest_call: SHORT,
        ..ConnectionConfig::default()
    };
    let running = start_ready(with(limits));
    let mut sender = running.driven().await;
    let (answer, mut body) = sender.send_request(authorize_head(), false).unwrap();
    body.send_data(empty_message().slice(..3), false).unwrap();
    let head = within(answer).await.unwrap().into_parts().0;
    assert_eq!(head.headers["grpc-status"], "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_resets_what_it_asks_is_cut() {
    let running = start_ready(config());
    let (mut sender, connection) = running.http2().await;
    let driver = tokio::spawn(connection);
    for _ in 0..100_000 {
        let Ok(ready) = within(sender.clone().ready()).await else {
            break;
        };
        sender = ready;
        let Ok((_, mut body)) = sender.send_request(authorize_head(), false) else {
            break;
        };
        body.send_reset(Reason::CANCEL);
    }
    let error = within(driver).await.unwrap().unwrap_err();
    // What the server tells may be overtaken by the end of the connection.
    let told = error.reason() == Some(Reason::ENHANCE_YOUR_CALM);
    assert!(told || error.is_io(), "{error}");
    still_answers(&running).await;
}

/// The head of a call whose body is said to be one byte long, and two bytes of it.
fn contradicting(id: u8) -> [u8; 27] {
    let head = [0, 0, 7, 1, 4, 0, 0, 0, id];
    // `POST`, `http`, `/`, `content-length: 1`
    let fields = [0x83, 0x86, 0x84, 0x0f, 0x0d, 1, b'1'];
    let data = [0, 0, 2, 0, 0, 0, 0, 0, id, 0, 0];
    let mut frames = [0; 27];
    frames[..9].copy_from_slice(&head);
    frames[9..16].copy_from_slice(&fields);
    frames[16..].copy_from_slice(&data);
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_whose_calls_are_wrong_in_themselves_is_cut() {
    let limits = ConnectionConfig {
        error_resets: 4,
        ..ConnectionConfig::default()
    };
    let running = start_ready(with(limits));
    let mut peer = running.connect().await;
    peer.write_all(PREFACE).await.unwrap();
    peer.write_all(&EMPTY_SETTINGS).await.unwrap();
    for call in 0..10 {
        // The server may have closed by then.
        if peer.write_all(&contradicting(2 * call + 1)).await.is_err() {
            break;
        }
    }
    closed(peer).await;
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_closes_its_half_is_closed() {
    let running = start_ready(config());
    for sent in [&[][..], PREFACE] {
        let mut peer = running.connect().await;
        peer.write_all(sent).await.unwrap();
        peer.shutdown().await.unwrap();
        closed(peer).await;
    }
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_resets_its_connection_leaves_its_place() {
    let limited = Config {
        connections: 1,
        ..config()
    };
    let running = start_ready(limited);
    let socket = running.connect().await;
    socket.set_zero_linger().unwrap();
    let (mut sender, connection) = within(h2::client::handshake(socket)).await.unwrap();
    let driver = tokio::spawn(connection);
    let (_answer, _body) = sender.send_request(authorize_head(), false).unwrap();
    let (seen, _) = within(sender.clone().ready())
        .await
        .unwrap()
        .send_request(authorize_head(), true)
        .unwrap();
    within(seen).await.unwrap();
    // A call is open; the socket goes with its driver.
    driver.abort();
    assert!(within(driver).await.unwrap_err().is_cancelled());
    still_answers(&running).await;
}

const STREAM: &str = "/tagwarden.v1.AuthorizationService/AuthorizeStream";

/// A question of a stream that is refused, as it stands on the wire.
fn question() -> Vec<u8> {
    let question = v1::AuthorizeStreamRequest {
        request: Some(without_resource()),
    };
    let length = u32::try_from(question.encoded_len()).unwrap();
    let mut bytes = vec![0];
    bytes.extend(length.to_be_bytes());
    question.encode(&mut bytes).unwrap();
    bytes
}

/// Sends questions until the server takes no more, and tells how many.
async fn fill(body: &mut SendStream<Bytes>) -> usize {
    let question = question();
    let chunk = question.len() * 256;
    let questions = Bytes::from(question.repeat(256));
    let mut sent = 0;
    loop {
        body.reserve_capacity(chunk);
        let room = async {
            while body.capacity() < chunk {
                poll_fn(|context| body.poll_capacity(context)).await;
            }
        };
        if timeout(Duration::from_secs(2), room).await.is_err() {
            return sent;
        }
        body.send_data(questions.clone(), false).unwrap();
        sent += 256;
        assert!(sent < 256 * 1_024, "the server takes all that is sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_reads_no_answers_is_asked_to_wait_and_loses_none() {
    let running = start_ready(config());
    let mut sender = running.driven().await;
    let call = head(STREAM).body(()).unwrap();
    let (answer, mut body) = sender.send_request(call, false).unwrap();
    let sent = fill(&mut body).await;
    assert!(sent > 0);
    still_answers(&running).await;
    body.send_data(Bytes::new(), true).unwrap();
    let mut answers = within(answer).await.unwrap().into_body();
    let mut told = BytesMut::new();
    while let Some(data) = within(answers.data()).await {
        let data = data.unwrap();
        answers.flow_control().release_capacity(data.len()).unwrap();
        told.extend_from_slice(&data);
    }
    let mut count = 0;
    while !told.is_empty() {
        let head = told.split_to(5);
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        let _message = told.split_to(usize::try_from(length).unwrap());
        count += 1;
    }
    assert_eq!(count, sent);
    let trailers = within(answers.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_headers_are_refused() {
    let running = start_ready(config());
    let mut sender = running.driven().await;
    let large = head("/tagwarden.v1.AuthorizationService/Authorize")
        .header("x-large", "x".repeat(20 * 1_024))
        .body(())
        .unwrap();
    let (answer, _) = sender.send_request(large, true).unwrap();
    match within(answer).await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => assert!(error.is_remote() || error.is_go_away(), "{error}"),
    }
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_limit_are_refused_without_work() {
    let limits = ConnectionConfig {
        streams: 8,
        ..ConnectionConfig::default()
    };
    let running = start_ready(with(limits));
    let socket = running.connect().await;
    let mut builder = h2::client::Builder::new();
    builder.initial_max_send_streams(20);
    let (mut sender, connection) = within(builder.handshake::<_, bytes::Bytes>(socket))
        .await
        .unwrap();
    // All are queued before the server's limit is read.
    let mut calls = Vec::new();
    for _ in 0..20 {
        calls.push(sender.send_request(authorize_head(), false).unwrap());
    }
    tokio::spawn(connection);
    let (mut refused, mut answered) = (0, 0);
    let (answers, bodies): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
    for (place, mut body) in bodies.into_iter().enumerate() {
        // A stream that was refused takes no data.
        let _ = body.send_data(empty_message(), true);
        drop((place, body));
    }
    for answer in answers {
        match within(answer).await {
            Ok(_) => answered += 1,
            Err(error) if error.reason() == Some(Reason::REFUSED_STREAM) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(answered >= 8, "{answered} answered, {refused} refused");
    assert_eq!(answered + refused, 20);
    still_answers(&running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let limited = Config {
        connections: 1,
        ..config()
    };
    let running = start_ready(limited);
    let first = running.driven().await;
    let mut first = within(first.ready()).await.unwrap();
    let (answer, _) = first.send_request(authorize_head(), true).unwrap();
    within(answer).await.unwrap();
    let mut second = running.driven().await;
    let (mut answer, _) = second.send_request(authorize_head(), true).unwrap();
    assert!(
        timeout(SHORT, &mut answer).await.is_err(),
        "a second connection was served"
    );
    // Without a call that could be sent the driver closes the first.
    drop(first);
    within(answer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_serves_with_its_mode_and_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authz.sock");
    // Nobody answers on this one any more.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listen = vec![
        "127.0.0.1:0".parse().unwrap(),
        format!("unix:{},mode=0600", path.display())
            .parse()
            .unwrap(),
    ];
    let running = start_ready(Config { listen, ..config() });
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let channel = running.channel_to(path.clone()).await;
    let mut client = AuthorizationServiceClient::new(channel);
    let refused = within(client.authorize(without_resource()))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    still_answers(&running).await;
    drop(client);
    running.tell(tagwarden::service::Phase::Draining);
    running.ended().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_named() {
    let running = start_ready(config());
    let taken = Listen::Tcp(running.tcp());
    let refused = Server::bind(Config {
        listen: vec![taken.clone()],
        ..Config::default()
    })
    .unwrap_err();
    assert_eq!(refused.address, taken);
    assert!(
        refused.to_string().contains(&taken.to_string()),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bad_peers_do_not_slow_a_good_one() {
    let running = start_ready(config());
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(running.connect().await);
    }
    let begin = Instant::now();
    still_answers(&running).await;
    assert!(begin.elapsed() < Duration::from_secs(5));
    drop(silent);
}
