//! Cases of tag policies: what compiler and reader make of them.

use std::sync::Arc;

use crate::compiler::effective::{Level, Regexes, merge};
use crate::document::case::{Admission, ChainNode, TagPolicyQuestion};
use crate::document::tag_policy::canonical;
use crate::model::tag_policy::Dialect;

/// What is wrong with the answer; `None`: it is the expected one.
pub(super) fn complaint(question: &TagPolicyQuestion) -> Option<String> {
    match question {
        TagPolicyQuestion::Effective {
            dialect,
            chain,
            expected,
        } => {
            let found = match chain {
                Ok(chain) => effective(*dialect, chain),
                Err(errors) => Err(format!("a policy is refused: {errors}")),
            };
            match found {
                Ok(found) if found == *expected => None,
                Ok(found) => Some(format!("expected {expected}, found {found}")),
                Err(error) => Some(error),
            }
        }
        TagPolicyQuestion::Admission { refused, expected } => match (refused, expected) {
            (None, Admission::Accept) | (Some(_), Admission::Reject) => None,
            (None, Admission::Reject) => Some("expected a refusal".to_owned()),
            (Some(errors), Admission::Accept) => Some(format!("refused: {errors}")),
        },
    }
}

fn effective(dialect: Dialect, chain: &[ChainNode]) -> Result<serde_json::Value, String> {
    let levels: Vec<Level<'_>> = chain
        .iter()
        .map(|node| {
            let named = node.policies.iter().zip(1..);
            named
                .map(|(policy, number)| (Arc::from(format!("policy {number}")), policy))
                .collect()
        })
        .collect();
    let staged = merge(dialect, &levels, &mut Regexes::default());
    let staged = staged.map_err(|error| error.to_string())?;
    Ok(canonical(&staged.policy))
}
