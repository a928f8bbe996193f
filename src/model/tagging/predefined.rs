//! Predefined tags: keys of an account with values, which are listed although nothing carries them
//! (tag-policy 5.1). They are of every region.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::arn::AccountId;

/// The most predefined keys of an account.
pub const MAX_PREDEFINED_KEYS: usize = 1_000;
/// The most predefined values of a key.
pub const MAX_PREDEFINED_VALUES: usize = 1_000;
/// The most keys of one call.
pub const MAX_KEYS_OF_CALL: usize = 10;

/// The values of a predefined key; there may be none.
pub type PredefinedValues = BTreeSet<Arc<str>>;

/// A predefined key as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredefinedWrite {
    /// Whose.
    pub account: AccountId,
    /// The key.
    pub key: Arc<str>,
    /// Its values; `None`: it is predefined no more.
    pub values: Option<PredefinedValues>,
}
