//! Operators of one setting, and what they leave to child policies.

use std::collections::HashSet;
use std::sync::Arc;

use super::error::TagPolicyErrorKind;
use super::name::{self, CONTROL};
use super::statement::Place;
use super::value;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::model::tag_policy::{Dialect, ListClause, ListSetting, Operator, Operators, Single};

/// The operators of a setting with one value, which `read` reads.
pub(super) fn single<T>(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
    mut read: impl FnMut(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Single<T>, Told> {
    let (mut assign, mut children) = (Ok(None), Ok(None));
    for (name, at) in members(at, dialect, sink)? {
        match &*name {
            CONTROL => children = control(&at, dialect, sink).map(Some),
            "@@assign" => assign = read(&at, sink).map(Some),
            "@@append" | "@@remove" => {
                let name = (&*name).into();
                at.refuse_key(TagPolicyErrorKind::OperatorOnSingle { name }, sink);
            }
            _ => unknown(&at, &name, sink),
        }
    }
    Ok(Single {
        assign: assign?,
        children: children?,
    })
}

/// The operators of a list.
pub(super) fn list(
    at: &Cursor<'_, '_>,
    setting: ListSetting,
    place: Place<'_>,
    sink: &mut Sink<'_>,
) -> Result<ListClause, Told> {
    let mut clause = ListClause::default();
    let mut told = None;
    for (name, at) in members(at, place.dialect, sink)? {
        let mut values = |operator| {
            let items = at.items(sink)?;
            let read = |at| value::element(&at, place, (setting, operator), sink);
            cursor::all(items, read).map(Some)
        };
        let done = match &*name {
            CONTROL => control(&at, place.dialect, sink).map(|held| clause.children = Some(held)),
            "@@assign" => values(Operator::Assign).map(|read| clause.assign = read),
            "@@append" => values(Operator::Append).map(|read| clause.append = read),
            "@@remove" => values(Operator::Remove).map(|read| clause.remove = read),
            _ => {
                unknown(&at, &name, sink);
                Ok(())
            }
        };
        told = done.err().or(told);
    }
    told.map_or(Ok(clause), Err)
}

/// The members of a setting; at least one.
fn members<'c, 'n>(
    at: &'c Cursor<'_, 'n>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Vec<name::Named<'c, 'n>>, Told> {
    let members = name::members(at, dialect, sink)?;
    if members.is_empty() {
        return Err(at.refuse(ShapeErrorKind::Empty, sink));
    }
    Ok(members)
}

fn unknown(at: &Cursor<'_, '_>, name: &str, sink: &mut Sink<'_>) {
    let name = name.into();
    at.refuse_key(TagPolicyErrorKind::UnknownOperator { name }, sink);
}

/// What child policies may use: `@@none` alone, or `@@all` and operators, none of them twice.
pub(super) fn control(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Operators, Told> {
    let items = at.items(sink)?;
    if items.len() == 0 {
        return Err(at.refuse(ShapeErrorKind::Empty, sink));
    }
    let mut seen = HashSet::new();
    let held = cursor::all(items, |at| {
        let word: Arc<str> = name::word(at.text(sink)?, dialect).into();
        if !seen.insert(Arc::clone(&word)) {
            let name = (&*word).into();
            return Err(at.refuse(TagPolicyErrorKind::ControlTwice { name }, sink));
        }
        operators(&word).ok_or_else(|| {
            let expected = "`@@all`, `@@none` or an operator";
            let found = (&*word).into();
            at.refuse(ShapeErrorKind::UnknownWord { expected, found }, sink)
        })
    })?;
    if held.len() > 1 && seen.contains("@@none") {
        return Err(at.refuse(TagPolicyErrorKind::NoneWithOthers, sink));
    }
    let all = held.into_iter().flat_map(|held| {
        let operators = Operator::ALL.into_iter();
        operators.filter(move |operator| held.holds(*operator))
    });
    Ok(all.collect())
}

fn operators(word: &str) -> Option<Operators> {
    match word {
        "@@all" => Some(Operators::ALL),
        "@@none" => Some(Operators::NONE),
        _ => {
            let mut all = Operator::ALL.into_iter();
            let operator = all.find(|operator| operator.as_str() == word)?;
            Some(Operators::NONE.with(operator))
        }
    }
}
