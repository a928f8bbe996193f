//! The fields of one message: numbers and what stands behind them.

use prost::encoding::decode_varint;

use super::Unread;
use super::text::Texts;

/// The fields of a message that are left to read.
#[derive(Debug, Clone, Copy)]
pub(in crate::wire) struct Fields<'m>(pub(in crate::wire) &'m [u8]);

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::wire) enum Value<'m> {
    Varint(u64),
    Bytes(&'m [u8]),
    /// Eight bytes.
    Eight,
    /// Four bytes: no message here has a field of that form.
    Four,
}

impl<'m> Fields<'m> {
    /// The number of the next field, and what it holds; `None` at the end.
    #[expect(
        clippy::inline_always,
        reason = "a third of reading a message goes by where it is a call"
    )]
    #[inline(always)]
    pub(in crate::wire) fn next(&mut self) -> Result<Option<(u32, Value<'m>)>, Unread> {
        // Nearly all fields: a number below 16; a value below 128, or bytes of a length below 128.
        if let [key @ 8..0x80, short @ 0..0x80, rest @ ..] = self.0 {
            let number = u32::from(key >> 3);
            match key & 7 {
                0 => {
                    self.0 = rest;
                    return Ok(Some((number, Value::Varint(u64::from(*short)))));
                }
                2 => {
                    if let Some((bytes, rest)) = rest.split_at_checked(usize::from(*short)) {
                        self.0 = rest;
                        return Ok(Some((number, Value::Bytes(bytes))));
                    }
                }
                _ => {}
            }
        }
        if self.0.is_empty() {
            return Ok(None);
        }
        let (number, value, rest) = self.any()?;
        *self = rest;
        Ok(Some((number, value)))
    }

    /// The next field, whatever it is, and those behind it: by value, so that nearly all fields are
    /// read without a place in memory.
    #[inline(never)]
    fn any(mut self) -> Result<(u32, Value<'m>, Self), Unread> {
        let key = u32::try_from(self.varint()?).map_err(|_| Unread)?;
        let number = key >> 3;
        if number == 0 {
            return Err(Unread);
        }
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.skip(8)?;
                Value::Eight
            }
            2 => Value::Bytes(self.delimited()?),
            5 => {
                self.skip(4)?;
                Value::Four
            }
            // Groups, and what is no wire type.
            _ => return Err(Unread),
        };
        Ok((number, value, self))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Unread> {
        decode_varint(&mut self.0).map_err(|_| Unread)
    }

    #[inline]
    fn delimited(&mut self) -> Result<&'m [u8], Unread> {
        let length = usize::try_from(self.varint()?).map_err(|_| Unread)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Unread)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn skip(&mut self, length: usize) -> Result<(), Unread> {
        let (_, rest) = self.0.split_at_checked(length).ok_or(Unread)?;
        self.0 = rest;
        Ok(())
    }
}

impl<'m> Value<'m> {
    /// The bytes of a message.
    #[inline]
    pub(in crate::wire) fn bytes(self) -> Result<&'m [u8], Unread> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Eight | Self::Four => Err(Unread),
        }
    }

    /// A text.
    #[inline]
    pub(in crate::wire) fn text(self, texts: &mut Texts<'m>) -> Result<&'m str, Unread> {
        texts.text(self.bytes()?)
    }

    /// A number.
    #[inline]
    pub(in crate::wire) fn number(self) -> Result<u64, Unread> {
        match self {
            Self::Varint(number) => Ok(number),
            Self::Bytes(_) | Self::Eight | Self::Four => Err(Unread),
        }
    }

    /// Whether a number is not zero.
    #[inline]
    pub(in crate::wire) fn flag(self) -> Result<bool, Unread> {
        Ok(self.number()? != 0)
    }

    /// The number of an enumeration's value: the lower half, as prost takes it.
    #[inline]
    pub(in crate::wire) fn enumeration(self) -> Result<i32, Unread> {
        let low = u32::try_from(self.number()? & u64::from(u32::MAX));
        low.map(u32::cast_signed).map_err(|_| Unread)
    }
}
