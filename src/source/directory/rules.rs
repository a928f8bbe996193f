//! The rules that were acted on, as the bytes of their notes: one note for each account whose
//! feature is on.

use prost::Message as _;

use super::row::RowError;
use crate::model::arn::AccountId;
use crate::model::inheritance::{ApplyToExisting, RuleId, RuleInForce, RulesInForce, TagScope};

/// What stands before the account.
pub(super) const PREFIX: &str = "rules/";

/// The name and the bytes of the rules of an account; where its feature is off, those that take
/// them away.
pub fn write(account: &AccountId, rules: Option<&RulesInForce>) -> (String, Option<Vec<u8>>) {
    let name = format!("{PREFIX}{account}");
    (name, rules.map(|rules| Note::from(rules).encode_to_vec()))
}

/// The account and its rules, by the rest of a note's name and its bytes.
pub(super) fn read(account: &str, bytes: &[u8]) -> Result<(AccountId, RulesInForce), RowError> {
    let account = AccountId::try_from(account)?;
    let rules = Note::decode(bytes)?.rules.into_iter();
    let rules = rules.map(NoteRule::into_rule).collect::<Result<_, _>>()?;
    Ok((account, rules))
}

/// In the order of the rules, so that the same rules are the same bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(message, repeated, tag = "1")]
    rules: Vec<NoteRule>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NoteRule {
    #[prost(string, tag = "1")]
    id: String,
    /// No key: all.
    #[prost(string, repeated, tag = "2")]
    keys: Vec<String>,
    #[prost(bool, tag = "3")]
    fills: bool,
}

impl From<&RulesInForce> for Note {
    fn from(rules: &RulesInForce) -> Self {
        let rules = rules.iter().map(|(id, rule)| {
            let RuleInForce { scope, fills } = rule;
            NoteRule {
                id: id.to_string(),
                keys: match scope {
                    TagScope::All => Vec::new(),
                    TagScope::Keys(keys) => keys.iter().map(ToString::to_string).collect(),
                },
                fills: match fills {
                    ApplyToExisting::Yes => true,
                    ApplyToExisting::No => false,
                },
            }
        });
        Self {
            rules: rules.collect(),
        }
    }
}

impl NoteRule {
    fn into_rule(self) -> Result<(RuleId, RuleInForce), RowError> {
        let Self { id, keys, fills } = self;
        let rule = RuleInForce {
            scope: TagScope::new(keys.iter().map(String::as_str))?,
            fills: if fills {
                ApplyToExisting::Yes
            } else {
                ApplyToExisting::No
            },
        };
        Ok((RuleId::try_from(&*id)?, rule))
    }
}
