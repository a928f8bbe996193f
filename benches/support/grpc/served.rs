//! What the servers of the bench serve: the snapshots, the questions about them, and both roles.

use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use prost::Message as _;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{Strictness, read_bundle};
use tagwarden::engine::decide;
use tagwarden::publish::publication;
use tagwarden::service::pdp::{self, Clock, Pdp};
use tagwarden::service::{self, Phase};
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::source::files::read_directory;
use tagwarden::wire::v1;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::bare::{self, Constant};
use super::profiles::message::message;
use super::profiles::random::Draw;
use super::profiles::{Holds, Profile, Shape};

/// How many distinct questions are asked.
pub(crate) const DISTINCT: usize = 4_096;

/// The typical profile with 10,000 policies.
fn shape() -> Shape {
    Shape {
        principals: 9_960,
        holds: Holds::Pool {
            pool: 40,
            shared: 2,
            own: 1,
        },
        ..Shape::typical()
    }
}

/// Questions that are decided.
pub(crate) fn questions() -> Vec<Vec<u8>> {
    let profile = Profile::new(shape());
    let snapshot = compile(&profile.bundle()).unwrap();
    let draw = Draw::zipf(profile.shape.principals);
    let requests = profile.requests(&snapshot, &draw, DISTINCT);
    let decided = requests
        .iter()
        .filter(|request| decide(&snapshot, request).is_ok());
    decided
        .map(|request| message(request).encode_to_vec())
        .collect()
}

/// Questions about tags that comply with the policies of an example.
pub(crate) fn tagging_questions() -> Vec<Vec<u8>> {
    let tag = |key: &str, value: &str| v1::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let question = |place: usize| v1::ValidateTaggingRequest {
        resource: Some(v1::Resource {
            arn: format!("acs:ecs:cn-hangzhou:200000000002:instance/i-{place:06}"),
            r#type: "ecs:instance".to_owned(),
            tags: Some(v1::TagSet {
                tags: vec![
                    tag("team", "north"),
                    tag("project", "P1234"),
                    tag("owner", "alice"),
                ],
            }),
            ..v1::Resource::default()
        }),
        operation: v1::TaggingOperation::Tag.into(),
        tag_write: Some(v1::TagWrite {
            set: Some(v1::TagSet {
                tags: vec![
                    tag("CostCenter", "Beijing"),
                    tag("app", "shop"),
                    tag("stage", "one"),
                ],
            }),
            ..v1::TagWrite::default()
        }),
        ..v1::ValidateTaggingRequest::default()
    };
    (0..DISTINCT)
        .map(|place| question(place).encode_to_vec())
        .collect()
}

fn snapshot(world: &str) -> Snapshot {
    if world == "typical" {
        return compile(&Profile::new(shape()).bundle()).unwrap();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tag-governance");
    let files = read_directory(&folder).unwrap();
    let loaded = read_bundle(&files, Strictness::Strict).unwrap();
    compile(&loaded.bundle).unwrap()
}

/// Serves as the product does, with one worker, until standard input ends.
pub(crate) fn serve_ours(world: &str, socket: &str) {
    let (mut publisher, reader) = publication().unwrap();
    let mut snapshot = snapshot(world);
    snapshot.revision = Revision {
        source: 0x0123_4567_89ab_cdef,
        number: 42,
        digest: 0xfedc_ba98_7654_3210,
    };
    publisher.publish(snapshot);
    let pdp = Pdp::new(pdp::Config {
        reader,
        directory: Arc::new(Directory::default()),
        clock: Clock::default(),
        pages: tagwarden::wire::page::PageKey::new([7; 64]),
    });
    let config = service::Config {
        listen: vec![
            "127.0.0.1:0".parse().unwrap(),
            format!("unix:{socket},mode=0600").parse().unwrap(),
        ],
        workers: NonZeroUsize::new(1),
        ..service::Config::default()
    };
    let server = service::Server::bind(config).unwrap();
    println!("{}", server.addresses().unwrap()[0]);
    until_closed(async move {
        let (_stop, phases) = watch::channel(Phase::Serving);
        server.run(pdp, phases).await.unwrap();
    });
}

/// Serves a constant answer on one thread, until standard input ends.
pub(crate) fn serve_bare(kind: &str, answer: &str, socket: &str) {
    let answer = std::fs::read(answer).unwrap();
    let mut constant = Constant::default();
    if kind == "tagging" {
        constant.tagging = v1::ValidateTaggingResponse::decode(&*answer).unwrap();
    } else {
        constant.authorize = v1::AuthorizeResponse::decode(&*answer).unwrap();
    }
    let socket = socket.to_owned();
    until_closed(async move {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", tcp.local_addr().unwrap());
        let unix = UnixListener::bind(socket).unwrap();
        bare::serve(tcp, unix, constant).await;
    });
}

/// Runs a server on a runtime of one thread, and ends with whoever started it.
fn until_closed(server: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(server);
}
