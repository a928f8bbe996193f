//! Who asks: users, roles and their sessions, roots, providers and services.

use super::{InvalidArn, MAX_ACCOUNT_BYTES, MAX_ARN_BYTES, account_before_colon, is_account};
use crate::model::text::{Class, split_at_byte};

/// Who asks, as a request names it.
///
/// A role session is written `role/<name>/<session>` or `assumed-role/<name>/<session>`; both are
/// read as the same principal (security 2.6). Its condition key `acs:PrincipalARN` is the role's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalRef<'a> {
    /// The owner of an account: `acs:ram::<account>:root`.
    Root {
        /// The account.
        account: &'a str,
    },
    /// A RAM user: `acs:ram::<account>:user/<name>`.
    User {
        /// The account.
        account: &'a str,
        /// The user's name.
        name: &'a str,
    },
    /// A RAM role, or a session of it.
    Role {
        /// The account.
        account: &'a str,
        /// The role's name.
        name: &'a str,
        /// The session's name, for a session.
        session: Option<&'a str>,
    },
    /// An identity provider: `acs:ram::<account>:saml-provider/<name>` or `oidc-provider/<name>`.
    Federated {
        /// The provider's ARN.
        arn: &'a str,
        /// The account.
        account: &'a str,
    },
    /// A cloud service: `ecs.aliyuncs.com`, or `<account>@ecs.aliyuncs.com`.
    Service {
        /// The service's name.
        name: &'a str,
    },
}

impl<'a> PrincipalRef<'a> {
    /// Reads the principal of a request.
    ///
    /// # Errors
    ///
    /// The first rule that the text breaks.
    pub fn parse(text: &'a str) -> Result<Self, InvalidArn> {
        if text.len() > MAX_ARN_BYTES {
            return Err(InvalidArn::TooLong);
        }
        let Some(rest) = text.strip_prefix("acs:ram::") else {
            return if is_service_principal(text) {
                Ok(Self::Service { name: text })
            } else {
                Err(InvalidArn::Principal)
            };
        };
        match account_before_colon(rest) {
            Some((account, id)) if (1..=MAX_ACCOUNT_BYTES).contains(&account.len()) => {
                Self::identity(text, account, id).ok_or(InvalidArn::Principal)
            }
            _ if rest.contains(':') => Err(InvalidArn::Account),
            _ => Err(InvalidArn::Shape),
        }
    }

    fn identity(arn: &'a str, account: &'a str, id: &'a str) -> Option<Self> {
        if id == "root" {
            return Some(Self::Root { account });
        }
        let (kind, name) = split_at_byte(id, b'/')?;
        match kind {
            "user" => is_identity_name(name).then_some(Self::User { account, name }),
            "role" | "assumed-role" => {
                let (name, session) = match name.split_once('/') {
                    Some((name, session)) => (name, Some(session)),
                    None => (name, None),
                };
                let named = is_identity_name(name) && session.is_none_or(is_identity_name);
                let whole = kind == "role" || session.is_some();
                (named && whole).then_some(Self::Role {
                    account,
                    name,
                    session,
                })
            }
            "saml-provider" | "oidc-provider" => {
                is_identity_name(name).then_some(Self::Federated { arn, account })
            }
            _ => None,
        }
    }

    /// The account that the principal belongs to; a service has none.
    pub fn account(&self) -> Option<&'a str> {
        match *self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::Role { account, .. }
            | Self::Federated { account, .. } => Some(account),
            Self::Service { .. } => None,
        }
    }
}

/// Names of users, roles, sessions and providers: letters, digits and `. @ _ = , + -`, up to 128.
pub(crate) fn is_identity_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && Class::IDENTITY.covers(name)
}

/// `ecs.aliyuncs.com`, `vnode.eci.aliyuncs.com` or `<account>@log.aliyuncs.com`.
pub(crate) fn is_service_principal(text: &str) -> bool {
    let host = match text.split_once('@') {
        Some((account, host)) if is_account(account) => host,
        Some(_) => return false,
        None => text,
    };
    host.len() <= 255
        && host.contains('.')
        && host
            .split('.')
            .all(|label| !label.is_empty() && Class::FIELD.covers(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_session_are_one_principal() {
        let role = |session| PrincipalRef::Role {
            account: "1",
            name: "ops",
            session,
        };
        let check =
            |text: &str, expected| assert_eq!(PrincipalRef::parse(text), expected, "{text}");
        check("acs:ram::1:role/ops", Ok(role(None)));
        check("acs:ram::1:role/ops/s1", Ok(role(Some("s1"))));
        check("acs:ram::1:assumed-role/ops/s1", Ok(role(Some("s1"))));
        check("acs:ram::1:assumed-role/ops", Err(InvalidArn::Principal));
        check("acs:ram::1:root", Ok(PrincipalRef::Root { account: "1" }));
        check("acs:ram::1:group/dev", Err(InvalidArn::Principal));
        check("acs:ram::x:root", Err(InvalidArn::Account));
        check(
            "ecs.aliyuncs.com",
            Ok(PrincipalRef::Service {
                name: "ecs.aliyuncs.com",
            }),
        );
        check("alice", Err(InvalidArn::Principal));
    }
}
