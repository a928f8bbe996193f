//! Durable writes of the directory, over the management channel: one writer, and up to 64 at once; how
//! many of them are one sync; how long decisions take inside the server while 2,000 are written a
//! second; and how long a start takes to load it all again.
//!
//! `--resources N` tells how many resources there are (default 1,000,000), `--seconds N` how long
//! each part runs (default 5). The files are below `target/`, because `/tmp` may be memory. What a
//! disk takes for a sync bounds what one writer can do: the same bytes written and synced into a
//! plain file stand beside it.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "support/point.rs"]
mod point;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/row.rs"]
mod row;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hyper_util::rt::TokioIo;
use point::point;
use prost::Message as _;
use rounds::median;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::management::directory::{self, Begin, DirectoryWriter};
use tagwarden::management::permission::Administrators;
use tagwarden::management::{self, AuthoredIn, Management};
use tagwarden::model::caller::{Origin, SocketUser};
use tagwarden::model::resource::Resource;
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::publish::{Reader, publication};
use tagwarden::service::pap::{self, Pap};
use tagwarden::service::pdp::{Clock, Pdp};
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
    let directory = Arc::new(Directory::default());
    let (writer, thread) = start_with(&data, &reader, &counted, &directory);
    let target = if resources >= 1_000_000 { "<= 5" } else { "" };
    tell(
        "start with all resources",
        clock.elapsed().as_secs_f64(),
        "s",
        target,
    );

    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    let pdp = Pdp::new(tagwarden::service::pdp::Config {
        reader: reader.clone(),
        directory,
        clock: Clock::default(),
        pages: PageKey::new([7; 64]),
    });
    let bench = Bench {
        resources,
        seconds,
        writers: if short {
            &[ALONE, MANY]
        } else {
            &[ALONE, (4, ""), (16, ""), MANY]
        },
        writes: counted,
        next: Arc::default(),
        plain: plain_sync(folder.path()),
    };
    runtime.block_on(bench.run(folder.path(), reader, writer, pdp));
    runtime.shutdown_timeout(Duration::from_secs(1));
    thread.join().unwrap();
}

struct Bench {
    resources: usize,
    seconds: usize,
    /// How many write at once, and how many writes a second that should be.
    writers: &'static [(usize, &'static str)],
    writes: DirectoryWrites,
    /// The number of the next write: no two write the same value.
    next: Arc<AtomicU64>,
    /// What a sync of a plain file takes, in ms.
    plain: f64,
}

/// How fast writers write.
#[derive(Clone, Copy)]
enum Pace {
    Free,
    /// Each waits so long between two writes.
    Every(Duration),
}

const ALONE: (usize, &str) = (1, ">= 2000");
const MANY: (usize, &str) = (64, ">= 8000");

/// How many writes a second stand beside decisions, and by how many writers.
const BESIDE: u32 = 2_000;
const BESIDE_WRITERS: u32 = 16;

impl Bench {
    async fn run(&self, folder: &Path, reader: Reader, writer: DirectoryWriter, pdp: Pdp) {
        let path = folder.join("manage.sock");
        let (stop, stopping) = watch::channel(Phase::Serving);
        let serving = tokio::spawn(serve(&path, reader, writer).run_until(stopping));
        let channel = connect(path).await;
        for &(writers, target) in self.writers {
            let measured = self.measure(&channel, writers).await;
            self.told(writers, &measured, target);
        }
        self.beside(&channel, pdp).await;
        stop.send_replace(Phase::Draining);
        drop(channel);
        serving.await.unwrap();
    }

    fn told(&self, writers: usize, measured: &Measured, target: &str) {
        let Measured {
            rate,
            grouped,
            sync,
        } = measured;
        point("writes", "durable tag writes", writers as f64, *rate);
        point("grouped", "durable tag writes", writers as f64, *grouped);
        let what = match writers {
            1 => "1 writer".to_owned(),
            many => format!("{many} writers"),
        };
        tell(&format!("durable tag writes, {what}"), *rate, "/s", target);
        tell(&format!("writes in one sync, {what}"), *grouped, "", "");
        Row {
            figure: &format!("directory writes: commit of a group, {what}"),
            value: *sync,
            unit: "ms",
            anchor: &format!("16 KiB into a plain file with a sync, {:.3} ms", self.plain),
            ..Row::default()
        }
        .print();
    }

    /// Decisions about resources of the directory, by turns alone and beside writes.
    async fn beside(&self, channel: &Channel, pdp: Pdp) {
        let pdp = Arc::new(pdp);
        let time = Duration::from_secs(self.seconds as u64);
        let writers = if self.resources < 100_000 {
            1
        } else {
            BESIDE_WRITERS
        };
        let pace = Pace::Every(Duration::from_secs(1) * writers / BESIDE);
        let questions: Arc<Vec<Vec<u8>>> = Arc::new(
            (0..4_096)
                .map(|place| question(place * 7_919 % self.resources))
                .collect(),
        );
        let (mut still, mut ratios, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        let mut written = Vec::new();
        for _ in 0..5 {
            let alone = decide(&pdp, &questions, time).await;
            let made = self.writes.changes();
            let writing = self.start(channel, writers as usize, pace, time);
            let with = decide(&pdp, &questions, time).await;
            writing.join_all().await;
            let made = self.writes.changes() - made;
            rates.push(made as f64 / time.as_secs_f64());
            still.push(alone);
            written.push(with);
            ratios.push(with / alone);
        }
        let (ratio, spread) = median(ratios);
        Row {
            figure: &format!(
                "directory writes: p99 of decisions inside the server beside durable writes, {} resources",
                self.resources
            ),
            value: median(written).0,
            unit: "ns",
            target: "ratio <= 1.3",
            anchor: &format!(
                "without writes, {:.0} ns; {:.0} writes a second",
                median(still).0,
                median(rates).0
            ),
            ratio: Some(ratio),
            spread: Some(spread),
            distinct: questions.len(),
        }
        .print();
    }

    fn start(&self, channel: &Channel, writers: usize, pace: Pace, time: Duration) -> JoinSet<u64> {
        let until = Instant::now() + time;
        let mut all = JoinSet::new();
        for _ in 0..writers {
            let client = DirectoryServiceClient::new(channel.clone());
            let next = Arc::clone(&self.next);
            all.spawn(write_on(client, next, self.resources, pace, until));
        }
        all
    }

    /// Single-tag writes of resources all over the directory.
    async fn measure(&self, channel: &Channel, writers: usize) -> Measured {
        let (groups, syncs) = (self.writes.groups().count, self.writes.syncs());
        let changes = self.writes.changes();
        let begun = Instant::now();
        let time = Duration::from_secs(self.seconds as u64);
        let all = self.start(channel, writers, Pace::Free, time);
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
    speed: Pace,
    until: Instant,
) -> u64 {
    let mut made = 0;
    let mut ticks = match speed {
        Pace::Free => None,
        Pace::Every(time) => Some(tokio::time::interval(time)),
    };
    while Instant::now() < until {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
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

/// The p99 of answers from bytes to bytes, in ns, on a thread of its own.
async fn decide(pdp: &Arc<Pdp>, questions: &Arc<Vec<Vec<u8>>>, time: Duration) -> f64 {
    let (pdp, questions) = (Arc::clone(pdp), Arc::clone(questions));
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let deciding = std::thread::spawn(move || {
        let own = Origin::Unix {
            uid: 0,
            gid: 0,
            user: SocketUser::Own,
        };
        let mut times = Histogram::<u64>::new(3).unwrap();
        let mut answer = Vec::with_capacity(4_096);
        for question in questions.iter().cycle() {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            answer.clear();
            let begun = Instant::now();
            pdp.answer(&own, black_box(question), &mut answer).unwrap();
            let took = u64::try_from(begun.elapsed().as_nanos()).unwrap();
            times.record(took).unwrap();
        }
        times.value_at_quantile(0.99) as f64
    });
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    tokio::task::spawn_blocking(|| deciding.join().unwrap())
        .await
        .unwrap()
}

/// May alice stop an instance whose team the directory knows?
fn question(place: usize) -> Vec<u8> {
    let asked = v1::AuthorizeRequest {
        principal: "acs:ram::1:user/alice".to_owned(),
        action: "ecs:StopInstance".to_owned(),
        resources: vec![v1::Resource {
            arn: arn(place),
            ..v1::Resource::default()
        }],
        ..v1::AuthorizeRequest::default()
    };
    asked.encode_to_vec()
}

/// What a disk takes to make 16 KiB durable, in ms: the median of 500.
fn plain_sync(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("plain")).unwrap();
    let bytes = vec![7_u8; 16 * 1_024];
    (0..64).for_each(|_| file.write_all(&bytes).unwrap());
    file.sync_all().unwrap();
    let times = (0..500_u64).map(|place| {
        let begun = Instant::now();
        file.write_all_at(&bytes, place % 64 * 16 * 1_024).unwrap();
        file.sync_data().unwrap();
        begun.elapsed().as_secs_f64() * 1e3
    });
    median(times.collect()).0
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
    start_with(data, reader, writes, &Arc::default())
}

fn start_with(
    data: &Path,
    reader: &Reader,
    writes: &DirectoryWrites,
    directory: &Arc<Directory>,
) -> (DirectoryWriter, std::thread::JoinHandle<()>) {
    DirectoryWriter::start(directory::Config {
        directory: Arc::clone(directory),
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

/// Alice may write tags of instances of all teams and stop these, and a tag policy reads `owner`.
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
                "Action": ["tag:TagResources", "ecs:TagResources", "ecs:StopInstance"],
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
