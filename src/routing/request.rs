//! One request: its address taken apart, its query read when it is needed.

use std::cell::OnceCell;

use super::address::{self, Path};
use super::body::{self, Read};
use super::headers;
use super::parameters::Parameters;
use super::{Attributes, Reason, Refused};
use crate::document::json::Arena;
use crate::model::route::{Route, Target};
use crate::snapshot::route::{Matched, Protocol, RouteTable, Sought};

/// One request.
#[derive(Debug)]
pub(super) struct Request<'r> {
    pub(super) attributes: &'r Attributes<'r>,
    host: String,
    path: Path<'r>,
    media_type: MediaType,
    query: OnceCell<Result<Parameters<'r>, Refused<'static>>>,
}

/// What a body is declared to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    Json,
    Form,
    /// A form in parts.
    Multipart,
    Grpc,
    Other,
    None,
}

impl MediaType {
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Grpc => Protocol::Grpc,
            Self::Json | Self::Form | Self::Multipart | Self::Other | Self::None => Protocol::Http,
        }
    }
}

impl<'r> Request<'r> {
    pub(super) fn new(attributes: &'r Attributes<'r>) -> Result<Self, Refused<'static>> {
        let is_method = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
        if attributes.method.is_empty() || !attributes.method.bytes().all(is_method) {
            let what = "the method is none in upper case";
            return Err(Refused::new(Reason::MethodInvalid, what));
        }
        headers::check_overrides(attributes)?;
        Ok(Self {
            attributes,
            host: address::host(attributes.host)?,
            path: address::path(attributes.path)?,
            media_type: media_type(attributes)?,
            query: OnceCell::new(),
        })
    }

    /// The route that it matches.
    pub(super) fn find<'t, 's>(
        &'s self,
        table: &'t RouteTable,
    ) -> Result<Matched<'t, 's>, Refused<'static>> {
        let sought = Sought {
            protocol: self.media_type.protocol(),
            host: &self.host,
            segments: &self.path.segments,
            method: self.attributes.method,
            parameter: |name: &str, value: &str| {
                Ok::<_, Refused<'static>>(self.query()?.one(name)? == Some(value))
            },
        };
        let found = table.find(&sought)?;
        found.ok_or_else(|| Refused::new(Reason::NoRoute, "no route matches"))
    }

    /// The parameters of the query.
    pub(super) fn query(&self) -> Result<&Parameters<'r>, Refused<'static>> {
        let read = self.query.get_or_init(|| Parameters::read(self.path.query));
        read.as_ref().map_err(Clone::clone)
    }

    /// Refuses a form beside a query whose parameters are read: to many readers they are one.
    pub(super) fn check_reads(&self, route: &Route) -> Result<(), Refused<'static>> {
        let reads = route.reads();
        let is_form = matches!(self.media_type, MediaType::Form | MediaType::Multipart);
        if reads.query && is_form && !reads.form {
            let what = "the route reads parameters of the query, and the body has others";
            return Err(Refused::new(Reason::BodyType, what));
        }
        Ok(())
    }

    /// The body, if the route reads it.
    pub(super) fn body<'b>(
        &self,
        route: &Route,
        arena: &'b Arena,
    ) -> Result<Read<'b>, Refused<'static>>
    where
        'r: 'b,
    {
        let reads = route.reads();
        if !reads.json && !reads.form {
            return Ok(Read::Unread);
        }
        // security 10: "any content-encoding … is refused where the route reads it"
        if headers::single(self.attributes, "content-encoding")?.is_some() {
            let what = "a body with a content-encoding is not read";
            return Err(Refused::new(Reason::BodyEncoded, what));
        }
        let body = self.attributes.body;
        if reads.json {
            return body::json(body, self.media_type, arena);
        }
        let read = body::form(body, self.media_type)?;
        if let (Read::Form(form, _), Target::Http(target)) = (&read, &route.target) {
            for name in target.parameters.keys() {
                absent(form, name)?;
            }
        }
        Ok(read)
    }

    /// The value of a parameter of the query, that no form has too.
    pub(super) fn query_value(
        &self,
        name: &str,
        body: &Read<'_>,
    ) -> Result<Option<&str>, Refused<'static>> {
        if let Read::Form(form, _) = body {
            absent(form, name)?;
        }
        self.query()?.one(name)
    }

    /// The value of a parameter of a form, that the query has not too.
    pub(super) fn form_value<'b>(
        &self,
        name: &str,
        body: &'b Read<'_>,
    ) -> Result<Option<&'b str>, Refused<'static>> {
        let Read::Form(form, spelling) = body else {
            return Ok(None);
        };
        absent(self.query()?, name)?;
        let value = form.one(name)?;
        value.map_or(Ok(()), |value| spelling.check(value))?;
        Ok(value)
    }
}

/// Refuses a parameter that stands in the query and in the form.
pub(super) fn absent(parameters: &Parameters<'_>, name: &str) -> Result<(), Refused<'static>> {
    if parameters.one(name)?.is_none() {
        return Ok(());
    }
    let what = format!("the parameter `{name}` stands in the query and in the body");
    Err(Refused::new(Reason::ParameterInvalid, what))
}

pub(super) fn media_type(attributes: &Attributes<'_>) -> Result<MediaType, Refused<'static>> {
    let Some(value) = headers::single(attributes, "content-type")? else {
        return Ok(MediaType::None);
    };
    let refused = |what| Refused::new(Reason::HeaderInvalid, what);
    let text = std::str::from_utf8(value)
        .map_err(|_| refused("the header `content-type` is not UTF-8"))?
        .to_ascii_lowercase();
    if text.contains(',') {
        return Err(refused("the header `content-type` is a list"));
    }
    let (kind, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let kind = kind.trim();
    let is_json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    let is_grpc = kind == "application/grpc" || kind.starts_with("application/grpc+");
    if is_grpc {
        Ok(MediaType::Grpc)
    } else if is_json || kind == "application/x-www-form-urlencoded" {
        if !is_utf8(parameters) {
            return Err(refused(
                "the body is declared in another encoding than UTF-8",
            ));
        }
        Ok(if is_json {
            MediaType::Json
        } else {
            MediaType::Form
        })
    } else if kind == "multipart/form-data" {
        Ok(MediaType::Multipart)
    } else {
        Ok(MediaType::Other)
    }
}

/// Whether the parameters of a media type, in lower case, are none or that it is UTF-8.
fn is_utf8(parameters: &str) -> bool {
    matches!(
        parameters.trim(),
        "" | "charset=utf-8" | "charset=\"utf-8\""
    )
}
