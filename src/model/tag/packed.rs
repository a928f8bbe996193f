//! The tags of one resource in one text: what a directory of many resources keeps, and what a
//! decision reads without going anywhere else.
//!
//! ```text
//! length of the key, length of the value, key, value; the next tag
//! ```
//!
//! A length below 127 is one byte; a longer one is the byte 127 and two of seven bits. So the whole
//! is UTF-8 whatever the texts are, and it is read as a text only where somebody asks for a tag: of
//! most resources nobody does.

use super::TagRef;

/// The least length that takes three bytes.
const LONG: usize = 127;

/// The tags of one resource, packed; no key stands twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackedTags<'a>(&'a [u8]);

/// The tags of a [`PackedTags`], one after the other.
#[derive(Debug, Clone)]
pub struct Unpacked<'a>(&'a str);

impl<'a> PackedTags<'a> {
    /// Reads what [`pack`] wrote, and nothing else.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The tags, in the order in which they were packed.
    pub fn iter(self) -> Unpacked<'a> {
        // INVARIANT: what was packed is a text.
        Unpacked(std::str::from_utf8(self.0).unwrap_or_default())
    }

    /// The value of a key, compared byte for byte.
    pub fn get(self, key: &str) -> Option<&'a str> {
        self.iter().find(|tag| tag.key == key).map(|tag| tag.value)
    }

    /// How many tags there are.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Unpacked<'a> {
    /// What is not yet read.
    pub fn rest(&self) -> &'a str {
        self.0
    }
}

impl<'a> IntoIterator for PackedTags<'a> {
    type Item = TagRef<'a>;
    type IntoIter = Unpacked<'a>;

    fn into_iter(self) -> Unpacked<'a> {
        self.iter()
    }
}

impl<'a> Iterator for Unpacked<'a> {
    type Item = TagRef<'a>;

    fn next(&mut self) -> Option<TagRef<'a>> {
        let (key, rest) = length(self.0)?;
        let (value, rest) = length(rest)?;
        let (key, rest) = rest.split_at_checked(key)?;
        let (value, rest) = rest.split_at_checked(value)?;
        self.0 = rest;
        Some(TagRef { key, value })
    }
}

/// Adds a tag to those of a text.
pub fn pack(tag: TagRef<'_>, text: &mut String) {
    push_length(tag.key.len(), text);
    push_length(tag.value.len(), text);
    text.push_str(tag.key);
    text.push_str(tag.value);
}

fn push_length(length: usize, text: &mut String) {
    if length < LONG {
        return push_bits(length, text);
    }
    push_bits(LONG, text);
    push_bits(length >> 7, text);
    push_bits(length, text);
}

/// The lowest seven bits. INVARIANT: texts of tags have at most 1,024 bytes.
fn push_bits(length: usize, text: &mut String) {
    text.extend(u8::try_from(length & 127).map(char::from));
}

fn length(text: &str) -> Option<(usize, &str)> {
    let mut bytes = text.bytes();
    let mut next = || bytes.next().map(usize::from);
    match next()? {
        LONG => Some(((next()? << 7) | next()?, text.get(3..)?)),
        short => Some((short, text.get(1..)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let long = ["k".repeat(126), "ä".repeat(256), "v".repeat(128)];
        let texts = [&long[0], "", &long[1], "env", &long[2], "Größe"];
        let mut text = String::new();
        let mut tags = Vec::new();
        for key in texts {
            for value in texts {
                pack(TagRef { key, value }, &mut text);
                tags.push(TagRef { key, value });
            }
        }
        let packed = PackedTags::new(text.as_bytes());
        assert!(packed.iter().eq(tags.iter().copied()));
        assert_eq!(packed.len(), 36);
        assert_eq!(packed.get("env"), Some(texts[0]));
        assert_eq!((packed.get("none"), packed.is_empty()), (None, false));
        assert!(PackedTags::default().is_empty());
    }
}
