//! A proxy's request as a question: which route it matches, and what it says where that looks.
//!
//! Everything that two readers of one request could take differently is refused (security 10): a
//! header or parameter that is given twice, a path with a second spelling, a body that is not whole
//! or is compressed, JSON with one member twice. What the route does not read is not looked at.
//!
//! Nothing here decides anything, waits, or knows gRPC. Not here: what is answered (`wire::mesh`).

mod address;
mod attributes;
mod body;
mod headers;
mod json;
mod named;
mod parameters;
mod principal;
mod refused;
mod request;
mod tags;

use std::borrow::Cow;

pub use self::attributes::{Attributes, Body, Claimed, Claims, HeaderForm};
pub use self::refused::{Reason, Refused};
use self::request::Request;
use crate::document::json::Arena;
use crate::model::route::Route;
use crate::model::route::source::{ContextSource, StatedSession};
use crate::snapshot::route::{Protocol, RouteTable};

/// What a request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'r> {
    /// The route that it matches.
    pub route: &'r Route,
    /// Who asks: an ARN.
    pub principal: String,
    /// What is said of the session.
    pub session: StatedSession,
    /// The resources.
    pub resources: Vec<String>,
    /// The tags that it carries; `None`: it has no tag parameter.
    pub tags: Option<Vec<(Cow<'r, str>, Cow<'r, str>)>>,
    /// The keys of tags that it removes.
    pub removed_keys: Vec<String>,
    /// The circumstances.
    pub context: Vec<(&'r str, Cow<'r, str>)>,
}

/// Whether a request is a call of gRPC, which has another way to tell errors.
pub fn protocol(attributes: &Attributes<'_>) -> Protocol {
    request::media_type(attributes).map_or(Protocol::Http, request::MediaType::protocol)
}

/// What a request asks.
///
/// # Errors
///
/// No route matches, or what the route reads is missing or ambiguous.
pub fn ask<'r>(
    table: &'r RouteTable,
    attributes: &'r Attributes<'r>,
) -> Result<Asked<'r>, Refused<'r>> {
    let request = Request::new(attributes)?;
    let matched = request.find(table)?;
    let route = matched.route;
    let asked = || {
        request.check_reads(route)?;
        let arena = Arena::default();
        let body = request.body(route, &arena)?;
        let values = named::Values::of(&matched, &request, &body)?;
        Ok(Asked {
            route,
            principal: principal::of(&route.principal, attributes)?,
            session: route.principal.session,
            resources: values.resources(route),
            tags: tags::of(route.tags.as_ref(), &request, &body)?,
            removed_keys: tags::keys(route.removed_keys.as_ref(), &request, &body)?,
            context: context(route, attributes)?,
        })
    };
    asked().map_err(|refused: Refused<'_>| refused.on(route))
}

/// What is told of the circumstances. A key without a value is left out: policies that need it
/// refuse the request.
fn context<'r>(
    route: &'r Route,
    attributes: &'r Attributes<'r>,
) -> Result<Vec<(&'r str, Cow<'r, str>)>, Refused<'static>> {
    let mut told = Vec::new();
    for (key, source) in &route.context {
        let value = match source {
            ContextSource::SourceAddress => {
                (!attributes.address.is_empty()).then_some(Cow::Borrowed(attributes.address))
            }
            ContextSource::SecureTransport => match attributes.scheme {
                "https" => Some("true".into()),
                "http" => Some("false".into()),
                _ => None,
            },
            ContextSource::Value(text) => Some(Cow::Borrowed(&**text)),
            ContextSource::Claim(claim) => match attributes.claims.claim(claim) {
                Claimed::Absent => None,
                Claimed::Text(text) => Some(text.into()),
                Claimed::Flag(flag) => Some(flag.to_string().into()),
                Claimed::Other => {
                    let what = format!("the claim of `{key}` is neither a text nor a boolean");
                    return Err(Refused::new(Reason::ClaimInvalid, what));
                }
            },
        };
        told.extend(value.map(|value| (&**key, value)));
    }
    Ok(told)
}
