//! Tag policies: documents, chains and what they come to.

mod chains;
pub(crate) mod conformance;
mod corpus;
mod differential;
mod golden;

use std::sync::Arc;

use serde_json::Value;
use tagwarden::compiler::effective::{Level, MergeError, Regexes, merge};
use tagwarden::document::tag_policy::canonical;
use tagwarden::model::tag_policy::{Dialect, TagPolicy};

/// What the compiler makes of a chain.
fn compiled(dialect: Dialect, chain: &[Vec<&TagPolicy>]) -> Result<Value, MergeError> {
    let levels: Vec<Level<'_>> = chain
        .iter()
        .map(|policies| {
            let named = policies.iter().zip(1..);
            let name = |number: i32| Arc::from(format!("policy {number}"));
            named
                .map(|(policy, number)| (name(number), *policy))
                .collect()
        })
        .collect();
    let staged = merge(dialect, &levels, &mut Regexes::default())?;
    Ok(canonical(&staged.policy))
}
