//! The names of sections, settings and operators in each dialect (tag-policy 1; 7, rule 11).

use std::borrow::Cow;
use std::collections::HashSet;

use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::model::tag_policy::{Dialect, ListSetting, Section, Setting};

/// The name of the member that says what child policies may use.
pub(super) const CONTROL: &str = "@@operators_allowed_for_child_policies";

/// A member whose name is a word of the grammar, in the spelling of the grammar.
pub(super) type Named<'c, 'n> = (Cow<'n, str>, Cursor<'c, 'n>);

/// The members of an object whose names are words of the grammar; none stands twice.
pub(super) fn members<'c, 'n>(
    at: &'c Cursor<'_, 'n>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Vec<Named<'c, 'n>>, Told> {
    let mut seen = HashSet::new();
    let mut named = Vec::new();
    for (name, at) in at.entries(sink)? {
        let word = word(name, dialect);
        if seen.insert(word.clone()) {
            named.push((word, at));
        } else {
            let name = name.into();
            at.refuse_key(ShapeErrorKind::DuplicateMember { name }, sink);
        }
    }
    Ok(named)
}

/// AWS takes its words in any case.
pub(super) fn word(name: &str, dialect: Dialect) -> Cow<'_, str> {
    match dialect {
        Dialect::Aws => Cow::Owned(name.to_ascii_lowercase()),
        Dialect::Alibaba | Dialect::Huawei => Cow::Borrowed(name),
    }
}

/// The section of a name.
pub(super) fn section(name: &str, dialect: Dialect) -> Option<Section> {
    let sections: &[Section] = match dialect {
        Dialect::Alibaba => &[Section::Tags, Section::RgInherit, Section::MatchedTags],
        Dialect::Huawei | Dialect::Aws => &[Section::Tags],
    };
    sections
        .iter()
        .copied()
        .find(|section| section.as_str() == name)
}

const SCOPES: [ListSetting; 3] = [
    ListSetting::ResourceTypeScope,
    ListSetting::RegionScope,
    ListSetting::RgScope,
];

/// The setting of a name, where the section of the dialect has it.
pub(super) fn setting(name: &str, section: Section, dialect: Dialect) -> Option<Setting> {
    settings(section, dialect)
        .into_iter()
        .find(|setting| setting.as_str() == name)
}

fn settings(section: Section, dialect: Dialect) -> Vec<Setting> {
    let mut lists = match (dialect, section) {
        (Dialect::Alibaba, Section::Tags) => vec![ListSetting::TagValue, ListSetting::EnforcedFor],
        (Dialect::Alibaba, Section::MatchedTags) => vec![ListSetting::TagValue],
        (Dialect::Alibaba, Section::RgInherit) => Vec::new(),
        (Dialect::Huawei, _) => vec![ListSetting::TagValue, ListSetting::EnforcedFor],
        (Dialect::Aws, _) => vec![
            ListSetting::TagValue,
            ListSetting::EnforcedFor,
            ListSetting::ReportRequiredTagFor,
        ],
    };
    if dialect == Dialect::Alibaba {
        lists.extend(SCOPES);
    }
    let mut settings: Vec<Setting> = lists.into_iter().map(Setting::List).collect();
    settings.push(Setting::TagKey);
    if dialect == Dialect::Alibaba && section != Section::RgInherit {
        settings.push(Setting::TagValueCorrection);
    }
    settings
}
