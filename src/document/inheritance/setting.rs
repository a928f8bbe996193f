//! What an account sets: the feature, and each rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::excluded;
use crate::document::bundle::entry::list;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::{Limit, ShapeErrorKind};
use crate::model::arn::Arn;
use crate::model::catalog::Catalog;
use crate::model::inheritance::{
    AccountInheritance, ApplyToExisting, Authority, MAX_EXCLUDED, RuleSetting, Status, TagScope,
};

const REGIONS: Limit = Limit {
    what: "regions",
    most: 128,
    code: "TOO_MANY_REGIONS",
};
const EXCLUDED: Limit = Limit {
    what: "excluded resources",
    most: MAX_EXCLUDED,
    code: "TOO_MANY_EXCLUDED",
};

/// Reads the object of an account's feature: all but its rules.
pub(in crate::document) fn feature(
    at: &Cursor<'_, '_>,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<AccountInheritance, Told> {
    let members = at.members(&["feature", "regions", "excluded"], sink)?;
    switches(&members, catalog, sink)
}

pub(super) fn switches(
    members: &Members<'_, '_>,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<AccountInheritance, Told> {
    let status = members.optional("feature").map(|at| {
        let words = [("on", Status::Enabled), ("off", Status::Disabled)];
        at.word("`on` or `off`", &words, sink)
    });
    let regions = members.optional("regions").map(|at| {
        let items = at.some_items(REGIONS, sink)?;
        cursor::all(items, |at| region(&at, catalog, sink))
    });
    let excluded = excluded_of(members, sink);
    Ok(AccountInheritance {
        feature: status.transpose()?.unwrap_or_default(),
        regions: regions.transpose()?.map(Vec::into_boxed_slice),
        rules: BTreeMap::new(),
        excluded: excluded?,
    })
}

/// tag-policy 8: "it works only in the regions of the catalog's list".
fn region(at: &Cursor<'_, '_>, catalog: &Catalog, sink: &mut Sink<'_>) -> Result<Arc<str>, Told> {
    at.parse(sink, |text| {
        let mut known = catalog.regions.iter();
        let found = known.any(|known| **known == *text);
        let unknown = || EntryErrorKind::RegionUnknown { found: text.into() };
        found.then(|| Arc::from(text)).ok_or_else(unknown)
    })
}

fn excluded_of(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Box<[Arn]>, Told> {
    let at = members.optional("excluded");
    let mut read = list(at, sink, excluded)?;
    if let Some(at) = at.filter(|_| read.len() > EXCLUDED.most) {
        return Err(at.refuse(ShapeErrorKind::TooMany(EXCLUDED), sink));
    }
    read.sort_by(|one, other| one.value.cmp(&other.value));
    let mut pairs = read.iter().zip(read.iter().skip(1));
    if let Some((_, twice)) = pairs.find(|(one, next)| one.value == next.value) {
        let kind = EntryErrorKind::Duplicate {
            sort: "resource",
            name: twice.value.as_str().into(),
        };
        return Err(sink.refuse(&twice.spot, kind));
    }
    Ok(read.into_iter().map(|one| one.value).collect())
}

/// Reads the setting of one rule.
pub(in crate::document) fn rule_setting(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<RuleSetting, Told> {
    let known = ["status", "tag_keys", "existing", "authorize_associated"];
    let members = at.members(&known, sink)?;
    let status = members.required("status", sink).and_then(|at| {
        let words = [("enabled", Status::Enabled), ("disabled", Status::Disabled)];
        at.word("`enabled` or `disabled`", &words, sink)
    });
    let scope = members.optional("tag_keys").map(|at| scope(&at, sink));
    let existing = members.optional("existing").map(|at| at.flag(sink));
    let checked = members.optional("authorize_associated");
    let checked = checked.map(|at| at.flag(sink));
    Ok(RuleSetting {
        status: status?,
        scope: scope.transpose()?.unwrap_or_default(),
        existing: if existing.transpose()?.unwrap_or_default() {
            ApplyToExisting::Yes
        } else {
            ApplyToExisting::No
        },
        authority: if checked.transpose()?.unwrap_or_default() {
            Authority::Principal
        } else {
            Authority::ServiceRole
        },
    })
}

/// The keys of a rule; none means all (tag-policy 4.2).
pub(in crate::document) fn scope(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<TagScope, Told> {
    let items = at.items(sink)?;
    let keys = cursor::all(items, |at| at.text(sink))?;
    TagScope::new(keys).map_err(|invalid| at.refuse(EntryErrorKind::from(invalid), sink))
}
