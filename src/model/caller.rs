//! Callers: who connects to the server, and what each may ask of it (security 1).
//!
//! A caller is whoever enforces, and not the principal that a request is about. What a caller was
//! not given it does not have: the default of every right is nothing.
//!
//! Not here: `callers.json` (`document`), and which connection is which caller (`snapshot::caller`).

pub mod identity;
pub mod principal;
pub mod rpc;
pub mod supply;

use std::fmt;
use std::str::FromStr;

use self::identity::{DnsName, Identity, InvalidIdentity, SpiffeId, SpiffePattern, Uri};
use self::principal::PrincipalPattern;
pub use self::rpc::{Purpose, Rpc, RpcSet};
use self::supply::Supply;
use super::account::{InvalidName, Name, RoleKind};
use super::arn::PrincipalRef;

/// All callers of a bundle. What it does not say has the server's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers {
    /// Peers that no caller names; `None` keeps the default.
    pub anonymous: Option<Anonymous>,
    /// The callers with a name. No two have a name or a peer in common.
    pub named: Vec<Caller>,
}

/// What peers have that no caller names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anonymous {
    /// Where they must come from; from elsewhere they have nothing.
    pub from: Vec<Place>,
    /// What they have.
    pub rights: Rights,
}

/// A caller with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name: it stands in messages and logs.
    pub name: Name,
    /// The peers that are this caller: any of them.
    pub peers: Vec<PeerPattern>,
    /// Who it is itself, where it is one of the principals.
    pub principal: Option<OwnPrincipal>,
    /// What it has.
    pub rights: Rights,
}

/// The user or role that a caller is itself, so that policies say what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnPrincipal(Box<str>);

/// A text is not the ARN of a user or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the ARN of a user or a role")]
pub struct InvalidOwnPrincipal;

impl TryFrom<&str> for OwnPrincipal {
    type Error = InvalidOwnPrincipal;

    fn try_from(text: &str) -> Result<Self, InvalidOwnPrincipal> {
        let own = Self(text.into());
        own.principal().map(|_| ()).ok_or(InvalidOwnPrincipal)?;
        Ok(own)
    }
}

impl OwnPrincipal {
    /// The ARN as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user or role; there is always one.
    pub fn principal(&self) -> Option<PrincipalRef<'_>> {
        let principal = PrincipalRef::parse(&self.0).ok()?;
        match principal {
            PrincipalRef::User { .. } | PrincipalRef::Role { session: None, .. } => Some(principal),
            PrincipalRef::Root { .. }
            | PrincipalRef::Role { .. }
            | PrincipalRef::Federated { .. }
            | PrincipalRef::Service { .. } => None,
        }
    }
}

/// What proves that a peer is a certain caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PeerPattern {
    /// A process of this user, at a Unix socket.
    Uid(u32),
    /// A process of this primary group, at a Unix socket.
    Gid(u32),
    /// Who proves to be this.
    Proven(Identity),
    /// Who has a certificate with a SPIFFE id below this folder, which is written without `/*`.
    SpiffeBelow(Box<str>),
}

impl From<SpiffePattern> for PeerPattern {
    fn from(pattern: SpiffePattern) -> Self {
        match pattern {
            SpiffePattern::Exact(id) => Self::Proven(Identity::Spiffe(id)),
            SpiffePattern::Below(folder) => Self::SpiffeBelow(folder),
        }
    }
}

impl fmt::Display for PeerPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(formatter, "uid {uid}"),
            Self::Gid(gid) => write!(formatter, "gid {gid}"),
            Self::Proven(identity) => identity.fmt(formatter),
            Self::SpiffeBelow(folder) => write!(formatter, "spiffe {folder}/*"),
        }
    }
}

/// A text names no peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeer {
    /// Its form is not known, or the number is none.
    #[error(
        "expected `uid:<number>`, `gid:<number>`, `spiffe://<domain>/<path>`, `dns:<name>`, \
         `uri:<uri>` or `token:<name>`"
    )]
    Form,
    /// What it should prove to be is none.
    #[error(transparent)]
    Identity(#[from] InvalidIdentity),
    /// The token has no such name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// `uid:7`, `gid:7`, `spiffe://d/a`, `dns:a.example`, `uri:urn:a` or `token:ops`
impl FromStr for PeerPattern {
    type Err = InvalidPeer;

    fn from_str(text: &str) -> Result<Self, InvalidPeer> {
        let (sort, rest) = text.split_once(':').ok_or(InvalidPeer::Form)?;
        let number = || rest.parse().map_err(|_| InvalidPeer::Form);
        match sort {
            "uid" => Ok(Self::Uid(number()?)),
            "gid" => Ok(Self::Gid(number()?)),
            "spiffe" => Ok(Self::Proven(Identity::Spiffe(SpiffeId::try_from(text)?))),
            "dns" => Ok(Self::Proven(Identity::Dns(DnsName::try_from(rest)?))),
            "uri" => Ok(Self::Proven(Identity::Uri(Uri::try_from(rest)?))),
            "token" => Ok(Self::Proven(Identity::Token(Name::try_from(rest)?))),
            _ => Err(InvalidPeer::Form),
        }
    }
}

/// Where a peer connects from that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A TCP address of the loopback interface.
    Loopback,
    /// Any other TCP address, and every one over TLS.
    Remote,
    /// A Unix socket.
    Unix,
}

/// What a listener knows of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It connects from a TCP address of the loopback interface.
    Loopback,
    /// It connects from any other TCP address or over TLS, or nothing is known of it.
    Remote,
    /// It proves to be somebody, wherever it connects from.
    Proven(Identity),
    /// It connects to a Unix socket.
    Unix {
        /// The user of its process.
        uid: u32,
        /// The primary group of its process.
        gid: u32,
        /// Whether the server runs as the same user.
        user: SocketUser,
    },
}

/// The user at the other end of a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SocketUser {
    /// The one that the server runs as.
    Own,
    /// Another one.
    Other,
}

/// What a caller may do. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// What it may call.
    pub rpcs: RpcSet,
    /// For which principals.
    pub act_for: ActFor,
    /// What it may send beside the question itself.
    pub supply: Supply,
    /// How much the answers tell it.
    pub disclosure: Disclosure,
}

/// For which principals a caller asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActFor {
    /// For every principal whatsoever, roots too. No document can say this.
    Everyone,
    /// For those that one of the patterns names.
    Patterns(Box<[PrincipalPattern]>),
}

impl Default for ActFor {
    fn default() -> Self {
        Self::Patterns(Box::default())
    }
}

impl ActFor {
    /// Whether a principal is among them. `role` is what the snapshot has of a role.
    pub fn covers(&self, principal: PrincipalRef<'_>, role: Option<RoleKind>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Patterns(patterns) => patterns
                .iter()
                .any(|pattern| pattern.matches(principal, role)),
        }
    }
}

/// How much an answer tells (security 8). Each level tells what the one before it tells, and more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disclosure {
    /// Level 0: effect, how to show it, obligations, and the decision's id.
    Effect,
    /// Level 1: reason, layer and revision. What callers see by default.
    #[default]
    Reason,
    /// Level 2: statements, verdicts and missing keys.
    Statements,
    /// Level 3: an explanation, where one is asked for.
    Explanation,
}
