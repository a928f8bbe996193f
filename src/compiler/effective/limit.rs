//! Limits of effective policies, and what is left out over one (security 6.4).
//!
//! What a node says of a setting is left out, from the lowest node upwards, until the rest fits.
//! A node that passes a limit all by itself refuses the bundle.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, MergeError, Statement};
use crate::model::tag_policy::{
    Cell, Dialect, Limit, ListSetting, Origin, Section, Setting, TypePattern,
};

/// Resource groups of a scope (tag-policy 1.1).
const GROUPS: Limit = Limit {
    what: "resource groups",
    most: 20,
};
/// Expressions of a statement (security 6.7).
const REGEXES: Limit = Limit {
    what: "regular expressions",
    most: 20,
};
/// Keys that one type must have (tag-policy 1.3).
const REQUIRED: Limit = Limit {
    what: "required keys for one resource type",
    most: 50,
};
/// Bytes of an effective policy of AWS (tag-policy 1.3).
const BYTES: Limit = Limit {
    what: "bytes in the effective policy",
    most: 395_000,
};

/// What is left out: settings, each from a depth downwards.
#[derive(Debug, Default)]
pub(super) struct Cuts(BTreeMap<Cell, Cut>);

/// One setting over a limit.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    pub(super) depth: usize,
    pub(super) limit: Limit,
    pub(super) contributors: Vec<Origin>,
}

impl Cuts {
    pub(super) fn holds(&self, cell: &Cell, depth: usize) -> bool {
        self.0.get(cell).is_some_and(|cut| depth >= cut.depth)
    }

    /// Goes one node higher where a setting was cut before. All who contributed stay told.
    pub(super) fn add(&mut self, found: Vec<(Cell, Cut)>) {
        for (cell, cut) in found {
            let known = self.0.entry(cell).or_insert_with(|| cut.clone());
            known.depth = known.depth.min(cut.depth);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Cell, &Cut)> {
        self.0.iter()
    }
}

type Statements = BTreeMap<Key, Statement>;

/// The settings that must be cut; none if all limits hold.
pub(super) fn exceeded(
    dialect: Dialect,
    statements: &Statements,
) -> Result<Vec<(Cell, Cut)>, MergeError> {
    let mut found = Vec::new();
    for (key, statement) in statements {
        let list = |setting, limit: Limit| {
            let count = statement.list(setting).map_or(0, <[_]>::len);
            (count > limit.most).then(|| (vec![cell(key, Setting::List(setting))], limit))
        };
        found.extend(list(ListSetting::RgScope, GROUPS));
        if key.0 == Section::MatchedTags {
            found.extend(list(ListSetting::TagValue, REGEXES));
        }
    }
    match dialect {
        Dialect::Alibaba | Dialect::Huawei => {}
        Dialect::Aws => {
            found.extend(required(statements));
            found.extend(bytes(statements));
        }
    }
    let mut cuts = Vec::new();
    for (cells, limit) in found {
        cuts.extend(lowest(&cells, limit, statements)?);
    }
    Ok(cuts)
}

fn cell(key: &Key, setting: Setting) -> Cell {
    Cell {
        section: key.0,
        key: key.1.clone(),
        setting,
    }
}

/// The settings by which some types have too many required keys, for each type.
fn required(statements: &Statements) -> Vec<(Vec<Cell>, Limit)> {
    let setting = ListSetting::ReportRequiredTagFor;
    let is_some = |one: &&Statement| one.list(setting).is_some();
    if statements.values().filter(is_some).count() <= REQUIRED.most {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut types: BTreeSet<&str> = BTreeSet::new();
    for statement in statements.values() {
        let values = statement.list(setting).unwrap_or_default();
        types.extend(values.iter().map(|one| &*one.value));
    }
    for asked in types {
        let names = |statement: &Statement| {
            let mut values = statement.list(setting).unwrap_or_default().iter();
            values.any(|one| {
                &*one.value == asked || TypePattern::from(one.value.clone()).matches(asked)
            })
        };
        let naming = statements.iter().filter(|(_, statement)| names(statement));
        let cells: Vec<Cell> = naming
            .map(|(key, _)| cell(key, Setting::List(setting)))
            .collect();
        if cells.len() > REQUIRED.most {
            found.push((cells, REQUIRED));
        }
    }
    found
}

/// All settings, if their texts with their punctuation are too long.
fn bytes(statements: &Statements) -> Option<(Vec<Cell>, Limit)> {
    let mut total = 0;
    let mut cells = Vec::new();
    for (key, statement) in statements {
        total += key.1.len() + 8;
        for setting in ListSetting::ALL {
            let Some(values) = statement.list(setting) else {
                continue;
            };
            let setting = Setting::List(setting);
            total += setting.as_str().len() + 6;
            total += values.iter().map(|one| one.value.len() + 3).sum::<usize>();
            cells.push(cell(key, setting));
        }
        if let Some(tag_key) = statement.tag_key.value() {
            total += tag_key.value.len() + 13;
        }
    }
    (total > BYTES.most).then_some((cells, BYTES))
}

/// What the lowest node that contributes says of these settings.
fn lowest(
    cells: &[Cell],
    limit: Limit,
    statements: &Statements,
) -> Result<Vec<(Cell, Cut)>, MergeError> {
    let contributors = |cell: &Cell| -> Vec<Origin> {
        let statement = statements.get(&(cell.section, cell.key.clone()));
        let origins = statement.map(|statement| statement.origins(cell.setting));
        let mut origins: Vec<Origin> = origins.into_iter().flatten().cloned().collect();
        origins.dedup();
        origins
    };
    let all: Vec<(&Cell, Vec<Origin>)> = cells
        .iter()
        .map(|cell| (cell, contributors(cell)))
        .collect();
    let depths: BTreeSet<usize> = all
        .iter()
        .flat_map(|(_, origins)| origins.iter().map(|by| by.depth))
        .collect();
    let (Some(lowest), true) = (depths.last().copied(), depths.len() > 1) else {
        return Err(alone(&all, limit));
    };
    let cut = all.into_iter().filter(|(_, origins)| {
        let mut depths = origins.iter().map(|by| by.depth);
        depths.any(|depth| depth == lowest)
    });
    Ok(cut
        .map(|(cell, contributors)| {
            let cut = Cut {
                depth: lowest,
                limit,
                contributors,
            };
            (cell.clone(), cut)
        })
        .collect())
}

fn alone(all: &[(&Cell, Vec<Origin>)], limit: Limit) -> MergeError {
    let names: BTreeSet<&str> = all
        .iter()
        .flat_map(|(_, origins)| origins.iter().map(|by| &*by.policy))
        .collect();
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (key, setting) = all.first().map_or(("".into(), ""), |(cell, _)| {
        (cell.key.clone(), cell.setting.as_str())
    });
    MergeError::OverLimit {
        key,
        setting,
        limit,
        contributors: names.join(", "),
    }
}
