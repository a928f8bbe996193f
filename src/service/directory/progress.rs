//! `GetInheritanceProgress`: what changes of rules and of primaries have left to do.

use jiff::Timestamp;
use tonic::Request;

use super::Shared;
use crate::management::directory::{Base, Done, WorkId, WriteFault};
use crate::model::caller::Rpc;
use crate::model::tagging::{Backfill, Cause, Forget, Plan, Progress, Sweep, Work};
use crate::service::listing::Whose;
use crate::service::pap::From;
use crate::wire::status::{CallError, DirectoryFault};
use crate::wire::v1;

/// The most pieces of work that are told.
const MOST: usize = 1_000;

/// What is left.
#[derive(Default)]
struct Left {
    work: Vec<v1::InheritanceWork>,
    pieces: u64,
    edits: u64,
}

impl Shared {
    pub(super) async fn inheritance_progress(
        &self,
        request: &Request<v1::GetInheritanceProgressRequest>,
    ) -> Result<v1::GetInheritanceProgressResponse, CallError> {
        let v1::GetInheritanceProgressRequest { principal, account } = request.get_ref();
        let (snapshot, now) = (self.reader.load_full(), Timestamp::now());
        let (from, rpc) = (From::of(request), Rpc::GetInheritanceProgress);
        let listing = self.listing(snapshot.as_deref(), &from, now, rpc)?;
        let whose = listing.whose_work(principal, account)?;
        let Left {
            work,
            pieces,
            edits,
        } = self.left(whose).await?;
        Ok(v1::GetInheritanceProgressResponse {
            work,
            pieces,
            edits,
            revision: listing.revision(),
        })
    }

    /// The writer is asked: it alone knows what is left.
    async fn left(&self, whose: Whose) -> Result<Left, CallError> {
        let asked = self.writer.write(move |turn| {
            let left = Left::of(turn.view.under(), &whose);
            (left, Plan::default())
        });
        match asked.await {
            Ok(Ok(Done { told, .. })) => Ok(told),
            Ok(Err(WriteFault::Conflict)) => Err(DirectoryFault::Conflict.into()),
            Ok(Err(WriteFault::Failed)) => Err(DirectoryFault::Failed.into()),
            Err(_) => Err(CallError::Stopping),
        }
    }
}

impl Left {
    fn of(base: &Base, whose: &Whose) -> Self {
        let mut left = Self::default();
        for (id, work) in base.work() {
            match work {
                Work::Sweep(sweep) => left.edits += u64::from(is_edit_of(sweep, whose)),
                Work::Backfill(backfill) => {
                    if is_of(whose, backfill.account.as_str()) {
                        left.add(|| fill(id, backfill));
                    }
                }
                Work::Forget(forgetting) => {
                    if is_of(whose, forgetting.account.as_str()) {
                        left.add(|| forget(id, forgetting));
                    }
                }
            }
        }
        left
    }

    fn add(&mut self, told: impl FnOnce() -> v1::InheritanceWork) {
        self.pieces += 1;
        if self.work.len() < MOST {
            self.work.push(told());
        }
    }
}

fn is_of(whose: &Whose, account: &str) -> bool {
    match whose {
        Whose::Everybodys => true,
        Whose::Accounts(own) => own.as_str() == account,
        Whose::Nobodys => false,
    }
}

/// A primary whose ARN names no account is told to who sees every account.
fn is_edit_of(sweep: &Sweep, whose: &Whose) -> bool {
    is_of(whose, sweep.primary.fields().owner().unwrap_or_default())
}

fn fill(id: WorkId, backfill: &Backfill) -> v1::InheritanceWork {
    let Backfill {
        account,
        rule,
        after: _,
        cause: Cause { principal, .. },
        progress: Progress { filled, failed, .. },
    } = backfill;
    v1::InheritanceWork {
        id,
        account: account.to_string(),
        kind: v1::InheritanceWorkKind::Fill.into(),
        rule: rule.to_string(),
        principal: principal.as_deref().unwrap_or_default().to_owned(),
        filled: *filled,
        failed: *failed,
    }
}

fn forget(id: WorkId, forget: &Forget) -> v1::InheritanceWork {
    let rule = forget.rule.as_ref();
    v1::InheritanceWork {
        id,
        account: forget.account.to_string(),
        kind: v1::InheritanceWorkKind::Forget.into(),
        rule: rule.map(ToString::to_string).unwrap_or_default(),
        ..v1::InheritanceWork::default()
    }
}
