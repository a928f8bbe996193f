//! Every case by the engine, by the reference evaluator, and through a server over a Unix socket.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::case::{Case, World, read_cases};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::condition::parse_date;
use tagwarden::model::verdict::{ObligationKind, OnDeny, RefusalReason};
use tagwarden::offline::verdict::{Shown, answer, complaint, decided};
use tagwarden::reference::{DueObligations, evaluate};
use tagwarden::service::pdp::Clock;
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use crate::support::server::{Running, SOURCE, config, start_at, within};

/// The instant of a case that tells none.
const NOW: &str = "2026-01-01T00:00:00Z";

/// The case files of the project.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "tests/conformance/ram",
        "examples/eci/tests",
        "examples/organization/tests",
    ];
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.push(root.join("docs/cases.md"));
    files.sort();
    files
}

/// The cases of a file; of a page, those that it shows as examples.
fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let text = match text.split_once("```jsonl\n") {
        Some((_, rest)) => rest.split("```").next().unwrap(),
        None => &text,
    };
    let name = path.file_name().unwrap().to_string_lossy();
    let read = read_cases(&name, text).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(read.associations.is_empty(), "{name}");
    let mut cases = read.cases;
    for case in &mut cases {
        case.request.current_time.get_or_insert(NOW.to_owned());
        case.id = format!("{name}:{}: {}", case.line, case.id);
    }
    cases
}

/// All cases, with their files in their names.
fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> =
        LazyLock::new(|| files().iter().flat_map(|path| read(path)).collect());
    assert!(CASES.len() >= 968, "only {} cases", CASES.len());
    &CASES
}

/// Fails with all that is wrong.
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn refused(reason: RefusalReason) -> Shown {
    Shown::refused(reason.as_str())
}

#[test]
fn the_engine_answers_every_case() {
    let complaints = cases().iter().filter_map(|case| {
        let wrong = complaint(&case.expectation, &answer(case))?;
        Some(format!("{}: {wrong}", case.id))
    });
    none(&complaints.collect::<Vec<_>>());
}

/// Every answer that the rules of preference among obligations permit.
fn by_reference(case: &Case) -> Vec<Shown> {
    let World::Ready(bundle) = &case.world else {
        return vec![refused(RefusalReason::InvalidDocument)];
    };
    let decision = match evaluate(bundle, &case.request) {
        Ok(decision) => decision,
        Err(reason) => return vec![refused(reason)],
    };
    let shown = |due: &DueObligations| Shown::Decided {
        outcome: decision.outcome,
        empty: decision.on_deny == OnDeny::EmptyResult,
        obligations: named(due),
    };
    decision.obligations.iter().map(shown).collect()
}

fn named(due: &DueObligations) -> Vec<ObligationKind> {
    let tags = due.filter_tags.is_some();
    let kinds = [
        (tags, ObligationKind::MustFilterTags),
        (due.filter_results, ObligationKind::FilterResults),
    ];
    let due = kinds.into_iter().filter(|(due, _)| *due);
    due.map(|(_, kind)| kind).collect()
}

#[test]
fn the_reference_answers_every_case() {
    let complaints = cases().iter().filter_map(|case| {
        let answers = by_reference(case);
        let mut wrong = answers
            .iter()
            .map(|shown| complaint(&case.expectation, shown));
        // One permitted answer that fits is enough.
        let first = wrong.next().expect("an answer")?;
        let other_fits = wrong.any(|wrong| wrong.is_none());
        (!other_fits).then(|| format!("{}: {first}", case.id))
    });
    none(&complaints.collect::<Vec<_>>());
}

/// A server whose policies, resources and clock are those of one case after the other.
struct Served {
    running: Running,
    directory: Arc<Directory>,
    instant: Arc<AtomicI64>,
    client: AuthorizationServiceClient<Channel>,
    published: u64,
}

impl Served {
    async fn start(folder: &Path) -> Self {
        let socket = folder.join("authz.sock");
        let listen = format!("unix:{},mode=0600", socket.display());
        let directory = Arc::new(Directory::default());
        let instant = Arc::new(AtomicI64::default());
        let told = Arc::clone(&instant);
        let clock = Clock::new(move || {
            Timestamp::from_microsecond(told.load(Ordering::Relaxed)).expect("an instant")
        });
        let config = tagwarden::service::Config {
            listen: vec![listen.parse().unwrap()],
            ..config()
        };
        let running = start_at(config, Arc::clone(&directory), clock);
        let channel = running.channel_to(socket).await;
        Self {
            client: AuthorizationServiceClient::new(channel),
            running,
            directory,
            instant,
            published: 0,
        }
    }

    /// Puts a case into force; `false` where its documents do not fit together.
    fn publish(&mut self, bundle: &Bundle) -> bool {
        let Ok(snapshot) = compile(bundle) else {
            return false;
        };
        self.published += 1;
        let revision = Revision {
            source: SOURCE,
            number: self.published,
            digest: 0,
        };
        self.directory.replace(bundle.resources.iter().cloned());
        self.running.publisher.publish(Snapshot {
            revision,
            ..snapshot
        });
        true
    }

    async fn answer(&mut self, case: &Case) -> Shown {
        let World::Ready(bundle) = &case.world else {
            return refused(RefusalReason::InvalidDocument);
        };
        if !self.publish(bundle) {
            return refused(RefusalReason::InvalidDocument);
        }
        let time = case.request.current_time.as_deref().and_then(parse_date);
        let instant = time.expect("an instant").as_microsecond();
        self.instant.store(instant, Ordering::Relaxed);
        let message = v1::AuthorizeRequest {
            min_revision: Some(v1::RevisionToken {
                source: format!("{SOURCE:016x}"),
                number: self.published,
            }),
            ..v1::AuthorizeRequest::from(&case.request)
        };
        match within(self.client.authorize(message)).await {
            Err(status) => Shown::refused(&reason(&status)),
            Ok(response) => {
                let response = response.into_inner();
                let revision = response.revision.as_ref().expect("a revision");
                assert_eq!(revision.number, self.published, "{}", case.id);
                decided(&response)
            }
        }
    }
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    info.map_or_else(|| status.to_string(), |info| info.reason.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_answers_every_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path()).await;
    let mut complaints = Vec::new();
    for case in cases() {
        let found = served.answer(case).await;
        let wrong = complaint(&case.expectation, &found);
        complaints.extend(wrong.map(|wrong| format!("{}: {wrong}", case.id)));
    }
    none(&complaints);
}
