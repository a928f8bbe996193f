//! The cost of changes: what compiling and publishing one takes, and how much memory it adds, over
//! 1,000,000 principals and 100,000 policies. The store's part is not in it.
//!
//! `--accounts N` tells how many accounts of 1,000 principals and 100 policies there are (default
//! 1,000), `--rounds N` how often each change is made (default 200).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "support/row.rs"]
mod row;

use std::alloc::System;
use std::sync::Arc;
use std::time::{Duration, Instant};

use row::Row;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tagwarden::compiler::change::{Extent, change};
use tagwarden::compiler::compile;
use tagwarden::document::object::{Document, Memory, Objects, read_objects};
use tagwarden::model::object::ObjectId;
use tagwarden::publish::{Publisher, Reader, publication};
use tagwarden::snapshot::Snapshot;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USERS: usize = 950;
const ROLES: usize = 50;
const POLICIES: usize = 100;
const GROUPS: usize = 20;

fn main() {
    let (accounts, rounds) = (argument("--accounts", 1_000), argument("--rounds", 200));
    let begun = Instant::now();
    let mut memory: Memory = objects(accounts).into_iter().collect();
    eprintln!(
        "authored state: {:?}, {} MB",
        begun.elapsed(),
        resident() / 1_024
    );
    let begun = Instant::now();
    let before = resident();
    let snapshot = whole(&memory);
    tell("principals", snapshot.principals.len() as f64, "", "");
    tell("policies", snapshot.policies.len() as f64, "", "");
    let took = begun.elapsed().as_secs_f64() * 1_000.0;
    tell("whole compile", took, "ms", "");
    let size = held() - before;
    tell("snapshot", size as f64 / 1_024.0, "KiB", "");
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(snapshot);
    let mut bench = Bench {
        memory: &mut memory,
        publisher: &mut publisher,
        reader: &reader,
        rounds,
    };
    bench.time("change one policy", Some(5_000), |round| {
        let text = policy(round + 7, "Deny");
        vec![put(
            &format!(
                "accounts/{}/policies/p{}",
                1 + round % accounts,
                round % POLICIES
            ),
            &text,
        )]
    });
    bench.time("add a user", Some(2_000), |round| {
        let user = format!("accounts/{}/users/new{round}", 1 + round % accounts);
        vec![put(
            &user,
            &format!(r#"{{"uid": "{}"}}"#, 900_000_000 + round),
        )]
    });
    bench.time("attach a policy to a user", Some(5_000), |round| {
        let (account, user) = (1 + round % accounts, round % USERS);
        let to = format!("accounts/{account}/attachments/user:u{user}/account/custom:p99");
        vec![put(&to, "{}")]
    });
    bench.time("add a user with a group and a policy", None, |round| {
        let account = 1 + round % accounts;
        let group = round % GROUPS;
        let members: Vec<String> = (0..USERS)
            .filter(|user| user % GROUPS == group)
            .map(|user| format!("\"u{user}\""))
            .chain([format!("\"other{round}\"")])
            .collect();
        let at = |rest: &str| format!("accounts/{account}/{rest}");
        vec![
            put(&at(&format!("users/other{round}")), "{}"),
            put(
                &at(&format!("groups/g{group}")),
                &format!(r#"{{"users": [{}]}}"#, members.join(", ")),
            ),
            put(
                &at(&format!("attachments/user:other{round}/account/custom:p1")),
                "{}",
            ),
        ]
    });
    bench.time("change a trust policy", Some(5_000), |round| {
        let role = format!("accounts/{}/roles/r{}", 1 + round % accounts, round % ROLES);
        vec![put(&role, &trust(round + 1))]
    });
    bench.time("change a system policy", Some(5_000), |round| {
        vec![put("policies/system/Shared", &policy(round, "Allow"))]
    });
    tell("resident", resident() as f64, "KiB", "");
    one_change_in_memory(&mut bench, size);
}

/// What one change adds while the snapshot before it is held.
fn one_change_in_memory(bench: &mut Bench<'_>, size: usize) {
    let first = bench.reader.load_full().unwrap();
    let before = held();
    bench.once(vec![put("accounts/1/policies/p0", &policy(1, "Allow"))]);
    bench.once(vec![put("accounts/1/users/last", "{}")]);
    let grown = held() - before;
    let share = grown as f64 * 100.0 / size as f64;
    tell("memory of two changes", grown as f64 / 1_024.0, "KiB", "");
    tell("memory of two changes, of the snapshot", share, "%", "<= 5");
    let copied = bench.reader.load_full().unwrap().copied_from(&first);
    let copied = copied.policies + copied.names + copied.principals;
    tell("chunks and shards copied", copied as f64, "", "");
}

struct Bench<'b> {
    memory: &'b mut Memory,
    publisher: &'b mut Publisher,
    reader: &'b Reader,
    rounds: usize,
}

type Change = (ObjectId, Option<Document>);

impl Bench<'_> {
    fn time(&mut self, what: &str, target: Option<u64>, make: impl Fn(usize) -> Vec<Change>) {
        let mut times: Vec<Duration> = (0..self.rounds)
            .map(|round| self.once(make(round)))
            .collect();
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
        let target = target.map_or_else(String::new, |target| format!("<= {target}"));
        tell(&format!("{what}, p50"), at(50), "µs", "");
        tell(&format!("{what}, p99"), at(99), "µs", &target);
        tell(&format!("{what}, most"), at(100), "µs", "");
    }

    /// The time from what is known of a change to its snapshot in force.
    fn once(&mut self, changes: Vec<Change>) -> Duration {
        let touched = self.memory.apply(changes);
        let begun = Instant::now();
        let now = self.reader.load_full().unwrap();
        let made = change(&now, self.memory, &touched).unwrap();
        self.publisher.publish(made.snapshot);
        let took = begun.elapsed();
        assert_eq!(made.extent, Extent::Touched);
        took
    }
}

fn whole(memory: &Memory) -> Snapshot {
    let objects = memory.objects();
    let loaded = read_objects(&objects).unwrap();
    compile(&loaded.bundle).unwrap()
}

fn objects(accounts: usize) -> Objects {
    let mut all = Objects::new();
    let empty: Document = Arc::from(&b"{}"[..]);
    let system = put("policies/system/Shared", &policy(0, "Allow"));
    all.extend(system.1.map(|text| (system.0, text)));
    for account in 1..=accounts {
        let mut add = |rest: String, text: Option<String>| {
            let id = format!("accounts/{account}{rest}");
            let text = text.map_or_else(|| Arc::clone(&empty), |text| text.into_bytes().into());
            all.insert(ObjectId::try_from(&*id).unwrap(), text);
        };
        add(String::new(), None);
        for place in 0..POLICIES {
            let text = policy(account * POLICIES + place, "Allow");
            add(format!("/policies/p{place}"), Some(text));
        }
        for user in 0..USERS {
            add(format!("/users/u{user}"), None);
            let policy = user % POLICIES;
            add(
                format!("/attachments/user:u{user}/account/custom:p{policy}"),
                None,
            );
        }
        for group in 0..GROUPS {
            let users = (0..USERS).filter(|user| user % GROUPS == group);
            let users: Vec<String> = users.map(|user| format!("\"u{user}\"")).collect();
            add(
                format!("/groups/g{group}"),
                Some(format!(r#"{{"users": [{}]}}"#, users.join(", "))),
            );
            add(
                format!("/attachments/group:g{group}/account/system:Shared"),
                None,
            );
        }
        for role in 0..ROLES {
            add(format!("/roles/r{role}"), Some(trust(role)));
            add(
                format!("/attachments/role:r{role}/account/custom:p{role}"),
                None,
            );
        }
    }
    all
}

fn policy(seed: usize, effect: &str) -> String {
    const SERVICES: [&str; 8] = ["ecs", "oss", "rds", "vpc", "slb", "kms", "log", "ram"];
    let service = SERVICES[seed % SERVICES.len()];
    format!(
        r#"{{"Version": "1", "Statement": [
  {{"Effect": "Allow", "Action": ["{service}:Describe*", "{service}:List*"], "Resource": "*",
   "Condition": {{"StringEquals": {{"acs:ResourceTag/team": "team-{}"}}}}}},
  {{"Effect": "{effect}", "Action": ["{service}:Delete{}", "{service}:Modify{}"],
   "Resource": "acs:{service}:*:*:instance/i-{seed}*",
   "Condition": {{"StringEquals": {{"acs:ResourceTag/env": ["test", "stage-{}"]}}}}}}]}}"#,
        seed % 500,
        seed % 40,
        seed % 60,
        seed % 9
    )
}

fn trust(seed: usize) -> String {
    let minutes = seed % 50;
    format!(
        r#"{{"trust": {{"Version": "1", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
   "Principal": {{"Service": ["svc{minutes}.aliyuncs.com"]}}}}]}}}}"#
    )
}

fn put(id: &str, text: &str) -> Change {
    (
        ObjectId::try_from(id).unwrap(),
        Some(text.as_bytes().into()),
    )
}

fn tell(figure: &str, value: f64, unit: &str, target: &str) {
    Row {
        figure: &format!("change: {figure}"),
        value,
        unit,
        target,
        ..Row::default()
    }
    .print();
}

/// The bytes that are held: what is freed and not yet given back to the system does not count.
fn held() -> usize {
    let stats = GLOBAL.stats();
    stats
        .bytes_allocated
        .wrapping_add_signed(stats.bytes_reallocated)
        - stats.bytes_deallocated
}

/// The resident memory of this process in KiB.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments
        .nth(1)
        .map_or(default, |text| text.parse().unwrap())
}
