//! What is kept beside the resources, note by note.

use super::{predefined, rules, work};
use crate::model::arn::AccountId;
use crate::model::inheritance::RulesInForce;
use crate::model::tagging::{PredefinedWrite, Work};

/// The name of the note that says which resources the directory began with.
const BEGUN: &str = "begun";

/// A note, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The digest of the text whose resources the directory began with.
    Begun(Vec<u8>),
    /// A predefined key.
    Predefined(PredefinedWrite),
    /// The rules of inheritance of an account that were acted on last.
    Rules(AccountId, RulesInForce),
    /// A piece of work that is left, with its number.
    Work(u64, Work),
}

/// Reads a note.
///
/// # Errors
///
/// It is none that is known, or its bytes are not those of one.
pub fn read(name: &str, bytes: Vec<u8>) -> Result<Note, String> {
    if name == BEGUN {
        return Ok(Note::Begun(bytes));
    }
    let told = |error: super::RowError| format!("`{name}`: {error}");
    if let Some(account) = name.strip_prefix(rules::PREFIX) {
        let (account, rules) = rules::read(account, &bytes).map_err(told)?;
        return Ok(Note::Rules(account, rules));
    }
    if let Some(place) = name.strip_prefix(predefined::PREFIX) {
        let write = predefined::read(place, &bytes).map_err(told)?;
        return Ok(Note::Predefined(write));
    }
    if let Some(id) = name.strip_prefix(work::PREFIX) {
        let id = id.parse().map_err(|_| format!("`{name}` is no note"))?;
        return Ok(Note::Work(id, work::read(&bytes).map_err(told)?));
    }
    Err(format!("`{name}` is no note"))
}

/// The name and the bytes of the digest of the text whose resources the directory begins with;
/// without one, those that take it away.
pub fn begun(digest: Option<&[u8]>) -> (String, Option<Vec<u8>>) {
    (BEGUN.to_owned(), digest.map(<[u8]>::to_vec))
}
