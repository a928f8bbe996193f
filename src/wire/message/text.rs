//! Texts of a message: checked many at a time.
//!
//! A check of one short text costs as much as that of a long one. What stands between texts is
//! mostly ASCII too, so that a stretch of the message is checked as if it were one text, and the
//! texts in it are cut out. Where that is not possible a text is checked by itself.

use super::Unread;

/// The texts of a message, as far as it was checked.
#[derive(Debug)]
pub(super) struct Texts<'m> {
    message: &'m [u8],
    /// A stretch that is UTF-8 as a whole, and where it begins.
    checked: &'m str,
    begin: usize,
}

impl<'m> Texts<'m> {
    pub(super) fn new(message: &'m [u8]) -> Self {
        Self {
            message,
            checked: "",
            begin: 0,
        }
    }

    /// Bytes of the message as a text.
    #[inline]
    pub(super) fn text(&mut self, bytes: &'m [u8]) -> Result<&'m str, Unread> {
        let begin = bytes
            .as_ptr()
            .addr()
            .wrapping_sub(self.message.as_ptr().addr());
        if begin >= self.begin + self.checked.len() {
            self.check_from(begin);
        }
        let begin = begin.wrapping_sub(self.begin);
        match self.checked.get(begin..begin.wrapping_add(bytes.len())) {
            Some(text) => Ok(text),
            None => std::str::from_utf8(bytes).map_err(|_| Unread),
        }
    }

    /// Checks from a place on as far as it goes. Places only rise, so that nothing is checked more
    /// than twice.
    fn check_from(&mut self, begin: usize) {
        let rest = self.message.get(begin..).unwrap_or_default();
        self.begin = begin;
        self.checked = std::str::from_utf8(rest).unwrap_or_else(|error| {
            let valid = rest.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_out_of_what_is_around_them() {
        let message = b"\x0a\x02ab\x12\x80\x01c\xc3\xa9d\xc3\xa9\xff";
        let mut texts = Texts::new(message);
        let mut check = |range: std::ops::Range<usize>, expected: Result<&str, Unread>| {
            assert_eq!(texts.text(&message[range.clone()]), expected, "{range:?}");
        };
        check(2..4, Ok("ab"));
        check(4..4, Ok(""));
        check(7..10, Ok("cé"));
        check(8..9, Err(Unread));
        check(10..13, Ok("dé"));
        check(12..13, Err(Unread));
        check(13..14, Err(Unread));
        check(14..14, Ok(""));
        // An earlier place is checked by itself.
        check(2..4, Ok("ab"));
    }
}
