//! Who asks: by the one place that a route trusts.

use super::{Attributes, Claimed, Reason, Refused, headers};
use crate::model::caller::identity::SpiffeId;
use crate::model::route::source::{CLAIM, HEADER, Principal, PrincipalSource, SpiffeTemplate};
use crate::model::route::template::{Segment, is_rest, is_value};

/// The ARN of who asks.
///
/// # Errors
///
/// Nothing says so, or what says so is not of the alphabet of names.
pub(super) fn of(
    principal: &Principal,
    attributes: &Attributes<'_>,
) -> Result<String, Refused<'static>> {
    let values = match &principal.source {
        PrincipalSource::Spiffe(template) => spiffe(template, attributes)?,
        PrincipalSource::Claim(claim) => vec![(CLAIM, named(attributes.claims.claim(claim))?)],
        PrincipalSource::Header { name, behind } => {
            let trusted = SpiffeId::try_from(attributes.peer)
                .is_ok_and(|peer| behind.iter().any(|pattern| pattern.matches(&peer)));
            if !trusted {
                return Err(missing("the client may not say who asks"));
            }
            let value = headers::one(attributes, name)?;
            let claimed = value.map_or(Claimed::Absent, Claimed::Text);
            vec![(HEADER, named(claimed)?)]
        }
    };
    let value = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| &**value)
    };
    let arn = principal.arn.fill(value);
    arn.ok_or_else(|| missing("nothing says who asks"))
}

/// security 10: "principals come from one claim or SPIFFE id of that alphabet"
fn named(claimed: Claimed<'_>) -> Result<String, Refused<'static>> {
    match claimed {
        Claimed::Absent => Err(missing("nothing says who asks")),
        Claimed::Text(text) if is_value(text) => Ok(text.to_owned()),
        Claimed::Text(_) | Claimed::Flag(_) | Claimed::Other => Err(invalid()),
    }
}

fn spiffe<'t>(
    template: &'t SpiffeTemplate,
    attributes: &Attributes<'_>,
) -> Result<Vec<(&'t str, String)>, Refused<'static>> {
    if attributes.peer.is_empty() {
        return Err(missing("the client has not proved who it is"));
    }
    let other = || missing("the client is none of those that ask here");
    let id = SpiffeId::try_from(attributes.peer).map_err(|_| other())?;
    let rest = id.as_str().strip_prefix("spiffe://").unwrap_or_default();
    let (domain, path) = rest.split_once('/').ok_or_else(other)?;
    if *domain != *template.trust_domain {
        return Err(other());
    }
    let mut values = Vec::new();
    let mut left = path.split('/');
    for segment in template.path.segments() {
        match segment {
            Segment::Literal(text) if left.next() == Some(text) => {}
            Segment::Literal(_) => return Err(other()),
            Segment::Variable(name) => {
                let value = left.next().ok_or_else(other)?;
                if !is_value(value) {
                    return Err(invalid());
                }
                values.push((&**name, value.to_owned()));
            }
            Segment::Rest(name) => {
                let rest: Vec<&str> = left.by_ref().collect();
                let value = rest.join("/");
                if !is_rest(&value) {
                    return Err(invalid());
                }
                values.push((&**name, value));
            }
        }
    }
    match left.next() {
        None => Ok(values),
        Some(_) => Err(other()),
    }
}

fn missing(what: &str) -> Refused<'static> {
    Refused::new(Reason::PrincipalMissing, what)
}

fn invalid() -> Refused<'static> {
    let what = "who asks is not named by 1 to 128 letters, digits and `._-`";
    Refused::new(Reason::PrincipalInvalid, what)
}
