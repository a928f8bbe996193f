//! Texts of a message: checked many at a time.
//!
//! A check of one short text costs as much as that of a long one. What stands between texts is
//! mostly ASCII too, so that a stretch of the message is checked as if it were one text, and the
//! texts in it are cut out. Where that is not possible a text is checked by itself.

use super::Unread;

/// The texts of a message, as far as it was checked.
#[derive(Debug)]
pub(in crate::wire) struct Texts<'m> {
    message: &'m [u8],
    /// A stretch of it that is UTF-8 as a whole.
    checked: &'m str,
}

impl<'m> Texts<'m> {
    pub(in crate::wire) fn new(message: &'m [u8]) -> Self {
        Self {
            message,
            checked: "",
        }
    }

    /// Bytes of the message as a text.
    #[inline]
    pub(in crate::wire) fn text(&mut self, bytes: &'m [u8]) -> Result<&'m str, Unread> {
        match self.cut(bytes) {
            Some(text) => Ok(text),
            None => self.check(bytes),
        }
    }

    /// The text of bytes in the stretch that was checked.
    #[inline]
    fn cut(&self, bytes: &[u8]) -> Option<&'m str> {
        let begin = distance(self.checked.as_bytes(), bytes);
        self.checked.get(begin..begin.wrapping_add(bytes.len()))
    }

    /// The text of bytes that are not, or not all, in that stretch.
    #[inline(never)]
    fn check(&mut self, bytes: &'m [u8]) -> Result<&'m str, Unread> {
        let is_behind = bytes.as_ptr() >= self.checked.as_bytes().as_ptr_range().end;
        if is_behind {
            self.check_from(distance(self.message, bytes));
            if let Some(text) = self.cut(bytes) {
                return Ok(text);
            }
        }
        std::str::from_utf8(bytes).map_err(|_| Unread)
    }

    /// Checks from a place on as far as it goes. Places only rise, so that no byte is checked more
    /// than a few times.
    fn check_from(&mut self, begin: usize) {
        let rest = self.message.get(begin..).unwrap_or_default();
        self.checked = std::str::from_utf8(rest).unwrap_or_else(|error| {
            let valid = rest.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        });
    }
}

/// How far behind the start of some bytes others start.
#[inline]
fn distance(bytes: &[u8], others: &[u8]) -> usize {
    let (start, other) = (bytes.as_ptr().addr(), others.as_ptr().addr());
    other.wrapping_sub(start)
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
