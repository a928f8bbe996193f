//! `on_stale` and `max_staleness`: what becomes of policies that are older than their source.

use jiff::SignedDuration;

use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Members, Sink, Told};
use crate::model::settings::OnStale;

/// The two that say what becomes of stale policies.
pub(super) const NAMES: [&str; 2] = ["on_stale", "max_staleness"];

/// The most seconds that `max_staleness` may be: a year.
pub const MAX_STALENESS: u64 = 31_536_000;

/// `max_staleness` stands exactly where it is used: with `deny`.
pub(super) fn on_stale(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<OnStale, Told> {
    let [name, limit] = NAMES;
    let words = [("serve", Stale::Serve), ("deny", Stale::Deny)];
    let chosen = match members.optional(name) {
        None => Stale::Serve,
        Some(at) => at.word("`serve` or `deny`", &words, sink)?,
    };
    match (chosen, members.optional(limit)) {
        (Stale::Serve, None) => Ok(OnStale::Serve),
        (Stale::Serve, Some(at)) => Err(at.refuse_key(EntryErrorKind::StalenessUnused, sink)),
        (Stale::Deny, None) => Err(members
            .whole()
            .refuse(EntryErrorKind::StalenessMissing, sink)),
        (Stale::Deny, Some(at)) => seconds(&at, sink).map(OnStale::DenyAfter),
    }
}

#[derive(Debug, Clone, Copy)]
enum Stale {
    Serve,
    Deny,
}

fn seconds(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<SignedDuration, Told> {
    let seconds = at.whole_number(sink)?;
    if !(1..=MAX_STALENESS).contains(&seconds) {
        return Err(at.refuse(EntryErrorKind::Staleness, sink));
    }
    // Less than the limit, it fits.
    Ok(SignedDuration::from_secs(
        i64::try_from(seconds).unwrap_or(i64::MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::settings::settings;
    use crate::document::{Source, read};
    use crate::model::settings::Settings;

    fn check(text: &str) -> Result<Settings, String> {
        read(Source::new(text), 1_000, settings)
            .map(|read| read.value)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn staleness_has_a_limit_exactly_where_it_is_denied() {
        let found = check(r#"{"on_stale": "deny", "max_staleness": 60}"#).unwrap();
        assert_eq!(found.on_stale.limit(), Some(SignedDuration::from_secs(60)));
        for (text, expected) in [
            (
                r#"{"on_stale": "deny"}"#,
                "1:1: `on_stale` = `deny` needs `max_staleness`",
            ),
            (
                r#"{"max_staleness": 60}"#,
                "1:2: /max_staleness: `max_staleness` is used only with `on_stale` = `deny`",
            ),
            (
                r#"{"on_stale": "deny", "max_staleness": 0}"#,
                "1:39: /max_staleness: not a number of 1 to 31536000 seconds",
            ),
            (
                r#"{"on_stale": "deny", "max_staleness": 31536001}"#,
                "1:39: /max_staleness: not a number of 1 to 31536000 seconds",
            ),
            (
                r#"{"on_stale": "deny", "max_staleness": "60s"}"#,
                "1:39: /max_staleness: expected a whole number, found a string",
            ),
        ] {
            assert_eq!(check(text).unwrap_err(), expected, "{text}");
        }
    }
}
