//! The smallest set of edits to a write after which its tags comply (design, AuthorizeTagging).
//!
//! Keys that are equal after folding are one class, and each class is made right by itself: either
//! its key stands with an allowed value, or none of its keys stands, unless less is enough. The work
//! is bounded by statements times tags, and for several resources by their number squared.

mod apply;
mod class;

use std::collections::BTreeSet;

pub use self::apply::Edited;
use self::class::Class;
use super::compliance::{Rules, validate};
use super::tagging::Tagging;
use crate::model::text::fold;

/// The most verdicts in search of one or two edits that are enough.
const MAX_VERDICTS: usize = 1_000;

/// One edit of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit<'a> {
    /// Leave the tag out of what is set.
    Drop {
        /// The key.
        key: &'a str,
    },
    /// Do not remove the key.
    Keep {
        /// The key.
        key: &'a str,
    },
    /// Remove the key as well.
    Remove {
        /// The key.
        key: &'a str,
    },
    /// Write the tag under another spelling of its key.
    Rename {
        /// The key that is sent.
        key: &'a str,
        /// The key that is asked for.
        new_key: &'a str,
        /// The value to write.
        value: Value<'a>,
    },
    /// Set the key to the value.
    Set {
        /// The key.
        key: &'a str,
        /// The value to write.
        value: Value<'a>,
    },
}

/// A value to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value<'a> {
    /// This one.
    This(&'a str),
    /// Any one.
    Any,
}

impl<'a> Value<'a> {
    /// A value that will do.
    pub fn text(self) -> &'a str {
        match self {
            Self::This(value) => value,
            Self::Any => "",
        }
    }
}

/// What a write does with the tags that it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacing {
    /// Nothing.
    Named,
    /// It replaces them: a key that is left out is removed.
    All,
    /// It removes all tags and sets none: no edit of a key makes that right.
    Everything,
}

/// One resource that a write is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'v, 'a> {
    /// By what its tags are judged.
    pub rules: Rules<'a>,
    /// Its tags after the write.
    pub tagging: &'v Tagging<'a>,
    /// What becomes of the others.
    pub replacing: Replacing,
}

/// What would make a write comply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix<'a> {
    /// The edits, in order.
    pub edits: Vec<Edit<'a>>,
    /// Whether the tags of every resource comply after them.
    pub is_complete: bool,
}

/// The edits after which the tags of all resources comply.
///
/// Where one resource's edits make all of them comply, the smallest such set is taken. Otherwise all
/// edits together are tried, if no two of them are about one key. Sets of one and of two edits are
/// tried before what is larger, because classes are not wholly independent: a write that sets
/// nothing any more may need nothing. No value is made up to match a regular expression.
pub fn fix<'a>(targets: &[Target<'_, 'a>]) -> Fix<'a> {
    let mut wanted: Vec<Vec<Edit<'a>>> = Vec::new();
    let mut is_known = true;
    for target in targets {
        match target.edits() {
            Some(edits) => wanted.push(edits),
            None => is_known = false,
        }
    }
    // The largest set is what its resource needs at least.
    wanted.sort_by_key(|edits| std::cmp::Reverse(edits.len()));
    let all = together(&wanted);
    let found = wanted
        .iter()
        .chain(&all)
        .filter(|_| is_known)
        .find(|edits| targets.iter().all(|target| target.comply_after(edits)));
    let size = found.map_or(usize::MAX, Vec::len);
    match few(targets, size).as_ref().or(found) {
        Some(edits) => Fix {
            edits: edits.clone(),
            is_complete: true,
        },
        None => Fix {
            edits: all.or_else(|| wanted.first().cloned()).unwrap_or_default(),
            is_complete: false,
        },
    }
}

/// One or two edits after which the tags of all resources comply, if they are fewer than `size` and
/// are found in a bounded number of verdicts.
fn few<'a>(targets: &[Target<'_, 'a>], size: usize) -> Option<Vec<Edit<'a>>> {
    let candidates: BTreeSet<Edit<'a>> = targets.iter().flat_map(Target::candidates).collect();
    one_or_two(&candidates.into_iter().collect::<Vec<_>>())
        .take_while(|edits| edits.len() < size)
        .take(MAX_VERDICTS / targets.len().max(1))
        .find(|edits| targets.iter().all(|target| target.comply_after(edits)))
}

/// Every set of one edit, then every set of two.
fn one_or_two<'c, 'a>(candidates: &'c [Edit<'a>]) -> impl Iterator<Item = Vec<Edit<'a>>> + 'c {
    let one = candidates.iter().map(|edit| vec![*edit]);
    let two = candidates.iter().enumerate().flat_map(|(place, first)| {
        let rest = candidates.iter().skip(place + 1);
        rest.map(|second| vec![*first, *second])
    });
    one.chain(two)
}

/// All edits at once; `None`: two of them are about one key of what is set.
fn together<'a>(wanted: &[Vec<Edit<'a>>]) -> Option<Vec<Edit<'a>>> {
    let all: BTreeSet<Edit<'a>> = wanted.iter().flatten().copied().collect();
    let mut written = BTreeSet::new();
    let mut keys = all.iter().flat_map(Edit::writes).flatten();
    keys.all(|key| written.insert(key))
        .then(|| all.into_iter().collect())
}

impl<'a> Edit<'a> {
    /// The keys of what is set that it is about.
    fn writes(&self) -> [Option<&'a str>; 2] {
        match *self {
            Self::Drop { key } | Self::Set { key, .. } => [Some(key), None],
            Self::Rename { key, new_key, .. } => [Some(key), Some(new_key)],
            Self::Keep { .. } | Self::Remove { .. } => [None, None],
        }
    }
}

impl<'a> Target<'_, 'a> {
    /// Single edits of the classes that are violated.
    fn candidates(&self) -> Vec<Edit<'a>> {
        let mut done = BTreeSet::new();
        let verdict = validate(&self.rules, self.tagging);
        let violated = verdict.violations.iter();
        let keys = violated.map(|one| &*one.statement.tag_key);
        keys.filter(|key| done.insert(fold(key)))
            .flat_map(|key| Class::new(self, key).candidates())
            .collect()
    }

    /// The smallest set of edits for this resource; `None`: no value is known that would do.
    fn edits(&self) -> Option<Vec<Edit<'a>>> {
        let verdict = validate(&self.rules, self.tagging);
        if self.replacing == Replacing::Everything && !verdict.is_compliant() {
            return None;
        }
        let mut done = BTreeSet::new();
        let mut edits = Vec::new();
        for violation in &verdict.violations {
            let key = &*violation.statement.tag_key;
            if !done.insert(fold(key)) {
                continue;
            }
            edits.extend(self.smallest(&Class::new(self, key))?);
        }
        edits.sort_unstable();
        Some(edits)
    }

    /// The smallest set of edits for the keys of one folding.
    ///
    /// What makes the key stand alone with an allowed value, or takes all of its keys away, may be
    /// more than is needed, because a statement asks nothing of tags that the write leaves as they
    /// are: sets of one and of two edits are tried before it.
    fn smallest(&self, class: &Class<'_, 'a>) -> Option<Vec<Edit<'a>>> {
        let known = if class.is_over_limit() {
            class.undo()
        } else {
            class.smallest()?
        };
        one_or_two(&class.candidates())
            .take_while(|edits| edits.len() < known.len())
            .find(|edits| self.is_right_after(class, edits))
            .or(Some(known))
    }

    /// Whether no statement about the keys of one folding is violated after edits.
    fn is_right_after(&self, class: &Class<'_, 'a>, edits: &[Edit<'_>]) -> bool {
        let asked = self.tagging.question();
        let edited = Edited::new(asked, self.replacing, edits);
        Tagging::new(edited.question(asked)).is_ok_and(|after| {
            let verdict = validate(&self.rules, &after);
            let mut violations = verdict.violations.iter();
            !violations.any(|one| class.holds(&one.statement.tag_key))
        })
    }

    /// Whether the tags comply after edits, and the write is within its limits.
    fn comply_after(&self, edits: &[Edit<'_>]) -> bool {
        let edited = Edited::new(self.tagging.question(), self.replacing, edits);
        edited.is_within_limits()
            && Tagging::new(edited.question(self.tagging.question()))
                .is_ok_and(|after| validate(&self.rules, &after).is_compliant())
    }
}
