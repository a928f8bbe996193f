//! Who asks, as the snapshot knows it. Type, groups and uid never come from a request.

use super::request::Request;
use crate::model::account::RoleKind;
use crate::model::arn::PrincipalRef;
use crate::snapshot::Snapshot;
use crate::snapshot::policy::{PrincipalMatcher, Principals};
use crate::snapshot::principal::{Principal, PrincipalKind};

/// The standing of a principal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker<'a> {
    /// A user or role of a known account.
    Identity(Principal<'a>),
    /// The owner of a known account.
    Root,
    /// A user or role that its known account does not have (security 2.7).
    Unknown,
    /// Anybody of an unknown account: resource-based policies only (security 2.7).
    Foreign,
    /// A cloud service or an identity provider: it has no identity policies.
    External,
}

impl<'a> Asker<'a> {
    /// Finds a principal.
    pub(super) fn find(snapshot: &'a Snapshot, principal: PrincipalRef<'_>) -> Self {
        let known = match principal {
            PrincipalRef::User { account, name } => snapshot.principals.user(account, name),
            PrincipalRef::Role {
                account,
                name,
                session: _,
            } => snapshot.principals.role(account, name),
            PrincipalRef::Federated { .. } | PrincipalRef::Service { .. } => return Self::External,
            PrincipalRef::Root { account } => {
                return if snapshot.accounts.is_known(account) {
                    Self::Root
                } else {
                    Self::Foreign
                };
            }
        };
        match (known, principal.account()) {
            (Some(known), _) => Self::Identity(known),
            (None, Some(account)) if snapshot.accounts.is_known(account) => Self::Unknown,
            (None, _) => Self::Foreign,
        }
    }

    /// Whether control policies pass it by (ram 4.2).
    pub(super) fn is_service_linked(&self) -> bool {
        match self {
            Self::Identity(known) => known.kind == PrincipalKind::Role(RoleKind::ServiceLinked),
            Self::Root | Self::Unknown | Self::Foreign | Self::External => false,
        }
    }

    fn uid(&self) -> Option<&'a [u8]> {
        match self {
            Self::Identity(known) => known.uid(),
            Self::Root | Self::Unknown | Self::Foreign | Self::External => None,
        }
    }

    fn is_known(&self) -> bool {
        match self {
            Self::Identity(_) | Self::Root => true,
            Self::Unknown | Self::Foreign | Self::External => false,
        }
    }
}

/// Whether a statement of a resource-based or trust document names the one who asks.
pub(super) fn names(principals: &Principals, request: &Request<'_>, asker: &Asker<'_>) -> bool {
    match principals {
        Principals::Everybody => true,
        Principals::Any(list) => list
            .iter()
            .any(|named| names_one(named, request.principal, asker)),
    }
}

/// security 2.8, entry by entry.
fn names_one(named: &PrincipalMatcher, principal: PrincipalRef<'_>, asker: &Asker<'_>) -> bool {
    match principal {
        PrincipalRef::Service { name } => {
            matches!(named, PrincipalMatcher::Service(service) if **service == *name)
        }
        PrincipalRef::Federated { arn, account: _ } => {
            matches!(named, PrincipalMatcher::Federated(provider) if **provider == *arn)
        }
        PrincipalRef::Root { account }
        | PrincipalRef::User { account, .. }
        | PrincipalRef::Role { account, .. } => match named {
            PrincipalMatcher::Id(id) => **id == *account || asker.uid() == Some(id.as_bytes()),
            PrincipalMatcher::Account(id) => asker.is_known() && **id == *account,
            PrincipalMatcher::Identity(arn) => IdentityArn::new(principal).is(arn),
            PrincipalMatcher::IdentityPrefix(prefix) => {
                IdentityArn::new(principal).starts_with(prefix)
            }
            PrincipalMatcher::Service(_) | PrincipalMatcher::Federated(_) => false,
        },
    }
}

/// The ARN of an identity in pieces, so that nothing is joined: the role's, then the session's.
pub(super) struct IdentityArn<'a> {
    identity: [&'a str; 4],
    session: Option<&'a str>,
}

impl<'a> IdentityArn<'a> {
    /// The pieces of a principal's ARN.
    pub(super) fn new(principal: PrincipalRef<'a>) -> Self {
        let (identity, session) = match principal {
            PrincipalRef::Root { account } => (["acs:ram::", account, ":root", ""], None),
            PrincipalRef::User { account, name } => (["acs:ram::", account, ":user/", name], None),
            PrincipalRef::Role {
                account,
                name,
                session,
            } => (["acs:ram::", account, ":role/", name], session),
            PrincipalRef::Federated { arn, account: _ } => ([arn, "", "", ""], None),
            PrincipalRef::Service { name } => ([name, "", "", ""], None),
        };
        Self { identity, session }
    }

    /// Writes the identity's ARN, without the session: the value of `acs:PrincipalARN`.
    pub(super) fn write<const N: usize>(&self, text: &mut arrayvec::ArrayString<N>) {
        for piece in self.identity {
            // INVARIANT: every piece is part of an ARN of at most `MAX_ARN_BYTES`.
            let _ = text.try_push_str(piece);
        }
    }

    /// "A role ARN names its sessions too."
    fn is(&self, arn: &str) -> bool {
        match self.strip(arn) {
            Some("") => true,
            Some(rest) => self
                .session
                .is_some_and(|session| rest.strip_prefix('/') == Some(session)),
            None => false,
        }
    }

    fn starts_with(&self, prefix: &str) -> bool {
        let mut rest = prefix;
        for piece in self.identity {
            if piece.starts_with(rest) {
                return true;
            }
            match rest.strip_prefix(piece) {
                Some(further) => rest = further,
                None => return false,
            }
        }
        let below = rest.strip_prefix('/');
        self.session
            .is_some_and(|session| below.is_some_and(|below| session.starts_with(below)))
    }

    /// What of `arn` is left after the identity's pieces.
    fn strip<'t>(&self, arn: &'t str) -> Option<&'t str> {
        self.identity
            .iter()
            .try_fold(arn, |rest, piece| rest.strip_prefix(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_compare_without_being_joined() {
        let principal = PrincipalRef::parse("acs:ram::1:assumed-role/ops/s1").unwrap();
        let arn = IdentityArn::new(principal);
        for named in ["acs:ram::1:role/ops", "acs:ram::1:role/ops/s1"] {
            assert!(arn.is(named), "{named}");
        }
        for other in [
            "acs:ram::1:role/op",
            "acs:ram::1:role/ops/s",
            "acs:ram::1:role/ops2",
            "",
        ] {
            assert!(!arn.is(other), "{other}");
        }
        for prefix in [
            "",
            "acs:",
            "acs:ram::1:ro",
            "acs:ram::1:role/o",
            "acs:ram::1:role/ops/",
            "acs:ram::1:role/ops/s",
        ] {
            assert!(arn.starts_with(prefix), "{prefix}");
        }
        for other in [
            "acs:ram::2",
            "acs:ram::1:user/",
            "acs:ram::1:role/ops/t",
            "acs:ram::1:role/opss",
        ] {
            assert!(!arn.starts_with(other), "{other}");
        }
    }
}
