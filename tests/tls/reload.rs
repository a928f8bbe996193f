//! Files that change while the server serves: what is good counts for the next handshake, what is
//! not changes nothing.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tagwarden::telemetry::Handshake;
use tagwarden::tls::{Endpoint, Need};

use super::{Met, called, config_of, load, serve};
use crate::support::certificate::{Authority, Files, Pair, Says, channel, handshake, uri};
use crate::support::server::within;

const POLL: Duration = Duration::from_millis(100);

fn workload(authority: &Authority) -> Pair {
    authority.issue(Says::client(&[uri("spiffe://d/ns/a")]))
}

/// The certificate that the server shows now.
async fn shown(address: SocketAddr, config: &ClientConfig) -> Vec<u8> {
    let stream = handshake(address, config.clone()).await.unwrap();
    let (_, session) = stream.get_ref();
    session.peer_certificates().unwrap()[0].to_vec()
}

/// Waits until the files have been put into force so often.
async fn published(endpoint: &Endpoint, count: u64) {
    within(async {
        while endpoint.kept()[0].2.published < count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Waits until newer files are refused for a reason.
async fn refused(endpoint: &Endpoint, why: &str) {
    within(async {
        loop {
            let kept = endpoint.kept();
            if kept[0]
                .1
                .as_ref()
                .is_some_and(|refused| refused.why.contains(why))
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_rotate_under_load_without_a_lost_call() {
    let authority = Authority::new();
    let files = Files::new(&authority.issue(Says::server()), &authority.pem);
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let _watchers = endpoint.watch(POLL).unwrap();
    let running = serve(&endpoint);
    let address = running.tcp();
    let config = authority.trusted_by(Some(&workload(&authority)));
    let stop = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = [false, true, true]
        .into_iter()
        .map(|anew| {
            let (stop, calls, config) = (Arc::clone(&stop), Arc::clone(&calls), config.clone());
            tokio::spawn(async move {
                // One keeps its connection, the others make one for each call.
                let mut kept = channel(address, config.clone());
                while !stop.load(Ordering::Relaxed) {
                    if anew {
                        kept = channel(address, config.clone());
                    }
                    assert_eq!(called(kept.clone()).await, Met::Named);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut before = shown(address, &config).await;
    for round in 1..=10 {
        let from = calls.load(Ordering::Relaxed);
        files.replace(&authority.issue(Says::server()));
        published(&endpoint, round).await;
        let now = shown(address, &config).await;
        assert_ne!(now, before);
        before = now;
        within(async {
            while calls.load(Ordering::Relaxed) < from + 20 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        within(caller).await.unwrap();
    }
    let handshakes = endpoint.handshakes();
    let failed = Handshake::ALL.map(|outcome| handshakes.counted(outcome));
    assert_eq!(failed[2..6], [0; 4], "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mounted_secret_is_replaced_by_a_rename() {
    let authority = Authority::new();
    let (first, second) = (
        authority.issue(Says::server()),
        authority.issue(Says::server()),
    );
    let files = Files(tempfile::tempdir().unwrap());
    for (version, pair) in [("..1", &first), ("..2", &second)] {
        fs::create_dir(files.path(version)).unwrap();
        files.write(&format!("{version}/tls.crt"), &pair.certificate);
        files.write(&format!("{version}/tls.key"), &pair.key);
    }
    symlink("..1", files.path("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), files.path(name)).unwrap();
    }
    let endpoint = load(config_of(&files, None, &[]));
    // Only the event can tell: the comparison comes too late.
    let _watchers = endpoint.watch(Duration::from_hours(1)).unwrap();
    let running = serve(&endpoint);
    let config = authority.trusted_by(None);
    for (round, version, pair) in [(1, "..2", &second), (2, "..1", &first)] {
        symlink(version, files.path("..data_tmp")).unwrap();
        fs::rename(files.path("..data_tmp"), files.path("..data")).unwrap();
        published(&endpoint, round).await;
        let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        assert_eq!(shown(running.tcp(), &config).await, der.to_vec());
    }
    assert_eq!(endpoint.kept()[0].1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_pair_keeps_the_old_one_and_says_so() {
    let authority = Authority::new();
    let (first, other) = (
        authority.issue(Says::server()),
        authority.issue(Says::server()),
    );
    let files = Files::new(&first, &authority.pem);
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let _watchers = endpoint.watch(POLL).unwrap();
    let running = serve(&endpoint);
    let own = workload(&authority);
    let config = authority.trusted_by(Some(&own));
    let before = shown(running.tcp(), &config).await;
    let client = authority.issue(Says::client(&[uri("spiffe://d/ns/a")]));
    let bad = [
        (
            first.certificate.clone(),
            other.key.clone(),
            "keys may not be consistent",
        ),
        ("no PEM".to_owned(), first.key.clone(), "has no certificate"),
        (
            first.certificate.clone(),
            String::new(),
            "exactly one private key",
        ),
        (client.certificate, client.key, "not one for servers"),
    ];
    let expired = authority.issue(Says::server().days(-2, -1));
    let future = authority.issue(Says::server().days(1, 2));
    let bad = bad.into_iter().chain([
        (expired.certificate, expired.key, "is valid from"),
        (future.certificate, future.key, "is valid from"),
    ]);
    for (certificate, key, why) in bad {
        files.replace(&Pair { certificate, key });
        refused(&endpoint, why).await;
        assert_eq!(shown(running.tcp(), &config).await, before, "{why}");
    }
    fs::remove_file(files.path("tls.key")).unwrap();
    refused(&endpoint, "cannot read").await;
    files.replace(&other);
    files.write("ca.pem", "no PEM");
    refused(&endpoint, "ca.pem has no certificate").await;
    assert_eq!(shown(running.tcp(), &config).await, before);
    assert_eq!(endpoint.kept()[0].2.published, 0);
    files.write("ca.pem", &authority.pem);
    published(&endpoint, 1).await;
    assert_eq!(endpoint.kept()[0].1, None);
    assert_ne!(shown(running.tcp(), &config).await, before);
    let channel = channel(running.tcp(), config);
    assert_eq!(called(channel).await, Met::Named);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_trust_bundle_counts_for_new_connections() {
    let (authority, second) = (Authority::new(), Authority::new());
    let files = Files::new(&authority.issue(Says::server()), &authority.pem);
    let endpoint = load(config_of(&files, Some(Need::Required), &[]));
    let _watchers = endpoint.watch(POLL).unwrap();
    let running = serve(&endpoint);
    let of = |pair: &Pair| authority.trusted_by(Some(pair));
    let (old, new) = (workload(&authority), workload(&second));
    let open = channel(running.tcp(), of(&old));
    assert_eq!(called(open.clone()).await, Met::Named);
    let early = channel(running.tcp(), of(&new));
    assert_eq!(called(early).await, Met::Refused);
    files.write("ca.pem", &second.pem);
    published(&endpoint, 1).await;
    assert_eq!(called(open).await, Met::Named);
    let late = channel(running.tcp(), of(&old));
    assert_eq!(called(late).await, Met::Refused);
    let welcome = channel(running.tcp(), of(&new));
    assert_eq!(called(welcome).await, Met::Named);
}
