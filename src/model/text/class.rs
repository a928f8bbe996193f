//! Classes of ASCII characters that names are made of.
//!
//! Names are short: one look into a table for each byte costs less than many comparisons of many
//! bytes at a time.

/// Some characters of ASCII. A byte beyond ASCII is of no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// Digits: accounts.
    pub(crate) const DIGIT: Self = Self(1);
    /// Letters and digits: actions.
    pub(crate) const ALPHANUMERIC: Self = Self(1 << 1);
    /// Letters, digits and `-`: services of actions.
    pub(crate) const SERVICE: Self = Self(1 << 2);
    /// Lower-case letters, digits and `-`: services and regions of ARNs.
    pub(crate) const FIELD: Self = Self(1 << 3);
    /// Letters, digits and `. @ _ = , + -`: users, roles, sessions and providers.
    pub(crate) const IDENTITY: Self = Self(1 << 4);
    /// Visible characters and spaces but `*` and `?`: ids of resources.
    pub(crate) const FIXED: Self = Self(1 << 5);
    /// Letters, digits and `- _ . @`: policies, groups and callers.
    pub(crate) const NAME: Self = Self(1 << 6);
    /// Letters, digits and `- * ?`: patterns of actions.
    pub(crate) const ACTION_PATTERN: Self = Self(1 << 7);

    /// Whether all bytes of a text are of the class.
    #[inline]
    pub(crate) fn covers(self, text: &str) -> bool {
        let common = text
            .bytes()
            .fold(self.0, |common, byte| common & classes_of(byte));
        common == self.0
    }

    /// What stands before the first colon and behind it, if all before it is of the class, which has
    /// no colon.
    #[inline]
    pub(crate) fn before_colon(self, text: &str) -> Option<(&str, &str)> {
        let length = text
            .bytes()
            .position(|byte| classes_of(byte) & self.0 == 0)?;
        let (before, rest) = text.split_at_checked(length)?;
        Some((before, rest.strip_prefix(':')?))
    }
}

/// The bits of the classes that a byte is of.
#[inline]
fn classes_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

static CLASSES: [u8; 256] = table();

#[expect(
    clippy::indexing_slicing,
    reason = "the compiler makes the table, and would refuse a place beyond its end"
)]
const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        table[byte as usize] = bits_of(byte);
        byte += 1;
    }
    table
}

const fn bits_of(byte: u8) -> u8 {
    let digit = byte.is_ascii_digit();
    let alphanumeric = byte.is_ascii_alphanumeric();
    let service = alphanumeric || byte == b'-';
    let field = digit || byte.is_ascii_lowercase() || byte == b'-';
    let identity = service || matches!(byte, b'.' | b'@' | b'_' | b'=' | b',' | b'+');
    let fixed = matches!(byte, b' '..=b'~') && !matches!(byte, b'*' | b'?');
    let name = service || matches!(byte, b'_' | b'.' | b'@');
    let action_pattern = service || matches!(byte, b'*' | b'?');
    bit(Class::DIGIT, digit)
        | bit(Class::ALPHANUMERIC, alphanumeric)
        | bit(Class::SERVICE, service)
        | bit(Class::FIELD, field)
        | bit(Class::IDENTITY, identity)
        | bit(Class::FIXED, fixed)
        | bit(Class::NAME, name)
        | bit(Class::ACTION_PATTERN, action_pattern)
}

const fn bit(class: Class, holds: bool) -> u8 {
    if holds { class.0 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which bytes of ASCII are of a class.
    fn members(class: Class) -> String {
        let all = (0..=0x7f_u8).map(char::from);
        all.filter(|one| class.covers(&one.to_string())).collect()
    }

    #[test]
    fn classes_hold_what_names_may_hold() {
        let digits = "0123456789";
        let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let lower = "abcdefghijklmnopqrstuvwxyz";
        let visible: String = (b' '..=b'~').map(char::from).collect();
        let check = |class, expected: &str| assert_eq!(members(class), expected);
        check(Class::DIGIT, digits);
        check(Class::ALPHANUMERIC, &format!("{digits}{upper}{lower}"));
        check(Class::SERVICE, &format!("-{digits}{upper}{lower}"));
        check(Class::FIELD, &format!("-{digits}{lower}"));
        check(Class::IDENTITY, &format!("+,-.{digits}=@{upper}_{lower}"));
        check(Class::FIXED, &visible.replace(['*', '?'], ""));
        check(Class::NAME, &format!("-.{digits}@{upper}_{lower}"));
        let pattern = format!("*-{digits}?{upper}{lower}");
        check(Class::ACTION_PATTERN, &pattern);
    }

    #[test]
    fn one_byte_of_another_class_is_found_wherever_it_stands() {
        assert!(Class::DIGIT.covers("") && Class::DIGIT.covers("0123456789"));
        for other in ["x", " ", "\u{e9}", "\0"] {
            for text in [
                other.to_owned(),
                format!("{other}1"),
                format!("1{other}"),
                format!("1{other}1"),
            ] {
                assert!(!Class::DIGIT.covers(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn fields_end_at_the_first_colon() {
        let check = |text: &str, expected| {
            assert_eq!(Class::FIELD.before_colon(text), expected, "{text}");
        };
        check("ecs:x:y", Some(("ecs", "x:y")));
        check(":", Some(("", "")));
        check("a:\u{e9}", Some(("a", "\u{e9}")));
        check("", None);
        check("ecs", None);
        check("Ecs:x", None);
        check("e\u{e9}:x", None);
    }
}
