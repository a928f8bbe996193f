//! Messages written by hand, byte for byte as prost writes them: fields in order, defaults left out.

use std::fmt::Display;
use std::io::Write as _;

use prost::encoding::{WireType, encode_varint};

/// Appends the fields of one message.
#[derive(Debug)]
pub(crate) struct Writer<'b>(pub(crate) &'b mut Vec<u8>);

impl Writer<'_> {
    /// A number; 0 is left out.
    pub(crate) fn number(&mut self, field: u32, number: impl Into<u64>) {
        let number = number.into();
        if number != 0 {
            self.key(field, WireType::Varint);
            self.varint(number);
        }
    }

    /// The value of an enumeration; 0 is left out. None of ours is negative.
    pub(crate) fn value(&mut self, field: u32, value: impl Into<i32>) {
        self.number(field, value.into().unsigned_abs());
    }

    /// A text; an empty one is left out.
    pub(crate) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A text of a list, or a message that is written already.
    pub(crate) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, WireType::LengthDelimited);
        self.varint(as_u64(bytes.len()));
        self.0.extend_from_slice(bytes);
    }

    /// What is shown as text.
    pub(crate) fn shown(&mut self, field: u32, what: impl Display) {
        // Writing to a vector cannot fail.
        self.message(field, |text| {
            let _ = write!(text.0, "{what}");
        });
    }

    /// A message.
    pub(crate) fn message<T>(&mut self, field: u32, write: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        self.key(field, WireType::LengthDelimited);
        let place = self.0.len();
        // Most are shorter than 128 bytes, and one byte tells their length.
        self.0.push(0);
        let written = write(&mut Writer(self.0));
        let body = self.0.len().saturating_sub(place + 1);
        if let (Ok(short @ 0..0x80), Some(byte)) = (u8::try_from(body), self.0.get_mut(place)) {
            *byte = short;
        } else {
            let mut length = [0; VARINT];
            let mut rest = &mut length[..];
            encode_varint(as_u64(body), &mut rest);
            let unused = rest.len();
            let length = length.into_iter().take(VARINT - unused);
            self.0.splice(place..=place, length);
        }
        written
    }

    /// A message that is written whole or not at all: the bytes of one that fails are taken back.
    pub(crate) fn try_message<T, E>(
        &mut self,
        field: u32,
        write: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = self.0.len();
        let written = self.message(field, write);
        if written.is_err() {
            self.0.truncate(begin);
        }
        written
    }

    /// A message as prost has it.
    pub(crate) fn owned(&mut self, field: u32, message: &impl prost::Message) {
        prost::encoding::message::encode(field, message, self.0);
    }

    #[inline]
    fn key(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from(field << 3 | wire_type as u32));
    }

    /// Seven bits of a number with each byte, the lowest first; nearly all numbers are one byte.
    #[inline]
    fn varint(&mut self, number: u64) {
        let mut rest = number;
        while rest >= 0x80 {
            let [lowest, ..] = rest.to_le_bytes();
            self.0.push(lowest | 0x80);
            rest >>= 7;
        }
        let [last, ..] = rest.to_le_bytes();
        self.0.push(last);
    }
}

/// The most bytes of a number.
const VARINT: usize = 10;

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A number as 16 hexadecimal digits.
pub(crate) fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let (upper, lower) = digits.split_at_mut(8);
    upper.copy_from_slice(&eight_digits(number >> 32));
    lower.copy_from_slice(&eight_digits(number & 0xffff_ffff));
    digits
}

/// The digits of a number of 32 bits, all at once: each in a byte of its own.
fn eight_digits(number: u64) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let pairs = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let values = (bytes | bytes << 4) & (0x0f * ONES);
    // With 6 more, a value of at least 10 reaches the upper half of its byte.
    let letters = ((values + 6 * ONES) >> 4) & ONES;
    let gap = u64::from(b'a' - b'9' - 1);
    (values + u64::from(b'0') * ONES + letters * gap).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::wire::v1;

    #[test]
    fn messages_of_any_length_are_written_as_prost_does() {
        for length in [0, 1, 100, 123, 124, 125, 126, 127, 128, 20_000, 3_000_000] {
            let reference = v1::StatementRef {
                policy: "p".repeat(length),
                sid: String::new(),
                index: 300,
            };
            let message = v1::ResourceVerdict {
                arn: "*".to_owned(),
                statement: Some(reference),
                ..v1::ResourceVerdict::default()
            };
            let mut bytes = Vec::new();
            let mut writer = Writer(&mut bytes);
            writer.text(1, "*");
            writer.message(6, |statement| {
                statement.text(1, &"p".repeat(length));
                statement.text(2, "");
                statement.number(3, 300_u32);
            });
            assert!(bytes == message.encode_to_vec(), "{length}");
        }
    }

    #[test]
    fn a_message_that_fails_leaves_nothing() {
        let mut bytes = b"before".to_vec();
        let mut writer = Writer(&mut bytes);
        let failed = writer.try_message(1, |message| {
            message.text(1, &"x".repeat(200));
            Err::<(), _>("late")
        });
        assert_eq!(failed, Err("late"));
        let written = writer.try_message(1, |message| {
            message.text(1, "x");
            Ok::<_, ()>(7)
        });
        assert_eq!((written, &*bytes), (Ok(7), &b"before\x0a\x03\x0a\x01x"[..]));
    }

    #[test]
    fn digits_are_those_of_the_standard_format() {
        let shifted = (0..64).map(|place| 0x0123_4567_89ab_cdef_u64.rotate_left(place));
        for number in [0, 1, 9, 10, 0xfedc_ba98_7654_3210, u64::MAX]
            .into_iter()
            .chain(shifted)
        {
            assert_eq!(hex(number), *format!("{number:016x}").as_bytes());
        }
    }
}
