//! `Principal` (security 2.8): everybody, numbers, and families of ARNs and names.

use crate::document::cursor::{Cursor, Sink, Told, all};
use crate::document::error::ShapeErrorKind;
use crate::document::json::Node;
use crate::model::arn::{AccountId, PrincipalRef};
use crate::model::statement::{IdentityPattern, PrincipalPattern, Principals};

use super::{PRINCIPALS, PolicyErrorKind};

const IDS: &str = "the number of an account, a user or a role, or `*` alone";
const ARNS: &str = "the ARN of a root, user or role, with `*` as its last character at most";
const SERVICES: &str = "the name of a service";
const PROVIDERS: &str = "the ARN of an identity provider";

/// Reads a `Principal` element.
pub(super) fn read(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Principals, Told> {
    match at.node() {
        Node::String("*") => Ok(Principals::Everybody),
        Node::Array(items) if is_everybody(items) => Ok(Principals::Everybody),
        Node::String(_) | Node::Array(_) => entries(at, IDS, id, sink).map(Principals::Any),
        Node::Object(_) => families(at, sink).map(Principals::Any),
        Node::Null | Node::Bool(_) | Node::Number(_) => {
            Err(at.unexpected("a string, an array of strings or an object", sink))
        }
    }
}

fn is_everybody(items: &[Node<'_>]) -> bool {
    matches!(items, [Node::String("*")])
}

fn families(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<PrincipalPattern>, Told> {
    if matches!(at.node(), Node::Object(members) if members.is_empty()) {
        return Err(at.refuse(ShapeErrorKind::Empty, sink));
    }
    let members = at.members(&["RAM", "Service", "Federated"], sink)?;
    let mut family = |name, expected, form: Form| match members.optional(name) {
        Some(at) => entries(&at, expected, form, sink),
        None => Ok(Vec::new()),
    };
    let named = [
        family("RAM", ARNS, identity),
        family("Service", SERVICES, service),
        family("Federated", PROVIDERS, provider),
    ];
    Ok(all(named, |entries| entries)?.concat())
}

type Form = fn(&str) -> Option<PrincipalPattern>;

fn entries(
    at: &Cursor<'_, '_>,
    expected: &'static str,
    form: Form,
    sink: &mut Sink<'_>,
) -> Result<Vec<PrincipalPattern>, Told> {
    let items = at.one_or_some(PRINCIPALS, sink)?;
    all(items, |at| {
        at.parse(sink, |text| {
            form(text).ok_or_else(|| PolicyErrorKind::InvalidPrincipal {
                text: text.into(),
                expected,
            })
        })
    })
}

fn id(text: &str) -> Option<PrincipalPattern> {
    AccountId::try_from(text).ok()?;
    Some(PrincipalPattern::Id(text.to_owned()))
}

fn service(text: &str) -> Option<PrincipalPattern> {
    match PrincipalRef::parse(text).ok()? {
        PrincipalRef::Service { name } => Some(PrincipalPattern::Service(name.to_owned())),
        PrincipalRef::Root { .. }
        | PrincipalRef::User { .. }
        | PrincipalRef::Role { .. }
        | PrincipalRef::Federated { .. } => None,
    }
}

fn provider(text: &str) -> Option<PrincipalPattern> {
    match PrincipalRef::parse(text).ok()? {
        PrincipalRef::Federated { arn, .. } => Some(PrincipalPattern::Federated(arn.to_owned())),
        PrincipalRef::Root { .. }
        | PrincipalRef::User { .. }
        | PrincipalRef::Role { .. }
        | PrincipalRef::Service { .. } => None,
    }
}

fn identity(text: &str) -> Option<PrincipalPattern> {
    let text = text.replacen(":assumed-role/", ":role/", 1);
    if let Some(prefix) = text.strip_suffix('*') {
        return is_open_prefix(prefix).then(|| identity_pattern(prefix, true));
    }
    match PrincipalRef::parse(&text).ok()? {
        PrincipalRef::Root { account } => {
            let account = AccountId::try_from(account).ok()?;
            Some(PrincipalPattern::Account(account))
        }
        PrincipalRef::User { .. } | PrincipalRef::Role { .. } => {
            Some(identity_pattern(&text, false))
        }
        PrincipalRef::Federated { .. } | PrincipalRef::Service { .. } => None,
    }
}

fn identity_pattern(prefix: &str, open: bool) -> PrincipalPattern {
    PrincipalPattern::Identity(IdentityPattern {
        prefix: prefix.to_owned(),
        open,
    })
}

/// Whether a `*` after this text stands for identities of one account: the whole of it
/// (`acs:ram::1:*`), or names that begin alike (`acs:ram::1:user/dev-*`).
fn is_open_prefix(prefix: &str) -> bool {
    let account = prefix
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.strip_suffix(':'));
    if account.is_some_and(|account| AccountId::try_from(account).is_ok()) {
        return true;
    }
    let example = format!("{prefix}x");
    match PrincipalRef::parse(&example) {
        Ok(PrincipalRef::User { .. } | PrincipalRef::Role { .. }) => true,
        Ok(
            PrincipalRef::Root { .. }
            | PrincipalRef::Federated { .. }
            | PrincipalRef::Service { .. },
        )
        | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_end_in_a_wildcard_at_most() {
        let check = |text: &str, expected: Option<PrincipalPattern>| {
            assert_eq!(identity(text), expected, "{text}");
        };
        let open = |prefix: &str| Some(identity_pattern(prefix, true));
        let account = AccountId::try_from("1").unwrap();
        check("acs:ram::1:root", Some(PrincipalPattern::Account(account)));
        check(
            "acs:ram::1:assumed-role/ops/s",
            Some(identity_pattern("acs:ram::1:role/ops/s", false)),
        );
        check("acs:ram::1:*", open("acs:ram::1:"));
        check("acs:ram::1:user/*", open("acs:ram::1:user/"));
        check("acs:ram::1:role/ops/*", open("acs:ram::1:role/ops/"));
        for text in [
            "*",
            "acs:ram::*",
            "acs:ram::1*",
            "acs:ram::*:root",
            "acs:ram::1:us*",
            "acs:ram::1:user/*x",
            "acs:ram::1:user/a**",
            "acs:ram::1:group/g",
            "acs:ram::1:saml-provider/p",
            "acs:ram::12****:root",
            "ecs.aliyuncs.com",
        ] {
            check(text, None);
        }
    }
}
