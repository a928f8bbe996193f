//! Who asks, and what the bundle knows of them.

use crate::model::account::{Account, Role, RoleKind, User};
use crate::model::arn::{AccountId, PrincipalRef};
use crate::model::bundle::Bundle;
use crate::model::statement::{IdentityPattern, PrincipalPattern, Principals};

/// What the bundle knows of the one who asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing<'a> {
    /// The account is known, its identity is not.
    Unknown,
    /// The owner of a known account.
    Root(&'a Account),
    /// A known user.
    User(&'a Account, &'a User),
    /// A known role, or a session of it.
    Role(&'a Account, &'a Role),
    /// A service, an identity provider, or anyone of an account that is not known.
    Outsider,
}

impl<'a> Standing<'a> {
    pub(super) fn of(bundle: &'a Bundle, principal: PrincipalRef<'_>) -> Self {
        let known = |id: &str| bundle.accounts.iter().find(|known| known.id.as_str() == id);
        match principal {
            PrincipalRef::Service { .. } | PrincipalRef::Federated { .. } => Self::Outsider,
            PrincipalRef::Root { account } => known(account).map_or(Self::Outsider, Self::Root),
            PrincipalRef::User { account, name } => match known(account) {
                None => Self::Outsider,
                Some(home) => match home.users.iter().find(|user| user.name == name) {
                    Some(user) => Self::User(home, user),
                    None => Self::Unknown,
                },
            },
            PrincipalRef::Role { account, name, .. } => match known(account) {
                None => Self::Outsider,
                Some(home) => match home.roles.iter().find(|role| role.name == name) {
                    Some(role) => Self::Role(home, role),
                    None => Self::Unknown,
                },
            },
        }
    }

    pub(super) fn role_kind(&self) -> Option<RoleKind> {
        match self {
            Self::Role(_, role) => Some(role.kind),
            Self::Unknown | Self::Root(_) | Self::User(..) | Self::Outsider => None,
        }
    }

    fn uid(&self) -> Option<&'a str> {
        match self {
            Self::User(_, user) => user.uid.as_deref(),
            Self::Role(_, role) => role.uid.as_deref(),
            Self::Unknown | Self::Root(_) | Self::Outsider => None,
        }
    }

    fn home(&self) -> Option<&'a AccountId> {
        match self {
            Self::Root(account) | Self::User(account, _) | Self::Role(account, _) => {
                Some(&account.id)
            }
            Self::Unknown | Self::Outsider => None,
        }
    }
}

/// The texts under which `Principal` elements name an identity: a session has its role's too.
fn identity_texts(principal: PrincipalRef<'_>) -> Vec<String> {
    match principal {
        PrincipalRef::Root { account } => vec![format!("acs:ram::{account}:root")],
        PrincipalRef::User { account, name } => vec![format!("acs:ram::{account}:user/{name}")],
        PrincipalRef::Role {
            account,
            name,
            session,
        } => {
            let role = format!("acs:ram::{account}:role/{name}");
            let session = session.map(|session| format!("{role}/{session}"));
            std::iter::once(role).chain(session).collect()
        }
        PrincipalRef::Federated { .. } | PrincipalRef::Service { .. } => Vec::new(),
    }
}

/// `acs:PrincipalARN`: security 2.1, a session has the role's ARN. A service has its name.
pub(super) fn principal_arn(principal: PrincipalRef<'_>) -> String {
    match principal {
        PrincipalRef::Root { .. } | PrincipalRef::User { .. } | PrincipalRef::Role { .. } => {
            identity_texts(principal)
                .into_iter()
                .next()
                .unwrap_or_default()
        }
        PrincipalRef::Federated { arn, .. } => arn.to_owned(),
        PrincipalRef::Service { name } => name.to_owned(),
    }
}

/// Whether a resource-based or trust statement names the one who asks (security 2.8).
pub(super) fn names(
    principals: &Principals,
    principal: PrincipalRef<'_>,
    standing: Standing<'_>,
) -> bool {
    match principals {
        // `"*"` or `["*"]` everybody.
        Principals::Everybody => true,
        Principals::Any(entries) => entries
            .iter()
            .any(|entry| entry_names(entry, principal, standing)),
    }
}

fn entry_names(
    entry: &PrincipalPattern,
    principal: PrincipalRef<'_>,
    standing: Standing<'_>,
) -> bool {
    match entry {
        // Digits: the account with that id (all its identities) or the user or role with that uid.
        PrincipalPattern::Id(id) => {
            let of_account =
                !identity_texts(principal).is_empty() && principal.account() == Some(id.as_str());
            of_account || standing.uid() == Some(id.as_str())
        }
        // `acs:ram::<acct>:root` is every identity of the account that the snapshot knows.
        PrincipalPattern::Account(account) => standing.home() == Some(account),
        // A role ARN names its sessions too, wildcards only as the last character.
        PrincipalPattern::Identity(pattern) => identity_texts(principal)
            .iter()
            .any(|text| identity_matches(pattern, text)),
        // `Service` and `Federated` match only principals of those types.
        PrincipalPattern::Service(service) => match principal {
            PrincipalRef::Service { name } => name == service,
            PrincipalRef::Root { .. }
            | PrincipalRef::User { .. }
            | PrincipalRef::Role { .. }
            | PrincipalRef::Federated { .. } => false,
        },
        PrincipalPattern::Federated(provider) => match principal {
            PrincipalRef::Federated { arn, .. } => arn == provider,
            PrincipalRef::Root { .. }
            | PrincipalRef::User { .. }
            | PrincipalRef::Role { .. }
            | PrincipalRef::Service { .. } => false,
        },
    }
}

fn identity_matches(pattern: &IdentityPattern, text: &str) -> bool {
    if pattern.open {
        text.starts_with(&pattern.prefix)
    } else {
        text == pattern.prefix
    }
}
