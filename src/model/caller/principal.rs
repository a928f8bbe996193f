//! Patterns of the principals that a caller asks for (security 1.1).
//!
//! A wildcard never reaches a root, a service-linked role or a role session: each of them is asked
//! for only by a caller whose patterns write it out. `acs:ram::1:role/ops/*` writes out the sessions
//! of a role, and `acs:ram::1:role/*/*` those of every role but service-linked ones.

use crate::model::account::RoleKind;
use crate::model::arn::{
    AccountId, InvalidArn, MAX_ARN_BYTES, PrincipalRef, is_identity_name, is_service_principal,
};

/// Some principals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalPattern {
    /// `*`: every user, plain or SSO role, provider and service.
    Every,
    /// `acs:ram::<account>:*`: every user, plain or SSO role and provider of an account.
    Account(AccountId),
    /// `acs:ram::<account>:root`
    Root(AccountId),
    /// `acs:ram::<account>:user/<name>`
    User(AccountId, NamePattern),
    /// `acs:ram::<account>:role/<name>`, not its sessions.
    Role(AccountId, NamePattern),
    /// `acs:ram::<account>:role/<name>/<session>`
    Session {
        /// The account.
        account: AccountId,
        /// The role; `None`: every role that is not service-linked.
        role: Option<Box<str>>,
        /// The session.
        session: NamePattern,
    },
    /// `acs:ram::<account>:saml-provider/<name>` or `oidc-provider/<name>`: its ARN.
    Provider(NamePattern),
    /// A service: `ecs.aliyuncs.com`.
    Service(Box<str>),
}

/// A name, or with a final `*` the start of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NamePattern {
    /// This name.
    Exact(Box<str>),
    /// Every name that starts so.
    Prefix(Box<str>),
}

/// Why a text is no pattern of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not `*`, the ARN of an identity (with a final `*` in its name), `acs:ram::<account>:*`, or a service"
)]
pub struct InvalidPrincipalPattern;

impl From<InvalidArn> for InvalidPrincipalPattern {
    fn from(_: InvalidArn) -> Self {
        Self
    }
}

impl NamePattern {
    fn parse(text: &str) -> Result<Self, InvalidPrincipalPattern> {
        match text.strip_suffix('*') {
            Some("") => Ok(Self::Prefix(Box::default())),
            Some(start) if is_identity_name(start) => Ok(Self::Prefix(start.into())),
            None if is_identity_name(text) => Ok(Self::Exact(text.into())),
            _ => Err(InvalidPrincipalPattern),
        }
    }

    /// The same pattern of names with `start` before each.
    fn after(self, start: &str) -> Self {
        match self {
            Self::Exact(name) => Self::Exact(format!("{start}{name}").into()),
            Self::Prefix(name) => Self::Prefix(format!("{start}{name}").into()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::Prefix(start) => name.starts_with(&**start),
        }
    }

    fn is_exact(&self) -> bool {
        match self {
            Self::Exact(_) => true,
            Self::Prefix(_) => false,
        }
    }
}

impl TryFrom<&str> for PrincipalPattern {
    type Error = InvalidPrincipalPattern;

    fn try_from(text: &str) -> Result<Self, InvalidPrincipalPattern> {
        if text == "*" {
            return Ok(Self::Every);
        }
        if text.len() > MAX_ARN_BYTES {
            return Err(InvalidPrincipalPattern);
        }
        let Some(rest) = text.strip_prefix("acs:ram::") else {
            let service = is_service_principal(text).then(|| Self::Service(text.into()));
            return service.ok_or(InvalidPrincipalPattern);
        };
        let (account, id) = rest.split_once(':').ok_or(InvalidPrincipalPattern)?;
        Self::identity(AccountId::try_from(account)?, id)
    }
}

impl PrincipalPattern {
    fn identity(account: AccountId, id: &str) -> Result<Self, InvalidPrincipalPattern> {
        match id.split('/').collect::<Vec<_>>().as_slice() {
            ["*"] => Ok(Self::Account(account)),
            ["root"] => Ok(Self::Root(account)),
            ["user", name] => Ok(Self::User(account, NamePattern::parse(name)?)),
            ["role", name] => Ok(Self::Role(account, NamePattern::parse(name)?)),
            // security 2.6: both spellings are one principal.
            ["role" | "assumed-role", role, session] => {
                let session = NamePattern::parse(session)?;
                let role = match *role {
                    "*" => None,
                    name if is_identity_name(name) => Some(name.into()),
                    _ => return Err(InvalidPrincipalPattern),
                };
                Ok(Self::Session {
                    account,
                    role,
                    session,
                })
            }
            [sort @ ("saml-provider" | "oidc-provider"), name] => {
                let start = format!("acs:ram::{account}:{sort}/");
                Ok(Self::Provider(NamePattern::parse(name)?.after(&start)))
            }
            _ => Err(InvalidPrincipalPattern),
        }
    }

    /// Whether a principal is among them. `role` is what the snapshot has of a role.
    pub fn matches(&self, principal: PrincipalRef<'_>, role: Option<RoleKind>) -> bool {
        let linked = role == Some(RoleKind::ServiceLinked);
        match principal {
            PrincipalRef::Root { account } => {
                matches!(self, Self::Root(own) if own.as_str() == account)
            }
            PrincipalRef::User { account, name } => {
                self.has_all_of(account)
                    || matches!(self, Self::User(own, names) if own.as_str() == account && names.matches(name))
            }
            PrincipalRef::Role {
                account,
                name,
                session: Some(session),
            } => self.has_session(account, name, session, linked),
            PrincipalRef::Role {
                account,
                name,
                session: None,
            } => {
                (!linked && self.has_all_of(account))
                    || matches!(self, Self::Role(own, names)
                        if own.as_str() == account && names.matches(name) && (names.is_exact() || !linked))
            }
            PrincipalRef::Federated { arn, account } => {
                self.has_all_of(account)
                    || matches!(self, Self::Provider(arns) if arns.matches(arn))
            }
            PrincipalRef::Service { name } => match self {
                Self::Every => true,
                Self::Service(own) => **own == *name,
                Self::Account(_)
                | Self::Root(_)
                | Self::User(..)
                | Self::Role(..)
                | Self::Session { .. }
                | Self::Provider(_) => false,
            },
        }
    }

    fn has_all_of(&self, account: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Account(own) => own.as_str() == account,
            Self::Root(_)
            | Self::User(..)
            | Self::Role(..)
            | Self::Session { .. }
            | Self::Provider(_)
            | Self::Service(_) => false,
        }
    }

    fn has_session(&self, of: &str, name: &str, called: &str, linked: bool) -> bool {
        let Self::Session {
            account,
            role,
            session,
        } = self
        else {
            return false;
        };
        let of_role = match role {
            Some(own) => **own == *name,
            None => !linked,
        };
        of_role && account.as_str() == of && session.matches(called)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [(&str, RoleKind); 2] = [
        ("ops", RoleKind::Plain),
        ("AliyunServiceRoleForEci", RoleKind::ServiceLinked),
    ];

    /// Which of all sorts of principals a pattern covers.
    fn check(pattern: &str, expected: &[&str]) {
        let all = [
            "acs:ram::1:root",
            "acs:ram::1:user/alice",
            "acs:ram::2:user/alice",
            "acs:ram::1:role/ops",
            "acs:ram::1:role/ops/s1",
            "acs:ram::1:assumed-role/ops/s2",
            "acs:ram::1:role/AliyunServiceRoleForEci",
            "acs:ram::1:role/AliyunServiceRoleForEci/s1",
            "acs:ram::1:saml-provider/idp",
            "ecs.aliyuncs.com",
        ];
        let pattern = PrincipalPattern::try_from(pattern).unwrap();
        let covered = all.into_iter().filter(|text| {
            let principal = PrincipalRef::parse(text).unwrap();
            let role = ROLES.into_iter().find(|(name, _)| {
                matches!(principal, PrincipalRef::Role { name: own, .. } if own == *name)
            });
            pattern.matches(principal, role.map(|(_, kind)| kind))
        });
        assert_eq!(covered.collect::<Vec<_>>(), expected, "{pattern:?}");
    }

    #[test]
    fn wildcards_reach_no_root_no_linked_role_and_no_session() {
        let (alice, ops) = ("acs:ram::1:user/alice", "acs:ram::1:role/ops");
        let (other, idp) = ("acs:ram::2:user/alice", "acs:ram::1:saml-provider/idp");
        check("*", &[alice, other, ops, idp, "ecs.aliyuncs.com"]);
        check("acs:ram::1:*", &[alice, ops, idp]);
        check("acs:ram::1:user/a*", &[alice]);
        check("acs:ram::1:user/*", &[alice]);
        check("acs:ram::1:user/a", &[]);
        check("acs:ram::1:role/*", &[ops]);
        check("acs:ram::1:saml-provider/i*", &[idp]);
        check("ecs.aliyuncs.com", &["ecs.aliyuncs.com"]);
    }

    #[test]
    fn what_wildcards_do_not_reach_is_written_out() {
        let sessions = ["acs:ram::1:role/ops/s1", "acs:ram::1:assumed-role/ops/s2"];
        let linked = "acs:ram::1:role/AliyunServiceRoleForEci";
        check("acs:ram::1:root", &["acs:ram::1:root"]);
        check("acs:ram::1:role/ops", &["acs:ram::1:role/ops"]);
        check("acs:ram::1:role/ops/*", &sessions);
        check("acs:ram::1:assumed-role/ops/s1", &sessions[..1]);
        check("acs:ram::1:role/*/*", &sessions);
        check("acs:ram::1:role/*/s2", &sessions[1..]);
        check(linked, &[linked]);
        let session = "acs:ram::1:role/AliyunServiceRoleForEci/s1";
        check("acs:ram::1:role/AliyunServiceRoleForEci/*", &[session]);
    }

    #[test]
    fn other_texts_are_no_patterns() {
        for text in [
            "",
            "acs:*",
            "acs:ram::*:root",
            "acs:ram::1*",
            "acs:ram::1:us*",
            "acs:ram::1:user/a*b",
            "acs:ram::1:user/?",
            "acs:ram::1:assumed-role/ops",
            "acs:ram::1:role/o*/s1",
            "acs:ram::1:role/ops/s1/x",
            "acs:ram:cn-hangzhou:1:user/alice",
            "ecs",
            "*.aliyuncs.com",
        ] {
            let found = PrincipalPattern::try_from(text);
            assert_eq!(found, Err(InvalidPrincipalPattern), "{text}");
        }
    }
}
