//! `inheritance.json`: which resources take tags from which (tag-policy 4).
//!
//! ```json
//! {
//!   "rules": {"rule:own": {"primary": "ecs:instance", "associated": "ecs:image"}},
//!   "accounts": {"1": {
//!     "feature": "on",
//!     "regions": ["cn-hangzhou"],
//!     "rules": {"rule:own": {"status": "enabled", "tag_keys": ["env"]}}
//!   }}
//! }
//! ```
//!
//! `rules` defines the operator's own; the shipped ones stand in `catalog/inheritance.json`, in the
//! same words. What an account does not set is off.

mod definition;
mod setting;

pub(super) use definition::definition;
pub(super) use setting::{feature, rule_setting, scope};

use std::collections::BTreeMap;

use super::bundle::entry::{self, Placed, placed};
use super::bundle::error::EntryErrorKind;
use super::cursor::{self, Cursor, Sink, Told};
use super::error::{Limit, ShapeErrorKind};
use crate::model::arn::{AccountId, Arn};
use crate::model::catalog::Catalog;
use crate::model::inheritance::{AccountInheritance, RuleDefinition, RuleId};

/// The most bytes of the file.
pub const MAX_INHERITANCE_BYTES: usize = 16 * 1024 * 1024;

const RULES: Limit = Limit {
    what: "rules",
    most: 1_000,
    code: "TOO_MANY_RULES",
};
const ACCOUNTS: Limit = Limit {
    what: "accounts",
    most: 100_000,
    code: "TOO_MANY_ACCOUNTS",
};

/// What a file says.
#[derive(Debug, Clone, Default)]
pub(super) struct InheritanceFile {
    /// The rules that it defines.
    pub(super) definitions: Vec<(Placed<RuleId>, RuleDefinition)>,
    /// What accounts have set, with the places of the rules that they name.
    pub(super) accounts: Vec<AccountEntry>,
}

/// One account of a file.
#[derive(Debug, Clone)]
pub(super) struct AccountEntry {
    pub(super) account: Placed<AccountId>,
    pub(super) inheritance: AccountInheritance,
    /// The rules that it names.
    pub(super) named: Vec<Placed<RuleId>>,
}

/// Reads the file.
///
/// # Errors
///
/// When an error was told.
pub(super) fn inheritance(
    at: &Cursor<'_, '_>,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<InheritanceFile, Told> {
    let members = at.members(&["rules", "accounts"], sink)?;
    let rules = members.optional("rules");
    let definitions = rules.map(|at| definitions(&at, sink)).transpose();
    let accounts = members.optional("accounts");
    let accounts = accounts
        .map(|at| accounts_of(&at, catalog, sink))
        .transpose();
    Ok(InheritanceFile {
        definitions: definitions?.unwrap_or_default(),
        accounts: accounts?.unwrap_or_default(),
    })
}

/// Reads the object `inheritance`: rules alone.
///
/// # Errors
///
/// When an error was told.
pub(super) fn own_rules(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<(Placed<RuleId>, RuleDefinition)>, Told> {
    let members = at.members(&["rules"], sink)?;
    let rules = members.required("rules", sink)?;
    definitions(&rules, sink)
}

/// Reads the shipped rules.
///
/// # Errors
///
/// When an error was told.
pub(super) fn shipped(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<RuleId, RuleDefinition>, Told> {
    let members = at.members(&["source", "rules"], sink)?;
    let rules = members.required("rules", sink)?;
    let read = definitions(&rules, sink)?.into_iter();
    Ok(read.map(|(id, rule)| (id.value, rule)).collect())
}

fn definitions(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<(Placed<RuleId>, RuleDefinition)>, Told> {
    let entries = bounded(at, RULES, sink)?;
    cursor::all(entries, |(name, at)| {
        let id = rule_id(name, &at, sink);
        let rule = definition(&at, sink);
        Ok((id?, rule?))
    })
}

fn accounts_of(
    at: &Cursor<'_, '_>,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<Vec<AccountEntry>, Told> {
    let entries = bounded(at, ACCOUNTS, sink)?;
    cursor::all(entries, |(name, at)| {
        let spot = at.key_spot();
        let account = AccountId::try_from(name);
        let account = account.map_err(|_| at.refuse_key(EntryErrorKind::Account, sink));
        let entry = account_entry(&at, catalog, sink);
        let (value, (inheritance, named)) = (account?, entry?);
        Ok(AccountEntry {
            account: Placed { value, spot },
            inheritance,
            named,
        })
    })
}

fn account_entry(
    at: &Cursor<'_, '_>,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<(AccountInheritance, Vec<Placed<RuleId>>), Told> {
    let members = at.members(&["feature", "regions", "excluded", "rules"], sink)?;
    let own = setting::switches(&members, catalog, sink);
    let rules = members.optional("rules").map(|at| {
        let entries = bounded(&at, RULES, sink)?;
        cursor::all(entries, |(name, at)| {
            let id = rule_id(name, &at, sink);
            let setting = rule_setting(&at, sink);
            Ok((id?, setting?))
        })
    });
    let rules = rules.transpose()?.unwrap_or_default();
    let named = rules.iter().map(|(id, _)| id.clone()).collect();
    let rules = rules.into_iter().map(|(id, setting)| (id.value, setting));
    let inheritance = AccountInheritance {
        rules: rules.collect(),
        ..own?
    };
    Ok((inheritance, named))
}

fn rule_id(name: &str, at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Placed<RuleId>, Told> {
    let spot = at.key_spot();
    match RuleId::try_from(name) {
        Ok(value) => Ok(Placed { value, spot }),
        Err(invalid) => Err(at.refuse_key(EntryErrorKind::from(invalid), sink)),
    }
}

fn bounded<'c, 'n>(
    at: &'c Cursor<'_, 'n>,
    limit: Limit,
    sink: &mut Sink<'_>,
) -> Result<cursor::Entries<'c, 'n>, Told> {
    let entries = at.entries(sink)?;
    if entries.len() > limit.most {
        return Err(at.refuse(ShapeErrorKind::TooMany(limit), sink));
    }
    Ok(entries)
}

/// A resource that an account excludes, where it stands.
fn excluded(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Placed<Arn>, Told> {
    placed(at, sink, entry::arn)
}
