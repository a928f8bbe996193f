//! Durable writes of the directory, over the management channel: one writer, and 64 at once; how
//! many of them are one sync; and how long a start takes to load it all again.
//!
//! `--resources N` tells how many resources there are (default 1,000,000), `--seconds N` how long
//! each part runs (default 5). The files are below `target/`, because `/tmp` may be memory.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "support/row.rs"]
mod row;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::management::directory::{self, Begin, DirectoryWriter};
use tagwarden::management::permission::Administrators;
use tagwarden::management::{self, AuthoredIn, Management};
use tagwarden::model::resource::Resource;
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::publish::{Reader, publication};
use tagwarden::service::pap::{self, Pap};
use tagwarden::service::{Listen, Owner, Phase, directory_step};
use tagwarden::source::directory::DirectoryStore;
use tagwarden::telemetry::{DirectoryWrites, Reloads};
use tagwarden::wire::page::PageKey;
use tagwarden::wire::v1;
use tagwarden::wire::v1::directory_service_client::DirectoryServiceClient;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let resources = argument("--resources", if short { 2_000 } else { 1_000_000 });
    let seconds = argument("--seconds", if short { 1 } else { 5 });
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(folder).unwrap();
    let data = folder.path().join("data");
    let (mut publisher, reader) = publication().unwrap();
    publisher
        .publish(compile(&read_bundle(&bundle(), Strictness::Strict).unwrap().bundle).unwrap());

    let (writer, thread) = start(&data, &reader, &DirectoryWrites::default());
    let clock = Instant::now();
    let all = Begin {
        resources: (0..resources).map(resource).collect(),
        digest: None,
    };
    writer.begin(all).unwrap().unwrap();
    tell("resources", resources as f64, "", "");
    let took = clock.elapsed().as_secs_f64();
    tell("all resources written at once", took, "s", "");
    drop(writer);
    thread.join().unwrap();
    let size = std::fs::metadata(data.join("directory.redb"))
        .unwrap()
        .len();
    tell("file", size as f64 / 1_048_576.0, "MiB", "");

    let clock = Instant::now();
    let counted = DirectoryWrites::default();
    let (writer, thread) = start(&data, &reader, &counted);
    let target = if resources >= 1_000_000 { "<= 5" } else { "" };
    tell(
        "start with all resources",
        clock.elapsed().as_secs_f64(),
        "s",
        target,
    );

    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    let bench = Bench {
        resources,
        seconds,
        writes: counted,
    };
    runtime.block_on(bench.run(folder.path(), reader, writer));
    runtime.shutdown_timeout(Duration::from_secs(1));
    thread.join().unwrap();
}

fn told(what: &str, measured: &Measured, target: &str) {
    let Measured {
        rate,
        grouped,
        sync,
    } = measured;
    tell(&format!("durable tag writes, {what}"), *rate, "/s", target);
    tell(&format!("writes in one sync, {what}"), *grouped, "", "");
    tell(&format!("commit of a group, {what}"), *sync, "ms", "");
}

struct Bench {
    resources: usize,
    seconds: usize,
    writes: DirectoryWrites,
}

impl Bench {
    async fn run(&self, folder: &Path, reader: Reader, writer: DirectoryWriter) {
        let path = folder.join("manage.sock");
        let (stop, stopping) = watch::channel(Phase::Serving);
        let serving = tokio::spawn(serve(&path, reader, writer).run_until(stopping));
        let channel = connect(path).await;
        let alone = self.measure(&channel, 1).await;
        told("1 writer", &alone, ">= 2000");
        let many = self.measure(&channel, 64).await;
        told("64 writers", &many, ">= 8000");
        stop.send_replace(Phase::Draining);
        drop(channel);
        serving.await.unwrap();
    }

    /// Single-tag writes of resources all over the directory.
    async fn measure(&self, channel: &Channel, writers: usize) -> Measured {
        let (groups, syncs) = (self.writes.groups().count, self.writes.syncs());
        let changes = self.writes.changes();
        let next = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let until = begun + Duration::from_secs(self.seconds as u64);
        let mut all = JoinSet::new();
        for _ in 0..writers {
            let client = DirectoryServiceClient::new(channel.clone());
            all.spawn(write_on(client, Arc::clone(&next), self.resources, until));
        }
        let made: u64 = all.join_all().await.into_iter().sum();
        let took = begun.elapsed().as_secs_f64();
        let committed = self.writes.changes() - changes;
        assert!(committed >= made, "{committed} of {made}");
        let groups = self.writes.groups().count - groups;
        let after = self.writes.syncs();
        Measured {
            rate: made as f64 / took,
            grouped: committed as f64 / groups as f64,
            sync: (after.sum - syncs.sum) * 1_000.0 / (after.count - syncs.count) as f64,
        }
    }
}

struct Measured {
    rate: f64,
    grouped: f64,
    sync: f64,
}

async fn write_on(
    mut client: DirectoryServiceClient<Channel>,
    next: Arc<AtomicU64>,
    resources: usize,
    until: Instant,
) -> u64 {
    let mut made = 0;
    while Instant::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        // A step that meets all resources in an order of its own.
        let place = usize::try_from(number.wrapping_mul(7_919)).unwrap() % resources;
        let asked = client.tag_resources(v1::TagResourcesRequest {
            writer: Some(v1::TagWriter {
                principal: "acs:ram::1:user/alice".to_owned(),
                ..v1::TagWriter::default()
            }),
            arns: vec![arn(place)],
            tags: vec![v1::Tag {
                key: "owner".to_owned(),
                value: format!("o-{number}"),
            }],
            ..v1::TagResourcesRequest::default()
        });
        let outcome = asked.await.unwrap().into_inner().outcome.unwrap();
        assert!(
            outcome.failed.is_empty() && outcome.change > 0,
            "{outcome:?}"
        );
        made += 1;
    }
    made
}

struct Serving(Pap, pap::Config);

impl Serving {
    async fn run_until(self, stop: watch::Receiver<Phase>) {
        self.0.run(self.1, stop).await.unwrap();
    }
}

fn serve(path: &Path, reader: Reader, writer: DirectoryWriter) -> Serving {
    let listen = Listen::Unix {
        path: path.to_owned(),
        mode: 0o600,
        owner: Owner::default(),
    };
    // Nothing is managed: what is in force was published already.
    let (publisher, own) = publication().unwrap();
    let directory = Arc::new(Directory::default());
    let (management, _task) = Management::start(management::Config {
        publisher,
        reader: own,
        directory: Arc::clone(&directory),
        writer: writer.clone(),
        reloads: Reloads::default(),
        authored: AuthoredIn::Files { source: 1 },
    })
    .unwrap();
    let config = pap::Config {
        management,
        reader,
        directory,
        writer,
        administrators: Administrators::Own,
        pages: PageKey::new([0; 64]),
        stores: None,
    };
    Serving(Pap::bind(&listen, None).unwrap(), config)
}

async fn connect(path: PathBuf) -> Channel {
    let connector = service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint.connect_with_connector(connector).await.unwrap()
}

fn start(
    data: &Path,
    reader: &Reader,
    writes: &DirectoryWrites,
) -> (DirectoryWriter, std::thread::JoinHandle<()>) {
    DirectoryWriter::start(directory::Config {
        directory: Arc::default(),
        reader: reader.clone(),
        store: Some(Arc::new(DirectoryStore::open(data).unwrap())),
        writes: writes.clone(),
        step: directory_step(),
    })
    .unwrap()
}

fn arn(place: usize) -> String {
    format!("acs:ecs:cn-hangzhou:1:instance/i-{place:020}")
}

/// A resource with five tags: 3 keys with few values, one with many, one of its own.
fn resource(place: usize) -> Resource {
    let values = [
        ("env", format!("env-{}", place % 3)),
        ("team", format!("team-{}", place % 100)),
        ("cost", format!("cost-{}", place % 1_000)),
        ("app", format!("app-{}", place % 10_000)),
        ("owner", format!("owner-{place}")),
    ];
    let tags = values
        .iter()
        .map(|(key, value)| Tag::from(TagRef { key, value }));
    Resource {
        arn: (&*arn(place)).try_into().unwrap(),
        account: None,
        kind: None,
        group: None,
        tags: TagSet::new(tags.collect()).unwrap(),
    }
}

/// Alice may write tags of instances of production and test, and a tag policy reads `env`.
fn bundle() -> BundleFiles {
    let files: BTreeMap<&str, &str> = [
        ("bundle.json", r#"{"format": 1}"#),
        (
            "accounts/1/account.json",
            r#"{"users": [{"name": "alice"}], "attachments":
                [{"policy": "custom:P", "to": "user:alice", "scope": "account"}]}"#,
        ),
        (
            "accounts/1/policies/P.json",
            r#"{"Version": "1", "Statement": [{"Effect": "Allow",
                "Action": ["tag:TagResources", "ecs:TagResources"],
                "Resource": "acs:ecs:*:1:instance/*",
                "Condition": {"StringLike": {"acs:ResourceTag/team": "team-*"}}}]}"#,
        ),
        (
            "policies/tag/Env.json",
            r#"{"dialect": "alibaba", "policy": {"tags": {"owner": {
                "tag_key": {"@@assign": "owner"}, "tag_value": {"@@assign": ["*"]},
                "enforced_for": {"@@assign": ["ecs:instance"]}}}}}"#,
        ),
        (
            "organizations/o.json",
            r#"{"id": "o", "management": "9", "dialect": "alibaba", "root": {"name": "Root",
                "tag": [{"policy": "Env", "mode": "enforce"}], "accounts": [{"account": "1"}]}}"#,
        ),
    ]
    .into();
    let mut bundle = BundleFiles::default();
    for (path, text) in files {
        bundle.insert(path, text);
    }
    bundle
}

fn tell(figure: &str, value: f64, unit: &str, target: &str) {
    Row {
        figure: &format!("directory writes: {figure}"),
        value,
        unit,
        target,
        ..Row::default()
    }
    .print();
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments
        .nth(1)
        .map_or(default, |text| text.parse().unwrap())
}
