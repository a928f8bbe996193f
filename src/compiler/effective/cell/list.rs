//! A setting whose value is a list: assign, append, remove, and what weakens it.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Assigned, Left, Step};
use crate::model::tag_policy::{
    Dialect, ListClause, ListSetting, Lock, Note, NoteKind, Operator, Operators, Origin, Weakening,
};

/// A list.
#[derive(Debug, Clone, Default)]
pub(in crate::compiler::effective) struct ListCell {
    values: Option<Vec<Assigned<Arc<str>>>>,
    removed: Vec<Assigned<Arc<str>>>,
    left: Left,
}

type Clause<'b> = (&'b Arc<str>, &'b ListClause);

impl ListCell {
    pub(in crate::compiler::effective) fn values(&self) -> Option<&[Assigned<Arc<str>>]> {
        self.values.as_deref()
    }

    pub(in crate::compiler::effective) fn removed(&self) -> &[Assigned<Arc<str>>] {
        &self.removed
    }

    pub(in crate::compiler::effective) fn allowed(&self) -> Operators {
        self.left.allowed
    }

    pub(in crate::compiler::effective) fn locks(&self) -> impl Iterator<Item = Lock> {
        self.left.locks.iter().map(|(lock, _)| lock.clone())
    }

    /// Assign, append, remove, each for all policies of the node, and then all restrict.
    pub(in crate::compiler::effective) fn apply(
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
