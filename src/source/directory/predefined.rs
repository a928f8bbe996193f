//! Predefined tags, as the bytes of their notes: one note for each key of an account.

use std::sync::Arc;

use prost::Message as _;

use super::row::RowError;
use crate::model::arn::AccountId;
use crate::model::tagging::PredefinedWrite;

/// What stands before the account and the key.
pub(super) const PREFIX: &str = "predefined/";

/// The name and the bytes of a predefined key; where it is predefined no more, those that take it
/// away.
pub fn write(write: &PredefinedWrite) -> (String, Option<Vec<u8>>) {
    let PredefinedWrite {
        account,
        key,
        values,
    } = write;
    let bytes = values.as_ref().map(|values| {
        let values = values.iter().map(ToString::to_string).collect();
        Note { values }.encode_to_vec()
    });
    (format!("{PREFIX}{account}/{key}"), bytes)
}

/// A predefined key, by the rest of a note's name and its bytes.
pub(super) fn read(place: &str, bytes: &[u8]) -> Result<PredefinedWrite, RowError> {
    let (account, key) = place.split_once('/').ok_or(RowError::Incomplete)?;
    let values = Note::decode(bytes)?.values.into_iter();
    Ok(PredefinedWrite {
        account: AccountId::try_from(account)?,
        key: Arc::from(key),
        values: Some(values.map(Arc::from).collect()),
    })
}

/// In the order of the values.
#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(string, repeated, tag = "1")]
    values: Vec<String>,
}
