//! Several verdicts as one: of statements, and of the three stages (security 6.3).

use super::{Interception, Rules, Verdict, Violation, validate};
use crate::engine::correction::Rewrite;
use crate::engine::tagging::Tagging;
use crate::model::catalog::TagCapabilities;
use crate::model::organization::TagMode;
use crate::model::settings::Settings;
use crate::model::tag_policy::EffectivePolicy;

/// Puts violations in order; of two with one code and key the first stays, with the stricter
/// outcome of both.
pub(super) fn sort(violations: &mut Vec<Violation<'_>>) {
    violations.sort_by(|left, right| (left.code, left.key).cmp(&(right.code, right.key)));
    violations.dedup_by(|later, kept| {
        let same = (later.code, later.key) == (kept.code, kept.key);
        if same {
            kept.intercepted = kept.intercepted.max(later.intercepted);
        }
        same
    });
}

/// The three effective policies of a node.
#[derive(Debug, Clone, Copy)]
pub struct Staged<'a> {
    /// What interception follows.
    pub enforce: &'a EffectivePolicy,
    /// What warnings follow.
    pub warn: &'a EffectivePolicy,
    /// What reports follow.
    pub report: &'a EffectivePolicy,
    /// The switches.
    pub settings: &'a Settings,
    /// What tag policies can do with the resource's type.
    pub capabilities: TagCapabilities,
}

/// What tags come to in all three stages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StagedVerdict<'a> {
    /// Whether any statement of any stage applied.
    pub evaluated: bool,
    /// What is wrong, by code and key, with the furthest stage that finds it.
    pub violations: Vec<(TagMode, Violation<'a>)>,
    /// What a repair writes, by the policies that enforce.
    pub corrected: Vec<Rewrite<'a>>,
}

impl StagedVerdict<'_> {
    /// Whether nothing is wrong in any stage.
    pub fn is_compliant(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether the operation is intercepted.
    pub fn is_intercepted(&self) -> bool {
        let mut found = self.violations.iter();
        found.any(|(_, violation)| violation.intercepted == Interception::Intercepted)
    }
}

/// Judges by all three stages. security 6.3: "Interception uses the first, warnings the second,
/// reports the third".
pub fn validate_staged<'a>(staged: &Staged<'a>, tagging: &Tagging<'a>) -> StagedVerdict<'a> {
    let Verdict {
        evaluated,
        violations,
        corrected,
    } = validate(&staged.enforced(), tagging);
    let mut whole = StagedVerdict {
        evaluated,
        violations: Vec::new(),
        corrected,
    };
    for violation in violations {
        whole.violations.push((TagMode::Enforce, violation));
    }
    if !std::ptr::eq(staged.warn, staged.enforce) {
        whole.add(TagMode::Warn, validate(&staged.rules(staged.warn), tagging));
    }
    if !std::ptr::eq(staged.report, staged.warn) {
        let reported = validate(&staged.rules(staged.report), tagging);
        whole.add(TagMode::Report, reported);
    }
    whole
        .violations
        .sort_by(|(_, left), (_, right)| (left.code, left.key).cmp(&(right.code, right.key)));
    whole
}

impl<'a> Staged<'a> {
    /// By what interception judges.
    pub fn enforced(&self) -> Rules<'a> {
        self.rules(self.enforce)
    }

    fn rules(&self, policy: &'a EffectivePolicy) -> Rules<'a> {
        Rules {
            policy,
            settings: self.settings,
            capabilities: self.capabilities,
        }
    }
}

impl<'a> StagedVerdict<'a> {
    /// Adds what an earlier stage does not find; it stops nothing.
    fn add(&mut self, mode: TagMode, verdict: Verdict<'a>) {
        self.evaluated |= verdict.evaluated;
        for violation in verdict.violations {
            let (code, key) = (violation.code, violation.key);
            let mut known = self.violations.iter();
            if known.any(|(_, known)| (known.code, known.key) == (code, key)) {
                continue;
            }
            let told = Violation {
                intercepted: Interception::Reported,
                ..violation
            };
            self.violations.push((mode, told));
        }
    }
}
