//! A `CheckRequest` as a request, and what that asks as a question.

use arrayvec::ArrayVec;

use super::claims::NoMetadata;
use crate::model::catalog::OperationKind;
use crate::model::route::Obligations;
use crate::model::route::source::StatedSession;
use crate::model::verdict::limits;
use crate::routing::{Asked, Attributes, Body, Claims, HeaderForm};
use crate::wire::envoy::config::core::v3 as core;
use crate::wire::envoy::service::auth::v3 as auth;
use crate::wire::message::{Authorize, Context, Resource, Resources, Session, Tag, TagWrite};
use crate::wire::v1;

/// Set by the proxy alone: it takes a client's away.
const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";

/// What a message tells of a request of HTTP; `None`: it tells of none.
pub fn attributes(message: &auth::CheckRequest) -> Option<Attributes<'_>> {
    let attributes = message.attributes.as_ref()?;
    let http = attributes.request.as_ref()?.http.as_ref()?;
    let (header_form, headers) = headers(http);
    let claims: &dyn Claims = match &attributes.metadata_context {
        Some(metadata) => metadata,
        None => &NoMetadata,
    };
    let source = attributes.source.as_ref();
    Some(Attributes {
        method: &http.method,
        host: &http.host,
        path: &http.path,
        scheme: &http.scheme,
        header_form,
        body: body(http, &headers),
        headers,
        address: source.map_or("", address),
        peer: source.map_or("", |source| &source.principal),
        claims,
    })
}

type Headers<'m> = Vec<(&'m str, &'m [u8])>;

fn headers(http: &auth::attribute_context::HttpRequest) -> (HeaderForm, Headers<'_>) {
    let Some(map) = &http.header_map else {
        let joined = http.headers.iter();
        let joined = joined.map(|(key, value)| (&**key, value.as_bytes()));
        return (HeaderForm::Joined, joined.collect());
    };
    let raw = map.headers.iter().map(|header| {
        let core::HeaderValue {
            key,
            value,
            raw_value,
        } = header;
        if raw_value.is_empty() {
            (&**key, value.as_bytes())
        } else {
            (&**key, &**raw_value)
        }
    });
    (HeaderForm::Raw, raw.collect())
}

fn body<'m>(http: &'m auth::attribute_context::HttpRequest, headers: &Headers<'m>) -> Body<'m> {
    let marked: Vec<&[u8]> = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(PARTIAL_BODY))
        .map(|(_, value)| *value)
        .collect();
    match marked.as_slice() {
        [] => Body::Unsent,
        [b"false"] if !http.raw_body.is_empty() => Body::Whole(&http.raw_body),
        [b"false"] => Body::Replaced(&http.body),
        _ => Body::Partial,
    }
}

fn address(source: &auth::attribute_context::Peer) -> &str {
    use core::address::Address;
    match source.address.as_ref().and_then(|one| one.address.as_ref()) {
        Some(Address::SocketAddress(socket)) => &socket.address,
        Some(Address::Pipe(_)) | None => "",
    }
}

/// What is asked, as the message that a client of `Authorize` would send. `keys` is the place of the
/// context's values.
pub(crate) fn question<'a>(asked: &'a Asked<'_>, values: &'a [[&'a str; 1]]) -> Authorize<'a> {
    let Asked {
        route,
        principal,
        session,
        resources,
        tags,
        removed_keys,
        context,
    } = asked;
    let mut listed = Resources::default();
    for arn in resources {
        listed.add(Resource {
            arn,
            ..Resource::default()
        });
    }
    let mut circumstances = Context::default();
    for ((key, _), value) in context.iter().zip(values) {
        let first = circumstances.values.len();
        circumstances.values.extend(value.iter().copied());
        circumstances.add(key, first);
    }
    Authorize {
        principal,
        action: &route.action,
        resources: listed,
        tag_write: write(tags.as_deref(), removed_keys),
        context: circumstances,
        session: match session {
            StatedSession::Unstated => None,
            StatedSession::None => Some(Session::None),
        },
        kind: number(route.kind),
        min_revision: None,
        explain: false,
        understands_obligations: route.obligations == Obligations::Applied,
    }
}

/// Of what is beyond a limit one is kept, which shows that it is passed.
fn write<'a>(tags: Option<&'a [(String, String)]>, removed: &'a [String]) -> Option<TagWrite<'a>> {
    if tags.is_none() && removed.is_empty() {
        return None;
    }
    let set = tags.map(|tags| {
        let tags = tags.iter().take(limits::REQUEST_TAGS + 1);
        tags.map(|(key, value)| Tag { key, value }).collect()
    });
    let keys = removed.iter().take(limits::REMOVED_KEYS + 1);
    let remove_keys: ArrayVec<&str, { limits::REMOVED_KEYS + 1 }> =
        keys.map(|key| &**key).collect();
    Some(TagWrite {
        set,
        remove_keys,
        ..TagWrite::default()
    })
}

fn number(kind: Option<OperationKind>) -> i32 {
    let kind = match kind {
        None => v1::OperationKind::Unspecified,
        Some(OperationKind::Create) => v1::OperationKind::Create,
        Some(OperationKind::Query) => v1::OperationKind::Query,
        Some(OperationKind::Update) => v1::OperationKind::Update,
        Some(OperationKind::Other) => v1::OperationKind::Other,
    };
    kind.into()
}
