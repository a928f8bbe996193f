//! The answer that a case expects.

use std::collections::BTreeMap;

use super::resource::nullable;
use crate::document::bundle::entry::list;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::model::compliance::{TaggingAnswer, ViolationCode};

pub(super) fn expected(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TaggingAnswer, Told> {
    let names = [
        "evaluated",
        "compliant",
        "violations",
        "intercepted",
        "corrected",
    ];
    let members = at.members(&names, sink)?;
    let mut flag = |name| members.required(name, sink).and_then(|at| at.flag(sink));
    let (evaluated, compliant) = (flag("evaluated"), flag("compliant"));
    let intercepted = flag("intercepted");
    let violations = list(members.optional("violations"), sink, violation);
    let corrected = members
        .required("corrected", sink)
        .and_then(|at| corrected(&at, sink));
    let violations = violations?;
    if compliant? != violations.is_empty() {
        let (expected, found) = ("`compliant` as `violations` say", "the contrary".into());
        return Err(at.refuse(ShapeErrorKind::UnknownWord { expected, found }, sink));
    }
    Ok(TaggingAnswer {
        evaluated: evaluated?,
        violations,
        intercepted: intercepted?,
        corrected: corrected?,
    })
}

const CODES: [ViolationCode; 6] = [
    ViolationCode::KeyCase,
    ViolationCode::Missing,
    ViolationCode::OverLimit,
    ViolationCode::RgTagNotInherited,
    ViolationCode::Value,
    ViolationCode::ValueRegex,
];

fn violation(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<(ViolationCode, String), Told> {
    let mut items = at.items(sink)?;
    let (Some(code), Some(key), None) = (items.next(), items.next(), items.next()) else {
        return Err(at.unexpected("a pair of code and key", sink));
    };
    let words = CODES.map(|code| (code.as_str(), code));
    let code = code.word("the code of a violation", &words, sink)?;
    Ok((code, key.text(sink)?.to_owned()))
}

fn corrected(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<String, Option<String>>, Told> {
    let entries = at.entries(sink)?;
    let read = cursor::all(entries, |(key, at)| {
        let value = nullable(Some(at), sink)?;
        Ok((key.to_owned(), value.text()))
    });
    Ok(read?.into_iter().collect())
}
