//! The tags that a repair writes: inheritance from the group, then `tag_value_correction`
//! (tag-policy 3.3 and 3.4, security 5).
//!
//! One pass computes one target: a value that some statement forbids is not written, so that every
//! write makes its key right for good and a second repair finds nothing to do.

use super::compliance::{Rules, applies, inherited, is_alibaba};
use super::request::KnownGroup;
use super::tagging::Tagging;
use crate::model::catalog::TagCapability;
use crate::model::tag_policy::{Correction, EffectiveStatement, Fit, ScopeMember, Section};
use crate::model::text::eq_fold;

/// What a repair does with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rewrite<'a> {
    /// The key.
    pub key: &'a str,
    /// The new value; `None`: the tag is removed.
    pub value: Option<&'a str>,
}

/// What a repair writes, by key.
pub(super) fn corrected<'a>(rules: &Rules<'a>, tagging: &Tagging<'a>) -> Vec<Rewrite<'a>> {
    // tag-policy 1.5: correction and inheritance from the group are Alibaba's alone.
    if !is_alibaba(rules.policy) {
        return Vec::new();
    }
    let mut target = Target {
        rules,
        tagging,
        tags: tagging.after().map(|tag| (tag.key, tag.value)).collect(),
    };
    // tag-policy 7, rule 35: "inheritance first, then judge the result".
    target.inherit();
    target.correct();
    target.rewrites()
}

/// The tags that are to be.
struct Target<'r, 'a> {
    rules: &'r Rules<'a>,
    tagging: &'r Tagging<'a>,
    tags: Vec<(&'a str, &'a str)>,
}

impl<'a> Target<'_, 'a> {
    fn inherit(&mut self) {
        for statement in &self.rules.policy.statements {
            let inherits = statement.section == Section::RgInherit && statement.fit == Fit::Whole;
            let value = inherits.then(|| inherited(self.rules, self.tagging, statement));
            let (key, Some(value)) = (&*statement.tag_key, value.flatten()) else {
                continue;
            };
            if self.may_overwrite(key) && self.is_allowed(key, value) {
                self.set(key, value);
            }
        }
    }

    /// Each statement writes at most once: what it wrote is right for all statements.
    fn correct(&mut self) {
        if !self.rules.capabilities.holds(TagCapability::Remediation) {
            return;
        }
        let mut open: Vec<&'a EffectiveStatement> = self.rules.policy.statements.iter().collect();
        open.retain(|statement| self.is_correctable(statement));
        let mut written = true;
        while written {
            let before = open.len();
            open.retain(|statement| !self.repair(statement));
            written = open.len() < before;
        }
    }

    fn is_correctable(&self, statement: &EffectiveStatement) -> bool {
        statement.section != Section::RgInherit
            && statement.correction.is_some()
            && statement.fit == Fit::Whole
            // tag-policy 7, rule 29: "correction when compliant, or with `*`: never".
            && !statement.values.is_any()
            && self.applies(statement)
    }

    fn applies(&self, statement: &EffectiveStatement) -> bool {
        applies(self.rules.policy.dialect, self.tagging, statement)
    }

    /// Writes what one statement asks for; whether anything was written.
    fn repair(&mut self, statement: &'a EffectiveStatement) -> bool {
        let key = &*statement.tag_key;
        let right = self
            .get(key)
            .is_some_and(|value| statement.values.allow(value));
        let variants = self.variants(key);
        if right && variants.is_empty() {
            return false;
        }
        let Some(value) = self.value_for(statement) else {
            return false;
        };
        if !right {
            if !self.may_overwrite(key) {
                return false;
            }
            self.set(key, value);
        }
        // tag-policy 7, rule 31: "unbind every variant, bind canonical key".
        let protected = &self.rules.settings.protected_tag_keys;
        let removable = |key: &&str| !protected.holds(key);
        let removed: Vec<&str> = variants.into_iter().filter(removable).collect();
        self.tags.retain(|(key, _)| !removed.contains(key));
        !right || !removed.is_empty()
    }

    /// tag-policy 7, rule 25: the first entry whose scope matches.
    fn value_for(&self, statement: &'a EffectiveStatement) -> Option<&'a str> {
        let entries = &statement.correction.as_ref()?.0;
        let fits = |entry: &&Correction| {
            self.is_in_scope(entry) && self.is_allowed(&statement.tag_key, &entry.value)
        };
        entries.iter().find(fits).map(|entry| &*entry.value)
    }

    /// tag-policy 7, rules 26 and 27: all members; none means every resource.
    fn is_in_scope(&self, entry: &Correction) -> bool {
        entry.scope.iter().all(|(member, asked)| match member {
            ScopeMember::ResourceGroup => match self.tagging.question.group {
                KnownGroup::Some(group) => *group == **asked,
                KnownGroup::Unknown | KnownGroup::None => false,
            },
            ScopeMember::Tag(key) => self.get(key) == Some(&**asked),
        })
    }

    /// security 5.2 and 5.3: what a `tags` or `matched_tags` statement forbids is not written.
    fn is_allowed(&self, key: &str, value: &str) -> bool {
        self.rules.policy.statements.iter().all(|statement| {
            let about = statement.section != Section::RgInherit
                && eq_fold(&statement.tag_key, key)
                && self.applies(statement);
            !about
                || (statement.fit == Fit::Whole
                    && *statement.tag_key == *key
                    && statement.values.allow(value))
        })
    }

    /// security 5.2: protected keys "are never overwritten or removed".
    fn may_overwrite(&self, key: &str) -> bool {
        self.get(key).is_none() || !self.rules.settings.protected_tag_keys.holds(key)
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        let mut tags = self.tags.iter();
        tags.find(|(known, _)| *known == key)
            .map(|(_, value)| *value)
    }

    fn variants(&self, key: &str) -> Vec<&'a str> {
        let keys = self.tags.iter().map(|(known, _)| *known);
        keys.filter(|known| *known != key && eq_fold(known, key))
            .collect()
    }

    fn set(&mut self, key: &'a str, value: &'a str) {
        match self.tags.iter_mut().find(|(known, _)| *known == key) {
            Some(tag) => tag.1 = value,
            None => self.tags.push((key, value)),
        }
    }

    /// What differs from the tags as they are.
    fn rewrites(&self) -> Vec<Rewrite<'a>> {
        let before = |key: &str| self.tagging.after().find(|tag| tag.key == key);
        let mut rewrites = Vec::new();
        for &(key, value) in &self.tags {
            if before(key).is_none_or(|tag| tag.value != value) {
                let value = Some(value);
                rewrites.push(Rewrite { key, value });
            }
        }
        for tag in self.tagging.after() {
            if self.get(tag.key).is_none() {
                let (key, value) = (tag.key, None);
                rewrites.push(Rewrite { key, value });
            }
        }
        rewrites.sort_unstable();
        rewrites
    }
}
