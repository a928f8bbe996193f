//! Messages out of the pieces that a body comes in, without copying those that lie in one piece.
//!
//! What is unusual about a message (it is compressed, it is over the limit) is not told here: whoever
//! cuts leaves the rest to tonic, which tells it.

use bytes::Bytes;

use crate::wire::codec::PREFIX;

/// How much memory for a message in several pieces is kept for the next one.
const KEPT: usize = 64 * 1_024;

/// Cuts messages out of pieces.
#[derive(Debug)]
pub(super) struct Cutter {
    /// The most bytes of a message.
    limit: usize,
    piece: Bytes,
    /// How much of the piece was cut.
    cut: usize,
    /// A message that began in an earlier piece, with its prefix.
    begun: Vec<u8>,
    /// Whether it was handed out.
    told: bool,
}

/// What is next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'c> {
    /// A message.
    Message(&'c [u8]),
    /// Nothing before a further piece is there.
    Wanting,
    /// A message that is not for us.
    Unusual,
}

/// What the prefix of a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// It is not there.
    Wanting,
    /// The message is not for us.
    Unusual,
    /// How long the message is, with its prefix.
    Whole(usize),
}

impl Prefix {
    /// Of the message that some bytes begin with, which may have so many bytes.
    pub(super) fn of(bytes: &[u8], limit: usize) -> Self {
        let Some([flag, length @ ..]) = bytes.first_chunk::<PREFIX>() else {
            return Self::Wanting;
        };
        match usize::try_from(u32::from_be_bytes(*length)) {
            Ok(length) if *flag == 0 && length <= limit => Self::Whole(length + PREFIX),
            Ok(_) | Err(_) => Self::Unusual,
        }
    }
}

impl Cutter {
    /// For messages of at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            piece: Bytes::new(),
            cut: 0,
            begun: Vec::new(),
            told: false,
        }
    }

    /// Adds a piece, when nothing can be cut without it.
    pub(super) fn push(&mut self, piece: Bytes) {
        self.piece = piece;
        self.cut = 0;
    }

    /// Whether a message began whose end was not there.
    pub(super) fn is_amid(&self) -> bool {
        !(self.begun.is_empty() || self.told) || !self.rest().is_empty()
    }

    /// What was not handed out.
    pub(super) fn into_rest(mut self) -> Bytes {
        self.forget_told();
        if self.begun.is_empty() {
            return self.piece.split_off(self.cut.min(self.piece.len()));
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(self.rest());
        begun.into()
    }

    /// The next message.
    pub(super) fn next(&mut self) -> Next<'_> {
        self.forget_told();
        if self.begun.is_empty() {
            let begin = self.cut;
            match Prefix::of(self.rest(), self.limit) {
                Prefix::Unusual => return Next::Unusual,
                Prefix::Whole(length) if length <= self.rest().len() => {
                    self.cut += length;
                    let message = self.piece.get(begin + PREFIX..self.cut);
                    return Next::Message(message.unwrap_or_default());
                }
                Prefix::Whole(_) | Prefix::Wanting => {}
            }
        }
        self.next_begun()
    }

    /// The next message, which began in an earlier piece or does not end in this one.
    fn next_begun(&mut self) -> Next<'_> {
        self.take_up_to(PREFIX);
        match Prefix::of(&self.begun, self.limit) {
            Prefix::Wanting => Next::Wanting,
            Prefix::Unusual => Next::Unusual,
            Prefix::Whole(length) => {
                self.take_up_to(length);
                if self.begun.len() < length {
                    return Next::Wanting;
                }
                self.told = true;
                Next::Message(self.begun.get(PREFIX..).unwrap_or_default())
            }
        }
    }

    /// Takes from the piece until so much of a message is there.
    fn take_up_to(&mut self, length: usize) {
        let wanted = length.saturating_sub(self.begun.len());
        let rest = self.piece.get(self.cut..).unwrap_or_default();
        let taken = rest.get(..wanted).unwrap_or(rest);
        self.begun.extend_from_slice(taken);
        self.cut += taken.len();
    }

    fn rest(&self) -> &[u8] {
        self.piece.get(self.cut..).unwrap_or_default()
    }

    fn forget_told(&mut self) {
        if self.told {
            self.told = false;
            self.begun.clear();
            self.begun.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 40;

    fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap();
        [&[flag], &length.to_be_bytes()[..], message].concat()
    }

    /// Cuts a body in pieces; the messages, and what was left.
    fn cut(body: &[u8], lengths: &[usize]) -> (Vec<Vec<u8>>, Next<'static>, Vec<u8>) {
        let mut cutter = Cutter::new(LIMIT);
        let mut messages = Vec::new();
        let mut rest = body;
        let mut lengths = lengths.iter();
        loop {
            match cutter.next() {
                Next::Message(message) => messages.push(message.to_vec()),
                Next::Unusual => {
                    let left = [&cutter.into_rest()[..], rest].concat();
                    return (messages, Next::Unusual, left);
                }
                Next::Wanting if rest.is_empty() => {
                    let is_amid = cutter.is_amid();
                    let left = cutter.into_rest().to_vec();
                    assert_eq!(is_amid, !left.is_empty());
                    return (messages, Next::Wanting, left);
                }
                Next::Wanting => {
                    let length = lengths.next().map_or(rest.len(), |length| *length);
                    let (piece, further) = rest.split_at(length.min(rest.len()));
                    cutter.push(Bytes::copy_from_slice(piece));
                    rest = further;
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn messages_are_the_same_however_they_are_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=LIMIT), 0..8),
            tail in 0_usize..12,
            lengths in prop::collection::vec(0_usize..60, 0..40),
        ) {
            let mut body: Vec<u8> = messages.iter().flat_map(|one| framed(0, one)).collect();
            let tail = framed(0, &[7; LIMIT])[..tail].to_vec();
            body.extend(&tail);
            prop_assert_eq!(cut(&body, &lengths), (messages, Next::Wanting, tail));
        }

        #[test]
        fn what_is_unusual_is_left_whole(
            message in prop::collection::vec(any::<u8>(), 0..=LIMIT),
            flag in 1_u8..,
            lengths in prop::collection::vec(0_usize..60, 0..40),
        ) {
            let odd = [framed(flag, &message), framed(0, &[1; LIMIT + 1])];
            for odd in odd {
                let body = [framed(0, &message), odd.clone(), framed(0, b"x")].concat();
                let left = [odd, framed(0, b"x")].concat();
                prop_assert_eq!(
                    cut(&body, &lengths),
                    (vec![message.clone()], Next::Unusual, left)
                );
            }
        }
    }
}
