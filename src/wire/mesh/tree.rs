//! Metadata of the proxy's filters, read from the bytes of a message without copying a text.

use super::read::once;
use crate::model::route::source::Claim;
use crate::routing::{Claimed, Claims};
use crate::wire::message::Unread;
use crate::wire::message::field::{Fields, Value};
use crate::wire::message::text::Texts;

/// How deep claims may be in claims; what is deeper goes to prost, which has a limit too.
const MAX_DEPTH: u8 = 8;

/// Metadata by the names of filters.
#[derive(Debug)]
pub(super) struct Tree<'m>(Members<'m>);

/// Names and what stands there, as sent: of one name the last counts.
type Members<'m> = Vec<(&'m str, Node<'m>)>;

#[derive(Debug, Default)]
enum Node<'m> {
    #[default]
    Unset,
    Text(&'m str),
    Flag(bool),
    Members(Members<'m>),
    Other,
}

impl<'m> Tree<'m> {
    /// Reads a `Metadata`.
    pub(super) fn read(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Self, Unread> {
        members(bytes, texts, |bytes, texts| structure(bytes, texts, 0)).map(Self)
    }
}

impl Claims for Tree<'_> {
    fn claim(&self, claim: &Claim) -> Claimed<'_> {
        let Some((last, before)) = claim.path.split_last() else {
            return Claimed::Absent;
        };
        let mut members = &self.0;
        for name in std::iter::once(&claim.filter).chain(before) {
            match member(members, name) {
                Node::Members(below) => members = below,
                Node::Unset => return Claimed::Absent,
                Node::Text(_) | Node::Flag(_) | Node::Other => return Claimed::Other,
            }
        }
        match member(members, last) {
            Node::Unset => Claimed::Absent,
            Node::Text(text) => Claimed::Text(text),
            Node::Flag(flag) => Claimed::Flag(*flag),
            Node::Members(_) | Node::Other => Claimed::Other,
        }
    }
}

fn member<'t, 'm>(members: &'t Members<'m>, name: &str) -> &'t Node<'m> {
    let mut named = members.iter().rev().filter(|(known, _)| *known == name);
    named.next().map_or(&Node::Unset, |(_, node)| node)
}

/// The entries of a map, which is the first field of a message.
fn members<'m>(
    bytes: &'m [u8],
    texts: &mut Texts<'m>,
    mut read: impl FnMut(&'m [u8], &mut Texts<'m>) -> Result<Node<'m>, Unread>,
) -> Result<Members<'m>, Unread> {
    let mut members = Members::new();
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            let (mut name, mut node) = ("", None);
            let mut entry = Fields(value.bytes()?);
            while let Some((number, value)) = entry.next()? {
                match number {
                    1 => name = value.text(texts)?,
                    2 => once(&mut node, read(value.bytes()?, texts)?)?,
                    _ => {}
                }
            }
            members.push((name, node.unwrap_or_default()));
        }
    }
    Ok(members)
}

/// A `Struct`.
fn structure<'m>(bytes: &'m [u8], texts: &mut Texts<'m>, depth: u8) -> Result<Node<'m>, Unread> {
    if depth == MAX_DEPTH {
        return Err(Unread);
    }
    members(bytes, texts, |bytes, texts| node(bytes, texts, depth + 1)).map(Node::Members)
}

/// A `Value`.
fn node<'m>(bytes: &'m [u8], texts: &mut Texts<'m>, depth: u8) -> Result<Node<'m>, Unread> {
    let mut node = None;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        let read = match number {
            1 => value.number().map(|_| Node::Other)?,
            2 => eight(value)?,
            3 => Node::Text(value.text(texts)?),
            4 => Node::Flag(value.flag()?),
            5 => structure(value.bytes()?, texts, depth)?,
            6 => list(value.bytes()?, texts, depth)?,
            _ => continue,
        };
        once(&mut node, read)?;
    }
    Ok(node.unwrap_or_default())
}

/// A `ListValue`: no claim is looked for in it.
fn list<'m>(bytes: &'m [u8], texts: &mut Texts<'m>, depth: u8) -> Result<Node<'m>, Unread> {
    if depth == MAX_DEPTH {
        return Err(Unread);
    }
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            node(value.bytes()?, texts, depth + 1)?;
        }
    }
    Ok(Node::Other)
}

/// A number.
fn eight<'m>(value: Value<'_>) -> Result<Node<'m>, Unread> {
    match value {
        Value::Eight => Ok(Node::Other),
        Value::Varint(_) | Value::Bytes(_) | Value::Four => Err(Unread),
    }
}
