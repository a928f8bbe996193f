//! One rule: its two types, and what making and ending an association does.

use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::settings::is_type;
use crate::model::inheritance::{ExistingSupport, OnAssociate, OnDissociate, RuleDefinition};

/// Reads a rule. What it does not say is what the shipped rules say most: an association inherits,
/// its end deletes, and those that are there can be filled.
pub(in crate::document) fn definition(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<RuleDefinition, Told> {
    let known = [
        "primary",
        "associated",
        "on_associate",
        "on_dissociate",
        "existing",
    ];
    let members = at.members(&known, sink)?;
    let mut of_type = |name| {
        let at = members.required(name, sink)?;
        at.parse(sink, |text| {
            is_type(text)
                .then(|| Box::from(text))
                .ok_or(EntryErrorKind::ResourceType)
        })
    };
    let (primary, associated) = (of_type("primary"), of_type("associated"));
    let on_associate = members.optional("on_associate").map(|at| {
        let words = [
            ("inherit", OnAssociate::Inherit),
            ("nothing", OnAssociate::Nothing),
        ];
        at.word("`inherit` or `nothing`", &words, sink)
    });
    let on_dissociate = members.optional("on_dissociate").map(|at| {
        let words = [
            ("delete", OnDissociate::Delete),
            ("keep", OnDissociate::Keep),
        ];
        at.word("`delete` or `keep`", &words, sink)
    });
    let existing = members.optional("existing").map(|at| {
        let words = [
            ("supported", ExistingSupport::Supported),
            ("unsupported", ExistingSupport::Unsupported),
        ];
        at.word("`supported` or `unsupported`", &words, sink)
    });
    Ok(RuleDefinition {
        primary: primary?,
        associated: associated?,
        on_associate: on_associate.transpose()?.unwrap_or(OnAssociate::Inherit),
        on_dissociate: on_dissociate.transpose()?.unwrap_or(OnDissociate::Delete),
        existing: existing.transpose()?.unwrap_or(ExistingSupport::Supported),
    })
}
