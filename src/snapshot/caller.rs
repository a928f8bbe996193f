//! Callers: which peer is which, and the defaults of those that the bundle says nothing of
//! (security 1.2).
//!
//! A snapshot holds them, so that a new revision changes policies and rights at once.
//!
//! Not here: what a request needs which right for (`service::pdp`).

use std::sync::Arc;

use hashbrown::HashMap;

use super::Snapshot;
use super::symbol::Symbol;
use crate::model::arn::PrincipalRef;
use crate::model::caller::identity::Identity;
use crate::model::caller::principal::PrincipalPattern;
use crate::model::caller::supply::{ContextKeys, Supply, SupplyRight};
use crate::model::caller::{
    ActFor, Anonymous, Callers, Disclosure, Origin, OwnPrincipal, PeerPattern, Place, Rights, Rpc,
    SocketUser,
};
use crate::snapshot::principal::PrincipalKind;

/// The name of peers that no caller names.
pub const ANONYMOUS: &str = "anonymous";
/// The name of the server's own user.
pub const OWNER: &str = "owner";

/// A caller, and what it may do.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Which one it is; within one snapshot.
    pub id: CallerId,
    /// Its name.
    pub name: Symbol,
    /// Who it is itself, where it is one of the principals.
    pub principal: Option<OwnPrincipal>,
    /// What it may do.
    pub rights: Rights,
}

/// Which caller of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerId {
    /// A peer that no caller names.
    Anonymous,
    /// The server's own user.
    Owner,
    /// A caller of the bundle, by its place.
    Named(usize),
}

impl Caller {
    fn anonymous(rights: Rights) -> Self {
        Self {
            id: CallerId::Anonymous,
            name: ANONYMOUS.into(),
            principal: None,
            rights,
        }
    }

    /// "The Unix socket's peer with the server's own uid has every data RPC."
    fn owner() -> Self {
        Self {
            id: CallerId::Owner,
            name: OWNER.into(),
            principal: None,
            rights: Rights {
                rpcs: Rpc::ALL.into_iter().collect(),
                act_for: ActFor::Everyone,
                supply: Supply::all(),
                disclosure: Disclosure::Explanation,
            },
        }
    }

    /// Whether it asks for a principal, as the snapshot knows that one.
    pub fn may_act_for(&self, principal: PrincipalRef<'_>, snapshot: &Snapshot) -> bool {
        let role = match principal {
            PrincipalRef::Role { account, name, .. } => snapshot.principals.role(account, name),
            PrincipalRef::Root { .. }
            | PrincipalRef::User { .. }
            | PrincipalRef::Federated { .. }
            | PrincipalRef::Service { .. } => None,
        };
        let kind = role.and_then(|role| match role.kind {
            PrincipalKind::Role(kind) => Some(kind),
            PrincipalKind::User => None,
        });
        self.rights.act_for.covers(principal, kind)
    }
}

/// All callers of a snapshot. Snapshots share those that the bundle names.
#[derive(Debug, Clone)]
pub struct CallerTable {
    loopback: Caller,
    remote: Caller,
    unix: Caller,
    owner: Caller,
    named: Arc<[Caller]>,
    peers: Arc<Peers>,
}

/// Which peers are which callers: the places in `named`.
#[derive(Debug, Clone, Default)]
struct Peers {
    users: HashMap<u32, usize>,
    groups: HashMap<u32, usize>,
    proven: HashMap<Identity, usize>,
    /// SPIFFE ids below folders.
    below: HashMap<Box<str>, usize>,
}

impl Peers {
    fn insert(&mut self, peer: &PeerPattern, place: usize) {
        let _former = match peer {
            PeerPattern::Uid(uid) => self.users.insert(*uid, place),
            PeerPattern::Gid(gid) => self.groups.insert(*gid, place),
            PeerPattern::Proven(identity) => self.proven.insert(identity.clone(), place),
            PeerPattern::SpiffeBelow(folder) => self.below.insert(folder.clone(), place),
        };
    }

    fn user(&self, uid: u32, gid: u32) -> Option<usize> {
        let user = self.users.get(&uid);
        user.or_else(|| self.groups.get(&gid)).copied()
    }

    /// A whole id stands before the folders above it, and a closer folder before one farther up.
    fn proven(&self, identity: &Identity) -> Option<usize> {
        let whole = self.proven.get(identity);
        let found = whole.or_else(|| match identity {
            Identity::Spiffe(id) => id.folders().find_map(|folder| self.below.get(folder)),
            Identity::Dns(_) | Identity::Uri(_) | Identity::Token(_) => None,
        });
        found.copied()
    }
}

/// The callers of a bundle that says nothing of them.
impl Default for CallerTable {
    fn default() -> Self {
        Self::new(&Callers::default())
    }
}

impl CallerTable {
    /// The callers of a bundle, and the defaults of the others.
    pub fn new(callers: &Callers) -> Self {
        let default = default_anonymous();
        let anonymous = callers.anonymous.as_ref().unwrap_or(&default);
        let at = |place| {
            let is_given = anonymous.from.contains(&place);
            Caller::anonymous(if is_given {
                anonymous.rights.clone()
            } else {
                Rights::default()
            })
        };
        let named = callers.named.iter().enumerate();
        let mut peers = Peers::default();
        for (place, caller) in named.clone() {
            for peer in &caller.peers {
                peers.insert(peer, place);
            }
        }
        Self {
            loopback: at(Place::Loopback),
            remote: at(Place::Remote),
            unix: at(Place::Unix),
            owner: Caller::owner(),
            peers: Arc::new(peers),
            named: named
                .map(|(place, caller)| Caller {
                    id: CallerId::Named(place),
                    name: caller.name.shared(),
                    principal: caller.principal.clone(),
                    rights: caller.rights.clone(),
                })
                .collect(),
        }
    }

    /// The caller that a peer is. What the bundle says of a user stands before what it says of a
    /// group, and both before the defaults.
    pub fn find(&self, origin: &Origin) -> &Caller {
        let named = |place: usize| self.named.get(place);
        match origin {
            Origin::Loopback => &self.loopback,
            Origin::Remote => &self.remote,
            // security 1.1: "client certificate's single SPIFFE id or SAN, token".
            Origin::Proven(identity) => {
                let found = self.peers.proven(identity).and_then(named);
                found.unwrap_or(&self.remote)
            }
            Origin::Unix { uid, gid, user } => {
                let found = self.peers.user(*uid, *gid).and_then(named);
                found.unwrap_or(match user {
                    SocketUser::Own => &self.owner,
                    SocketUser::Other => &self.unix,
                })
            }
        }
    }

    /// The one who may do everything.
    pub fn owner(&self) -> &Caller {
        &self.owner
    }
}

/// security 1.2: on loopback TCP the decision RPCs and ValidateTagging, any principal but roots and service-linked
/// roles, context keys, and tags of resources that the directory does not know.
fn default_anonymous() -> Anonymous {
    Anonymous {
        from: vec![Place::Loopback],
        rights: Rights {
            rpcs: Rpc::ALL
                .into_iter()
                .filter(|rpc| rpc.decides() || rpc.judges_tags())
                .collect(),
            act_for: ActFor::Patterns([PrincipalPattern::Every].into()),
            supply: Supply::new([SupplyRight::ResourceTags], ContextKeys::All),
            disclosure: Disclosure::Reason,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::account::Name;
    use crate::model::caller;
    use crate::model::caller::Purpose;
    use crate::model::caller::identity::{DnsName, SpiffeId, SpiffePattern};

    fn unix(uid: u32, gid: u32, user: SocketUser) -> Origin {
        Origin::Unix { uid, gid, user }
    }

    fn named(name: &str, peers: &[PeerPattern]) -> caller::Caller {
        caller::Caller {
            name: Name::try_from(name).unwrap(),
            peers: peers.to_vec(),
            principal: None,
            rights: Rights::default(),
        }
    }

    #[test]
    fn users_stand_before_groups_and_both_before_the_defaults() {
        use SocketUser::{Other, Own};
        let table = CallerTable::new(&Callers {
            anonymous: None,
            named: vec![
                named("app", &[PeerPattern::Uid(7), PeerPattern::Uid(8)]),
                named("staff", &[PeerPattern::Gid(7)]),
            ],
        });
        let check = |origin, expected: &str| {
            assert_eq!(&*table.find(&origin).name, expected, "{origin:?}");
        };
        check(unix(7, 7, Other), "app");
        check(unix(8, 1, Own), "app");
        check(unix(9, 7, Own), "staff");
        check(unix(9, 8, Own), OWNER);
        check(unix(9, 8, Other), ANONYMOUS);
        check(Origin::Loopback, ANONYMOUS);
        check(Origin::Remote, ANONYMOUS);
    }

    #[test]
    fn whole_ids_stand_before_folders_and_closer_folders_before_others() {
        let spiffe = |text| PeerPattern::from(SpiffePattern::try_from(text).unwrap());
        let dns = |text| Identity::Dns(DnsName::try_from(text).unwrap());
        let table = CallerTable::new(&Callers {
            anonymous: None,
            named: vec![
                named("domain", &[spiffe("spiffe://d/*")]),
                named("folder", &[spiffe("spiffe://d/ns/*")]),
                named("one", &[spiffe("spiffe://d/ns/a")]),
                named("host", &[PeerPattern::Proven(dns("gateway.example"))]),
            ],
        });
        let check = |identity, expected: &str| {
            let origin = Origin::Proven(identity);
            assert_eq!(&*table.find(&origin).name, expected, "{origin:?}");
        };
        let id = |text| Identity::Spiffe(SpiffeId::try_from(text).unwrap());
        check(id("spiffe://d/ns/a"), "one");
        check(id("spiffe://d/ns/a/b"), "folder");
        check(id("spiffe://d/ns"), "domain");
        check(id("spiffe://e/ns/a"), ANONYMOUS);
        check(dns("Gateway.Example"), "host");
        check(dns("example"), ANONYMOUS);
        check(Identity::Token(Name::try_from("one").unwrap()), ANONYMOUS);
    }

    #[test]
    fn nobody_has_rights_by_default_but_loopback_and_the_own_user() {
        let table = CallerTable::default();
        let nothing = Rights::default();
        assert_eq!(table.find(&Origin::Remote).rights, nothing);
        assert_eq!(table.find(&unix(9, 9, SocketUser::Other)).rights, nothing);
        let local = &table.find(&Origin::Loopback).rights;
        let is_closed = |rpc: Rpc| matches!(rpc.purpose(), Purpose::Listing | Purpose::Change);
        assert!(
            Rpc::ALL
                .into_iter()
                .all(|rpc| local.rpcs.contains(rpc) != is_closed(rpc))
        );
        let has = SupplyRight::ALL.map(|right| local.supply.has(right));
        assert_eq!(has, [true, false, false, false, false, false]);
        assert!(local.supply.has_key("acs:SourceIp"));
        assert_eq!(local.disclosure, Disclosure::Reason);
        let own = &table.find(&unix(9, 9, SocketUser::Own)).rights;
        assert!(
            SupplyRight::ALL
                .into_iter()
                .all(|right| own.supply.has(right))
        );
        assert_eq!(own.disclosure, Disclosure::Explanation);
    }

    #[test]
    fn what_the_bundle_gives_to_anonymous_is_all_it_has() {
        let rights = Rights {
            rpcs: [Rpc::Authorize].into_iter().collect(),
            ..Rights::default()
        };
        let table = CallerTable::new(&Callers {
            anonymous: Some(Anonymous {
                from: vec![Place::Remote],
                rights: rights.clone(),
            }),
            named: Vec::new(),
        });
        assert_eq!(table.find(&Origin::Remote).rights, rights);
        assert_eq!(table.find(&Origin::Loopback).rights, Rights::default());
    }
}
