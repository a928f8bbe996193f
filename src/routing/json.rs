//! Members of a JSON body: each is given once, in one spelling.

use std::collections::HashSet;

use super::{Reason, Refused};
use crate::document::json::{self, Arena, Member, Node};
use crate::document::position::Source;
use crate::model::route::source::Pointer;

/// The longest JSON body that is read, in bytes.
const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Reads a document of which no object has one member twice.
///
/// # Errors
///
/// It is none.
pub(super) fn read<'a>(text: &'a str, arena: &'a Arena) -> Result<Node<'a>, Refused<'static>> {
    let root = json::parse(Source::new(text), MAX_JSON_BYTES, arena)
        .map_err(|errors| refused(format!("the body at {}", errors.first())))?;
    check_members(&root)?;
    Ok(root)
}

/// security 10: "JSON without duplicate members". Nesting is bounded by the parser.
fn check_members(node: &Node<'_>) -> Result<(), Refused<'static>> {
    match node {
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => Ok(()),
        Node::Array(nodes) => nodes.iter().try_for_each(check_members),
        Node::Object(members) => {
            let mut seen = HashSet::with_capacity(members.len());
            for (name, value) in *members {
                if !seen.insert(name) {
                    return Err(refused("the body has a member twice"));
                }
                check_members(value)?;
            }
            Ok(())
        }
    }
}

/// What stands at a pointer; `None`: nothing.
///
/// # Errors
///
/// A member on the way is no object, or is written in another case.
pub(super) fn at<'n>(
    root: &'n Node<'n>,
    pointer: &Pointer,
) -> Result<Option<&'n Node<'n>>, Refused<'static>> {
    let mut node = root;
    for name in pointer.names() {
        let Node::Object(members) = node else {
            return Err(refused(format!(
                "no object is on the way to `{pointer}` in the body"
            )));
        };
        match member(members, name)? {
            Some(found) => node = found,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// A member of an object; `None`: it is absent.
///
/// # Errors
///
/// It is written in another case, as many readers would take it all the same.
pub(super) fn member<'n>(
    members: &'n [Member<'n>],
    name: &str,
) -> Result<Option<&'n Node<'n>>, Refused<'static>> {
    let mut given = members.iter().filter(|(known, _)| is_alike(known, name));
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some((known, node)), None) if *known == name => Ok(Some(node)),
        (Some(_), _) => Err(refused(format!(
            "the member `{name}` is written in another case"
        ))),
    }
}

/// Whether two names are one to a reader that does not mind case.
fn is_alike(one: &str, other: &str) -> bool {
    // The long s is an s to such readers, though it is a lower-case letter itself.
    let fold = |text: &'_ str| -> Vec<char> {
        let letters = text
            .chars()
            .map(|letter| if letter == 'ſ' { 's' } else { letter });
        letters.flat_map(char::to_lowercase).collect()
    };
    one == other || fold(one) == fold(other)
}

fn refused(what: impl Into<String>) -> Refused<'static> {
    Refused::new(Reason::BodyInvalid, what)
}
