//! As whom a peer acts: as a principal, as an administrator, or not at all.

use super::Denied;
use crate::model::caller::{Origin, OwnPrincipal, PeerPattern, SocketUser};
use crate::snapshot::Snapshot;
use crate::snapshot::caller::{ANONYMOUS, CallerId, CallerTable, OWNER};
use crate::source::embedded::Author;

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

/// The principal that needs permission; none, for an administrator.
pub(super) fn principal(actor: &Actor) -> Result<Option<&OwnPrincipal>, Denied> {
    match actor {
        Actor::Administrator { .. } => Ok(None),
        Actor::Principal { principal, .. } => Ok(Some(principal)),
        Actor::Nobody { caller } => Err(Denied::Nobody(caller.clone())),
    }
}
