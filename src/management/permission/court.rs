//! Where permissions are decided: what is demanded is asked of the engine, in one state.

use jiff::Timestamp;

use super::act::{Act, Demand, Subject};
use super::actor::{Actor, principal};
use super::arns::{arns, each};
use super::owners::Owners;
use super::table::{demands, subject};
use super::{Denied, Read, Ruling, weaken};
use crate::directory::Directory;
use crate::document::object::{Authored, Unreadable};
use crate::engine;
use crate::engine::request::{ContextEntry, KnownGroup, KnownTags, Request, Resource};
use crate::model::action::ActionRef;
use crate::model::arn::ResourceName;
use crate::model::caller::OwnPrincipal;
use crate::snapshot::Snapshot;
use crate::source::embedded::Difference;

/// Where permissions are decided: one state, before or after a change.
#[derive(Clone, Copy)]
pub struct Court<'s> {
    /// The snapshot that decides.
    pub snapshot: Option<&'s Snapshot>,
    /// The authored state that it was compiled from.
    pub state: &'s dyn Authored,
    /// The live resources: their tags and groups.
    pub directory: &'s Directory,
    /// Now.
    pub now: Timestamp,
}

impl std::fmt::Debug for Court<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let revision = self.snapshot.map(|snapshot| snapshot.revision);
        let mut shown = formatter.debug_struct("Court");
        shown.field("revision", &revision).finish_non_exhaustive()
    }
}

impl Court<'_> {
    /// Whether an actor may make a change.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    pub fn may_change(
        &self,
        actor: &Actor,
        differences: &[Difference],
    ) -> Result<Ruling, Unreadable> {
        let principal = match principal(actor) {
            Ok(None) => return Ok(Ruling::Allowed),
            Ok(Some(principal)) => principal,
            Err(denied) => return Ok(Ruling::Denied(denied)),
        };
        let owners = Owners::new(self.state, self.snapshot)?;
        for Difference { id, before, after } in differences {
            let Some(act) = Act::new(before.as_deref(), after.as_deref()) else {
                continue;
            };
            let Ok(demands) = demands(id, act, &owners) else {
                return Ok(Ruling::Unread(id.clone()));
            };
            for demand in demands {
                if let Err(denied) = self.ask(principal, &demand) {
                    return Ok(Ruling::Denied(denied));
                }
            }
        }
        Ok(Ruling::Allowed)
    }

    /// Whether an actor may weaken what the change to `after` weakens.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    pub fn may_weaken(
        &self,
        actor: &Actor,
        after: &Snapshot,
        differences: &[Difference],
    ) -> Result<Ruling, Unreadable> {
        let principal = match principal(actor) {
            Ok(None) => return Ok(Ruling::Allowed),
            Ok(Some(principal)) => principal,
            Err(denied) => return Ok(Ruling::Denied(denied)),
        };
        let owners = Owners::new(self.state, self.snapshot)?;
        let demands = weaken::demands(self.snapshot, after, differences, &owners);
        let asked = demands
            .iter()
            .try_for_each(|demand| self.ask(principal, demand));
        Ok(match asked {
            Ok(()) => Ruling::Allowed,
            Err(denied) => Ruling::Denied(denied),
        })
    }

    /// Whether an actor may read.
    ///
    /// # Errors
    ///
    /// It may not; within, the state cannot be read.
    pub fn may_read(
        &self,
        actor: &Actor,
        read: Read<'_>,
    ) -> Result<Result<(), Denied>, Unreadable> {
        let principal = match principal(actor) {
            Ok(None) => return Ok(Ok(())),
            Ok(Some(principal)) => principal,
            Err(denied) => return Ok(Err(denied)),
        };
        let owners = Owners::new(self.state, self.snapshot)?;
        let demand = self.read(read, &owners)?;
        Ok(self.ask(principal, &demand))
    }

    fn read(&self, read: Read<'_>, owners: &Owners<'_>) -> Result<Demand, Unreadable> {
        let server = |action, id| Demand::new(action, each("tagwarden", &owners.server(), id));
        Ok(match read {
            Read::Object(id) => {
                let document = self.state.document(id)?;
                let act = Act::Delete(document.as_deref().unwrap_or(b"{}"));
                let arns = arns(id, act, owners).unwrap_or_default();
                if arns.is_empty() {
                    let name = format!("object/{id}");
                    let arns = each("tagwarden", &owners.server(), &name);
                    Demand::new("tagwarden:GetObject", arns)
                } else {
                    Demand {
                        subject: subject(id),
                        ..Demand::new("tagwarden:GetObject", arns)
                    }
                }
            }
            Read::Objects(prefix) => match account_of(prefix) {
                Some(account) => {
                    let arn = format!("acs:tagwarden:*:{account}:objects");
                    Demand::new("tagwarden:ListObjects", [arn])
                }
                None => server("tagwarden:ListObjects", "objects"),
            },
            Read::Revisions => server("tagwarden:ListRevisions", "revisions"),
            Read::Bundle => server("tagwarden:GetBundle", "bundle"),
            Read::SnapshotInfo => server("tagwarden:GetSnapshotInfo", "snapshot"),
            Read::Backup => server("tagwarden:Backup", "backup"),
        })
    }

    /// Asks the engine, for one ARN after the other, so that a refusal names what is refused. What
    /// cannot be decided is no permission.
    fn ask(&self, principal: &OwnPrincipal, demand: &Demand) -> Result<(), Denied> {
        for arn in &demand.arns {
            if !self.is_allowed(principal, demand, arn) {
                return Err(Denied::Action {
                    action: demand.action,
                    arn: arn.clone(),
                });
            }
        }
        Ok(())
    }

    fn is_allowed(&self, principal: &OwnPrincipal, demand: &Demand, arn: &str) -> bool {
        let (Some(snapshot), Some(principal)) = (self.snapshot, principal.principal()) else {
            return false;
        };
        let (Ok(action), Ok(name)) = (ActionRef::parse(demand.action), ResourceName::parse(arn))
        else {
            return false;
        };
        // Without an account it is nobody's, and no principal's own either.
        let has_owner = matches!(name, ResourceName::Arn(arn) if arn.owner().is_some());
        let known = self.directory.find(arn);
        let (tags, group) = match &known {
            None => (KnownTags::Unknown, group(demand.subject)),
            Some(known) => (
                KnownTags::Stored(known.tags()),
                known.group().map_or(KnownGroup::None, KnownGroup::Some),
            ),
        };
        let service = [demand.service.as_deref().unwrap_or_default()];
        let entry = [ContextEntry {
            key: "ram:ServiceName",
            values: &service,
        }];
        let resources = [Resource {
            name,
            tags,
            group,
            owner: None,
        }];
        let mut request = Request::bare(principal, action, &resources, self.now);
        if demand.service.is_some() {
            request.context.entries = &entry;
        }
        has_owner && engine::decide(snapshot, &request).is_ok_and(|decision| decision.is_allow())
    }
}

/// What is known of the group of something that the directory does not know.
fn group(subject: Subject) -> KnownGroup<'static> {
    match subject {
        Subject::Authored => KnownGroup::None,
        Subject::Resource => KnownGroup::Unknown,
    }
}

/// The account that all ids with a prefix belong to.
fn account_of(prefix: &str) -> Option<&str> {
    let (account, _) = prefix.strip_prefix("accounts/")?.split_once('/')?;
    Some(account)
}
