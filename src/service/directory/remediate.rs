//! `Remediate`: finds what a repair would write to, and repairs it in changes of a bounded size.
//!
//! Candidates are found beside the writer, as fast as the answers are read. Each part is worked out
//! in a turn of its own: by the policies and on the resources of that moment, for who calls then. A
//! dry run is worked out the same way, and leaves nothing to commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{Stream, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tonic::{Request, Status};

use super::asker::Asker;
use super::told::{Told, failed, told_error};
use super::walk::{Accounts, Walk};
use super::{Hearing, Shared};
use crate::directory::{Detector, Entry};
use crate::management::directory::Done;
use crate::model::arn::Arn;
use crate::model::caller::{Origin, Rpc};
use crate::model::resource::{LiveResource, Write};
use crate::model::tagging::Plan;
use crate::model::verdict::limits;
use crate::service::listing::{position, seal};
use crate::service::pap::From;
use crate::tagging::shape::MAX_RESOURCES;
use crate::tagging::{Law, View as _};
use crate::wire::listing::{self, Bound, SentPage};
use crate::wire::status::CallError;
use crate::wire::v1;

const RPC: Rpc = Rpc::Remediate;

/// What becomes of a part that was worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It is told.
    DryRun,
    /// It is committed, and told.
    Apply,
}

impl Shared {
    /// Reads a question, and begins to repair.
    pub(super) async fn remediate(
        self: &Arc<Self>,
        request: Request<v1::RemediateRequest>,
    ) -> Result<impl Stream<Item = Result<v1::RemediateResponse, Status>> + use<>, CallError> {
        let from = From::of(&request);
        let remedy = Remedy::new(self, from, request.into_inner()).await?;
        Ok(stream::unfold(Some(remedy), |remedy| async {
            let mut remedy = remedy?;
            let told = remedy.next().await.map_err(|error| error.to_status());
            let goes_on = told
                .as_ref()
                .is_ok_and(|told| !told.next_page_token.is_empty());
            Some((told, goes_on.then_some(remedy)))
        }))
    }
}

/// A repair between two parts.
struct Remedy {
    shared: Arc<Shared>,
    call: Arc<Call>,
    walk: Walk,
    totals: v1::RemediateTotals,
    _place: OwnedSemaphorePermit,
}

/// What is the same in all turns of a call.
struct Call {
    origin: Origin,
    peer: String,
    writer: Option<v1::TagWriter>,
    mode: Mode,
    /// The caller and the principal of the first turn, and the question: what tokens are good for.
    caller: String,
    principal: String,
    question: v1::RemediateRequest,
}

/// What a part comes to, without what the principal does not see.
#[derive(Default)]
struct Part {
    repairs: Vec<v1::ResourceRepair>,
    failed: Vec<v1::FailedResource>,
    held_back: Vec<v1::FailedResource>,
    /// For the log.
    told: Option<Told>,
}

impl Remedy {
    async fn new(
        shared: &Arc<Shared>,
        from: From,
        message: v1::RemediateRequest,
    ) -> Result<Self, CallError> {
        let From { origin, peer } = from;
        let snapshot = shared.reader.load_full();
        shared.caller(snapshot.as_deref(), &origin, RPC, jiff::Timestamp::now())?;
        let mode = mode(message.mode)?;
        let question = v1::RemediateRequest {
            page_token: String::new(),
            ..message.clone()
        };
        let asked = question.clone();
        let first = shared.turn(RPC, origin.clone(), move |hearing| {
            hearing.asking(asked.writer.as_ref(), |asker| {
                let catalog = &hearing.snapshot.catalog;
                let scope = listing::scope(asked.scope.as_ref(), asker.account(), catalog)?;
                let names = (hearing.caller.name.to_string(), asker.name.to_string());
                Ok(((scope, names), Plan::default()))
            })
        });
        let (scope, (caller, principal)) = first.await?.told;
        let call = Call {
            origin,
            peer,
            writer: message.writer,
            mode,
            caller,
            principal,
            question,
        };
        let page = SentPage::read(0, &message.page_token)?;
        let at = position(page, &call.bound(shared))?;
        Ok(Self {
            shared: Arc::clone(shared),
            call: Arc::new(call),
            walk: Walk::from(scope, Accounts::One, at),
            totals: v1::RemediateTotals::default(),
            _place: shared.report()?,
        })
    }

    /// The next part: when something was found, or so many slots were passed, or everything was.
    async fn next(&mut self) -> Result<v1::RemediateResponse, CallError> {
        let mut answer = v1::RemediateResponse::default();
        let mut passed = 0;
        let is_empty = |answer: &v1::RemediateResponse| {
            answer.repairs.is_empty() && answer.failed.is_empty() && answer.held_back.is_empty()
        };
        while !self.walk.is_over() && passed < limits::PAGE_SLOTS && is_empty(&answer) {
            let mut waiting = Vec::new();
            while !self.walk.is_over()
                && passed < limits::PAGE_SLOTS
                && waiting.len() < MAX_RESOURCES
            {
                passed += self.find(&mut waiting);
                yield_now().await;
            }
            for arns in waiting.chunks(MAX_RESOURCES) {
                self.repair(arns.to_vec(), &mut answer).await?;
            }
        }
        answer.totals = Some(self.totals);
        if let Some((_, next)) = self.walk.position() {
            answer.next_page_token = seal(&self.call.bound(&self.shared), next);
        }
        Ok(answer)
    }

    /// Finds what a repair would write to, by the policies of now.
    fn find(&mut self, waiting: &mut Vec<Arn>) -> u32 {
        let snapshot = self.shared.reader.load_full();
        let directory = &self.shared.directory;
        let found = self.walk.step(directory);
        if let Some(snapshot) = snapshot.as_deref() {
            let detector = Detector {
                directory,
                snapshot,
            };
            let needs = |entry: &&Entry| detector.needs_repair(entry);
            waiting.extend(found.entries.iter().filter(needs).map(Entry::to_arn));
        }
        found.passed
    }

    /// Repairs some resources. It is done to its end when whoever asked has gone.
    async fn repair(
        &mut self,
        arns: Vec<Arn>,
        answer: &mut v1::RemediateResponse,
    ) -> Result<(), CallError> {
        let (shared, call) = (Arc::clone(&self.shared), Arc::clone(&self.call));
        let done = tokio::spawn(call.repair(shared, arns)).await;
        let (part, change) = done.map_err(|_| CallError::Stopping)??;
        let count = |many: usize| u64::try_from(many).unwrap_or(u64::MAX);
        let inherited = part.repairs.iter().filter(|one| one.inherited).count();
        self.totals.repaired += count(part.repairs.len());
        self.totals.inherited += count(inherited);
        self.totals.failed += count(part.failed.len());
        self.totals.held_back += count(part.held_back.len());
        answer.repairs.extend(part.repairs);
        answer.failed.extend(part.failed);
        answer.held_back.extend(part.held_back);
        answer.change = answer.change.max(change);
        Ok(())
    }
}

impl Call {
    fn bound<'k>(&self, shared: &'k Shared) -> Bound<'k> {
        Bound::new(
            &shared.pages,
            RPC.as_str(),
            &self.caller,
            &self.principal,
            &self.question,
        )
    }

    /// One change, with its number; 0 where there is nothing to write.
    async fn repair(
        self: Arc<Self>,
        shared: Arc<Shared>,
        arns: Vec<Arn>,
    ) -> Result<(Part, u64), CallError> {
        let call = Arc::clone(&self);
        let worked = shared.turn(RPC, self.origin.clone(), move |hearing| {
            hearing.asking(call.writer.as_ref(), |asker| {
                let (part, plan) = work_out(hearing, asker, &arns)?;
                Ok(match call.mode {
                    Mode::DryRun => (part, Plan::default()),
                    Mode::Apply => (part, plan),
                })
            })
        });
        let Done {
            told: part,
            version,
        } = worked.await?;
        if let (Some(told), Some(version)) = (&part.told, version) {
            told.audit(RPC, &self.peer, version);
        }
        Ok((part, version.map_or(0, |version| version.0)))
    }
}

fn mode(mode: i32) -> Result<Mode, CallError> {
    match v1::RemediateMode::try_from(mode) {
        Ok(v1::RemediateMode::Unspecified | v1::RemediateMode::DryRun) => Ok(Mode::DryRun),
        Ok(v1::RemediateMode::Apply) => Ok(Mode::Apply),
        Err(_) => Err(listing::invalid("mode", "not a known mode")),
    }
}

/// Works out the repair of those that the principal sees.
fn work_out(
    hearing: &Hearing<'_>,
    asker: &Asker<'_>,
    arns: &[Arn],
) -> Result<(Part, Plan), CallError> {
    let view = hearing.turn.view;
    let sees = |arn: &Arn| {
        let found = view.find(arn.as_str());
        found.is_some_and(|resource| asker.sees(&resource))
    };
    let named: Vec<Arn> = arns.iter().filter(|arn| sees(arn)).cloned().collect();
    if named.is_empty() {
        return Ok((Part::default(), Plan::default()));
    }
    let law = Law::new(hearing.snapshot);
    let plan = hearing
        .actor(&law, asker)
        .remediate(&named)
        .map_err(told_error)?;
    let mut repairs = Vec::new();
    for write in plan.writes.iter().filter(|write| sees(&write.arn)) {
        let rewrites = rewrites(view.find(write.arn.as_str()).as_ref(), write);
        if !rewrites.is_empty() {
            repairs.push(v1::ResourceRepair {
                arn: write.arn.to_string(),
                rewrites,
                inherited: !named.contains(&write.arn),
            });
        }
    }
    let keys = repairs.iter().flat_map(|repair| &repair.rewrites);
    let keys: BTreeSet<&String> = keys.map(|rewrite| &rewrite.key).collect();
    let keys = keys.into_iter().cloned().collect();
    let (told, mut plan) = hearing.told(&named, keys, plan);
    // What a repair leads to may be elsewhere.
    plan.held_back.retain(|failure| sees(&failure.arn));
    Ok((
        Part {
            repairs,
            failed: plan.refused.iter().map(failed).collect(),
            held_back: plan.held_back.iter().map(failed).collect(),
            told: Some(told.by(asker)),
        },
        plan,
    ))
}

/// What a write does to the tags of a resource.
fn rewrites(before: Option<&LiveResource>, write: &Write) -> Vec<v1::TagRewrite> {
    let (Some(before), Some(next)) = (before, &write.next) else {
        return Vec::new();
    };
    let written = next
        .tag_refs()
        .filter(|tag| before.get(tag.key) != Some(tag.value));
    let written = written.map(|tag| v1::TagRewrite {
        key: tag.key.to_owned(),
        value: tag.value.to_owned(),
        remove: false,
    });
    let removed = before.tags.keys().filter(|key| next.get(key).is_none());
    let removed = removed.map(|key| v1::TagRewrite {
        key: key.to_string(),
        value: String::new(),
        remove: true,
    });
    let mut rewrites: Vec<v1::TagRewrite> = written.chain(removed).collect();
    rewrites.sort_by(|left, right| left.key.cmp(&right.key));
    rewrites
}
