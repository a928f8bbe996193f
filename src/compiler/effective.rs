//! Folds the tag policies on a path, Root first, into its effective policy (tag-policy 2).
//!
//! At each node all policies assign, then append, then remove, and only then restrict what nodes
//! below may use. Input is admitted policies, so nothing here fails on syntax; an operator that an
//! ancestor forbids is left out and told (rule 2).
//!
//! Not here: the tree of nodes and the stages (`super::tags`), and judging tags (`engine`).

mod cell;
mod finish;
mod limit;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use self::cell::{Assigned, ListCell, SingleCell, Step};
use crate::model::tag_policy::{
    Cell, Corrections, Dialect, InvalidRegex, Limit, ListSetting, Lock, Note, Origin,
    PolicyStatement, Section, Setting, TagPolicy, ValueRegex,
};
use crate::snapshot::tags::Staged;

/// The policies of one node, in attach order.
pub type Level<'b> = Vec<(Arc<str>, &'b TagPolicy)>;

/// Why a chain has no effective policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One node alone passes a limit (security 6.4).
    #[error(
        "`{setting}` of `{key}` has more than {} {}, contributed by {contributors}", .limit.most, .limit.what
    )]
    OverLimit {
        /// The policy key.
        key: Arc<str>,
        /// The setting.
        setting: &'static str,
        /// The limit.
        limit: Limit,
        /// The policies, by name.
        contributors: String,
    },
    /// An expression that no reader would have admitted.
    #[error("`{text}` is no regular expression: {cause}")]
    Regex {
        /// The expression.
        text: Arc<str>,
        /// Why.
        cause: InvalidRegex,
    },
}

/// Compiled expressions by text, shared by all statements of a snapshot.
#[derive(Debug, Default)]
pub struct Regexes(HashMap<Arc<str>, ValueRegex>);

impl Regexes {
    fn get(&mut self, text: &Arc<str>) -> Result<ValueRegex, MergeError> {
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let made = ValueRegex::new(text).map_err(|cause| MergeError::Regex {
            text: Arc::clone(text),
            cause,
        })?;
        self.0.insert(Arc::clone(text), made.clone());
        Ok(made)
    }
}

/// Merges a chain, the Root's policies first.
///
/// # Errors
///
/// When one node alone passes a limit.
pub fn merge(
    dialect: Dialect,
    chain: &[Level<'_>],
    regexes: &mut Regexes,
) -> Result<Staged, MergeError> {
    let mut cuts = limit::Cuts::default();
    loop {
        let mut merge = Merge {
            dialect,
            cuts: &cuts,
            statements: BTreeMap::new(),
            notes: Vec::new(),
        };
        for (depth, level) in chain.iter().enumerate() {
            merge.node(depth, level);
        }
        let Merge {
            statements, notes, ..
        } = merge;
        let found = limit::exceeded(dialect, &statements)?;
        if found.is_empty() {
            return finish::finish(dialect, statements, notes, &cuts, regexes);
        }
        cuts.add(found);
    }
}

type Key = (Section, Arc<str>);

/// What the nodes so far come to.
struct Merge<'m> {
    dialect: Dialect,
    cuts: &'m limit::Cuts,
    statements: BTreeMap<Key, Statement>,
    notes: Vec<Note>,
}

/// One statement in the making.
#[derive(Debug, Default)]
struct Statement {
    tag_key: SingleCell<Arc<str>>,
    lists: BTreeMap<ListSetting, ListCell>,
    correction: SingleCell<Corrections>,
}

/// A policy's part in a statement, by the policy's name.
type Part<'b> = (Arc<str>, &'b PolicyStatement);

impl Merge<'_> {
    fn node(&mut self, depth: usize, level: &Level<'_>) {
        let mut parts: BTreeMap<Key, Vec<Part<'_>>> = BTreeMap::new();
        for (name, policy) in level {
            for statement in &policy.statements {
                let key = (statement.section, Arc::clone(&statement.key));
                let part = (Arc::clone(name), statement);
                parts.entry(key).or_default().push(part);
            }
        }
        for (key, parts) in parts {
            self.statement(depth, key, &parts);
        }
    }

    fn statement(&mut self, depth: usize, key: Key, parts: &[Part<'_>]) {
        let statement = self.statements.entry(key.clone()).or_default();
        // Security 6.1: judged by the nodes above, before this node restricts anything.
        let scope_locks = match self.dialect {
            Dialect::Alibaba => statement.locks_on_scopes(),
            Dialect::Huawei | Dialect::Aws => Vec::new(),
        };
        let frame = Frame {
            depth,
            section: key.0,
            key: key.1,
            dialect: self.dialect,
            cuts: self.cuts,
            scope_locks: &scope_locks,
        };
        let notes = &mut self.notes;
        let written = parts.iter().filter_map(|(name, part)| {
            let single = part.tag_key.as_ref()?;
            Some((name, single))
        });
        let mut step = frame.step(Setting::TagKey, notes);
        statement.tag_key.apply(written, &mut step);
        for setting in ListSetting::ALL {
            let clauses: Vec<_> = parts
                .iter()
                .filter_map(|(name, part)| Some((name, part.lists.get(&setting)?)))
                .collect();
            if !clauses.is_empty() {
                let list = statement.lists.entry(setting).or_default();
                list.apply(
                    &clauses,
                    setting,
                    &mut frame.step(Setting::List(setting), notes),
                );
            }
        }
        let written = parts.iter().filter_map(|(name, part)| {
            let single = part.correction.as_ref()?;
            Some((name, single))
        });
        let mut step = frame.step(Setting::TagValueCorrection, notes);
        statement.correction.apply(written, &mut step);
    }
}

/// One node at one statement.
struct Frame<'f> {
    depth: usize,
    section: Section,
    key: Arc<str>,
    dialect: Dialect,
    cuts: &'f limit::Cuts,
    scope_locks: &'f [Lock],
}

impl Frame<'_> {
    fn step<'s>(&'s self, setting: Setting, notes: &'s mut Vec<Note>) -> Step<'s> {
        let cell = Cell {
            section: self.section,
            key: Arc::clone(&self.key),
            setting,
        };
        Step {
            depth: self.depth,
            is_cut: self.cuts.holds(&cell, self.depth),
            cell,
            dialect: self.dialect,
            scope_locks: self.scope_locks,
            notes,
        }
    }
}

impl Statement {
    /// The controls under which no new scope may be set: nothing is left of what child policies
    /// may do to the tag key, the values or the interception.
    fn locks_on_scopes(&self) -> Vec<Lock> {
        let mut locks = Vec::new();
        if self.tag_key.allowed().is_empty() {
            locks.extend(self.tag_key.locks());
        }
        for setting in [ListSetting::TagValue, ListSetting::EnforcedFor] {
            if let Some(list) = self.lists.get(&setting)
                && list.allowed().is_empty()
            {
                locks.extend(list.locks());
            }
        }
        locks
    }

    fn list(&self, setting: ListSetting) -> Option<&[Assigned<Arc<str>>]> {
        self.lists.get(&setting)?.values()
    }

    /// Every operator that put a value there which is still there.
    fn origins(&self, setting: Setting) -> Vec<&Origin> {
        match setting {
            Setting::TagKey => self
                .tag_key
                .value()
                .map(|one| &one.by)
                .into_iter()
                .collect(),
            Setting::TagValueCorrection => {
                let value = self.correction.value();
                value.map(|one| &one.by).into_iter().collect()
            }
            Setting::List(list) => {
                let values = self.list(list).unwrap_or_default();
                values.iter().map(|one| &one.by).collect()
            }
        }
    }
}
