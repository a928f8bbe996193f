//! Changes of bytes that are a message, for tests.

use proptest::prelude::*;
use proptest::sample::Index;

/// A change.
#[derive(Debug, Clone)]
pub(in crate::wire) enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index),
    Cut(Index),
    /// Some of the bytes once more, at another place.
    Copy(Index, Index, Index),
}

/// A few changes, some of which add fields: those that are known, unknown ones of each form, groups,
/// and none at all.
pub(in crate::wire) fn changes(known: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<Change>> {
    let mut fields = known;
    fields.extend([
        vec![0x78, 0xff, 0xff, 1],
        vec![0x79, 1, 2, 3, 4, 5, 6, 7, 8],
        vec![0x7a, 2, 9, 9],
        vec![0x7b, 0x08, 1, 0x7c],
        vec![0x7d, 1, 2, 3, 4],
        vec![0x00],
    ]);
    let fields = prop::sample::select(fields);
    let place = any::<Index>;
    let change = prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (place(), fields).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => place().prop_map(Change::Remove),
        1 => place().prop_map(Change::Cut),
        1 => (place(), place(), place()).prop_map(|(from, to, at)| Change::Copy(from, to, at)),
    ];
    prop::collection::vec(change, 0..6)
}

/// Makes changes, one after the other.
pub(in crate::wire) fn make(changes: Vec<Change>, bytes: &mut Vec<u8>) {
    for change in changes {
        change.make(bytes);
    }
}

impl Change {
    fn make(self, bytes: &mut Vec<u8>) {
        let at = |index: Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Set(place, byte) => {
                if !bytes.is_empty() {
                    let place = place.index(bytes.len());
                    bytes[place] = byte;
                }
            }
            Self::Insert(place, inserted) => {
                let place = at(place, bytes);
                bytes.splice(place..place, inserted);
            }
            Self::Remove(place) => {
                if !bytes.is_empty() {
                    bytes.remove(place.index(bytes.len()));
                }
            }
            Self::Cut(place) => bytes.truncate(at(place, bytes)),
            Self::Copy(from, to, place) => {
                let (from, to, place) = (at(from, bytes), at(to, bytes), at(place, bytes));
                let copied = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(place..place, copied);
            }
        }
    }
}

/// Whether a byte could begin a group: only then does prost take what is not read here.
pub(in crate::wire) fn may_hold_group(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte & 7 == 3)
}
