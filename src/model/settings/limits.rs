//! What tags a resource of a type may carry: how many, how long, of which characters
//! (tag-policy 5.1 and 7, rules 46 to 49).

use std::collections::BTreeMap;

use crate::model::tag::{MAX_KEY_CHARS, TagRef};
use crate::model::text::InvalidTagText;

/// How many tags a resource has at most where nothing else is said.
pub const DEFAULT_TAGS: usize = 20;
/// How long a value is at most where nothing else is said.
pub const DEFAULT_VALUE_CHARS: usize = 128;
/// The characters of keys and values beside letters, digits and the space.
const PUNCTUATION: &str = "_.:#/=+-@";

/// `reserve_tags`: how many places of a resource are kept for inheritance and administrators
/// (security 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReserveTags(pub usize);

impl Default for ReserveTags {
    fn default() -> Self {
        Self(2)
    }
}

/// `tag_limits`: what differs for some types, by type in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TagLimits(pub BTreeMap<Box<str>, TypeLimits>);

impl TagLimits {
    /// The limits of a type, given in lower case.
    pub fn of(&self, kind: &str) -> TypeLimits {
        self.0.get(kind).cloned().unwrap_or_default()
    }
}

/// The limits of one type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeLimits {
    /// How many tags a resource has at most; system tags do not count.
    pub tags: usize,
    /// How many characters a key has at most.
    pub key_chars: usize,
    /// How many characters a value has at most.
    pub value_chars: usize,
    /// Characters that are taken beside the usual ones.
    pub characters: Box<str>,
}

impl Default for TypeLimits {
    fn default() -> Self {
        Self {
            tags: DEFAULT_TAGS,
            key_chars: MAX_KEY_CHARS,
            value_chars: DEFAULT_VALUE_CHARS,
            characters: Box::default(),
        }
    }
}

/// Which half of a tag cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTag {
    /// The key.
    #[error("the tag key is {0}")]
    Key(TagTextFault),
    /// The value.
    #[error("the tag value is {0}")]
    Value(TagTextFault),
}

/// What is wrong with the text of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagTextFault {
    /// It breaks a rule that stands for every tag (security 7.3).
    #[error("not a text of tags: {0}")]
    Text(#[from] InvalidTagText),
    /// It has more characters than tags of the type may have.
    #[error("longer than {0} characters")]
    TooLong(usize),
    /// It has a character that tags of the type may not have.
    #[error("of a character that is not taken")]
    Character,
    /// It is reserved for the system.
    #[error("reserved")]
    Reserved,
}

impl TypeLimits {
    /// Checks a tag that somebody writes.
    ///
    /// # Errors
    ///
    /// What is wrong with it: the key first.
    pub fn check(&self, tag: TagRef<'_>) -> Result<(), InvalidTag> {
        self.check_key(tag.key).map_err(InvalidTag::Key)?;
        self.check_value(tag.value).map_err(InvalidTag::Value)
    }

    /// Checks a key that somebody writes or removes.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn check_key(&self, key: &str) -> Result<(), TagTextFault> {
        crate::model::tag::check_key(key)?;
        if is_reserved_key(key) {
            return Err(TagTextFault::Reserved);
        }
        self.check_text(key, self.key_chars)
    }

    fn check_value(&self, value: &str) -> Result<(), TagTextFault> {
        TagRef::parse("k", value)?;
        if is_reserved_value(value) {
            return Err(TagTextFault::Reserved);
        }
        self.check_text(value, self.value_chars)
    }

    /// tag-policy 7, rules 47 and 48: "letters, digits, space"; code points are counted.
    fn check_text(&self, text: &str, most: usize) -> Result<(), TagTextFault> {
        let is_taken = |letter: char| {
            letter.is_alphanumeric()
                || letter == ' '
                || PUNCTUATION.contains(letter)
                || self.characters.contains(letter)
                || is_mark(letter)
        };
        if text.chars().count() > most {
            Err(TagTextFault::TooLong(most))
        } else if text.chars().all(is_taken) {
            Ok(())
        } else {
            Err(TagTextFault::Character)
        }
    }
}

/// Whether a character belongs to the letter before it, as vowel signs do in many scripts.
fn is_mark(letter: char) -> bool {
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
    letter.general_category_group() == GeneralCategoryGroup::Mark
}

/// tag-policy 7, rule 46: "keys: case-insensitive `aliyun`, `acs:` at the start,
/// `http://`/`https://` anywhere". Nobody writes such a key, and inheritance carries none (rule 42).
pub fn is_reserved_key(key: &str) -> bool {
    starts(key, "aliyun") || starts(key, "acs:") || holds_address(key)
}

/// Rule 46: "values: same for `acs:` and http(s)".
fn is_reserved_value(value: &str) -> bool {
    starts(value, "acs:") || holds_address(value)
}

fn starts(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn holds_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("http://") || lower.contains("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> Result<(), InvalidTag> {
        TypeLimits::default().check(TagRef { key, value })
    }

    #[test]
    fn keys_and_values_have_their_own_reserved_texts() {
        let reserved = TagTextFault::Reserved;
        for key in ["aliyunx", "ALIYUN", "Acs:env", "a-http://b", "xHTTPS://y"] {
            assert_eq!(check(key, "v"), Err(InvalidTag::Key(reserved)), "{key}");
        }
        for value in ["acs:x", "see http://x", "HTTPS://"] {
            assert_eq!(
                check("k", value),
                Err(InvalidTag::Value(reserved)),
                "{value}"
            );
        }
        // Rule 46: "seed 002's own example is the tag CostCenter = aliyun → allow".
        assert_eq!(check("CostCenter", "aliyun"), Ok(()));
        assert_eq!(check("my-aliyun", "x-acs:y"), Ok(()));
    }

    #[test]
    fn characters_and_lengths_are_those_of_the_type() {
        assert_eq!(check("a b_.:#/=+-@1部", ""), Ok(()));
        let character = TagTextFault::Character;
        assert_eq!(check("a*b", "v"), Err(InvalidTag::Key(character)));
        assert_eq!(check("a", "v;w"), Err(InvalidTag::Value(character)));
        let wider = TypeLimits {
            characters: ";*".into(),
            value_chars: 3,
            ..TypeLimits::default()
        };
        let tag = |key, value| wider.check(TagRef { key, value });
        assert_eq!(tag("a*b", "v;w"), Ok(()));
        let long = Err(InvalidTag::Value(TagTextFault::TooLong(3)));
        assert_eq!(tag("a", "部部部部"), long);
        assert_eq!(tag("a", "部部部"), Ok(()));
        assert_eq!(check(&"k".repeat(128), &"v".repeat(128)), Ok(()));
        assert!(check(&"k".repeat(129), "v").is_err());
        assert!(check("k", &"v".repeat(129)).is_err());
        assert!(check("", "v").is_err() && check(" k", "v").is_err());
    }
}
