//! TLS with real sockets and certificates that are made for each test.

use std::sync::Arc;

use tagwarden::model::account::Name;
use tagwarden::model::caller::identity::{DnsName, Identity, SpiffePattern, Uri};
use tagwarden::model::caller::{Caller, Callers, PeerPattern, Rights, Rpc};
use tagwarden::service::Config;
use tagwarden::snapshot::caller::CallerTable;
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::telemetry::Handshake;
use tagwarden::tls::{self, Clients, Endpoint, Need, Place};
use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tonic::transport::Channel;

use crate::support::certificate::Files;
use crate::support::server::{self, Running, SOURCE, start, within, without_resource};

mod manage;
mod peers;
mod reload;
mod start;

/// What the files of a folder are for, with a trust bundle where clients are asked.
fn config_of(files: &Files, need: Option<Need>, spiffe: &[&str]) -> tls::Config {
    let spiffe = spiffe.iter().copied().map(SpiffePattern::try_from);
    tls::Config {
        certificate: files.path("tls.crt"),
        key: files.path("tls.key"),
        clients: need.map(|need| Clients {
            ca: files.path("ca.pem"),
            need,
            spiffe: spiffe.collect::<Result<_, _>>().unwrap(),
        }),
    }
}

fn load(config: tls::Config) -> Arc<Endpoint> {
    Arc::new(Endpoint::load(Place::Data, config, Vec::new()).unwrap())
}

/// A data server with TLS, and callers that certificates name.
fn serve(endpoint: &Arc<Endpoint>) -> Running {
    serve_with(endpoint, server::config())
}

fn serve_with(endpoint: &Arc<Endpoint>, config: Config) -> Running {
    let mut running = start(Config {
        listen: vec!["127.0.0.1:0,tls".parse().unwrap()],
        endpoint: Some(Arc::clone(endpoint)),
        ..config
    });
    let revision = Revision {
        source: SOURCE,
        number: 1,
        digest: 0,
    };
    running.publisher.publish(Snapshot {
        revision,
        callers: callers(),
        ..Snapshot::default()
    });
    running
}

fn callers() -> CallerTable {
    let spiffe = SpiffePattern::try_from("spiffe://d/ns/*").unwrap();
    let dns = Identity::Dns(DnsName::try_from("gateway.example").unwrap());
    let uri = Identity::Uri(Uri::try_from("urn:gateway").unwrap());
    CallerTable::new(&Callers {
        anonymous: None,
        named: vec![Caller {
            name: Name::try_from("gateway").unwrap(),
            peers: vec![
                spiffe.into(),
                PeerPattern::Proven(dns),
                PeerPattern::Proven(uri),
            ],
            principal: None,
            rights: Rights {
                rpcs: Rpc::ALL.into_iter().collect(),
                ..Rights::default()
            },
        }],
    })
}

/// What a peer is to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    /// The caller of the tests.
    Named,
    /// Nobody in particular, who may ask nothing.
    Anonymous,
    /// Nobody at all: there is no connection.
    Refused,
}

/// What comes of a call that a caller may make but no policy decides.
async fn called(channel: Channel) -> Met {
    let mut client = AuthorizationServiceClient::new(channel);
    let refused = within(client.authorize(without_resource())).await;
    match reason_of(&refused.unwrap_err()).as_deref() {
        Some("NO_RESOURCE") => Met::Named,
        Some("CALLER_NOT_ALLOWED") => Met::Anonymous,
        Some(other) => panic!("{other}"),
        None => Met::Refused,
    }
}

/// Waits until so many handshakes had an outcome.
async fn counted(endpoint: &Endpoint, outcome: Handshake, count: u64) {
    within(async {
        while endpoint.handshakes().counted(outcome) < count {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(endpoint.handshakes().counted(outcome), count, "{outcome:?}");
}
