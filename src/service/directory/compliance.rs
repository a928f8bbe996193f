//! `CheckCompliance`: judges the resources that may be seen, as fast as the answers are read.
//!
//! Nothing is worked out before the peer takes what was told: each message is made when the stream
//! is asked for it, in steps between which others run. Neither a writer nor a decision waits. As in
//! listings the pace shows how many slots are passed, and nothing of what stands in them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::{Stream, stream};
use jiff::Timestamp;
use prost::Message as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tonic::{Request, Status};

use super::Shared;
use super::walk::{Accounts, Walk};
use crate::directory::{Detected, Detector, Entry, Position};
use crate::engine::compliance::Violation;
use crate::model::arn::PrincipalRef;
use crate::model::caller::{OwnPrincipal, Rpc};
use crate::model::compliance::{KeyOutcome, ViolationCode};
use crate::model::organization::TagMode;
use crate::model::text::eq_fold;
use crate::model::verdict::limits;
use crate::service::listing::{Listing, Sight, Viewer};
use crate::service::pap::From;
use crate::snapshot::Snapshot;
use crate::telemetry::{ByKey, KeyCounts};
use crate::wire::listing;
use crate::wire::reply::tagging::{code, noncompliance};
use crate::wire::reply::told_revision;
use crate::wire::status::CallError;
use crate::wire::v1;

/// The most resources of a message.
const RESOURCES: usize = 100;
/// From how many bytes on a message has no further resource.
const BYTES: usize = 1 << 18;

impl Shared {
    /// Reads a question, and begins to answer it.
    pub(super) fn check_compliance(
        self: &Arc<Self>,
        request: &Request<v1::CheckComplianceRequest>,
    ) -> Result<impl Stream<Item = Result<v1::CheckComplianceResponse, Status>> + use<>, CallError>
    {
        let checking = Checking::new(self, &From::of(request), request.get_ref())?;
        Ok(stream::unfold(Some(checking), |checking| async {
            let mut checking = checking?;
            let message = checking.next().await;
            let rest = message.totals.is_none().then_some(checking);
            Some((Ok(message), rest))
        }))
    }
}

/// A check between two messages.
struct Checking {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    now: Timestamp,
    revision: Option<v1::Revision>,
    /// Who is to see what is told; `None`: the server's own user.
    principal: Option<String>,
    asked: Asked,
    walk: Walk,
    /// What was found and is not told yet.
    found: VecDeque<v1::NoncompliantResource>,
    sum: Sum,
    /// Its place among those that may run at once.
    _place: OwnedSemaphorePermit,
}

/// What is asked for of each resource.
struct Asked {
    keys: Vec<String>,
    totals_only: bool,
}

/// What was judged so far.
#[derive(Default)]
struct Sum {
    resources: u64,
    evaluated: u64,
    noncompliant: u64,
    violations: BTreeMap<ViolationCode, u64>,
    keys: ByKey,
}

/// What a resource comes to that some statement has anything to say of.
#[derive(PartialEq, Eq)]
enum Judged {
    Compliant,
    Noncompliant,
}

impl Checking {
    fn new(
        shared: &Arc<Shared>,
        from: &From,
        message: &v1::CheckComplianceRequest,
    ) -> Result<Self, CallError> {
        let v1::CheckComplianceRequest {
            principal,
            scope,
            keys,
            totals_only,
        } = message;
        let (rpc, now) = (Rpc::CheckCompliance, Timestamp::now());
        let snapshot = shared.reader.load_full();
        let (_, caller) = shared.caller(snapshot.as_deref(), &from.origin, rpc, now)?;
        let snapshot = snapshot.clone().ok_or(CallError::SnapshotNotReady)?;
        let listing = Listing {
            directory: &shared.directory,
            pages: &shared.pages,
            snapshot: &snapshot,
            caller,
            now,
        };
        let viewer = listing.viewer(rpc, principal)?;
        let (own, reach) = match viewer {
            // Everything, where the owner names no account.
            Viewer::Owner if scope.as_ref().is_none_or(|scope| scope.account.is_empty()) => {
                (Some(""), Accounts::Further)
            }
            Viewer::Owner | Viewer::Principal(_) => (viewer.account(), Accounts::One),
        };
        let scope = listing::scope(scope.as_ref(), own, &snapshot.catalog)?;
        let own = caller.principal.as_ref().map(OwnPrincipal::as_str);
        Ok(Self {
            principal: match viewer {
                Viewer::Owner => None,
                Viewer::Principal(_) if principal.is_empty() => own.map(str::to_owned),
                Viewer::Principal(_) => Some(principal.clone()),
            },
            revision: told_revision(caller.rights.disclosure, &snapshot.revision),
            asked: Asked {
                keys: listing::keys(keys)?.to_vec(),
                totals_only: *totals_only,
            },
            walk: Walk::from(scope, reach, Position::default()),
            found: VecDeque::new(),
            sum: Sum::default(),
            _place: shared.report()?,
            shared: Arc::clone(shared),
            snapshot,
            now,
        })
    }

    /// The next message: when it is full, or so many slots were passed, or everything was.
    async fn next(&mut self) -> v1::CheckComplianceResponse {
        let mut passed = 0;
        while !self.walk.is_over() && self.found.len() < RESOURCES && passed < limits::PAGE_SLOTS {
            let step = self.walk.step(&self.shared.directory);
            for entry in &step.entries {
                self.look(entry);
            }
            passed += step.passed;
            yield_now().await;
        }
        let mut resources = Vec::new();
        let mut bytes = 0;
        while resources.len() < RESOURCES && bytes < BYTES {
            let Some(next) = self.found.pop_front() else {
                break;
            };
            bytes += next.encoded_len();
            resources.push(next);
        }
        let is_last = self.walk.is_over() && self.found.is_empty();
        v1::CheckComplianceResponse {
            resources,
            progress: Some(v1::ComplianceProgress {
                checked: self.sum.resources,
                noncompliant: self.sum.noncompliant,
            }),
            totals: is_last.then(|| self.sum.told()),
            revision: self.revision.clone(),
        }
    }

    fn look(&mut self, entry: &Entry) {
        let Self {
            shared,
            snapshot,
            asked,
            found,
            sum,
            ..
        } = self;
        let viewer = match self.principal.as_deref().map(PrincipalRef::parse) {
            None => Viewer::Owner,
            Some(Ok(principal)) => Viewer::Principal(principal),
            // INVARIANT: the call was refused for it.
            Some(Err(_)) => return,
        };
        let sight = Sight {
            snapshot,
            viewer,
            now: self.now,
        };
        if !sight.sees(entry) {
            return;
        }
        sum.resources += 1;
        let detector = Detector {
            directory: &shared.directory,
            snapshot,
        };
        let judged = detector.detect(entry, |detected| {
            let is_right = sum.judge(asked, detected) != Some(Judged::Noncompliant);
            let is_told = !is_right && !asked.totals_only;
            is_told.then(|| asked.tell(entry, detected))
        });
        found.extend(judged.flatten());
    }
}

impl Asked {
    fn holds(&self, key: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|asked| eq_fold(asked, key))
    }

    /// What is wrong with a resource.
    fn violations<'d>(
        &self,
        detected: &Detected<'d>,
    ) -> impl Iterator<Item = (TagMode, Violation<'d>)> {
        let violations = detected.verdict().violations.into_iter();
        violations.filter(|(_, found)| self.holds(&found.statement.tag_key))
    }

    fn tell(&self, entry: &Entry, detected: &Detected<'_>) -> v1::NoncompliantResource {
        let violations = self.violations(detected);
        v1::NoncompliantResource {
            arn: entry.arn().to_owned(),
            account: entry.owner().unwrap_or_default().to_owned(),
            r#type: detected.kind().to_owned(),
            resource_group: Some(v1::ResourceGroup {
                id: entry.group().unwrap_or_default().to_owned(),
            }),
            violations: violations
                .map(|(stage, found)| noncompliance(stage, &found))
                .collect(),
        }
    }
}

impl Sum {
    /// Counts a resource; tells what it comes to, if anything.
    fn judge(&mut self, asked: &Asked, detected: &Detected<'_>) -> Option<Judged> {
        let mut worst = None;
        for (key, outcome) in detected.outcomes() {
            if asked.holds(key) {
                self.keys.add(key, detected.kind(), outcome);
                worst = worst.max(Some(outcome));
            }
        }
        let worst = worst?;
        self.evaluated += 1;
        if worst == KeyOutcome::Compliant {
            return Some(Judged::Compliant);
        }
        self.noncompliant += 1;
        for (_, found) in asked.violations(detected) {
            *self.violations.entry(found.code).or_default() += 1;
        }
        Some(Judged::Noncompliant)
    }

    fn told(&self) -> v1::ComplianceTotals {
        let violations = self.violations.iter();
        v1::ComplianceTotals {
            resources: self.resources,
            evaluated: self.evaluated,
            compliant: self.evaluated - self.noncompliant,
            noncompliant: self.noncompliant,
            violations: violations
                .map(|(found, count)| v1::ViolationCount {
                    code: code(*found).into(),
                    count: *count,
                })
                .collect(),
            keys: self.keys.iter().map(of_key).collect(),
        }
    }
}

fn of_key(counted: KeyCounts<'_>) -> v1::KeyCompliance {
    let (key, kind) = counted.pair.unwrap_or_default();
    v1::KeyCompliance {
        key: key.to_owned(),
        r#type: kind.to_owned(),
        compliant: counted.of(KeyOutcome::Compliant),
        missing: counted.of(KeyOutcome::Missing),
        wrong_case: counted.of(KeyOutcome::WrongCase),
        wrong_value: counted.of(KeyOutcome::WrongValue),
        not_inherited: counted.of(KeyOutcome::NotInherited),
        other: counted.pair.is_none(),
    }
}
