//! A write after edits.

use super::{Edit, Replacing};
use crate::engine::tagging::{Operation, Question};
use crate::model::tag::TagRef;
use crate::model::verdict::limits;

/// What an edited write sets and removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited<'e> {
    set: Vec<TagRef<'e>>,
    removed: Vec<&'e str>,
}

impl<'e> Edited<'e> {
    /// Applies edits to the write of a question.
    pub fn new(question: &Question<'e>, replacing: Replacing, edits: &[Edit<'e>]) -> Self {
        let mut edited = Self {
            set: question.operation.set().to_vec(),
            removed: question.operation.removed().to_vec(),
        };
        for edit in edits {
            edited.apply(*edit);
        }
        let Self { set, removed } = &mut edited;
        removed.retain(|key| !set.iter().any(|tag| tag.key == *key));
        if replacing == Replacing::All {
            let keys = question.current.iter().map(|tag| tag.key);
            let left_out = keys.filter(|key| !set.iter().any(|tag| tag.key == *key));
            *removed = left_out.collect();
        }
        edited
    }

    fn apply(&mut self, edit: Edit<'e>) {
        match edit {
            Edit::Drop { key } => self.set.retain(|tag| tag.key != key),
            Edit::Keep { key } => self.removed.retain(|known| *known != key),
            Edit::Remove { key } => self.removed.push(key),
            Edit::Rename {
                key,
                new_key,
                value,
            } => {
                self.set.retain(|tag| tag.key != key);
                self.put(new_key, value.text());
            }
            Edit::Set { key, value } => self.put(key, value.text()),
        }
    }

    fn put(&mut self, key: &'e str, value: &'e str) {
        self.set.retain(|tag| tag.key != key);
        self.set.push(TagRef { key, value });
    }

    /// Whether one call may carry it.
    pub fn is_within_limits(&self) -> bool {
        self.set.len() <= limits::REQUEST_TAGS && self.removed.len() <= limits::REMOVED_KEYS
    }

    /// The question that the edited write asks.
    pub fn question<'q>(&'q self, asked: &Question<'q>) -> Question<'q> {
        let operation = match asked.operation {
            Operation::Create(_) => Operation::Create(&self.set),
            Operation::Detect | Operation::Write { .. } => Operation::Write {
                set: &self.set,
                removed: &self.removed,
            },
        };
        Question {
            operation,
            ..*asked
        }
    }
}
