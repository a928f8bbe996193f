//! `CreateTags` and `DeleteTag`: what an account predefines.
//!
//! No resource is touched: what carries a tag keeps it.

use std::sync::Arc;

use super::shape::CallFault;
use super::view::View;
use crate::model::arn::AccountId;
use crate::model::settings::{InvalidTag, TypeLimits};
use crate::model::tag::TagRef;
use crate::model::tagging::{
    FailureCode, MAX_KEYS_OF_CALL, MAX_PREDEFINED_KEYS, MAX_PREDEFINED_VALUES, Plan,
    PredefinedWrite,
};

/// A key that is predefined with values; there may be none.
pub type Predefining<'k> = (&'k str, &'k [&'k str]);

/// Adds keys and values that were checked; those that are there stay.
///
/// # Errors
///
/// The account, or a key, would have too many.
pub fn predefine<V: View>(
    view: &V,
    account: &AccountId,
    tags: &[Predefining<'_>],
) -> Result<Plan, CallFault> {
    let mut plan = Plan::default();
    let mut keys = view.predefined_keys(account);
    for (key, values) in tags {
        let before = view.predefined(account, key);
        keys += usize::from(before.is_none());
        let mut next = before.clone().unwrap_or_default();
        next.extend(values.iter().map(|value| Arc::from(*value)));
        if keys > MAX_PREDEFINED_KEYS || next.len() > MAX_PREDEFINED_VALUES {
            return fault(FailureCode::QuotaExceeded, key);
        }
        if before.as_ref() != Some(&next) {
            plan.predefined.push(PredefinedWrite {
                account: account.clone(),
                key: Arc::from(*key),
                values: Some(next),
            });
        }
    }
    Ok(plan)
}

/// Takes values of a key away, or where none is named the key with all of its values. What is not
/// there is no error.
pub fn undefine<V: View>(view: &V, account: &AccountId, (key, values): Predefining<'_>) -> Plan {
    let mut plan = Plan::default();
    let Some(before) = view.predefined(account, key) else {
        return plan;
    };
    let mut next = before.clone();
    next.retain(|value| !values.contains(&&**value));
    let next = (!values.is_empty()).then_some(next);
    if next.as_ref() != Some(&before) {
        plan.predefined.push(PredefinedWrite {
            account: account.clone(),
            key: Arc::from(key),
            values: next,
        });
    }
    plan
}

/// Checks the keys and values of a call. The characters are those of any type: it is not known what
/// will carry them.
///
/// # Errors
///
/// There is none, there are too many, one stands twice, or one may not be written.
pub fn check_predefined(tags: &[Predefining<'_>]) -> Result<(), CallFault> {
    if tags.is_empty() {
        return fault(FailureCode::NoTags, "");
    }
    if tags.len() > MAX_KEYS_OF_CALL {
        return fault(FailureCode::TooManyTags, "");
    }
    let limits = TypeLimits::default();
    for (place, (key, values)) in tags.iter().enumerate() {
        if tags.iter().take(place).any(|(before, _)| before == key) {
            return fault(FailureCode::DuplicateKey, key);
        }
        if values.len() > MAX_PREDEFINED_VALUES {
            return fault(FailureCode::QuotaExceeded, key);
        }
        // A key without values is checked as well.
        for value in values.iter().copied().chain([""]) {
            limits.check(TagRef { key, value }).map_err(|invalid| {
                let (code, text) = match invalid {
                    InvalidTag::Key(_) => (FailureCode::MalformedKey, *key),
                    InvalidTag::Value(_) => (FailureCode::MalformedValue, value),
                };
                CallFault {
                    code,
                    subject: Some(Arc::from(text)),
                }
            })?;
        }
    }
    Ok(())
}

fn fault<T>(code: FailureCode, subject: &str) -> Result<T, CallFault> {
    let subject = (!subject.is_empty()).then(|| Arc::from(subject));
    Err(CallFault { code, subject })
}
