//! Tag keys of conditions that differ only in case (ram 5.7), in one document or in several.

use std::collections::HashMap;

use crate::document::cursor::Sink;
use crate::document::policy::ReadStatement;
use crate::model::statement::Policy;
use crate::model::text::fold;

use super::LintKind;

/// Tells each tag key of a document that differs from an earlier one only in case.
pub(super) fn check(read: &[ReadStatement<'_, '_>], sink: &mut Sink<'_>) {
    let keys = read.iter().flat_map(|one| &one.statement.conditions);
    let mut tags = keys.filter_map(|condition| condition.key.tag());
    if tags.all(|tag| is_folded(&tag.key)) {
        return;
    }
    let mut spellings = Spellings::default();
    for one in read {
        for (place, condition) in one.statement.conditions.iter().enumerate() {
            let tag = condition.key.tag();
            let Some(clash) = tag.and_then(|tag| spellings.add(&tag.key)) else {
                continue;
            };
            let (first, second) = (clash.first.into(), clash.second.into());
            sink.warn(
                &one.condition_spot(place),
                LintKind::TagKeyCase { first, second },
            );
        }
    }
}

/// Two tag keys that differ only in case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseClash<'a> {
    /// The one that stands first.
    pub first: &'a str,
    /// The other.
    pub second: &'a str,
}

/// The tag keys that differ only in case over several policies, each spelling told once.
pub fn clashes<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Vec<CaseClash<'a>> {
    let mut spellings = Spellings::default();
    let statements = policies.into_iter().flat_map(|policy| &policy.statements);
    statements
        .flat_map(|statement| &statement.conditions)
        .filter_map(|condition| spellings.add(&condition.key.tag()?.key))
        .collect()
}

/// Whether a key certainly is its own folded form: of such keys no two differ only in case.
fn is_folded(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

/// The spellings that were seen, by their folded form.
#[derive(Default)]
struct Spellings<'a>(HashMap<String, Vec<&'a str>>);

impl<'a> Spellings<'a> {
    /// The first spelling of this key, if this one is new and another.
    fn add(&mut self, key: &'a str) -> Option<CaseClash<'a>> {
        let seen = self.0.entry(fold(key)).or_default();
        if seen.contains(&key) {
            return None;
        }
        seen.push(key);
        let first = *seen.first()?;
        (first != key).then_some(CaseClash { first, second: key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_told_once() {
        let mut spellings = Spellings::default();
        let mut check = |key, expected: Option<&str>| {
            let found = spellings.add(key).map(|clash| clash.first);
            assert_eq!(found, expected, "{key}");
        };
        check("Env", None);
        check("Env", None);
        check("team", None);
        check("env", Some("Env"));
        check("env", None);
        check("ENV", Some("Env"));
    }
}
