//! Judges the tags of a resource as they are known here, as `ValidateTagging` detects
//! (tag-policy 3.1).
//!
//! Type, region and group are those that are kept; what the resource may take from its group is
//! known where the group is a resource itself.
//!
//! Not here: who may see what is found, and what repairs it (`tagging`).

use std::cmp::Reverse;

use super::{Directory, Entry};
use crate::engine::compliance::{
    Rules, Staged, StagedVerdict, TypeSources, capabilities, resource_type, validate, validate_by,
    validate_staged,
};
use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags};
use crate::model::account::Name;
use crate::model::arn::ResourceName;
use crate::model::catalog::TagCapabilities;
use crate::model::compliance::{KeyOutcome, TagHistory};
use crate::model::tag_policy::{EffectivePolicy, Section};
use crate::snapshot::Snapshot;
use crate::tagging::group_arns;

/// What resources are judged by, and with.
#[derive(Debug, Clone, Copy)]
pub struct Detector<'d> {
    /// The resources, groups among them.
    pub directory: &'d Directory,
    /// The policies.
    pub snapshot: &'d Snapshot,
}

/// One resource being judged.
#[derive(Debug, Clone, Copy)]
pub struct Detected<'d> {
    kind: &'d str,
    staged: Staged<'d>,
    tagging: &'d Tagging<'d>,
}

impl Detector<'_> {
    /// Judges a resource; `None`: no tag policy binds the account that owns it.
    pub fn detect<T>(&self, entry: &Entry, tell: impl FnOnce(&Detected<'_>) -> T) -> Option<T> {
        let Self {
            directory,
            snapshot,
        } = self;
        let owner = entry.owner()?;
        let policies = &snapshot.tags.account(owner)?.policies;
        let enforce = &*policies.enforce.policy;
        let sources = TypeSources {
            name: ResourceName::Arn(entry.fields()),
            stored: entry.kind(),
            sent: "",
        };
        // Nothing is sent that could contradict the ARN.
        let kind = resource_type(&snapshot.catalog, &[], &sources).unwrap_or_default();
        let kind = kind.unwrap_or_default();
        let group = entry.about().group();
        let group = group.and_then(|group| directory.group(owner, group));
        let question = Question {
            resource_type: &kind,
            region: entry.region(),
            group: entry.group().map_or(KnownGroup::None, KnownGroup::Some),
            current: Tags::Stored(entry.tags()),
            operation: Operation::Detect,
            inheritance: self.inheritance(entry, owner, group.as_ref()),
            history: TagHistory::Unknown,
        };
        let staged = Staged {
            enforce,
            warn: &policies.warn.policy,
            report: &policies.report.policy,
            settings: &snapshot.settings,
            capabilities: capabilities(&snapshot.catalog, enforce, &kind)
                .unwrap_or(TagCapabilities::ALL),
        };
        let judged = Tagging::with(question, |tagging| {
            tell(&Detected {
                kind: &kind,
                staged,
                tagging,
            })
        });
        // INVARIANT: whoever writes a resource keeps to its limit, which is lower.
        judged.ok()
    }

    /// tag-policy 3.4: "Not in a group or group lacks the tag → not applicable"; "Excluded ids".
    fn inheritance<'g>(
        &self,
        entry: &Entry,
        owner: &str,
        group: Option<&'g Entry>,
    ) -> Inheritance<'g> {
        let own = self.snapshot.inheritance.of(Some(owner));
        let mut excluded = own.into_iter().flat_map(|own| own.excluded.iter());
        if excluded.any(|arn| arn.as_str() == entry.arn()) {
            return Inheritance::Excluded;
        }
        let group = group.map(|group| Inheritance::Group(Tags::Stored(group.tags())));
        group.unwrap_or(Inheritance::Unknown)
    }

    /// Whether a repair would write anything, by what enforces.
    pub fn needs_repair(&self, entry: &Entry) -> bool {
        let repairs = self.detect(entry, |detected| {
            validate(&detected.staged.enforced(), detected.tagging)
                .corrected
                .len()
        });
        repairs.is_some_and(|repairs| repairs > 0)
    }

    /// Whether resources of an account take tags from their groups, so that a write of a group
    /// changes what its members come to.
    pub fn inherits_from_groups(&self, owner: &str) -> bool {
        let node = self.snapshot.tags.account(owner);
        node.is_some_and(|node| {
            let policies = &node.policies;
            let stages = [&policies.enforce, &policies.warn, &policies.report];
            let mut statements = stages.iter().flat_map(|stage| &stage.policy.statements);
            statements.any(|statement| statement.section == Section::RgInherit)
        })
    }
}

impl Directory {
    /// The resource that a resource group is.
    fn group(&self, owner: &str, group: &Name) -> Option<Entry> {
        let named = group_arns(owner, group);
        named.iter().find_map(|arn| self.find(arn))
    }
}

impl<'d> Detected<'d> {
    /// The type, in lower case; empty: nobody tells it.
    pub fn kind(&self) -> &'d str {
        self.kind
    }

    /// What the tags come to in all stages.
    pub fn verdict(&self) -> StagedVerdict<'d> {
        validate_staged(&self.staged, self.tagging)
    }

    /// Each key that a statement of any stage has anything to say of, with what it comes to; none
    /// twice.
    pub fn outcomes(&self) -> Vec<(&'d str, KeyOutcome)> {
        let Staged {
            enforce,
            warn,
            report,
            ..
        } = self.staged;
        let mut outcomes = Vec::new();
        self.judge_by(enforce, &mut outcomes);
        if !std::ptr::eq(warn, enforce) {
            self.judge_by(warn, &mut outcomes);
        }
        if !std::ptr::eq(report, warn) {
            self.judge_by(report, &mut outcomes);
        }
        outcomes.sort_unstable_by_key(|(key, outcome)| (*key, Reverse(*outcome)));
        outcomes.dedup_by_key(|(key, _)| *key);
        outcomes
    }

    fn judge_by(&self, policy: &'d EffectivePolicy, outcomes: &mut Vec<(&'d str, KeyOutcome)>) {
        let rules = Rules {
            policy,
            settings: self.staged.settings,
            capabilities: self.staged.capabilities,
        };
        for statement in &policy.statements {
            let verdict = validate_by(&rules, self.tagging, statement);
            if !verdict.evaluated {
                continue;
            }
            let found = verdict.violations.iter();
            let worst = found.filter_map(|one| KeyOutcome::of(one.code)).max();
            let outcome = worst.unwrap_or(KeyOutcome::Compliant);
            outcomes.push((&*statement.tag_key, outcome));
        }
    }
}
