//! The directory in memory: bytes a resource, look-ups alone and inside of `Authorize`, first pages
//! of searches, and how long a reader and a listing wait while it grows.
//!
//! Resources carry five tags of which none is theirs alone (4, 200, 1,000, 5,000 and 20,000 values);
//! a second directory gives each a name of its own in the place of the last. Bytes are resident
//! memory under the allocator of the binary. What the system alone makes a reader wait is told by
//! looks into a table that nobody changes, by the same thread in turn with its look-ups.
//! `--resources N` tells how many there are (default 1,000,000).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/row.rs"]
mod row;

use std::collections::{BTreeMap, HashSet};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use prost::Message as _;
use rounds::median;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::directory::{
    Directory, Filter, Listed, Position, Query, Reach, Scope, Sense, TextMatch, Turn,
};
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::model::caller::Origin;
use tagwarden::model::resource::{LiveResource, LiveTag, Provenance, Version, Write};
use tagwarden::publish::publication;
use tagwarden::service::pdp::{Clock, Config, Pdp};
use tagwarden::wire::page::PageKey;
use tagwarden::wire::v1;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many resources one batch of the writer has.
const BATCH: usize = 1_000;
/// How many look-ups a round has: so few that most rounds pass without losing the processor.
const ROUND: usize = 4_096;
const ROUNDS: usize = 49;
/// How many requests are asked again and again, where it is about few.
const FEW: usize = 256;
/// How often a directory grows.
const GROWTHS: usize = 5;

/// What the fifth tag is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fifth {
    Owner,
    Name,
}

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let count = argument("--resources", if short { 20_000 } else { 1_000_000 });
    let corpus = format!("{count} x 5 tags");
    let before = resident();
    let directory = Arc::new(Directory::default());
    let told = |directory: &Directory, corpus: &str, target: &str| {
        assert_eq!(directory.len(), count);
        // The locks of an empty directory weigh on a small one only.
        let target = if short { "" } else { target };
        let bytes = (resident() - before) as f64 * 1_024.0 / count as f64;
        tell(&format!("bytes a resource, {corpus}"), bytes, "B", target);
    };
    if std::env::args().any(|argument| argument == "--named") {
        fill(&directory, count, Fifth::Name);
        told(&directory, &format!("{corpus}, one value its own"), "");
        return;
    }
    let mut growths = vec![grow(&directory, count)];
    told(&directory, &corpus, "<= 300");
    look_up(&directory, count, &corpus);
    for (distinct, target) in [(FEW, ""), (ROUND, "<= 300")] {
        authorize(&directory, distinct, target, &corpus);
    }
    search(&directory, count, &corpus);
    drop(directory);
    growths.extend((1..if short { 2 } else { GROWTHS }).map(|_| grow(&Arc::default(), count)));
    tell_growths(&growths, &corpus);
    // In a process of its own: what this one gave back would be taken anew.
    let mut named = std::process::Command::new(std::env::current_exe().unwrap());
    named.args(["--named", "--resources", &count.to_string()]);
    assert!(named.status().unwrap().success());
}

fn arn(number: usize) -> String {
    let kind = ["instance", "disk", "eni", "snapshot"][number % 4];
    let region = ["cn-hangzhou", "cn-shanghai"][number % 2];
    let id = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("acs:ecs:{region}:1000000000000002:{kind}/i-bp1{id:016x}")
}

fn live(number: usize, fifth: Fifth) -> LiveResource {
    let spread = |values: usize| (number.wrapping_mul(2_654_435_761) >> 7) % values;
    let last = match fifth {
        Fifth::Owner => ("Owner", format!("user-{:06}", spread(20_000))),
        Fifth::Name => ("Name", format!("host-{number:08}")),
    };
    let tags = [
        (
            "env",
            ["prod", "test", "stage", "dev"][spread(4)].to_owned(),
        ),
        ("team", format!("team-{:03}", spread(200))),
        ("CostCenter", format!("cc-{:04}", spread(1_000))),
        ("app", format!("app-{:04}", spread(5_000))),
        last,
    ];
    let own = |value: String| LiveTag {
        value: value.into(),
        provenance: Provenance::Own,
    };
    let tags = tags.map(|(key, value)| (Arc::<str>::from(key), own(value)));
    LiveResource {
        arn: arn(number).as_str().try_into().unwrap(),
        account: None,
        region: None,
        kind: None,
        group: Some(format!("rg-{}", spread(300)).as_str().try_into().unwrap()),
        version: Version(number as u64 + 1),
        tags: BTreeMap::from(tags),
        primaries: Vec::new(),
    }
}

/// Fills a directory by its writer; the time that the writer took.
fn fill(directory: &Directory, count: usize, fifth: Fifth) -> Duration {
    let mut writing = Duration::ZERO;
    for start in (0..count).step_by(BATCH) {
        let numbers = start..count.min(start + BATCH);
        let writes: Vec<Write> = numbers
            .map(|number| {
                let next = live(number, fifth);
                Write {
                    arn: next.arn.clone(),
                    expected: None,
                    next: Some(next),
                }
            })
            .collect();
        let begun = Instant::now();
        directory.apply(&writes);
        writing += begun.elapsed();
    }
    writing
}

/// How long something waited.
struct Waits {
    all: Histogram<u64>,
    /// The longest, without the time for which no processor was free.
    most: u64,
    /// In how many of them the thread went to sleep: a lock does that, and nothing else here.
    slept: u64,
}

impl Waits {
    fn new() -> Self {
        Self {
            all: Histogram::new(3).unwrap(),
            most: 0,
            slept: 0,
        }
    }

    /// Notes how long some work takes. `before` is how this thread had fared until then.
    fn note(&mut self, before: &mut Fared, work: impl FnOnce()) {
        let begun = Instant::now();
        work();
        let waited = u64::try_from(begun.elapsed().as_nanos()).unwrap();
        self.all.record(waited).unwrap();
        // What is shorter is not queued for, and needs no look into a file.
        if waited <= 50_000 {
            self.most = self.most.max(waited);
            return;
        }
        let now = Fared::now();
        let free = waited.saturating_sub(now.queued - before.queued);
        self.slept += u64::from(now.slept > before.slept);
        self.most = self.most.max(free);
        *before = now;
    }
}

/// What the system did to this thread until now.
struct Fared {
    /// For how long it could run and no processor was free, in ns.
    queued: u64,
    /// How often it went to sleep.
    slept: u64,
}

impl Fared {
    fn now() -> Self {
        let word = |file: &str, line: &str, place: usize| -> u64 {
            let text = std::fs::read_to_string(file).unwrap();
            let line = text.lines().find(|text| text.starts_with(line)).unwrap();
            let word = line.split_ascii_whitespace().nth(place);
            word.unwrap().parse().unwrap()
        };
        Self {
            queued: word("/proc/thread-self/schedstat", "", 1),
            slept: word("/proc/thread-self/status", "voluntary_ctxt_switches:", 1),
        }
    }
}

/// What a reader waited for while the directory grew.
struct Reader {
    look_ups: Waits,
    /// Looks into a table that nobody changes.
    still: Waits,
    listings: Waits,
}

impl Reader {
    /// Reads until it is told to stop.
    fn run(directory: &Directory, count: usize, stop: &AtomicBool) -> Self {
        let mut reader = Self {
            look_ups: Waits::new(),
            still: Waits::new(),
            listings: Waits::new(),
        };
        // So few that they weigh nothing beside the directory.
        let table: HashSet<String> = (0..ROUND.min(count)).map(arn).collect();
        let query = frequent();
        let reach = Reach {
            found: 64,
            passed: u32::MAX,
        };
        let (mut random, mut fared) = (1_usize, Fared::now());
        for place in 0_usize.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let number = (random >> 33) % count;
            let (arn, other) = (arn(number), arn(number % ROUND));
            reader.look_ups.note(&mut fared, || {
                black_box(directory.find(black_box(&arn)));
            });
            reader.still.note(&mut fared, || {
                black_box(table.get(black_box(&other)));
            });
            if place % 1_024 == 0 {
                reader.listings.note(&mut fared, || {
                    black_box(directory.step(&query, &Position::default(), reach));
                });
                fared = Fared::now();
            }
        }
        reader
    }
}

/// What a directory that grew from nothing took.
struct Growth {
    reader: Reader,
    /// The time of the writer for each resource, in microseconds.
    put: f64,
}

/// Grows from nothing, while another thread looks up and notes how long it waits.
fn grow(directory: &Arc<Directory>, count: usize) -> Growth {
    let done = Arc::new(AtomicBool::new(false));
    let (reader, stop) = (Arc::clone(directory), Arc::clone(&done));
    let reading = std::thread::spawn(move || Reader::run(&reader, count, &stop));
    let writing = fill(directory, count, Fifth::Owner);
    done.store(true, Ordering::Relaxed);
    Growth {
        reader: reading.join().unwrap(),
        put: writing.as_secs_f64() * 1e6 / count as f64,
    }
}

fn tell_growths(growths: &[Growth], corpus: &str) {
    let of = format!("growing to {corpus}");
    let waits = |of: fn(&Reader) -> &Waits| -> Vec<&Waits> {
        growths.iter().map(|growth| of(&growth.reader)).collect()
    };
    let still = waits(|reader| &reader.still);
    let look_ups = waits(|reader| &reader.look_ups);
    tell_waits("reader's wait", &look_ups, &still, "<= 1", &of);
    let listings = waits(|reader| &reader.listings);
    tell_waits("listing's wait", &listings, &still, "", &of);
    let (put, spread) = median(growths.iter().map(|growth| growth.put).collect());
    Row {
        figure: &format!("directory: put of a new resource, {corpus}"),
        value: put,
        unit: "µs",
        spread: Some(spread),
        ..Row::default()
    }
    .print();
}

/// What the directory itself makes a reader wait for comes again in each growth; what the machine
/// does, and takes from the table that nobody changes as well, does not. So the bound is for the
/// longest wait that no growth was without.
fn tell_waits(who: &str, waits: &[&Waits], still: &[&Waits], target: &str, of: &str) {
    let row = |which: &str, target: &str, longest: fn(&Waits) -> u64| {
        let longest = |waits: &[&Waits]| {
            let each = waits.iter().map(|waits| longest(waits) as f64 / 1e6);
            median(each.collect()).1
        };
        let (spread, [beside, _]) = (longest(waits), longest(still));
        Row {
            figure: &format!("directory: {who}, {which}, {of}"),
            value: spread[0],
            unit: "ms",
            target,
            anchor: &format!("a look into a table that nobody changes, {beside:.3} ms"),
            spread: Some(spread),
            ..Row::default()
        }
        .print();
    };
    row("p99.99", "", |waits| waits.all.value_at_quantile(0.9999));
    row("most", "", |waits| waits.all.max());
    row("most while a processor was free", target, |waits| {
        waits.most
    });
    let slept: u64 = waits.iter().map(|waits| waits.slept).sum();
    tell(
        &format!("{who}, times it slept, {of}"),
        slept as f64,
        "",
        "",
    );
}

/// Requests of a service repeat, so that its resources are in the cache; of all alike none is.
fn look_up(directory: &Directory, count: usize, corpus: &str) {
    for (distinct, target) in [(ROUND, "<= 300"), (ROUND * ROUNDS, "")] {
        let numbers = (0..distinct).map(|place| place.wrapping_mul(2_654_435_761) % count);
        let arns: Vec<String> = numbers.map(arn).collect();
        let round = |arns: &[String]| {
            let begun = Instant::now();
            for arn in arns {
                let entry = directory.find(black_box(arn));
                black_box(entry.as_ref().and_then(|entry| entry.tags().get("env")));
            }
            begun.elapsed().as_nanos() as f64 / ROUND as f64
        };
        let rounds = arns.chunks(ROUND).cycle().take(ROUNDS).map(round);
        let (value, spread) = median(rounds.collect());
        Row {
            figure: &format!("directory: look-up with one tag read, {distinct} of {corpus}"),
            value,
            unit: "ns",
            target,
            spread: Some(spread),
            distinct,
            ..Row::default()
        }
        .print();
    }
}

/// What the look-up adds to a question of `Authorize`, from bytes to bytes, where nobody sends tags:
/// the same questions are asked over an empty directory, of a policy that reads no tag. And what it
/// adds where a policy reads one: there an empty directory is sent the same five tags.
fn authorize(directory: &Arc<Directory>, distinct: usize, target: &'static str, corpus: &str) {
    let count = directory.len();
    let numbers = (0..distinct).map(|place: usize| place.wrapping_mul(2_654_435_761) % count);
    let bare: Vec<Vec<u8>> = numbers
        .clone()
        .map(|one| question(one, Sent::None))
        .collect();
    let tagged: Vec<Vec<u8>> = numbers.map(|one| question(one, Sent::Tags)).collect();
    let cases = [
        ("", "an empty directory", "", &bare, target),
        (
            " that reads one tag",
            "five tags that are sent over an empty directory",
            r#", "Condition": {"StringEquals":
                {"acs:ResourceTag/env": ["prod", "test", "stage", "dev"]}}"#,
            &tagged,
            "",
        ),
    ];
    for (reads, beside, condition, anchor, target) in cases {
        let (with, without) = pdps(directory, condition);
        let (mut anchors, mut added) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (still, asked) = (round(&without, anchor), round(&with, &bare));
            anchors.push(still);
            added.push(asked - still);
        }
        let (value, spread) = median(added);
        Row {
            figure: &format!(
                "directory: what a look-up adds to Authorize{reads}, {distinct} of {corpus}"
            ),
            value,
            unit: "ns",
            target,
            anchor: &format!("{beside}, {:.0} ns", median(anchors).0),
            spread: Some(spread),
            distinct,
            ..Row::default()
        }
        .print();
    }
}

/// Decision points over a directory and over an empty one, with a policy that has a condition.
fn pdps(directory: &Arc<Directory>, condition: &str) -> (Pdp, Pdp) {
    let (mut publisher, reader) = publication().unwrap();
    let read = read_bundle(&bundle(condition), Strictness::Strict).unwrap();
    publisher.publish(compile(&read.bundle).unwrap());
    let pdp = |directory| {
        Pdp::new(Config {
            reader: reader.clone(),
            directory,
            clock: Clock::default(),
            pages: PageKey::new([7; 64]),
        })
    };
    (pdp(Arc::clone(directory)), pdp(Arc::default()))
}

/// What a question takes.
fn round(pdp: &Pdp, questions: &[Vec<u8>]) -> f64 {
    let mut answer = Vec::with_capacity(4_096);
    let begun = Instant::now();
    for question in questions {
        answer.clear();
        let answered = pdp.answer(&Origin::Loopback, black_box(question), &mut answer);
        answered.unwrap();
        black_box(&answer);
    }
    begun.elapsed().as_nanos() as f64 / questions.len() as f64
}

/// What a question says of its resource.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    None,
    Tags,
}

fn question(number: usize, sent: Sent) -> Vec<u8> {
    let tags = live(number, Fifth::Owner).tags;
    let tags = tags.iter().map(|(key, tag)| v1::Tag {
        key: key.to_string(),
        value: tag.value.to_string(),
    });
    let tags = (sent == Sent::Tags).then(|| v1::TagSet {
        tags: tags.collect(),
    });
    let asked = v1::AuthorizeRequest {
        principal: "acs:ram::1000000000000002:user/alice".to_owned(),
        action: "ecs:StopInstance".to_owned(),
        resources: vec![v1::Resource {
            arn: arn(number),
            tags,
            ..v1::Resource::default()
        }],
        ..v1::AuthorizeRequest::default()
    };
    asked.encode_to_vec()
}

/// Alice may stop what is of ECS, under a condition.
fn bundle(condition: &str) -> BundleFiles {
    let policy = format!(
        r#"{{"Version": "1", "Statement": [{{"Effect": "Allow", "Action": "ecs:StopInstance",
            "Resource": "acs:ecs:*:1000000000000002:*"{condition}}}]}}"#
    );
    let files = [
        ("bundle.json", r#"{"format": 1}"#),
        (
            "accounts/1000000000000002/account.json",
            r#"{"users": [{"name": "alice"}], "attachments":
                [{"policy": "custom:P", "to": "user:alice", "scope": "account"}]}"#,
        ),
        ("accounts/1000000000000002/policies/P.json", policy.as_str()),
    ];
    let mut bundle = BundleFiles::default();
    for (path, text) in files {
        bundle.insert(path, text);
    }
    bundle
}

/// Resources with a tag that a quarter of them has.
fn frequent() -> Query {
    Query {
        scope: Scope {
            account: "1000000000000002".into(),
            regions: Vec::new(),
            kinds: None,
            groups: Vec::new(),
        },
        filters: vec![Filter {
            key: TextMatch::Exact("env".into()),
            values: vec![TextMatch::Exact("prod".into())],
            sense: Sense::Has,
        }],
    }
}

fn search(directory: &Directory, count: usize, corpus: &str) {
    let exact = |text: &str| TextMatch::Exact(text.into());
    let filter = |key: &str, value: TextMatch, sense| Filter {
        key: exact(key),
        values: vec![value],
        sense,
    };
    let has = |key: &str, value: &str| filter(key, exact(value), Sense::Has);
    let absent = live(count / 2, Fifth::Owner);
    let rare = absent.tags["Owner"].value.to_string();
    let asked = [
        ("a frequent tag", vec![has("env", "prod")]),
        ("a rare tag", vec![has("Owner", &rare)]),
        (
            "three tags",
            vec![
                has("env", "prod"),
                has("team", "team-007"),
                has("CostCenter", "cc-0007"),
            ],
        ),
        (
            "two tags that nothing has both",
            vec![has("env", "prod"), has("env", "test")],
        ),
        (
            "NOT a tag",
            vec![
                has("team", "team-007"),
                filter("env", exact("prod"), Sense::Lacks),
            ],
        ),
        (
            "a prefix of 100 values",
            vec![filter(
                "app",
                TextMatch::Prefix("app-01".into()),
                Sense::Has,
            )],
        ),
        (
            "an infix among 1,000 values",
            vec![filter(
                "CostCenter",
                TextMatch::Infix("77".into()),
                Sense::Has,
            )],
        ),
    ];
    let Query { scope, .. } = frequent();
    for (what, filters) in asked {
        let query = Query {
            scope: scope.clone(),
            filters,
        };
        let reach = Reach {
            found: 64,
            passed: u32::MAX,
        };
        time(&format!("first page, {what}, of {corpus}"), || {
            let step = directory.step(black_box(&query), &Position::default(), reach);
            assert!(step.is_exact);
            step.found.len()
        });
    }
    let turn = Turn {
        asked: None,
        after: None,
        most: 50,
    };
    time(
        &format!("first page of values with counts, {corpus}"),
        || {
            directory
                .texts(&scope, Listed::ValuesOf("app"), turn)
                .counted
                .len()
        },
    );
}

/// The median time of something that is done often, with the worst of all.
fn time(figure: &str, mut work: impl FnMut() -> usize) {
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            black_box(work());
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Row {
        figure: &format!("directory: {figure}"),
        value: times[100],
        unit: "ms",
        target: "<= 1",
        spread: Some([times[0], times[198]]),
        ..Row::default()
    }
    .print();
}

fn tell(figure: &str, value: f64, unit: &str, target: &str) {
    Row {
        figure: &format!("directory: {figure}"),
        value,
        unit,
        target,
        ..Row::default()
    }
    .print();
}

/// The resident memory of this process in KiB.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let line = line.unwrap().trim().trim_end_matches(" kB");
    line.parse().unwrap()
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments
        .nth(1)
        .map_or(default, |text| text.parse().unwrap())
}
