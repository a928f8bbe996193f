//! The body of a request, as far as its route reads it.

use super::parameters::Parameters;
use super::request::MediaType;
use super::{Body, Reason, Refused, json};
use crate::document::json::{Arena, Node};

/// A body, read.
#[derive(Debug)]
pub(super) enum Read<'r> {
    /// The route reads none.
    Unread,
    /// JSON.
    Json(Node<'r>, Spelling),
    /// A form.
    Form(Parameters<'r>, Spelling),
}

impl Read<'_> {
    /// How it was told.
    pub(super) fn spelling(&self) -> Spelling {
        match self {
            Self::Unread => Spelling::Whole,
            Self::Json(_, spelling) | Self::Form(_, spelling) => *spelling,
        }
    }
}

/// How a body was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As sent.
    Whole,
    /// With `!` in place of bytes that are no text.
    Replaced,
}

impl Spelling {
    /// Refuses a value that may stand for bytes that are no text.
    pub(super) fn check(self, value: &str) -> Result<(), Refused<'static>> {
        if self == Self::Replaced && value.contains('!') {
            let what = "a value of the body holds `!`, or bytes that are no text";
            return Err(Refused::new(Reason::BodyInvalid, what));
        }
        Ok(())
    }
}

/// Reads JSON.
pub(super) fn json<'r>(
    body: Body<'r>,
    sent: MediaType,
    arena: &'r Arena,
) -> Result<Read<'r>, Refused<'static>> {
    if sent != MediaType::Json {
        return Err(Refused::new(
            Reason::BodyType,
            "the body is not declared as JSON",
        ));
    }
    let (text, spelling) = text(body)?;
    Ok(Read::Json(json::read(text, arena)?, spelling))
}

/// Reads a form.
pub(super) fn form(body: Body<'_>, sent: MediaType) -> Result<Read<'_>, Refused<'static>> {
    if sent != MediaType::Form {
        return Err(Refused::new(
            Reason::BodyType,
            "the body is not declared as a form",
        ));
    }
    let (text, spelling) = text(body)?;
    if text
        .bytes()
        .any(|byte| byte == b';' || !byte.is_ascii_graphic())
    {
        let what = "the form holds `;`, or what is no visible character of ASCII";
        return Err(Refused::new(Reason::BodyInvalid, what));
    }
    Ok(Read::Form(Parameters::read(text)?, spelling))
}

fn text(body: Body<'_>) -> Result<(&str, Spelling), Refused<'static>> {
    match body {
        Body::Unsent => {
            let what = "the route reads the body, and there is none or the proxy does not send it";
            Err(Refused::new(Reason::BodyMissing, what))
        }
        Body::Partial => Err(Refused::new(Reason::BodyTruncated, "the body is cut off")),
        Body::Replaced(text) => Ok((text, Spelling::Replaced)),
        Body::Whole(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok((text, Spelling::Whole)),
            Err(_) => Err(Refused::new(Reason::BodyInvalid, "the body is not UTF-8")),
        },
    }
}
