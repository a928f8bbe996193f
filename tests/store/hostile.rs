//! Peers that send too much, too deep, too slowly, or nothing.

use std::time::{Duration, Instant};

use tagwarden::wire::status::reason_of;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tonic::Code;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_refused_before_any_work() {
    let (mut world, first) = World::with_alice().await;
    let many = (0..10_001).map(|number| delete(&format!("accounts/{number}")));
    let mut refused = Vec::new();
    for operations in [
        many.collect(),
        Vec::new(),
        vec![put(
            "accounts/1/users/bob",
            &" ".repeat(4 * 1_024 * 1_024 + 1),
        )],
        vec![delete("accounts/2"), delete("accounts/2")],
        vec![put("accounts/../etc", "{}")],
        vec![v1::Operation {
            id: "settings".to_owned(),
            action: None,
        }],
    ] {
        let asked = world.ask(operations, v1::ChangeOptions::default()).await;
        let status = asked.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        refused.push(reason_of(&status).unwrap());
    }
    let invalid = "INVALID_REQUEST";
    let expected = [
        "OPERATION_LIMIT",
        "OPERATION_LIMIT",
        "DOCUMENT_LIMIT",
        invalid,
        invalid,
        invalid,
    ];
    assert_eq!(refused, expected);
    for options in [
        v1::ChangeOptions {
            message: "x".repeat(1_025),
            ..v1::ChangeOptions::default()
        },
        v1::ChangeOptions {
            idempotency_key: "x".repeat(129),
            ..v1::ChangeOptions::default()
        },
    ] {
        let asked = world.ask(vec![delete("settings")], options).await;
        assert_eq!(reason_of(&asked.unwrap_err()).unwrap(), invalid);
    }
    // More than a message may have.
    let large = vec![put("resources", &"x".repeat(65 * 1_024 * 1_024))];
    let status = world
        .ask(large, v1::ChangeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert_eq!(
        world.process.info().await.snapshot.unwrap().revision,
        Some(first)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_and_strange_documents_are_refused_with_their_places() {
    let (mut world, first) = World::with_alice().await;
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let nested = format!("{}1{}", r#"{"users":"#.repeat(200_000), "}".repeat(200_000));
    for document in [
        &*deep,
        &nested,
        "",
        "\0",
        "{\"uid\": \"7\", \"uid\": \"8\"}",
        "[1,2",
        "\u{feff}{}",
    ] {
        let asked = vec![put("accounts/1/users/bob", document)];
        let start = Instant::now();
        let answer = world
            .ask(asked, v1::ChangeOptions::default())
            .await
            .unwrap();
        assert_eq!(answer.outcome(), v1::ApplyOutcome::Refused);
        assert_eq!(answer.findings[0].file, "accounts/1/users/bob");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    let mut bytes = vec![put("accounts/1/users/bob", "{}")];
    bytes[0].action = Some(v1::operation::Action::Put(vec![0xff, 0xfe]));
    let answer = world
        .ask(bytes, v1::ChangeOptions::default())
        .await
        .unwrap();
    assert_eq!(answer.outcome(), v1::ApplyOutcome::Refused);
    assert_eq!(
        world.process.info().await.snapshot.unwrap().revision,
        Some(first)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_is_cut_off() {
    let world = World::new().await;
    let mut silent = UnixStream::connect(world.process.manage_path())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    // The time for the preface is 5 s.
    within(silent.read_to_end(&mut bytes)).await.unwrap();
    assert_eq!(bytes, b"");
    world.process.info().await;
}
