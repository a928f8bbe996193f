//! The directory in memory: bytes a resource, look-ups, first pages of searches, and how long a
//! reader waits while it grows.
//!
//! Resources carry five tags of which none is theirs alone (4, 200, 1,000, 5,000 and 20,000 values);
//! a second directory gives each a name of its own in the place of the last. Bytes are resident
//! memory under the allocator of the binary. `--resources N` tells how many there are (default
//! 1,000,000).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "support/row.rs"]
mod row;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use row::Row;
use tagwarden::directory::{
    Directory, Filter, Listed, Position, Query, Reach, Scope, Sense, TextMatch, Turn,
};
use tagwarden::model::resource::{LiveResource, LiveTag, Provenance, Version, Write};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many resources one batch of the writer has.
const BATCH: usize = 1_000;
/// How many look-ups a round has.
const LOOKUPS: usize = 200_000;
const ROUNDS: usize = 5;

/// What the fifth tag is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fifth {
    Owner,
    Name,
}

fn main() {
    let count = argument("--resources", 1_000_000);
    let corpus = format!("{count} x 5 tags");
    let before = resident();
    let directory = Arc::new(Directory::default());
    let told = |directory: &Directory, corpus: &str, target: &str| {
        assert_eq!(directory.len(), count);
        let bytes = (resident() - before) as f64 * 1_024.0 / count as f64;
        tell(&format!("bytes a resource, {corpus}"), bytes, "B", target);
    };
    if std::env::args().any(|argument| argument == "--named") {
        fill(&directory, count, Fifth::Name);
        told(&directory, &format!("{corpus}, one value its own"), "");
        return;
    }
    grow(&directory, count, &corpus);
    told(&directory, &corpus, "<= 300");
    look_up(&directory, count, &corpus);
    search(&directory, count, &corpus);
    drop(directory);
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

/// Grows from nothing, while another thread looks up and notes how long it waits.
fn grow(directory: &Arc<Directory>, count: usize, corpus: &str) {
    let done = Arc::new(AtomicBool::new(false));
    let (reader, stop) = (Arc::clone(directory), Arc::clone(&done));
    let reading = std::thread::spawn(move || {
        let mut waits = Histogram::<u64>::new(3).unwrap();
        let (mut random, mut queued, mut most) = (1_usize, queued(), 0);
        for place in 0_usize.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let arn = arn((random >> 33) % count);
            let begun = Instant::now();
            black_box(reader.find(black_box(&arn)));
            let waited = u64::try_from(begun.elapsed().as_nanos()).unwrap();
            waits.record(waited).unwrap();
            if waited > most || place % 256 == 0 {
                let now = self::queued();
                most = most.max(waited.saturating_sub(now - queued));
                queued = now;
            }
        }
        (waits, most)
    });
    let writing = fill(directory, count, Fifth::Owner);
    done.store(true, Ordering::Relaxed);
    let (waits, most) = reading.join().unwrap();
    let of = format!("growing to {corpus}");
    let wait = |which: &str, waited: u64, target: &str| {
        let figure = format!("reader's wait, {which}, {of}");
        tell(&figure, waited as f64 / 1e6, "ms", target);
    };
    wait("p99.99", waits.value_at_quantile(0.9999), "");
    wait("most", waits.max(), "");
    wait("most while a processor was free", most, "<= 1");
    let each = writing.as_secs_f64() * 1e6 / count as f64;
    tell(&format!("put of a new resource, {corpus}"), each, "µs", "");
}

/// Requests of a service repeat, so that its resources are in the cache; of all alike none is.
fn look_up(directory: &Directory, count: usize, corpus: &str) {
    for (distinct, target) in [(4_096, "<= 300"), (LOOKUPS, "")] {
        let numbers = (0..distinct).map(|place| place.wrapping_mul(2_654_435_761) % count);
        let arns: Vec<String> = numbers.map(arn).collect();
        let turns = LOOKUPS / distinct;
        let round = |_| {
            let begun = Instant::now();
            for arn in (0..turns).flat_map(|_| &arns) {
                let entry = directory.find(black_box(arn));
                black_box(entry.as_ref().and_then(|entry| entry.tags().get("env")));
            }
            begun.elapsed().as_nanos() as f64 / (turns * distinct) as f64
        };
        let mut rounds: Vec<f64> = (0..ROUNDS).map(round).collect();
        rounds.sort_by(f64::total_cmp);
        Row {
            figure: &format!("directory: look-up with one tag read, {distinct} of {corpus}"),
            value: rounds[ROUNDS / 2],
            unit: "ns",
            target,
            spread: Some([rounds[0], rounds[ROUNDS - 1]]),
            distinct,
            ..Row::default()
        }
        .print();
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
    let scope = Scope {
        account: "1000000000000002".into(),
        regions: Vec::new(),
        kinds: None,
        groups: Vec::new(),
    };
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

/// For how long this thread could run and no processor was free, in nanoseconds.
fn queued() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
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
