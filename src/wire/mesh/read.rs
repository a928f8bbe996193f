//! A `CheckRequest` read from its bytes: what routes look at, borrowed; the rest is checked alone.
//!
//! Bytes are taken and refused as prost takes and refuses them. What this reading does not settle by
//! itself is [`Unread`] and goes to prost: what is malformed, a part that is sent twice, and more
//! headers in one map than anybody sends.

use super::message::{Headers, Http, Peer};
use super::tree::Tree;
use crate::routing::HeaderForm;
use crate::wire::message::Unread;
use crate::wire::message::field::Fields;
use crate::wire::message::text::Texts;

/// The most headers of a map, which are looked through for each that is added.
const MAX_JOINED: usize = 128;

/// What a message tells.
#[derive(Debug, Default)]
pub(super) struct Sent<'m> {
    /// Who sent the request.
    pub(super) source: Option<Peer<'m>>,
    /// The request; `None`: none of HTTP.
    pub(super) http: Option<Http<'m>>,
    /// The metadata of the proxy's filters.
    pub(super) metadata: Option<Tree<'m>>,
}

/// Reads a `CheckRequest`.
pub(super) fn sent(bytes: &[u8]) -> Result<Sent<'_>, Unread> {
    let texts = &mut Texts::new(bytes);
    let mut sent = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            once(&mut sent, attributes(value.bytes()?, texts)?)?;
        }
    }
    Ok(sent.unwrap_or_default())
}

/// Keeps a part: parts that are sent twice are merged, which is for prost.
pub(super) fn once<T>(place: &mut Option<T>, part: T) -> Result<(), Unread> {
    place.replace(part).map_or(Ok(()), |_| Err(Unread))
}

fn attributes<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Sent<'m>, Unread> {
    let mut sent = Sent::default();
    let mut asked = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut sent.source, peer(value.bytes()?, texts)?)?,
            2 => _ = peer(value.bytes()?, texts)?,
            4 => once(&mut asked, request(value.bytes()?, texts)?)?,
            10 => _ = entry(value.bytes()?, texts)?,
            11 => once(&mut sent.metadata, Tree::read(value.bytes()?, texts)?)?,
            12 => check_session(value.bytes()?, texts)?,
            13 => _ = Tree::read(value.bytes()?, texts)?,
            _ => {}
        }
    }
    sent.http = asked.flatten();
    Ok(sent)
}

fn peer<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Peer<'m>, Unread> {
    let mut peer = Peer::default();
    let mut sent = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut sent, address(value.bytes()?, texts)?)?,
            3 => _ = entry(value.bytes()?, texts)?,
            4 => peer.principal = value.text(texts)?,
            2 | 5 => _ = value.text(texts)?,
            _ => {}
        }
    }
    peer.address = sent.unwrap_or_default();
    Ok(peer)
}

/// An address: of a socket, or of a pipe, which is none of a network.
fn address<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<&'m str, Unread> {
    let mut address = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut address, socket(value.bytes()?, texts)?)?,
            2 => once(&mut address, pipe(value.bytes()?, texts)?)?,
            _ => {}
        }
    }
    Ok(address.unwrap_or_default())
}

fn socket<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<&'m str, Unread> {
    let mut address = "";
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            2 => address = value.text(texts)?,
            4 => _ = value.text(texts)?,
            1 | 3 => _ = value.number()?,
            _ => {}
        }
    }
    Ok(address)
}

fn pipe<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<&'m str, Unread> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => _ = value.text(texts)?,
            2 => _ = value.number()?,
            _ => {}
        }
    }
    Ok("")
}

fn request<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Option<Http<'m>>, Unread> {
    let mut asked = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => check_instant(value.bytes()?)?,
            2 => once(&mut asked, http(value.bytes()?, texts)?)?,
            _ => {}
        }
    }
    Ok(asked)
}

fn http<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Http<'m>, Unread> {
    let mut http = Http::default();
    let mut raw = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            2 => http.method = value.text(texts)?,
            3 => join(&mut http.headers, entry(value.bytes()?, texts)?)?,
            4 => http.path = value.text(texts)?,
            5 => http.host = value.text(texts)?,
            6 => http.scheme = value.text(texts)?,
            1 | 7 | 8 | 10 => _ = value.text(texts)?,
            9 => _ = value.number()?,
            11 => http.body = value.text(texts)?,
            12 => http.raw_body = value.bytes()?,
            13 => once(&mut raw, headers(value.bytes()?, texts)?)?,
            _ => {}
        }
    }
    if let Some(raw) = raw {
        (http.header_form, http.headers) = (HeaderForm::Raw, raw);
    }
    Ok(http)
}

/// Adds a header of a map. Of one name the last would count.
fn join<'m>(joined: &mut Headers<'m>, (name, value): (&'m str, &'m str)) -> Result<(), Unread> {
    if joined.len() == MAX_JOINED || joined.iter().any(|(known, _)| *known == name) {
        return Err(Unread);
    }
    joined.push((name, value.as_bytes()));
    Ok(())
}

fn headers<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Headers<'m>, Unread> {
    // Nearly all requests have fewer.
    let mut headers = Headers::with_capacity(16);
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            headers.push(header(value.bytes()?, texts)?);
        }
    }
    Ok(headers)
}

fn header<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(&'m str, &'m [u8]), Unread> {
    let (mut name, mut text, mut raw) = ("", "", &[][..]);
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => name = value.text(texts)?,
            2 => text = value.text(texts)?,
            3 => raw = value.bytes()?,
            _ => {}
        }
    }
    let value = if raw.is_empty() { text.as_bytes() } else { raw };
    Ok((name, value))
}

/// An entry of a map of texts.
fn entry<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(&'m str, &'m str), Unread> {
    let (mut key, mut text) = ("", "");
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => key = value.text(texts)?,
            2 => text = value.text(texts)?,
            _ => {}
        }
    }
    Ok((key, text))
}

/// Checks what is told of TLS: a name.
fn check_session<'m>(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            value.text(texts)?;
        }
    }
    Ok(())
}

/// Checks an instant: its seconds, and their parts.
fn check_instant(bytes: &[u8]) -> Result<(), Unread> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if matches!(number, 1 | 2) {
            value.number()?;
        }
    }
    Ok(())
}
