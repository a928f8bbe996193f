//! The keys of one folding: what makes them right.

use super::{Edit, Replacing, Target, Value};
use crate::engine::compliance::applies;
use crate::engine::hint;
use crate::engine::tagging::{Hand, Operation, Tagging};
use crate::model::tag_policy::{
    AllowedValues, Dialect, EffectiveStatement, Fit, Section, ValuePattern,
};
use crate::model::text::eq_fold;

/// The most single edits that are tried for one class.
const CANDIDATES: usize = 16;

/// The keys of one folding, and the statements about them.
pub(super) struct Class<'v, 'a> {
    tagging: &'v Tagging<'a>,
    replacing: Replacing,
    dialect: Dialect,
    key: &'a str,
    statements: Vec<&'a EffectiveStatement>,
}

impl<'v, 'a> Class<'v, 'a> {
    pub(super) fn new(target: &Target<'v, 'a>, key: &'a str) -> Self {
        let Target {
            rules,
            tagging,
            replacing,
        } = *target;
        let dialect = rules.policy.dialect;
        let statements = rules.policy.statements.iter().filter(|statement| {
            statement.section != Section::RgInherit
                && eq_fold(&statement.tag_key, key)
                && applies(dialect, tagging, statement)
        });
        Self {
            tagging,
            replacing,
            dialect,
            key,
            statements: statements.collect(),
        }
    }

    /// Whether every write of the keys is intercepted (security 6.4).
    pub(super) fn is_over_limit(&self) -> bool {
        self.statements.iter().any(|one| one.fit == Fit::OverLimit)
    }

    pub(super) fn smallest(&self) -> Option<Vec<Edit<'a>>> {
        let (with, without) = (self.with_key(), self.without_key());
        match (with, without) {
            (Some(with), Some(without)) if without.len() < with.len() => Some(without),
            (Some(edits), _) | (None, Some(edits)) => Some(edits),
            (None, None) => None,
        }
    }

    /// Undoes what the operation does to the class.
    pub(super) fn undo(&self) -> Vec<Edit<'a>> {
        let drops = self.sent().map(|(key, _)| Edit::Drop { key });
        let removed = self.tagging.question().operation.removed().iter();
        let kept = removed.filter(|key| eq_fold(key, self.key));
        drops.chain(kept.map(|key| Edit::Keep { key })).collect()
    }

    /// Whether a key is one of the class.
    pub(super) fn holds(&self, key: &str) -> bool {
        eq_fold(key, self.key)
    }

    /// Single edits that may be enough; at most 16.
    pub(super) fn candidates(&self) -> Vec<Edit<'a>> {
        let (key, value) = (self.key, self.value());
        let undone = self.undo().into_iter();
        let renamed = self.sent().filter(|(sent, _)| *sent != key);
        let renamed = renamed.filter_map(|(sent, _)| {
            value.map(|value| Edit::Rename {
                key: sent,
                new_key: key,
                value,
            })
        });
        let removed = self.left().map(|(key, _)| Edit::Remove { key });
        let set = value.map(|value| Edit::Set { key, value });
        let all = undone.chain(renamed).chain(removed).chain(set);
        all.take(CANDIDATES).collect()
    }

    /// The tags of the class that the operation sets.
    fn sent(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let set = self.tagging.question().operation.set().iter();
        let own = set.filter(|tag| eq_fold(tag.key, self.key));
        own.map(|tag| (tag.key, tag.value))
    }

    /// The tags of the class that stay as they were.
    fn left(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let left = self.tagging.after.iter();
        let left = left.filter(|held| held.by == Hand::Before && eq_fold(held.tag.key, self.key));
        left.map(|held| (held.tag.key, held.tag.value))
    }

    /// What the resource has under a key before the operation.
    fn before(&self, key: &str) -> Option<&'a str> {
        match self.tagging.question().operation {
            Operation::Create(_) => None,
            Operation::Detect | Operation::Write { .. } => self.tagging.question().current.get(key),
        }
    }

    /// Takes a key out of what is set, and off the resource.
    fn drop(&self, key: &'a str, edits: &mut Vec<Edit<'a>>) {
        edits.push(Edit::Drop { key });
        if self.replacing == Replacing::Named && self.before(key).is_some() {
            edits.push(Edit::Remove { key });
        }
    }

    /// The edits after which none of the keys stands.
    fn without_key(&self) -> Option<Vec<Edit<'a>>> {
        let asked = match self.dialect {
            Dialect::Alibaba => true,
            Dialect::Huawei => false,
            Dialect::Aws => {
                let kind = self.tagging.question().resource_type;
                let mut statements = self.statements.iter();
                statements.any(|one| {
                    let mut types = one.report_required_tag_for.iter();
                    types.any(|listed| listed.matches(kind))
                })
            }
        };
        if asked {
            return None;
        }
        let mut edits = Vec::new();
        for (key, _) in self.sent() {
            self.drop(key, &mut edits);
        }
        edits.extend(self.left().map(|(key, _)| Edit::Remove { key }));
        Some(edits)
    }

    /// The edits after which the key stands alone, with a value that is allowed.
    fn with_key(&self) -> Option<Vec<Edit<'a>>> {
        if self.statements.iter().any(|one| *one.tag_key != *self.key) {
            return None;
        }
        let mut edits = Vec::new();
        let own = self.sent().find(|(key, _)| *key == self.key);
        let stays = self.left().find(|(key, _)| *key == self.key);
        let right = own.or(stays).is_some_and(|(_, value)| self.allow(value));
        let mut variants: Vec<(&str, &str)> =
            self.sent().filter(|(key, _)| *key != self.key).collect();
        if !right {
            let value = self.value()?;
            let removed = self.tagging.takes_away(self.key);
            let kept = self.before(self.key).filter(|value| self.allow(value));
            if !variants.is_empty() {
                // It takes the place of what is sent under the right key, too.
                let (key, _) = variants.remove(0);
                let new_key = self.key;
                edits.push(Edit::Rename {
                    key,
                    new_key,
                    value,
                });
                if self.replacing == Replacing::Named && self.before(key).is_some() {
                    edits.push(Edit::Remove { key });
                }
            } else if self.replacing == Replacing::Named && removed && kept.is_some() {
                edits.push(Edit::Keep { key: self.key });
            } else {
                let key = self.key;
                edits.push(Edit::Set { key, value });
            }
        }
        for (key, _) in variants {
            self.drop(key, &mut edits);
        }
        let others = self.left().filter(|(key, _)| *key != self.key);
        edits.extend(others.map(|(key, _)| Edit::Remove { key }));
        Some(edits)
    }

    fn allow(&self, value: &str) -> bool {
        self.statements.iter().all(|one| one.values.allow(value))
    }

    /// A value that all statements allow: one that is there, else the nearest, else the first. None
    /// is made up to match a regular expression.
    fn value(&self) -> Option<Value<'a>> {
        let there = self.sent().chain(self.left());
        let there = there.chain(self.before(self.key).map(|value| (self.key, value)));
        let there: Vec<&str> = there.map(|(_, value)| value).collect();
        if let Some(value) = there.iter().find(|value| self.allow(value)) {
            return Some(Value::This(value));
        }
        if self.statements.iter().all(|one| one.values.is_any()) {
            return Some(Value::Any);
        }
        let near = self.statements.iter().flat_map(|one| {
            let values = &one.values;
            there
                .iter()
                .filter_map(|value| hint::nearest(values, value))
        });
        let listed = self.statements.iter().flat_map(|one| listed(&one.values));
        near.chain(listed)
            .find(|value| self.allow(value))
            .map(Value::This)
    }
}

/// The values of a list that are written out.
fn listed(values: &AllowedValues) -> impl Iterator<Item = &str> {
    let patterns = match values {
        AllowedValues::Listed(patterns) => &**patterns,
        AllowedValues::Unset | AllowedValues::Matched(_) => &[],
    };
    let plain = patterns.iter().filter(|pattern| !pattern.is_wildcard());
    let started = patterns.iter().filter(|pattern| pattern.is_wildcard());
    let started = started.map(|pattern| {
        let text = pattern.as_str();
        text.strip_suffix('*')
            .or_else(|| text.strip_prefix('*'))
            .unwrap_or(text)
    });
    plain.map(ValuePattern::as_str).chain(started)
}
