//! The switches of a bundle or a case, as `{"rg_deny": "always", …}`; those not named keep their
//! defaults, which are the closed ones.

mod stale;
mod tags;

use std::sync::Arc;

pub use self::stale::MAX_STALENESS;
use self::stale::on_stale;
use self::tags::{reserve_tags, tag_limits};
use super::bundle::error::EntryErrorKind;
use super::cursor::{self, Cursor, Members, Sink, Told};
use super::error::{Limit, ShapeErrorKind};
use crate::model::settings::{
    AbsentFamily, ControlScope, ForAllAbsent, MissingRequired, NotResource, OnStale, Operators,
    ProtectedTagKeys, QueryDenied, QueryUnfiltered, RgDeny, Settings, StrongVerification,
    TagKeyCase, UnknownKeys, UntagInterception, UpdateExtraTags,
};
use crate::model::tag::check_key;

/// The most tag keys that may be protected.
pub const PROTECTED_TAG_KEYS: Limit = Limit {
    what: "protected tag keys",
    most: 128,
    code: "TOO_MANY_PROTECTED_TAG_KEYS",
};

/// The names of the switches.
pub const NAMES: [&str; 14] = [
    "rg_deny",
    "query_denied",
    "query_unfiltered",
    "tag_key_case",
    "absent_family",
    "update_extra_tags",
    "missing_required",
    "control_scope",
    "operators",
    "forall_absent",
    "unknown_keys",
    "not_resource",
    "strong_verification",
    "untag_interception",
];

/// The setting that is a list.
const PROTECTED: &str = "protected_tag_keys";
/// Reads the switches.
///
/// # Errors
///
/// When one is not known, or has a value that it cannot have.
pub fn settings(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Settings, Told> {
    let mut known = NAMES.to_vec();
    known.push(PROTECTED);
    known.extend(stale::NAMES);
    known.extend(tags::NAMES);
    let members = at.members(&known, sink)?;
    let mut read = Reader {
        members,
        sink,
        told: None,
    };
    let settings = Settings {
        rg_deny: read.switch(
            "rg_deny",
            "`always` or `documented_order`",
            &[
                ("always", RgDeny::Always),
                ("documented_order", RgDeny::DocumentedOrder),
            ],
        ),
        query_denied: read.query_denied(),
        query_unfiltered: read.switch(
            "query_unfiltered",
            "`obligation` or `deny`",
            &[
                ("obligation", QueryUnfiltered::Obligation),
                ("deny", QueryUnfiltered::Deny),
            ],
        ),
        tag_key_case: read.switch(
            "tag_key_case",
            "`guarded`, `exact` or `fold`",
            &[
                ("guarded", TagKeyCase::Guarded),
                ("exact", TagKeyCase::Exact),
                ("fold", TagKeyCase::Fold),
            ],
        ),
        absent_family: read.switch(
            "absent_family",
            "`fail` or `aws`",
            &[("fail", AbsentFamily::Fail), ("aws", AbsentFamily::Aws)],
        ),
        update_extra_tags: read.switch(
            "update_extra_tags",
            "`class` or `named`",
            &[
                ("class", UpdateExtraTags::Class),
                ("named", UpdateExtraTags::Named),
            ],
        ),
        missing_required: read.switch(
            "missing_required",
            "`refuse` or `as_absent`",
            &[
                ("refuse", MissingRequired::Refuse),
                ("as_absent", MissingRequired::AsAbsent),
            ],
        ),
        control_scope: read.switch(
            "control_scope",
            "`owner` or `owner_and_principal`",
            &[
                ("owner", ControlScope::Owner),
                ("owner_and_principal", ControlScope::OwnerAndPrincipal),
            ],
        ),
        operators: read.switch(
            "operators",
            "`extended` or `documented`",
            &[
                ("extended", Operators::Extended),
                ("documented", Operators::Documented),
            ],
        ),
        forall_absent: read.switch(
            "forall_absent",
            "`false` or `aws`",
            &[("false", ForAllAbsent::False), ("aws", ForAllAbsent::Aws)],
        ),
        unknown_keys: read.switch(
            "unknown_keys",
            "`refuse` or `warn`",
            &[("refuse", UnknownKeys::Refuse), ("warn", UnknownKeys::Warn)],
        ),
        not_resource: read.switch(
            "not_resource",
            "`refuse` or `aws`",
            &[("refuse", NotResource::Refuse), ("aws", NotResource::Aws)],
        ),
        strong_verification: read.strong_verification(),
        untag_interception: read.untag_interception(),
        protected_tag_keys: read.value(PROTECTED, protected_keys),
        reserve_tags: read.value("reserve_tags", reserve_tags),
        tag_limits: read.value("tag_limits", tag_limits),
        on_stale: read.on_stale(),
    };
    read.told.map_or(Ok(settings), Err)
}

/// Takes one switch after the other, and remembers that an error was told.
struct Reader<'c, 'n, 's, 'a> {
    members: Members<'c, 'n>,
    sink: &'s mut Sink<'a>,
    told: Option<Told>,
}

impl Reader<'_, '_, '_, '_> {
    fn switch<T: Copy + Default>(
        &mut self,
        name: &str,
        expected: &'static str,
        words: &[(&str, T)],
    ) -> T {
        let Some(at) = self.members.optional(name) else {
            return T::default();
        };
        let word = at.word(expected, words, self.sink);
        self.taken(word)
    }

    fn query_denied(&mut self) -> QueryDenied {
        self.switch(
            "query_denied",
            "`empty`, `error` or `error_on_explicit`",
            &[
                ("empty", QueryDenied::Empty),
                ("error", QueryDenied::Error),
                ("error_on_explicit", QueryDenied::ErrorOnExplicit),
            ],
        )
    }

    fn strong_verification(&mut self) -> StrongVerification {
        self.switch(
            "strong_verification",
            "`off` or `on`",
            &[
                ("off", StrongVerification::Off),
                ("on", StrongVerification::On),
            ],
        )
    }

    fn untag_interception(&mut self) -> UntagInterception {
        self.switch(
            "untag_interception",
            "`strong`, `never` or `always`",
            &[
                ("strong", UntagInterception::Strong),
                ("never", UntagInterception::Never),
                ("always", UntagInterception::Always),
            ],
        )
    }

    fn value<T: Default>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
    ) -> T {
        let Some(at) = self.members.optional(name) else {
            return T::default();
        };
        let value = read(&at, self.sink);
        self.taken(value)
    }

    fn on_stale(&mut self) -> OnStale {
        let stale = on_stale(&self.members, self.sink);
        self.taken(stale)
    }

    /// A value, or a default that is never used because an error was told.
    fn taken<T: Default>(&mut self, read: Result<T, Told>) -> T {
        read.unwrap_or_else(|told| {
            self.told = Some(told);
            T::default()
        })
    }
}

fn protected_keys(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<ProtectedTagKeys, Told> {
    let items = at.items(sink)?;
    if items.len() > PROTECTED_TAG_KEYS.most {
        return Err(at.refuse(ShapeErrorKind::TooMany(PROTECTED_TAG_KEYS), sink));
    }
    let keys = cursor::all(items, |at| {
        at.parse(sink, |text| {
            check_key(text).map_err(EntryErrorKind::from)?;
            Ok::<_, EntryErrorKind>(Arc::from(text))
        })
    })?;
    Ok(keys.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, read};

    fn check(text: &str) -> Result<Settings, String> {
        read(Source::new(text), 1_000, settings)
            .map(|read| read.value)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_first_value_of_each_switch_is_its_default() {
        let all = r#"{"rg_deny": "always", "query_denied": "empty", "query_unfiltered": "obligation",
            "tag_key_case": "guarded", "absent_family": "fail", "update_extra_tags": "class",
            "missing_required": "refuse", "control_scope": "owner", "operators": "extended",
            "forall_absent": "false", "unknown_keys": "refuse", "not_resource": "refuse",
            "strong_verification": "off", "untag_interception": "strong",
            "protected_tag_keys": [], "reserve_tags": 2, "tag_limits": {},
            "on_stale": "serve"}"#;
        assert_eq!(check(all), Ok(Settings::default()));
        assert_eq!(check("{}"), Ok(Settings::default()));
        let found = check(r#"{"tag_key_case": "exact"}"#).unwrap();
        assert_eq!(found.tag_key_case, TagKeyCase::Exact);
    }

    #[test]
    fn nothing_unknown_is_taken() {
        let errors = check(r#"{"rg_deny": "never", "absent_family": false, "x": 1}"#).unwrap_err();
        let expected = "1:13: /rg_deny: expected `always` or `documented_order`, found `never`\n\
            1:39: /absent_family: expected a string, found a boolean\n\
            1:46: /x: unknown member `x`";
        assert_eq!(errors, expected);
    }
}
