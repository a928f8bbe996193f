//! Handshakes: who is let in, as whom, and what does not get so far.

use std::time::Duration;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use tagwarden::service::{Config, ConnectionConfig, Ended, Phase};
use tagwarden::telemetry::Handshake;
use tagwarden::tls::Need;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::transport::Channel;

use super::{Met, called, config_of, counted, load, serve, serve_with};
use crate::support::certificate::{Authority, Files, Pair, Says, channel, dns, handshake, uri};
use crate::support::server::{Running, config, start_ready, within};

const SHORT: Duration = Duration::from_millis(200);
const WORKLOAD: &str = "spiffe://d/ns/a";

/// An authority, and the files of a server of it that trusts its clients.
fn world() -> (Authority, Files) {
    let authority = Authority::new();
    let files = Files::new(&authority.issue(Says::server()), &authority.pem);
    (authority, files)
}

fn workload(authority: &Authority) -> Pair {
    authority.issue(Says::client(&[uri(WORKLOAD)]))
}

fn brief(limits: ConnectionConfig) -> Config {
    Config {
        connection: limits,
        ..config()
    }
}

async fn still_serves(running: &Running, authority: &Authority) {
    let own = workload(authority);
    let channel = channel(running.tcp(), authority.trusted_by(Some(&own)));
    assert_eq!(called(channel).await, Met::Named);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_the_caller_that_its_only_name_is() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let running = serve(&endpoint);
    let (named, anonymous) = (Met::Named, Met::Anonymous);
    let cases: [(&[SanType], Met); 10] = [
        (&[uri(WORKLOAD)], named),
        (&[uri(WORKLOAD), dns("other.example")], named),
        (&[uri("spiffe://d/other")], anonymous),
        (&[uri("spiffe://e/ns/a")], anonymous),
        (&[dns("Gateway.example")], named),
        (&[dns("gateway.example"), dns("b.example")], anonymous),
        (&[dns("*.example")], anonymous),
        (&[uri("urn:gateway")], named),
        (&[uri("urn:gateway"), dns("gateway.example")], anonymous),
        (&[], anonymous),
    ];
    for (names, expected) in &cases {
        let own = authority.issue(Says::client(names));
        let channel = channel(running.tcp(), authority.trusted_by(Some(&own)));
        assert_eq!(called(channel).await, *expected, "{names:?}");
    }
    counted(&endpoint, Handshake::Done, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_not_good_end_the_handshake() {
    let (authority, files) = world();
    let listed = ["spiffe://d/ns/*"];
    let endpoint = load(config_of(&files, Some(Need::Required), &listed));
    let running = serve(&endpoint);
    let good = || Says::client(&[uri(WORKLOAD)]);
    let for_servers = Says {
        purpose: ExtendedKeyUsagePurpose::ServerAuth,
        ..good()
    };
    let (two, other_too) = (
        [uri(WORKLOAD), uri("spiffe://d/ns/b")],
        [uri(WORKLOAD), uri("urn:b")],
    );
    let bad = [
        ("another authority", Authority::new().issue(good())),
        ("expired", authority.issue(good().days(-2, -1))),
        ("not yet valid", authority.issue(good().days(1, 2))),
        ("for servers", authority.issue(for_servers)),
        ("two SPIFFE ids", authority.issue(Says::client(&two))),
        ("two URIs", authority.issue(Says::client(&other_too))),
        (
            "no SPIFFE id",
            authority.issue(Says::client(&[uri("spiffe://d//a")])),
        ),
        (
            "not listed",
            authority.issue(Says::client(&[uri("spiffe://d/b")])),
        ),
        (
            "no URI",
            authority.issue(Says::client(&[dns("gateway.example")])),
        ),
    ];
    for (count, (what, own)) in (1..).zip(&bad) {
        let channel = channel(running.tcp(), authority.trusted_by(Some(own)));
        assert_eq!(called(channel).await, Met::Refused, "{what}");
        counted(&endpoint, Handshake::CertificateRefused, count).await;
    }
    let without = channel(running.tcp(), authority.trusted_by(None));
    assert_eq!(called(without).await, Met::Refused);
    counted(&endpoint, Handshake::NoCertificate, 1).await;
    counted(&endpoint, Handshake::Done, 0).await;
    still_serves(&running, &authority).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_optional_must_still_be_good() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, Some(Need::Optional), &[]));
    let running = serve(&endpoint);
    // Nothing by default, on loopback too.
    let without = channel(running.tcp(), authority.trusted_by(None));
    assert_eq!(called(without).await, Met::Anonymous);
    let other = workload(&Authority::new());
    let bad = channel(running.tcp(), authority.trusted_by(Some(&other)));
    assert_eq!(called(bad).await, Met::Refused);
    still_serves(&running, &authority).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_are_spoken_and_no_session_goes_on() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let running = serve(&endpoint);
    let own = workload(&authority);
    for (version, expected) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let config = authority.trusted_with(Some(&own), &[version]);
        for _ in 0..2 {
            let mut stream = handshake(running.tcp(), config.clone()).await.unwrap();
            let (_, session) = stream.get_ref();
            assert_eq!(session.protocol_version(), Some(expected));
            assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(session.alpn_protocol(), Some(b"h2".as_slice()));
            // A session that could go on would be told after the handshake.
            stream.shutdown().await.unwrap();
            let mut rest = Vec::new();
            let _ = within(stream.read_to_end(&mut rest)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_http2_is_spoken_inside() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, None, &[]));
    let running = serve(&endpoint);
    for (count, protocols) in [(1, vec![b"http/1.1".to_vec()]), (2, Vec::new())] {
        let mut config = authority.trusted_by(None);
        config.alpn_protocols = protocols;
        if let Ok(mut stream) = handshake(running.tcp(), config).await {
            let mut rest = Vec::new();
            let _ = within(stream.read_to_end(&mut rest)).await;
            assert!(rest.is_empty());
        }
        counted(&endpoint, Handshake::NotHttp2, count).await;
    }
    let mut stream = handshake(running.tcp(), authority.trusted_by(None))
        .await
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    counted(&endpoint, Handshake::NotHttp2, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_without_tls_and_garbage_are_cut() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let running = serve(&endpoint);
    let plain = Channel::from_shared(format!("http://{}", running.tcp())).unwrap();
    assert_ne!(called(plain.connect_lazy()).await, Met::Named);
    counted(&endpoint, Handshake::NotTls, 1).await;
    // Bytes of any kind, some of which begin as a handshake does.
    let mut seed = 0x9e37_79b9_u32;
    for round in 0_u32..40 {
        let mut sent: Vec<u8> = (0..(1 << (round % 14)))
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_be_bytes()[0]
            })
            .collect();
        if round % 2 == 0 {
            sent.splice(..0, [22, 3, 1, 2, 0]);
        }
        let mut peer = running.connect().await;
        // The server may have closed before all was sent.
        let _ = peer.write_all(&sent).await;
        let _ = peer.shutdown().await;
        let mut rest = Vec::new();
        let _ = within(peer.read_to_end(&mut rest)).await;
    }
    let handshakes = endpoint.handshakes();
    assert_eq!(handshakes.counted(Handshake::Done), 0);
    still_serves(&running, &authority).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_on_an_address_without_it_is_cut_at_once() {
    let running = start_ready(config());
    let refused = handshake(running.tcp(), Authority::new().trusted_by(None)).await;
    assert!(refused.is_err());
}

/// The first bytes that a client sends: a whole greeting.
async fn greeting(authority: &Authority) -> Vec<u8> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = tokio::spawn(handshake(address, authority.trusted_by(None)));
    let (mut socket, _) = within(listener.accept()).await.unwrap();
    let mut record = vec![0; 5];
    within(socket.read_exact(&mut record)).await.unwrap();
    let length = usize::from(record[3]) << 8 | usize::from(record[4]);
    record.resize(5 + length, 0);
    within(socket.read_exact(&mut record[5..])).await.unwrap();
    client.abort();
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_stop_in_a_handshake_are_cut_and_hold_nobody() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let running = serve_with(
        &endpoint,
        brief(ConnectionConfig {
            handshake: SHORT,
            handshakes: 1,
            ..ConnectionConfig::default()
        }),
    );
    let greeting = greeting(&authority).await;
    let mut stopped: Vec<TcpStream> = Vec::new();
    // Nothing, a part of a greeting, and a whole one that takes the only place.
    for sent in [&greeting[..0], &greeting[..9], &greeting] {
        let mut peer = running.connect().await;
        peer.write_all(sent).await.unwrap();
        stopped.push(peer);
    }
    for mut peer in stopped {
        let mut rest = Vec::new();
        let _ = within(peer.read_to_end(&mut rest)).await;
    }
    counted(&endpoint, Handshake::Unfinished, 3).await;
    still_serves(&running, &authority).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_peers_never_hold_the_drain() {
    let (authority, files) = world();
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    // The time for a handshake is longer than any test.
    let running = serve_with(
        &endpoint,
        brief(ConnectionConfig {
            handshake: Duration::from_hours(1),
            ..ConnectionConfig::default()
        }),
    );
    let greeting = greeting(&authority).await;
    let _silent = running.connect().await;
    let mut halted = running.connect().await;
    halted.write_all(&greeting).await.unwrap();
    // The server has seen them when it serves one that came later.
    still_serves(&running, &authority).await;
    still_serves(&running, &authority).await;
    running.tell(Phase::Draining);
    assert_eq!(running.ended().await, Ended::Drained);
    assert_eq!(endpoint.handshakes().counted(Handshake::Unfinished), 2);
}
