//! `reserve_tags` and `tag_limits`: how many tags a resource carries, and of what texts.

use std::collections::BTreeMap;

use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::error::{Limit, ShapeErrorKind};
use crate::model::settings::{ReserveTags, TagLimits, TypeLimits};
use crate::model::tag::{MAX_KEY_CHARS, MAX_VALUE_CHARS};
use crate::model::verdict::limits;

/// The names of the two.
pub(super) const NAMES: [&str; 2] = ["reserve_tags", "tag_limits"];

const TYPES: Limit = Limit {
    what: "resource types",
    most: 1_000,
    code: "TOO_MANY_TYPES",
};
/// The most characters that a type may add.
const CHARACTERS: usize = 64;

/// The places that are kept.
pub(super) fn reserve_tags(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<ReserveTags, Told> {
    number(at, 0, limits::RESOURCE_TAGS, sink).map(ReserveTags)
}

/// `{"ecs:instance": {"tags": 30}, …}`
pub(super) fn tag_limits(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagLimits, Told> {
    let entries = at.entries(sink)?;
    if entries.len() > TYPES.most {
        return Err(at.refuse(ShapeErrorKind::TooMany(TYPES), sink));
    }
    let types = cursor::all(entries, |(name, at)| {
        if !is_type(name) {
            return Err(at.refuse_key(EntryErrorKind::ResourceType, sink));
        }
        Ok((Box::from(name), type_limits(&at, sink)?))
    })?;
    Ok(TagLimits(types.into_iter().collect::<BTreeMap<_, _>>()))
}

fn type_limits(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TypeLimits, Told> {
    let known = ["tags", "key_characters", "value_characters", "characters"];
    let members = at.members(&known, sink)?;
    let usual = TypeLimits::default();
    let mut count = |name, most, usual| match members.optional(name) {
        Some(at) => number(&at, 1, most, sink),
        None => Ok(usual),
    };
    let tags = count("tags", limits::RESOURCE_TAGS, usual.tags);
    let key_chars = count("key_characters", MAX_KEY_CHARS, usual.key_chars);
    let value_chars = count("value_characters", MAX_VALUE_CHARS, usual.value_chars);
    let characters = members.optional("characters").map(|at| {
        at.parse(sink, |text| {
            let fits = text.chars().count() <= CHARACTERS && !text.chars().any(char::is_control);
            fits.then(|| Box::from(text))
                .ok_or(EntryErrorKind::Characters)
        })
    });
    Ok(TypeLimits {
        tags: tags?,
        key_chars: key_chars?,
        value_chars: value_chars?,
        characters: characters.transpose()?.unwrap_or_default(),
    })
}

/// A number of `least` to `most`.
fn number(
    at: &Cursor<'_, '_>,
    least: usize,
    most: usize,
    sink: &mut Sink<'_>,
) -> Result<usize, Told> {
    let number = usize::try_from(at.whole_number(sink)?).unwrap_or(usize::MAX);
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(at.refuse(EntryErrorKind::Range { least, most }, sink))
    }
}

/// Whether a text is a type `service:resource` in lower case.
fn is_type(text: &str) -> bool {
    let is_part = |part: &str| {
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        (1..=64).contains(&part.len()) && part.bytes().all(plain)
    };
    text.split_once(':')
        .is_some_and(|(service, resource)| is_part(service) && is_part(resource))
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
    fn limits_differ_by_type_and_stay_in_their_ranges() {
        let text = r#"{"reserve_tags": 0, "tag_limits": {"ecs:instance": {"tags": 30},
            "oss:bucket": {"key_characters": 36, "value_characters": 43, "characters": "()"}}}"#;
        let found = check(text).unwrap();
        assert_eq!(found.reserve_tags, ReserveTags(0));
        assert_eq!(found.tag_limits.of("ecs:instance").tags, 30);
        assert_eq!(found.tag_limits.of("ecs:disk"), TypeLimits::default());
        let bucket = found.tag_limits.of("oss:bucket");
        assert_eq!(
            (bucket.key_chars, bucket.value_chars, bucket.tags),
            (36, 43, 20)
        );
        assert_eq!(&*bucket.characters, "()");
        for (text, expected) in [
            (
                r#"{"reserve_tags": 129}"#,
                "1:18: /reserve_tags: not a number of 0 to 128",
            ),
            (
                r#"{"tag_limits": {"ecs:instance": {"tags": 0}}}"#,
                "1:42: /tag_limits/ecs:instance/tags: not a number of 1 to 128",
            ),
            (
                r#"{"tag_limits": {"ECS": {}}}"#,
                "1:17: /tag_limits/ECS: not a resource type `service:resource` in lower case",
            ),
            (
                r#"{"tag_limits": {"a:b": {"characters": "\n"}}}"#,
                "1:39: /tag_limits/a:b/characters: not a text of at most 64 characters without \
                 control characters",
            ),
            (
                r#"{"tag_limits": {"a:b": {"most": 1}}}"#,
                "1:25: /tag_limits/a:b/most: unknown member `most`",
            ),
        ] {
            assert_eq!(check(text).unwrap_err(), expected, "{text}");
        }
    }
}
