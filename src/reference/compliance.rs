//! Compliance with an effective tag policy, as the specification says it: sets and maps, no haste.
//!
//! Each branch names its sentence: `tag-policy n`, or `security n.m`, which stands over it.

mod correction;
mod kind;
mod scope;
mod stages;

pub use kind::{RefusedType, resource_type};
pub use stages::comply_staged;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::catalog::{TagCapabilities, TagCapability};
use crate::model::compliance::{
    Inheritance, TagHistory, TaggingAnswer, TaggingOperation, TaggingQuestion, ViolationCode,
};
use crate::model::settings::{Settings, StrongVerification, UntagInterception};
use crate::model::tag_policy::{
    AllowedValues, Dialect, EffectivePolicy, EffectiveStatement, Fit, Section, TagKeyOrigin,
};

/// By what tags are judged.
#[derive(Debug, Clone, Copy)]
pub struct TagRules<'a> {
    /// The effective policy.
    pub policy: &'a EffectivePolicy,
    /// The switches.
    pub settings: &'a Settings,
    /// What tag policies can do with the resource's type.
    pub capabilities: TagCapabilities,
}

/// Judges the tags after an operation.
pub fn comply(rules: &TagRules<'_>, question: &TaggingQuestion) -> TaggingAnswer {
    let state = State::new(question);
    let mut answer = TaggingAnswer::default();
    let mut found = BTreeSet::new();
    for statement in &rules.policy.statements {
        let judged = Judging {
            rules,
            state: &state,
            statement,
        }
        .judge();
        answer.evaluated |= judged.applied;
        answer.intercepted |= judged.intercepted;
        found.extend(judged.violations);
    }
    if question.operation == TaggingOperation::Detect && !found.is_empty() {
        answer.corrected = correction::corrected(rules, &state);
    }
    answer.violations = found.into_iter().collect();
    answer
}

type Tags = BTreeMap<String, String>;

/// The tags before and after, and the keys that the operation writes.
struct State<'q> {
    question: &'q TaggingQuestion,
    before: Tags,
    after: Tags,
    set: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl<'q> State<'q> {
    fn new(question: &'q TaggingQuestion) -> Self {
        let mut state = State {
            question,
            before: question.current.iter().cloned().collect(),
            after: question.current.iter().cloned().collect(),
            set: BTreeSet::new(),
            removed: BTreeSet::new(),
        };
        let new = match &question.operation {
            TaggingOperation::Detect => return state,
            TaggingOperation::Create(tags) => {
                state.before.clear();
                state.after.clear();
                tags
            }
            TaggingOperation::Write { set, removed } => {
                state.removed.extend(removed.iter().cloned());
                state.after.retain(|key, _| !removed.contains(key));
                set
            }
        };
        state.set.extend(new.iter().map(|(key, _)| key.clone()));
        state.after.extend(new.iter().cloned());
        state
    }

    /// tag-policy 3.1: AWS: "only resources that carry or once carried a tag".
    fn carried_a_tag(&self) -> bool {
        let once = self.question.history == TagHistory::Tagged;
        once || !self.before.is_empty() || !self.after.is_empty()
    }
}

/// Character by character (tag-policy 8).
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// tag-policy 1.3: "One `*` per tag value, zero or more characters, anchored at both ends".
fn allowed(values: &AllowedValues, value: &str) -> bool {
    match values {
        AllowedValues::Unset => true,
        AllowedValues::Listed(patterns) => patterns.iter().any(|pattern| {
            let text = pattern.as_str();
            match text.split_once('*') {
                None => text == value,
                Some((start, end)) => {
                    value.len() >= start.len() + end.len()
                        && value.starts_with(start)
                        && value.ends_with(end)
                }
            }
        }),
        AllowedValues::Matched(regexes) => regexes.iter().any(|regex| regex.matches(value)),
    }
}

/// What one statement comes to.
#[derive(Default)]
struct Judged {
    applied: bool,
    intercepted: bool,
    violations: BTreeSet<(ViolationCode, String)>,
}

struct Judging<'r> {
    rules: &'r TagRules<'r>,
    state: &'r State<'r>,
    statement: &'r EffectiveStatement,
}

impl Judging<'_> {
    fn judge(&self) -> Judged {
        let mut judged = Judged::default();
        self.over_limit(&mut judged);
        match self.statement.section {
            Section::RgInherit => self.inheritance(&mut judged),
            Section::Tags | Section::MatchedTags => {
                if scope::applies(self.rules, self.state, self.statement) {
                    self.tags(&mut judged);
                }
            }
        }
        judged
    }

    /// security 6.4: "writes under that statement are intercepted until it fits again".
    fn over_limit(&self, judged: &mut Judged) {
        let folded = lower(&self.statement.tag_key);
        let mut written = self.state.set.iter().chain(&self.state.removed);
        let writes = written.any(|key| lower(key) == folded);
        let excluded = scope::excluded(self.statement, self.state.question);
        if self.statement.fit == Fit::OverLimit && writes && !excluded {
            let key = self.statement.tag_key.to_string();
            judged.applied = true;
            judged.intercepted = true;
            judged.violations.insert((ViolationCode::OverLimit, key));
        }
    }

    /// tag-policy 3.4
    fn inheritance(&self, judged: &mut Judged) {
        let Some(value) = inherited(self.rules, self.state, self.statement) else {
            return;
        };
        judged.applied = true;
        let key = self.statement.tag_key.to_string();
        if self.state.after.get(&key) != Some(&value) {
            let code = ViolationCode::RgTagNotInherited;
            judged.violations.insert((code, key));
        }
    }

    fn tags(&self, judged: &mut Judged) {
        let key = self.statement.tag_key.to_string();
        let own = self.state.after.get(&key);
        let same = |other: &&String| **other != key && lower(other) == lower(&key);
        let variants: Vec<&String> = self.state.after.keys().filter(same).collect();
        let missing = own.is_none() && variants.is_empty() && self.key_is_asked_for();
        // tag-policy 3.1: AWS judges tags by their key, and absence where it is reported.
        judged.applied |= self.rules.policy.dialect != Dialect::Aws
            || own.is_some()
            || !variants.is_empty()
            || missing;
        if own.is_some_and(|value| !allowed(&self.statement.values, value)) {
            let code = match self.statement.section {
                Section::MatchedTags => ViolationCode::ValueRegex,
                Section::Tags | Section::RgInherit => ViolationCode::Value,
            };
            judged.intercepted |= self.write_is_intercepted(&key);
            judged.violations.insert((code, key.clone()));
        }
        if !self.variants_are_right() {
            for variant in variants {
                judged.intercepted |= self.write_is_intercepted(variant);
                judged.intercepted |= self.removal_is_intercepted();
                let violation = (ViolationCode::KeyCase, variant.clone());
                judged.violations.insert(violation);
            }
        }
        if missing {
            judged.intercepted |=
                self.removal_is_intercepted() || self.bare_create_is_intercepted();
            judged.violations.insert((ViolationCode::Missing, key));
        }
    }

    /// tag-policy 1.5: "missing key is a violation".
    fn key_is_asked_for(&self) -> bool {
        match self.rules.policy.dialect {
            Dialect::Alibaba => true,
            Dialect::Huawei => false,
            Dialect::Aws => self.is_reported() && self.state.carried_a_tag(),
        }
    }

    fn is_reported(&self) -> bool {
        let kind = &self.state.question.resource_type;
        scope::lists_type(&self.statement.report_required_tag_for, kind)
    }

    /// tag-policy 8: "AWS with `tag_key` not explicit".
    fn variants_are_right(&self) -> bool {
        self.rules.policy.dialect == Dialect::Aws
            && self.statement.tag_key_origin == TagKeyOrigin::PolicyKey
            && self.is_reported()
    }

    fn is_enforced(&self) -> bool {
        scope::is_enforced(self.statement, &self.state.question.resource_type)
    }

    /// tag-policy 3.2, and 7, rule 19: only what the request carries.
    fn write_is_intercepted(&self, key: &str) -> bool {
        let needed = match self.state.question.operation {
            TaggingOperation::Detect => return false,
            TaggingOperation::Create(_) => TagCapability::Create,
            TaggingOperation::Write { .. } => TagCapability::Tag,
        };
        self.is_enforced() && self.rules.capabilities.holds(needed) && self.state.set.contains(key)
    }

    fn is_strong(&self) -> bool {
        self.rules.policy.dialect == Dialect::Alibaba
            && self.rules.settings.strong_verification == StrongVerification::On
    }

    /// tag-policy 3.2: strong verification.
    fn bare_create_is_intercepted(&self) -> bool {
        let create = matches!(self.state.question.operation, TaggingOperation::Create(_));
        let can = |capability| self.rules.capabilities.holds(capability);
        create
            && self.is_strong()
            && self.is_enforced()
            && can(TagCapability::Create)
            && can(TagCapability::StrongVerification)
    }

    /// security 6.6: "removing a required key is intercepted".
    fn removal_is_intercepted(&self) -> bool {
        let key = &*self.statement.tag_key;
        let removes = self.state.removed.contains(key) && self.state.before.contains_key(key);
        let guarded = match self.rules.settings.untag_interception {
            UntagInterception::Never => false,
            UntagInterception::Strong => self.is_strong(),
            UntagInterception::Always => true,
        };
        removes
            && guarded
            && self.is_enforced()
            && self.key_is_asked_for()
            && self.rules.capabilities.holds(TagCapability::Tag)
    }
}

/// tag-policy 3.4: what the resource takes from its group.
fn inherited(
    rules: &TagRules<'_>,
    state: &State<'_>,
    statement: &EffectiveStatement,
) -> Option<String> {
    let in_group = matches!(state.question.group, Some(Some(_)));
    let Inheritance::Group(tags) = &state.question.inheritance else {
        return None;
    };
    let applies = rules.policy.dialect == Dialect::Alibaba
        && rules.capabilities.holds(TagCapability::RgInherit)
        && in_group
        && scope::included(statement, state.question);
    let named = tags.iter().find(|(key, _)| **key == *statement.tag_key);
    named.filter(|_| applies).map(|(_, value)| value.clone())
}
