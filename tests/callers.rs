//! Who may ask what, over real sockets (security 1): defaults, `callers.json`, and swaps of rights.

mod explain;
mod tagging;
mod users;

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::model::caller::{Disclosure, Origin, SocketUser};
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tokio::net::UnixStream;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::support::server::{Running, SOURCE, config, start_with, within};

type Client = AuthorizationServiceClient<Channel>;

const ALICE: &str = "acs:ram::1:user/alice";
const ROOT: &str = "acs:ram::1:root";
const LINKED: &str = "acs:ram::1:role/AliyunServiceRoleForEci";
const SESSION: &str = "acs:ram::1:role/ops/s1";

/// Everybody in account 1 may do everything.
const ACCOUNT: &str = r#"{
    "users": [{"name": "alice"}, {"name": "bob"}],
    "roles": [{"name": "ops"}, {"name": "AliyunServiceRoleForEci", "service_linked": true}],
    "attachments": [
        {"policy": "system:AdministratorAccess", "to": "user:alice", "scope": "account"},
        {"policy": "system:AdministratorAccess", "to": "user:bob", "scope": "account"},
        {"policy": "system:AdministratorAccess", "to": "role:ops", "scope": "account"},
        {"policy": "system:AdministratorAccess", "to": "role:AliyunServiceRoleForEci",
         "scope": "account"}
    ]
}"#;

/// What a bundle with these callers is compiled to.
fn snapshot(callers: &str, number: u64) -> Snapshot {
    let mut files = BundleFiles::default();
    files.insert("bundle.json", r#"{"format": 1}"#);
    files.insert("accounts/1/account.json", ACCOUNT);
    files.insert("callers.json", callers);
    let loaded =
        read_bundle(&files, Strictness::Strict).unwrap_or_else(|errors| panic!("{errors}"));
    let revision = Revision {
        source: SOURCE,
        number,
        digest: 0,
    };
    Snapshot {
        revision,
        ..compile(&loaded.bundle).unwrap()
    }
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let text = include_str!("../docs/callers.md");
    let (_, rest) = text.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let callers = snapshot(example, 1).callers;
    let gateway = callers.find(&Origin::Unix {
        uid: 33,
        gid: 0,
        user: SocketUser::Other,
    });
    assert_eq!(&*gateway.name, "gateway");
    assert_eq!(gateway.rights.disclosure, Disclosure::Statements);
    let security = callers.find(&Origin::Unix {
        uid: 34,
        gid: 44,
        user: SocketUser::Other,
    });
    assert_eq!(&*security.name, "security");
    assert_eq!(security.rights.disclosure, Disclosure::Explanation);
    let own = security.principal.as_ref().unwrap().principal();
    assert_eq!(own.unwrap().account(), Some("100000000002"));
}

/// A server on TCP and on a Unix socket.
struct World {
    running: Running,
    folder: tempfile::TempDir,
}

impl World {
    fn new(callers: &str) -> Self {
        Self::listening("127.0.0.1:0", callers)
    }

    fn listening(tcp: &str, callers: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let unix = format!("unix:{}", folder.path().join("s").display());
        let mut config = config();
        config.listen = vec![tcp.parse().unwrap(), unix.parse().unwrap()];
        let mut running = start_with(config, Arc::new(Directory::default()));
        running.publisher.publish(snapshot(callers, 1));
        Self { running, folder }
    }

    async fn unix(&self) -> Client {
        let path: PathBuf = self.folder.path().join("s");
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        AuthorizationServiceClient::new(
            within(endpoint.connect_with_connector(connector))
                .await
                .unwrap(),
        )
    }

    async fn tcp(&self) -> Client {
        self.running.client().await
    }
}

/// The user and the group that the tests run as.
fn own() -> (u32, u32) {
    let folder = tempfile::tempdir().unwrap();
    let told = std::fs::metadata(folder.path()).unwrap();
    (told.uid(), told.gid())
}

fn resource() -> v1::Resource {
    v1::Resource {
        arn: "acs:ecs:cn-hangzhou:1:instance/i-1".to_owned(),
        ..v1::Resource::default()
    }
}

/// May alice start an instance that the directory does not know?
fn asking() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        principal: ALICE.to_owned(),
        action: "ecs:StartInstance".to_owned(),
        resources: vec![resource()],
        ..v1::AuthorizeRequest::default()
    }
}

fn for_principal(principal: &str) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        principal: principal.to_owned(),
        ..asking()
    }
}

fn stating_no_policy(principal: &str) -> v1::AuthorizeRequest {
    let policy = v1::session::Policy::None(v1::NoSessionPolicy {});
    v1::AuthorizeRequest {
        session: Some(v1::Session {
            policy: Some(policy),
        }),
        ..for_principal(principal)
    }
}

fn with_context(key: &str, value: &str) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        context: vec![v1::ContextEntry {
            key: key.to_owned(),
            values: vec![value.to_owned()],
        }],
        ..asking()
    }
}

fn with_tags() -> v1::AuthorizeRequest {
    let resource = v1::Resource {
        tags: Some(v1::TagSet::default()),
        ..resource()
    };
    v1::AuthorizeRequest {
        resources: vec![resource],
        ..asking()
    }
}

fn with_group() -> v1::AuthorizeRequest {
    let resource = v1::Resource {
        resource_group: Some(v1::ResourceGroup::default()),
        ..resource()
    };
    v1::AuthorizeRequest {
        resources: vec![resource],
        ..asking()
    }
}

fn with_kind() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        kind: v1::OperationKind::Other.into(),
        ..asking()
    }
}

fn with_explain() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        explain: true,
        ..asking()
    }
}

fn with_min_revision(number: u64) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        min_revision: Some(v1::RevisionToken {
            source: format!("{SOURCE:016x}"),
            number,
        }),
        ..asking()
    }
}

/// The message of a refusal for want of rights; the reason of any other.
fn refusal(status: &Status) -> String {
    let details = status.get_error_details();
    let reason = &details.error_info().expect("an ErrorInfo").reason;
    if reason == "CALLER_NOT_ALLOWED" {
        assert_eq!(status.code(), Code::PermissionDenied);
        status.message().to_owned()
    } else {
        reason.clone()
    }
}

fn effect(answer: &v1::AuthorizeResponse) -> String {
    answer
        .effect()
        .as_str_name()
        .trim_start_matches("EFFECT_")
        .to_owned()
}

async fn told(client: &mut Client, request: v1::AuthorizeRequest) -> String {
    match within(client.authorize(request)).await {
        Ok(answer) => effect(answer.get_ref()),
        Err(status) => refusal(&status),
    }
}

fn item(result: v1::AuthorizeResult) -> String {
    match result.result {
        Some(v1::authorize_result::Result::Response(answer)) => effect(&answer),
        Some(v1::authorize_result::Result::Error(error)) => {
            let details = prost::Message::encode_to_vec(&error);
            let code = Code::from_i32(error.code);
            refusal(&Status::with_details(code, error.message, details.into()))
        }
        None => panic!("neither an answer nor an error"),
    }
}

async fn check(client: &mut Client, table: Vec<(v1::AuthorizeRequest, &str)>) {
    for (request, expected) in table {
        assert_eq!(told(client, request.clone()).await, expected, "{request:?}");
    }
}

const NOT_FOR_IT: &str = "the caller `anonymous` may not act for this `principal`";

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_on_loopback_asks_for_users_with_context_and_tags() {
    let world = World::new("{}");
    let table = vec![
        (asking(), "ALLOW"),
        (with_tags(), "ALLOW"),
        (with_context("acs:SourceIp", "10.0.0.1"), "ALLOW"),
        (with_context("oss:Prefix", "a"), "ALLOW"),
        (for_principal("acs:ram::1:role/ops"), "ALLOW"),
        (for_principal("acs:ram::1:saml-provider/idp"), "DENY"),
        (for_principal("ecs.aliyuncs.com"), "DENY"),
        (for_principal("acs:ram::2:user/alice"), "DENY"),
        (for_principal(ROOT), NOT_FOR_IT),
        (for_principal("acs:ram::2:root"), NOT_FOR_IT),
        (for_principal(LINKED), NOT_FOR_IT),
        (for_principal(&format!("{LINKED}/s1")), NOT_FOR_IT),
        (for_principal(SESSION), NOT_FOR_IT),
        (for_principal("acs:ram::1:assumed-role/ops/s1"), NOT_FOR_IT),
        (for_principal("nobody"), "INVALID_REQUEST"),
        (
            stating_no_policy(ALICE),
            "the caller `anonymous` may not send `session`, for want of the right `session`",
        ),
        (
            with_group(),
            "the caller `anonymous` may not send `resources[0].resource_group`, for want of the \
             right `resource_group`",
        ),
        (
            with_kind(),
            "the caller `anonymous` may not send `kind`, for want of the right `kind`",
        ),
        (
            with_explain(),
            "the caller `anonymous` may not send `explain`, for want of the right `explain`",
        ),
        (
            with_min_revision(1),
            "the caller `anonymous` may not send `min_revision`, for want of the right \
             `min_revision`",
        ),
    ];
    let mut client = world.tcp().await;
    check(&mut client, table).await;
    let answer = within(client.authorize(asking())).await.unwrap();
    let v1::AuthorizeResponse {
        revision,
        statements,
        verdicts,
        ..
    } = answer.into_inner();
    assert!(revision.is_some() && statements.is_empty() && verdicts.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_batches_and_streams_and_candidates_are_held_to_the_same_rights() {
    let world = World::new("{}");
    let mut client = world.tcp().await;
    let batch = v1::BatchAuthorizeRequest {
        requests: vec![for_principal(ROOT), asking(), with_min_revision(9_999)],
    };
    let answers = within(client.batch_authorize(batch)).await.unwrap();
    let answers: Vec<_> = answers.into_inner().results.into_iter().map(item).collect();
    let early = "the caller `anonymous` may not send `min_revision`, for want of the right \
                 `min_revision`";
    assert_eq!(answers, [NOT_FOR_IT, "ALLOW", early]);

    let questions = [for_principal(ROOT), asking()].map(|request| v1::AuthorizeStreamRequest {
        request: Some(request),
    });
    let mut answers = within(client.authorize_stream(tokio_stream::iter(questions)))
        .await
        .unwrap()
        .into_inner();
    for expected in [NOT_FOR_IT, "ALLOW"] {
        let answer = within(answers.next()).await.unwrap().unwrap();
        assert_eq!(item(answer.result.unwrap()), expected);
    }

    let filter = v1::FilterResourcesRequest {
        principal: ALICE.to_owned(),
        action: "ecs:DescribeInstances".to_owned(),
        candidates: vec![resource()],
        ..v1::FilterResourcesRequest::default()
    };
    let seen = within(client.filter_resources(filter.clone()))
        .await
        .unwrap();
    assert_eq!(seen.into_inner().arns.len(), 1);
    let of_root = v1::FilterResourcesRequest {
        principal: ROOT.to_owned(),
        ..filter.clone()
    };
    let refused = within(client.filter_resources(of_root)).await.unwrap_err();
    assert_eq!(refusal(&refused), NOT_FOR_IT);
    let grouped = v1::FilterResourcesRequest {
        candidates: with_group().resources,
        ..filter
    };
    let refused = within(client.filter_resources(grouped)).await.unwrap_err();
    assert_eq!(
        refusal(&refused),
        "the caller `anonymous` may not send `candidates[0].resource_group`, for want of the \
         right `resource_group`"
    );
}

/// An address of this machine that is not of the loopback interface.
fn own_address() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the system only chooses the address that it would send from.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?;
    (!address.ip().is_loopback()).then_some(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_from_elsewhere_has_what_the_bundle_gives() {
    let Some(own) = own_address() else {
        println!("skipped: this machine has only loopback addresses");
        return;
    };
    let mut world = World::listening("0.0.0.0:0", "{}");
    let address = SocketAddr::new(own.ip(), world.running.tcp().port());
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    let mut client = AuthorizationServiceClient::new(within(endpoint.connect()).await.unwrap());
    assert_eq!(
        told(&mut client, asking()).await,
        "the caller `anonymous` may not call `Authorize`"
    );
    assert_eq!(told(&mut world.tcp().await, asking()).await, "ALLOW");
    let given = r#"{"anonymous": {"from": ["remote"], "rpcs": ["Authorize"],
        "act_for": ["acs:ram::1:user/alice"]}}"#;
    world.running.publisher.publish(snapshot(given, 2));
    assert_eq!(told(&mut client, asking()).await, "ALLOW");
    assert_eq!(
        told(&mut client, for_principal("acs:ram::1:user/bob")).await,
        NOT_FOR_IT
    );
    assert_eq!(
        told(&mut world.tcp().await, asking()).await,
        "the caller `anonymous` may not call `Authorize`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_user_on_the_unix_socket_has_every_right() {
    let world = World::new("{}");
    let mut client = world.unix().await;
    let table = vec![
        (asking(), "ALLOW"),
        (with_tags(), "ALLOW"),
        (with_group(), "ALLOW"),
        (with_context("acs:SourceIp", "10.0.0.1"), "ALLOW"),
        (for_principal(ROOT), "ALLOW"),
        (for_principal(LINKED), "ALLOW"),
        (for_principal(SESSION), "SESSION_REQUIRED"),
        (stating_no_policy(SESSION), "ALLOW"),
        (with_kind(), "ALLOW"),
        (with_min_revision(1), "ALLOW"),
        (with_min_revision(2), "REVISION_NOT_REACHED"),
    ];
    check(&mut client, table).await;
    let answer = within(client.authorize(with_explain())).await.unwrap();
    let answer = answer.into_inner();
    assert!(answer.explanation.is_some() && !answer.statements.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_caller_has_what_its_entry_gives() {
    let (uid, _) = own();
    let world = World::new(&format!(
        r#"{{"callers": [{{"name": "app", "peers": [{{"uid": {uid}}}], "rpcs": ["Authorize"],
        "act_for": ["acs:ram::1:user/a*", "{ROOT}", "acs:ram::1:role/ops/*", "{LINKED}"],
        "supply": ["context:acs:SourceIp", "session", "kind"], "disclosure": 2}}]}}"#
    ));
    let not_for_it = "the caller `app` may not act for this `principal`";
    let table = vec![
        (asking(), "ALLOW"),
        (for_principal("acs:ram::1:user/bob"), not_for_it),
        (for_principal("acs:ram::2:user/alice"), not_for_it),
        (for_principal("acs:ram::1:role/ops"), not_for_it),
        (for_principal(ROOT), "ALLOW"),
        (for_principal("acs:ram::2:root"), not_for_it),
        (for_principal(LINKED), "ALLOW"),
        (for_principal(&format!("{LINKED}/s1")), not_for_it),
        (stating_no_policy(SESSION), "ALLOW"),
        (stating_no_policy("acs:ram::1:assumed-role/ops/s1"), "ALLOW"),
        (with_kind(), "ALLOW"),
        (with_context("ACS:sourceip", "10.0.0.1"), "ALLOW"),
        (
            with_context("acs:MFAPresent", "true"),
            "the caller `app` may not send `context[0].key`, for want of the right \
             `context:<key>`",
        ),
        (
            with_tags(),
            "the caller `app` may not send `resources[0].tags`, for want of the right \
             `resource_tags`",
        ),
    ];
    let mut client = world.unix().await;
    check(&mut client, table).await;
    let answer = within(client.authorize(asking())).await.unwrap();
    let answer = answer.into_inner();
    assert!(!answer.statements.is_empty() && answer.explanation.is_none());

    let refused = within(client.batch_authorize(v1::BatchAuthorizeRequest::default())).await;
    assert_eq!(
        refusal(&refused.unwrap_err()),
        "the caller `app` may not call `BatchAuthorize`"
    );
    let refused = within(client.filter_resources(v1::FilterResourcesRequest::default())).await;
    assert_eq!(
        refusal(&refused.unwrap_err()),
        "the caller `app` may not call `FilterResources`"
    );
    let nothing = tokio_stream::empty::<v1::AuthorizeStreamRequest>();
    let refused = within(client.authorize_stream(nothing)).await;
    assert_eq!(
        refusal(&refused.unwrap_err()),
        "the caller `app` may not call `AuthorizeStream`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_names_a_caller_and_level_0_tells_the_effect_alone() {
    let (_, gid) = own();
    let world = World::new(&format!(
        r#"{{"callers": [{{"name": "staff", "peers": [{{"gid": {gid}}}], "rpcs": ["Authorize"],
        "act_for": ["*"], "disclosure": 0}}]}}"#
    ));
    let mut client = world.unix().await;
    assert_eq!(
        told(&mut client, for_principal(ROOT)).await,
        "the caller `staff` may not act for this `principal`"
    );
    let answer = within(client.authorize(asking()))
        .await
        .unwrap()
        .into_inner();
    let expected = v1::AuthorizeResponse {
        effect: v1::Effect::Allow.into(),
        decision_id: answer.decision_id.clone(),
        ..v1::AuthorizeResponse::default()
    };
    assert_eq!(answer, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_changes_rights_of_open_connections_and_streams() {
    let mut world = World::new("{}");
    let mut client = world.tcp().await;
    let (sender, questions) = tokio::sync::mpsc::channel(1);
    let question = || v1::AuthorizeStreamRequest {
        request: Some(asking()),
    };
    sender.send(question()).await.unwrap();
    let mut answers = within(client.authorize_stream(ReceiverStream::new(questions)))
        .await
        .unwrap()
        .into_inner();
    let first = within(answers.next()).await.unwrap().unwrap();
    assert_eq!(item(first.result.unwrap()), "ALLOW");
    assert_eq!(told(&mut client, asking()).await, "ALLOW");

    let closed = r#"{"anonymous": {}}"#;
    world.running.publisher.publish(snapshot(closed, 2));
    assert_eq!(
        told(&mut client, asking()).await,
        "the caller `anonymous` may not call `Authorize`"
    );
    sender.send(question()).await.unwrap();
    let second = within(answers.next()).await.unwrap().unwrap();
    assert_eq!(
        item(second.result.unwrap()),
        "the caller `anonymous` may not call `AuthorizeStream`"
    );

    let mut health = HealthClient::new(world.running.channel().await);
    let asked = HealthCheckRequest::default();
    let told_health = within(health.check(asked)).await.unwrap().into_inner();
    assert_eq!(told_health.status(), ServingStatus::Serving);

    world.running.publisher.publish(snapshot("{}", 3));
    assert_eq!(told(&mut client, asking()).await, "ALLOW");
}
