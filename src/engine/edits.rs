//! The smallest set of edits to a write after which its tags comply (design, AuthorizeTagging).
//!
//! Keys that are equal after folding are one class, and each class is made right by itself: either
//! its key stands with an allowed value, or none of its keys stands. The work is bounded by
//! statements times tags, and for several resources by their number squared.

mod apply;
mod class;

use std::collections::BTreeSet;

pub use self::apply::Edited;
use self::class::Class;
use super::compliance::{Rules, validate};
use super::tagging::Tagging;
use crate::model::text::fold;

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
/// Where one resource's edits make all of them comply, the smallest such set is taken; no smaller
/// one could do, for it would not do for that resource either. Otherwise all edits together are
/// tried, if no two of them are about one key.
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
    let first = wanted.first().cloned().unwrap_or_default();
    let all = together(&wanted);
    let candidates = wanted.iter().chain(&all);
    let found = candidates
        .filter(|_| is_known)
        .find(|edits| targets.iter().all(|target| target.comply_after(edits)));
    match found {
        Some(edits) => Fix {
            edits: edits.clone(),
            is_complete: true,
        },
        None => Fix {
            edits: all.unwrap_or(first),
            is_complete: false,
        },
    }
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
            let class = Class::new(self, key);
            if class.is_over_limit() {
                edits.extend(class.undo());
            } else {
                edits.extend(class.smallest()?);
            }
        }
        edits.sort_unstable();
        Some(edits)
    }

    /// Whether the tags comply after edits, and the write is within its limits.
    fn comply_after(&self, edits: &[Edit<'_>]) -> bool {
        let edited = Edited::new(self.tagging.question(), self.replacing, edits);
        edited.is_within_limits()
            && Tagging::new(edited.question(self.tagging.question()))
                .is_ok_and(|after| validate(&self.rules, &after).is_compliant())
    }
}
