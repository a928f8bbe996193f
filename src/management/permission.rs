//! Who may manage (security 11): by the policies of the state that is replaced.
//!
//! A peer acts as a principal where `callers.json` gives its caller one; else as an administrator
//! where it was named one at start; else not at all. What a principal does is decided by the
//! engine, in the snapshot that is in force when the change is made: one thread makes changes, so
//! that the snapshot which decides is the one that the change replaces, at commit as before.
//!
//! Not here: how peers prove who they are (`service`).

mod facts;
mod organization;
mod owners;
mod table;
mod weaken;

use jiff::Timestamp;

use self::owners::Owners;
use self::table::{Act, arns, demands, subject};
pub use self::table::{Demand, Subject};
use crate::directory::Directory;
use crate::document::object::{Authored, Unreadable};
use crate::engine;
use crate::engine::request::{ContextEntry, KnownGroup, KnownTags, Request, Resource};
use crate::model::action::ActionRef;
use crate::model::arn::ResourceName;
use crate::model::caller::{Origin, OwnPrincipal, PeerPattern, SocketUser};
use crate::model::object::ObjectId;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::{ANONYMOUS, CallerId, CallerTable, OWNER};
use crate::source::embedded::{Author, Difference};

/// The peers that act as administrators until `callers.json` maps them to principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrators {
    /// The server's own user, and root, who may read and write all that is the server's.
    Own,
    /// These.
    Named(Vec<PeerPattern>),
}

impl Administrators {
    fn include(&self, origin: &Origin) -> bool {
        match (self, origin) {
            (_, Origin::Loopback | Origin::Remote) | (Self::Own, Origin::Proven(_)) => false,
            (Self::Own, Origin::Unix { uid, user, .. }) => *user == SocketUser::Own || *uid == 0,
            (Self::Named(named), Origin::Unix { uid, gid, .. }) => {
                named.contains(&PeerPattern::Uid(*uid)) || named.contains(&PeerPattern::Gid(*gid))
            }
            (Self::Named(named), Origin::Proven(identity)) => {
                named.contains(&PeerPattern::Proven(identity.clone()))
            }
        }
    }
}

/// As whom a peer acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// As an administrator: it needs no permission.
    Administrator {
        /// The name of its caller.
        caller: String,
    },
    /// As a principal.
    Principal {
        /// The name of its caller.
        caller: String,
        /// The principal.
        principal: OwnPrincipal,
    },
    /// Not at all.
    Nobody {
        /// The name of its caller.
        caller: String,
    },
}

impl Actor {
    /// As whom a peer acts in a state.
    pub fn find(
        snapshot: Option<&Snapshot>,
        origin: &Origin,
        administrators: &Administrators,
    ) -> Self {
        let none = CallerTable::default();
        let callers = snapshot.map_or(&none, |snapshot| &snapshot.callers);
        let found = callers.find(origin);
        let is_administrator = administrators.include(origin);
        let caller = match found.id {
            CallerId::Named(_) => found.name.to_string(),
            CallerId::Owner => OWNER.to_owned(),
            CallerId::Anonymous => ANONYMOUS.to_owned(),
        };
        match &found.principal {
            Some(principal) => Self::Principal {
                caller,
                principal: principal.clone(),
            },
            None if is_administrator => Self::Administrator { caller },
            None => Self::Nobody { caller },
        }
    }

    /// The name of the caller.
    pub fn caller(&self) -> &str {
        match self {
            Self::Administrator { caller }
            | Self::Principal { caller, .. }
            | Self::Nobody { caller } => caller,
        }
    }

    /// What is kept of whoever makes a change.
    pub fn author(&self, peer: &str) -> Author {
        let principal = match self {
            Self::Principal { principal, .. } => principal.as_str().to_owned(),
            Self::Administrator { .. } | Self::Nobody { .. } => String::new(),
        };
        Author {
            caller: self.caller().to_owned(),
            principal,
            peer: peer.to_owned(),
        }
    }
}

/// Why an actor may not do what it asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is nobody here.
    #[error("the caller `{0}` is neither an administrator nor a principal")]
    Nobody(String),
    /// Its policies do not allow it.
    #[error("`{action}` on `{arn}` is not allowed")]
    Action {
        /// The action.
        action: &'static str,
        /// The first ARN that is not allowed.
        arn: String,
    },
}

/// Reading that needs permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read<'r> {
    /// One object.
    Object(&'r ObjectId),
    /// Objects below a prefix.
    Objects(&'r str),
    /// The history.
    Revisions,
    /// The whole state.
    Bundle,
    /// What is in force.
    SnapshotInfo,
    /// Copies of the stores.
    Backup,
}

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

/// What came of asking for the permission of a change.
#[derive(Debug)]
pub enum Ruling {
    /// It may be made.
    Allowed,
    /// It may not.
    Denied(Denied),
    /// A document cannot be read as far as its permission depends on it.
    Unread(ObjectId),
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
        let server =
            |action, id| Demand::new(action, table::each("tagwarden", &owners.server(), id));
        Ok(match read {
            Read::Object(id) => {
                let document = self.state.document(id)?;
                let act = Act::Delete(document.as_deref().unwrap_or(b"{}"));
                let arns = arns(id, act, owners).unwrap_or_default();
                if arns.is_empty() {
                    let name = format!("object/{id}");
                    let arns = table::each("tagwarden", &owners.server(), &name);
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

/// The principal that needs permission; none, for an administrator.
fn principal(actor: &Actor) -> Result<Option<&OwnPrincipal>, Denied> {
    match actor {
        Actor::Administrator { .. } => Ok(None),
        Actor::Principal { principal, .. } => Ok(Some(principal)),
        Actor::Nobody { caller } => Err(Denied::Nobody(caller.clone())),
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
