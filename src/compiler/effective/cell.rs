//! One setting of one statement: its value, who put it there, and what is left to nodes below.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::tag_policy::{
    Cell, Dialect, ListClause, ListSetting, Lock, Note, NoteKind, Operator, Operators, Origin,
    Single, Weakening,
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
            let is_key = step.cell.setting == crate::model::tag_policy::Setting::TagKey;
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

/// A list.
#[derive(Debug, Clone, Default)]
pub(super) struct ListCell {
    values: Option<Vec<Assigned<Arc<str>>>>,
    removed: Vec<Assigned<Arc<str>>>,
    left: Left,
}

type Clause<'b> = (&'b Arc<str>, &'b ListClause);

impl ListCell {
    pub(super) fn values(&self) -> Option<&[Assigned<Arc<str>>]> {
        self.values.as_deref()
    }

    pub(super) fn removed(&self) -> &[Assigned<Arc<str>>] {
        &self.removed
    }

    pub(super) fn allowed(&self) -> Operators {
        self.left.allowed
    }

    pub(super) fn locks(&self) -> impl Iterator<Item = Lock> {
        self.left.locks.iter().map(|(lock, _)| lock.clone())
    }

    /// Assign, append, remove, each for all policies of the node, and then all restrict.
    pub(super) fn apply(
        &mut self,
        clauses: &[Clause<'_>],
        setting: ListSetting,
        step: &mut Step<'_>,
    ) {
        let inherited = self.values.clone();
        // Security 6.1: below a locked statement a scope that no ancestor set stays unset.
        let is_closed = setting.is_scope() && !step.scope_locks.is_empty() && inherited.is_none();
        if is_closed {
            self.refuse_all(clauses, step);
        } else {
            let assigned = self.assign(clauses, setting, step);
            self.append(clauses, setting, step);
            self.remove(clauses, step);
            self.tell_weakening(inherited.as_deref(), assigned.as_ref(), setting, step);
        }
        for (policy, clause) in clauses {
            self.left.restrict(policy, clause.children, step);
        }
    }

    fn refuse_all(&self, clauses: &[Clause<'_>], step: &mut Step<'_>) {
        for (policy, clause) in clauses {
            for operator in Operator::ALL {
                if written(clause, operator).is_none() {
                    continue;
                }
                let by = step.origin(policy, operator);
                if self.left.allows(&by, step) {
                    let locks = step.scope_locks.to_vec();
                    step.note(&by, NoteKind::ScopeUnderLock(locks));
                }
            }
        }
    }

    fn assign(
        &mut self,
        clauses: &[Clause<'_>],
        setting: ListSetting,
        step: &mut Step<'_>,
    ) -> Option<Origin> {
        let mut first: Option<(Origin, Vec<Assigned<Arc<str>>>)> = None;
        for (policy, clause) in clauses {
            let Some(list) = &clause.assign else { continue };
            let by = step.origin(policy, Operator::Assign);
            if !self.left.allows(&by, step) || self.is_empty_scope(list, setting, &by, step) {
                continue;
            }
            let mut values = Vec::new();
            add(&mut values, list, &by);
            match &first {
                None => first = Some((by, values)),
                Some((one, set)) => {
                    let texts = |list: &[Assigned<Arc<str>>]| -> Vec<Arc<str>> {
                        list.iter().map(|one| Arc::clone(&one.value)).collect()
                    };
                    if texts(set) != texts(&values) {
                        step.note(&by, NoteKind::PeerAssigned(one.clone()));
                    }
                }
            }
        }
        let (by, values) = first?;
        self.values = Some(values);
        self.removed.clear();
        Some(by)
    }

    fn append(&mut self, clauses: &[Clause<'_>], setting: ListSetting, step: &mut Step<'_>) {
        for (policy, clause) in clauses {
            let Some(list) = &clause.append else { continue };
            let by = step.origin(policy, Operator::Append);
            if !self.left.allows(&by, step) || self.is_empty_scope(list, setting, &by, step) {
                continue;
            }
            add(self.values.get_or_insert_default(), list, &by);
        }
        let values = self.values.as_deref().unwrap_or_default();
        let present: HashSet<&Arc<str>> = values.iter().map(|one| &one.value).collect();
        self.removed.retain(|gone| !present.contains(&gone.value));
    }

    fn remove(&mut self, clauses: &[Clause<'_>], step: &mut Step<'_>) {
        for (policy, clause) in clauses {
            let Some(list) = &clause.remove else { continue };
            let by = step.origin(policy, Operator::Remove);
            if !self.left.allows(&by, step) {
                continue;
            }
            let Some(values) = &mut self.values else {
                continue;
            };
            let gone: HashSet<&Arc<str>> = list.iter().collect();
            let (taken, kept) = std::mem::take(values)
                .into_iter()
                .partition(|one| gone.contains(&one.value));
            *values = kept;
            let taken: Vec<Assigned<Arc<str>>> = taken;
            for Assigned { value, by: setter } in taken {
                if setter.depth == by.depth && setter.policy != by.policy {
                    step.note(&by, NoteKind::PeerRemoved(setter));
                }
                let by = by.clone();
                self.removed.push(Assigned { value, by });
            }
        }
    }

    /// Security 6.1: an empty list for a scope that was not set is refused.
    fn is_empty_scope(
        &self,
        list: &[Arc<str>],
        setting: ListSetting,
        by: &Origin,
        step: &mut Step<'_>,
    ) -> bool {
        let is_alibaba = step.dialect == Dialect::Alibaba;
        let found = is_alibaba && setting.is_scope() && list.is_empty() && self.values.is_none();
        if found {
            step.note(by, NoteKind::EmptyScope);
        }
        found
    }

    /// Security 6.1: `*` among the values, or an emptied list, where an ancestor said something.
    fn tell_weakening(
        &self,
        inherited: Option<&[Assigned<Arc<str>>]>,
        assigned: Option<&Origin>,
        setting: ListSetting,
        step: &mut Step<'_>,
    ) {
        let (Some(before), Some(now)) = (inherited, &self.values) else {
            return;
        };
        let any = |one: &&Assigned<Arc<str>>| &*one.value == "*";
        if setting == ListSetting::TagValue
            && !before.iter().any(|one| any(&one))
            && let Some(open) = now.iter().find(any)
        {
            step.note(&open.by, NoteKind::Weakened(Weakening::AnyValue));
        }
        if now.is_empty() && !before.is_empty() {
            let removed = self.removed.last().map(|gone| &gone.by);
            let removed = removed.filter(|by| by.depth == step.depth);
            let by = removed.or(assigned);
            let kind = NoteKind::Weakened(Weakening::Emptied(setting));
            step.notes.push(Note {
                cell: step.cell.clone(),
                by: by.cloned(),
                kind,
            });
        }
    }
}

/// What a clause says with an operator.
fn written(clause: &ListClause, operator: Operator) -> Option<&Vec<Arc<str>>> {
    match operator {
        Operator::Assign => clause.assign.as_ref(),
        Operator::Append => clause.append.as_ref(),
        Operator::Remove => clause.remove.as_ref(),
    }
}

/// Adds what is not there yet, at the end.
fn add(values: &mut Vec<Assigned<Arc<str>>>, list: &[Arc<str>], by: &Origin) {
    let mut known: HashSet<Arc<str>> = values.iter().map(|one| Arc::clone(&one.value)).collect();
    for text in list {
        if known.insert(Arc::clone(text)) {
            values.push(Assigned {
                value: Arc::clone(text),
                by: by.clone(),
            });
        }
    }
}
