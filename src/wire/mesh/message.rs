//! A `CheckRequest` as a request, and what that asks as a question.

use std::borrow::Cow;

use super::claims::NoMetadata;
use super::read::{self, Sent};
use crate::model::catalog::OperationKind;
use crate::model::route::Obligations;
use crate::model::route::source::StatedSession;
use crate::model::verdict::limits;
use crate::routing::{Asked, Attributes, Body, Claims, HeaderForm};
use crate::wire::envoy::config::core::v3 as core;
use crate::wire::envoy::service::auth::v3 as auth;
use crate::wire::message::{Authorize, Resource, Session, Tag, TagWrite, decode};
use crate::wire::status::CallError;
use crate::wire::v1;

/// Set by the proxy alone: it takes a client's away.
const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";

/// Reads what a proxy tells of a request of HTTP from the bytes of a `CheckRequest`, and works with
/// it; `None`: it tells of none.
///
/// # Errors
///
/// The bytes are no such message.
pub fn with_attributes<T>(
    bytes: &[u8],
    work: impl FnOnce(Option<Attributes<'_>>) -> T,
) -> Result<T, CallError> {
    if let Ok(Sent {
        source,
        http,
        metadata,
    }) = read::sent(bytes)
    {
        let claims: &dyn Claims = match &metadata {
            Some(metadata) => metadata,
            None => &NoMetadata,
        };
        let source = source.unwrap_or_default();
        return Ok(work(http.map(|http| http.attributes(&source, claims))));
    }
    let message: auth::CheckRequest = decode(bytes)?;
    Ok(work(attributes(&message)))
}

/// What a message tells of a request of HTTP; `None`: it tells of none.
pub fn attributes(message: &auth::CheckRequest) -> Option<Attributes<'_>> {
    let attributes = message.attributes.as_ref()?;
    let http = attributes.request.as_ref()?.http.as_ref()?;
    let claims: &dyn Claims = match &attributes.metadata_context {
        Some(metadata) => metadata,
        None => &NoMetadata,
    };
    let source = attributes.source.as_ref();
    let source = source.map(Peer::from).unwrap_or_default();
    Some(Http::from(http).attributes(&source, claims))
}

/// A request, borrowed.
#[derive(Debug, Default)]
pub(super) struct Http<'m> {
    pub(super) method: &'m str,
    pub(super) host: &'m str,
    pub(super) path: &'m str,
    pub(super) scheme: &'m str,
    pub(super) header_form: HeaderForm,
    pub(super) headers: Headers<'m>,
    /// The body, with `!` in place of bytes that are no text.
    pub(super) body: &'m str,
    /// The body as sent; empty, where the proxy does not send it so.
    pub(super) raw_body: &'m [u8],
}

pub(super) type Headers<'m> = Vec<(&'m str, &'m [u8])>;

/// An end of a connection.
#[derive(Debug, Default)]
pub(super) struct Peer<'m> {
    /// Its address; empty: it has none of a network.
    pub(super) address: &'m str,
    /// What its certificate proves.
    pub(super) principal: &'m str,
}

impl<'m> Http<'m> {
    fn attributes<'r>(self, source: &Peer<'r>, claims: &'r dyn Claims) -> Attributes<'r>
    where
        'm: 'r,
    {
        Attributes {
            method: self.method,
            host: self.host,
            path: self.path,
            scheme: self.scheme,
            header_form: self.header_form,
            body: self.body(),
            headers: self.headers,
            address: source.address,
            peer: source.principal,
            claims,
        }
    }

    fn body(&self) -> Body<'m> {
        let marks = |(name, _): &&(&str, &[u8])| name.eq_ignore_ascii_case(PARTIAL_BODY);
        let mut marked = self.headers.iter().filter(marks);
        match (marked.next(), marked.next()) {
            (None, _) => Body::Unsent,
            (Some((_, b"false")), None) if !self.raw_body.is_empty() => Body::Whole(self.raw_body),
            (Some((_, b"false")), None) => Body::Replaced(self.body),
            (Some(_), _) => Body::Partial,
        }
    }
}

impl<'m> From<&'m auth::attribute_context::HttpRequest> for Http<'m> {
    fn from(http: &'m auth::attribute_context::HttpRequest) -> Self {
        let (header_form, headers) = headers(http);
        Self {
            method: &http.method,
            host: &http.host,
            path: &http.path,
            scheme: &http.scheme,
            header_form,
            headers,
            body: &http.body,
            raw_body: &http.raw_body,
        }
    }
}

impl<'m> From<&'m auth::attribute_context::Peer> for Peer<'m> {
    fn from(peer: &'m auth::attribute_context::Peer) -> Self {
        use core::address::Address;
        let address = peer.address.as_ref();
        let address = match address.and_then(|one| one.address.as_ref()) {
            Some(Address::SocketAddress(socket)) => &*socket.address,
            Some(Address::Pipe(_)) | None => "",
        };
        Self {
            address,
            principal: &peer.principal,
        }
    }
}

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

/// Fills in the message that a client of `Authorize` would send to ask the same: in its place, for
/// with its lists it is long. `values` is the place of the context's values.
pub(crate) fn fill<'a>(
    message: &mut Authorize<'a>,
    asked: &'a Asked<'_>,
    values: &'a [[&'a str; 1]],
) {
    let Asked {
        route,
        principal,
        session,
        resources,
        tags,
        removed_keys,
        context,
    } = asked;
    message.principal = principal;
    message.action = &route.action;
    for arn in resources {
        message.resources.add(Resource {
            arn,
            ..Resource::default()
        });
    }
    if tags.is_some() || !removed_keys.is_empty() {
        let write = message.tag_write.get_or_insert_default();
        fill_write(write, tags.as_deref(), removed_keys);
    }
    for ((key, _), value) in context.iter().zip(values) {
        let first = message.context.values.len();
        message.context.values.extend_from_slice(value);
        message.context.add(key, first);
    }
    message.session = match session {
        StatedSession::Unstated => None,
        StatedSession::None => Some(Session::None),
    };
    message.kind = number(route.kind);
    message.understands_obligations = route.obligations == Obligations::Applied;
}

/// Of what is beyond a limit one is kept, which shows that it is passed.
fn fill_write<'a>(
    write: &mut TagWrite<'a>,
    tags: Option<&'a [(Cow<'_, str>, Cow<'_, str>)]>,
    removed: &'a [String],
) {
    if let Some(tags) = tags {
        let set = write.set.get_or_insert_default();
        let tags = tags.iter().map(|(key, value)| Tag { key, value });
        set.extend(tags.take(limits::REQUEST_TAGS + 1));
    }
    let keys = removed.iter().map(|key| &**key);
    write
        .remove_keys
        .extend(keys.take(limits::REMOVED_KEYS + 1));
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
