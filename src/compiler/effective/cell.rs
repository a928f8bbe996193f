//! One setting of one statement: its value, who put it there, and what is left to nodes below.

mod list;

use std::sync::Arc;

pub(super) use self::list::ListCell;
use crate::model::tag_policy::{
    Cell, Dialect, Lock, Note, NoteKind, Operator, Operators, Origin, Setting, Single, Weakening,
};

/// A value with the operator that put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned<T> {
    pub(super) value: T,
    pub(super) by: Origin,
}

/// What one node does to one setting.
#[derive(Debug)]
pub(super) struct Step<'s> {
    pub(super) depth: usize,
    pub(super) cell: Cell,
    pub(super) dialect: Dialect,
    /// Whether what this node says is left out, because with it a limit is passed.
    pub(super) is_cut: bool,
    /// Why no new scope may be set.
    pub(super) scope_locks: &'s [Lock],
    pub(super) notes: &'s mut Vec<Note>,
}

impl Step<'_> {
    fn origin(&self, policy: &Arc<str>, operator: Operator) -> Origin {
        Origin {
            depth: self.depth,
            policy: Arc::clone(policy),
            operator,
        }
    }

    fn note(&mut self, by: &Origin, kind: NoteKind) {
        self.notes.push(Note {
            cell: self.cell.clone(),
            by: Some(by.clone()),
            kind,
        });
    }
}

/// What is left to the nodes below, and by whom it was narrowed.
#[derive(Debug, Clone)]
struct Left {
    allowed: Operators,
    locks: Vec<(Lock, Operators)>,
}

impl Default for Left {
    fn default() -> Self {
        Self {
            allowed: Operators::ALL,
            locks: Vec::new(),
        }
    }
}

impl Left {
    /// Restrictions add up, and `@@all` never widens (tag-policy 2.2).
    fn restrict(&mut self, policy: &Arc<str>, children: Option<Operators>, step: &Step<'_>) {
        let Some(children) = children else { return };
        self.allowed = self.allowed.both(children);
        if children != Operators::ALL {
            let lock = Lock {
                depth: step.depth,
                policy: Arc::clone(policy),
                setting: step.cell.setting,
            };
            self.locks.push((lock, children));
        }
    }

    /// Whether the nodes above left this operator; else it is told.
    fn allows(&self, by: &Origin, step: &mut Step<'_>) -> bool {
        if self.allowed.holds(by.operator) {
            return !step.is_cut;
        }
        let locks = self.locks.iter();
        let refusing = locks.filter(|(_, children)| !children.holds(by.operator));
        let refusing = refusing.map(|(lock, _)| lock.clone()).collect();
        step.note(by, NoteKind::Locked(refusing));
        false
    }
}

/// A setting with one value.
#[derive(Debug, Clone)]
pub(super) struct SingleCell<T> {
    value: Option<Assigned<T>>,
    left: Left,
}

impl<T> Default for SingleCell<T> {
    fn default() -> Self {
        Self {
            value: None,
            left: Left::default(),
        }
    }
}

impl<T: Clone + PartialEq> SingleCell<T> {
    pub(super) fn value(&self) -> Option<&Assigned<T>> {
        self.value.as_ref()
    }

    pub(super) fn allowed(&self) -> Operators {
        self.left.allowed
    }

    pub(super) fn locks(&self) -> impl Iterator<Item = Lock> {
        self.left.locks.iter().map(|(lock, _)| lock.clone())
    }

    /// The first policy in attach order that assigns sets the value; then all restrict.
    pub(super) fn apply<'b>(
        &mut self,
        written: impl Iterator<Item = (&'b Arc<str>, &'b Single<T>)> + Clone,
        step: &mut Step<'_>,
    ) where
        T: 'b,
    {
        let mut first: Option<Assigned<T>> = None;
        for (policy, single) in written.clone() {
            let Some(value) = &single.assign else {
                continue;
            };
            let by = step.origin(policy, Operator::Assign);
            if !self.left.allows(&by, step) {
                continue;
            }
            match &first {
                None => {
                    let value = value.clone();
                    first = Some(Assigned { value, by });
                }
                Some(first) if first.value != *value => {
                    step.note(&by, NoteKind::PeerAssigned(first.by.clone()));
                }
                Some(_) => {}
            }
        }
        if let Some(first) = first {
            let differs = |before: &Assigned<T>| before.value != first.value;
            let is_key = step.cell.setting == Setting::TagKey;
            if is_key && self.value.as_ref().is_some_and(differs) {
                step.note(&first.by, NoteKind::Weakened(Weakening::TagKey));
            }
            self.value = Some(first);
        }
        for (policy, single) in written {
            self.left.restrict(policy, single.children, step);
        }
    }
}
