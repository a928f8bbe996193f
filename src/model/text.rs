//! Comparing text without regard to case, and the characters that tags may hold.

mod class;

use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

pub(crate) use self::class::Class;

/// The text before the first of an ASCII character, and after it: short texts are looked through
/// byte by byte.
pub fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    debug_assert!(byte.is_ascii());
    let place = text.bytes().position(|known| known == byte)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Whether each byte of a text is a visible character of ASCII or a space. Most texts are so short
/// that two looks at a few bytes each, which may overlap, are enough.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (chunks, _) = bytes.as_chunks();
        let all = |chunks: &[[u8; 8]]| chunks.iter().all(|chunk| are_plain(*chunk));
        return are_plain(*first) && are_plain(*last) && (bytes.len() <= 16 || all(chunks));
    }
    if let (Some([a, b, c, d]), Some([e, f, g, h])) = (bytes.first_chunk(), bytes.last_chunk()) {
        return are_plain([*a, *b, *c, *d, *e, *f, *g, *h]);
    }
    bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// Whether eight bytes are visible characters or spaces, all at once.
#[inline]
fn are_plain(bytes: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let bytes = u64::from_le_bytes(bytes);
    // A byte of 0x80 and more has its upper bit; so has 0x7f, with 1 more. One below 0x20 loses the
    // bit that it is given.
    let above = bytes | bytes.wrapping_add(ONES);
    let below = !(bytes | HIGH).wrapping_sub(0x20 * ONES);
    (above | below) & HIGH == 0
}

/// Whether two texts are equal without regard to case.
///
/// ASCII is folded byte by byte; from anything else on by the simple lower-case mapping of Unicode.
/// Nothing is allocated.
pub fn eq_fold(left: &str, right: &str) -> bool {
    for (one, other) in left.bytes().zip(right.bytes()) {
        if !one.is_ascii() || !other.is_ascii() {
            return eq_fold_beyond_ascii(left, right);
        }
        if !one.eq_ignore_ascii_case(&other) {
            return false;
        }
    }
    left.len() == right.len()
}

fn eq_fold_beyond_ascii(left: &str, right: &str) -> bool {
    left.chars()
        .flat_map(char::to_lowercase)
        .eq(right.chars().flat_map(char::to_lowercase))
}

/// The text in lower case, by the same mapping as [`eq_fold`].
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Why a text may not be a tag key or a tag value (security 7.3): refused, never repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTagText {
    /// A key with no character in it.
    #[error("a tag key is empty")]
    EmptyKey,
    /// More characters than the limit.
    #[error("longer than {limit} characters")]
    TooLong {
        /// The most characters that are taken.
        limit: usize,
    },
    /// White space at one of the ends.
    #[error("leading or trailing space")]
    OuterSpace,
    /// A control, format, private-use, surrogate or unassigned character.
    #[error("a control, format or unassigned character")]
    ForbiddenCharacter,
    /// Not in Unicode normalisation form C.
    #[error("not in Unicode normalisation form C")]
    NotNfc,
}

/// Checks the characters and the length of a tag key or value.
///
/// # Errors
///
/// The first rule of security 7.3 that the text breaks.
#[inline]
pub fn check_tag_text(text: &str, limit: usize) -> Result<(), InvalidTagText> {
    if is_plain(text) {
        check_plain(text.as_bytes(), limit)
    } else {
        check_any(text, limit)
    }
}

#[inline(never)]
fn check_any(text: &str, limit: usize) -> Result<(), InvalidTagText> {
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(InvalidTagText::OuterSpace);
    }
    if text.chars().count() > limit {
        return Err(InvalidTagText::TooLong { limit });
    }
    if text.chars().any(is_forbidden) {
        return Err(InvalidTagText::ForbiddenCharacter);
    }
    if is_nfc(text) {
        Ok(())
    } else {
        Err(InvalidTagText::NotNfc)
    }
}

/// The same of a text of which each byte is a visible character or a space.
fn check_plain(text: &[u8], limit: usize) -> Result<(), InvalidTagText> {
    if text.first() == Some(&b' ') || text.last() == Some(&b' ') {
        Err(InvalidTagText::OuterSpace)
    } else if text.len() > limit {
        Err(InvalidTagText::TooLong { limit })
    } else {
        Ok(())
    }
}

fn is_forbidden(character: char) -> bool {
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_as_by_a_character() {
        for text in ["", ":", "a", "a:b:c", "部:门", ":x", "x:"] {
            assert_eq!(split_at_byte(text, b':'), text.split_once(':'), "{text}");
        }
    }

    #[test]
    fn plain_texts_are_told_from_others_wherever_they_differ() {
        for length in 0..40 {
            let text = "a".repeat(length);
            assert!(is_plain(&text), "{length}");
            for place in 0..length {
                for (other, expected) in [
                    (' ', true),
                    ('~', true),
                    ('\x1f', false),
                    ('\x7f', false),
                    ('\u{e9}', false),
                ] {
                    let mut text = text.clone();
                    text.replace_range(place..=place, other.encode_utf8(&mut [0; 4]));
                    assert_eq!(is_plain(&text), expected, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn folding_goes_beyond_ascii_and_keeps_other_letters_apart() {
        assert!(eq_fold("Env", "eNV"));
        assert!(eq_fold("ÄB", "äb"));
        assert!(!eq_fold("env", "envy"));
        assert!(!eq_fold("ß", "ss"));
        assert!(eq_fold("\u{212a}ey", "key") && eq_fold("KEY", "\u{212a}ey"));
        assert!(!eq_fold("a", "aä") && !eq_fold("aä", "a") && !eq_fold("", "ä"));
    }

    #[test]
    fn tag_text_is_refused_and_never_repaired() {
        let check =
            |text: &str, expected| assert_eq!(check_tag_text(text, 5), expected, "{text:?}");
        check("", Ok(()));
        check("a b", Ok(()));
        check("部门", Ok(()));
        check(" a", Err(InvalidTagText::OuterSpace));
        check("a\u{3000}", Err(InvalidTagText::OuterSpace));
        check("abcdef", Err(InvalidTagText::TooLong { limit: 5 }));
        check("a\u{7}b", Err(InvalidTagText::ForbiddenCharacter));
        check("a\u{200b}b", Err(InvalidTagText::ForbiddenCharacter));
        check("e\u{301}", Err(InvalidTagText::NotNfc));
    }
}
