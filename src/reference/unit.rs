//! A unit of evaluation: statements that are judged together (ram 4.1, security 4).

use std::collections::BTreeSet;

use crate::model::condition::{ConditionKey, TagFamily};
use crate::model::settings::{TagKeyCase, UpdateExtraTags};
use crate::model::statement::Effect;
use crate::model::text::eq_fold;
use crate::model::verdict::Outcome;

use super::StatementName;
use super::image::{added_and_changed, images};
use super::statement::Placed;
use super::subcheck::{Question, SubCheck, Write};

/// What a unit came to.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) outcome: Outcome,
    /// The statements that hold: the denying ones, or the allowing ones.
    pub(super) holding: Vec<Placed<'a>>,
}

impl Judged<'_> {
    pub(super) fn causes(&self) -> BTreeSet<StatementName> {
        self.holding.iter().map(Placed::name).collect()
    }
}

/// Judges the statements of one unit. Never pooled across units or ids (security 4).
pub(super) fn judge<'a>(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    unit: &[Placed<'a>],
) -> Judged<'a> {
    let matching: Vec<Placed<'a>> = unit
        .iter()
        .filter(|placed| placed.matches(question, sub))
        .copied()
        .collect();
    // Any matching Deny that holds; on a tag write on the current or on the resulting tags.
    let denying: Vec<Placed<'a>> = matching
        .iter()
        .filter(|placed| placed.is(Effect::Deny) && placed.holds_somewhere(question, sub))
        .copied()
        .collect();
    if !denying.is_empty() {
        return Judged {
            outcome: Outcome::ExplicitDeny,
            holding: denying,
        };
    }
    let allows: Vec<Placed<'a>> = matching
        .into_iter()
        .filter(|placed| placed.is(Effect::Allow))
        .collect();
    let allowed = match &sub.write {
        None => allows
            .iter()
            .any(|placed| placed.holds_somewhere(question, sub)),
        Some(write) => write_allowed(question, sub, write, &allows),
    };
    let holding = allows
        .into_iter()
        .filter(|placed| allowed && placed.holds_somewhere(question, sub))
        .collect();
    Judged {
        outcome: if allowed {
            Outcome::Allow
        } else {
            Outcome::ImplicitDeny
        },
        holding,
    }
}

/// security 4: ALLOW iff `old_ok` and `new_ok`.
fn write_allowed(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    write: &Write,
    allows: &[Placed<'_>],
) -> bool {
    let images = images(question, sub, Effect::Allow);
    let (Some(before), Some(after)) = (images.first(), images.get(1)) else {
        return false;
    };
    let speaks = |placed: &&Placed<'_>| placed.class(sub.part).speaks_of_a_state();
    // old_ok: some Allow of class N, R or RQ holds on (current, new).
    let old_ok = allows
        .iter()
        .filter(speaks)
        .any(|placed| placed.holds_on(question, sub, before));
    // new_ok, first alternative: some Allow of class N, R or RQ holds on (post, new).
    let post_ok = allows
        .iter()
        .filter(speaks)
        .any(|placed| placed.holds_on(question, sub, after));
    // A touched key is a key of `new` and is named by a Q condition of some Allow of class Q or RQ
    // that holds on (current, new). A Q condition never covers a removal.
    let named = |key: &String| {
        write.new.contains(key)
            && allows.iter().any(|placed| {
                placed.holds_on(question, sub, before) && names_key(question, placed, key)
            })
    };
    let new_ok = match question.bundle.settings.update_extra_tags {
        UpdateExtraTags::Class => post_ok || write.touched.iter().all(named),
        // Decision 28: a key that `new` adds only by name; any other touched key also by the first
        // alternative.
        UpdateExtraTags::Named => {
            let (added, changed) = added_and_changed(write);
            added.into_iter().all(named) && changed.into_iter().all(|key| post_ok || named(key))
        }
    };
    old_ok && new_ok
}

/// Decision 29: tag keys are compared exactly, and folded under `fold`.
fn names_key(question: &Question<'_>, placed: &Placed<'_>, key: &str) -> bool {
    let folds = question.bundle.settings.tag_key_case == TagKeyCase::Fold;
    placed.statement.conditions.iter().any(|condition| {
        matches!(&condition.key, ConditionKey::Tag(read)
            if read.family == TagFamily::Request
                && (*read.key == *key || (folds && eq_fold(&read.key, key))))
    })
}
