//! Looking tags up in what is in view: current tags, resulting tags, or the request's.

use super::request::{KnownTags, TagWrite};
use crate::model::tag::TagRef;
use crate::model::text::eq_fold;
use crate::snapshot::condition::KeyReading;

/// What a look-up of a tag key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// No tag has the key.
    Absent,
    /// The value.
    Value(&'a str),
    /// Several keys are equal without regard to case (security 3.9).
    Collision,
}

/// A set of tags in view.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tags<'a> {
    /// The tags that the call carries.
    Request(&'a [TagRef<'a>]),
    /// The tags of the resource now.
    Current(KnownTags<'a>),
    /// The tags of the resource after the call (security 4: `post`).
    Post(KnownTags<'a>, &'a TagWrite<'a>, Overlay),
}

/// How new tags meet current ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlay {
    /// They are laid over them.
    Add,
    /// They replace them all.
    Replace,
}

impl<'a> Tags<'a> {
    /// Looks a key up.
    #[inline]
    pub(super) fn find(&self, key: &str, reading: KeyReading) -> Found<'a> {
        match self {
            // Nearly all: one list.
            Self::Request(tags) | Self::Current(KnownTags::Sent(tags)) => {
                find_in(tags, key, reading)
            }
            Self::Current(_) | Self::Post(..) => self.find_each(key, reading),
        }
    }

    #[inline(never)]
    fn find_each(&self, key: &str, reading: KeyReading) -> Found<'a> {
        let mut search = Search::new(key, reading);
        let is_asked = |other: &str| !starts_otherwise(other, key);
        self.each(is_asked, |tag| {
            if is_asked(tag.key) {
                search.see(tag);
            }
        });
        search.result()
    }

    /// Whether a key is there, byte for byte.
    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key, KeyReading::Exact) != Found::Absent
    }

    /// Calls for every tag in view. One that new tags may replace is left out where nobody asks for
    /// its key: whether it is replaced need not be known.
    fn each(&self, is_asked: impl Fn(&str) -> bool, mut see: impl FnMut(TagRef<'a>)) {
        match self {
            Self::Request(tags) => tags.iter().for_each(|tag| see(*tag)),
            Self::Current(tags) => current(*tags, see),
            Self::Post(tags, write, overlay) => {
                let new = write.set.unwrap_or_default();
                for tag in new {
                    see(*tag);
                }
                if *overlay == Overlay::Add && !write.remove_all {
                    let gone = |key: &str| {
                        new.iter().any(|tag| tag.key == key) || write.remove_keys.contains(&key)
                    };
                    current(*tags, |tag| {
                        if is_asked(tag.key) && !gone(tag.key) {
                            see(tag);
                        }
                    });
                }
            }
        }
    }

    /// Whether some tag in view passes.
    pub(super) fn any(&self, passes: impl Fn(TagRef<'a>) -> bool) -> bool {
        let mut any = false;
        self.each(|_| true, |tag| any |= passes(tag));
        any
    }
}

/// Looks a key up in one list.
fn find_in<'a>(tags: &[TagRef<'a>], key: &str, reading: KeyReading) -> Found<'a> {
    let mut search = Search::new(key, reading);
    for tag in tags {
        if !starts_otherwise(tag.key, key) {
            search.see(*tag);
        }
    }
    search.result()
}

fn current<'a>(tags: KnownTags<'a>, see: impl FnMut(TagRef<'a>)) {
    match tags {
        KnownTags::Unknown => {}
        KnownTags::Sent(tags) => tags.iter().copied().for_each(see),
        KnownTags::Stored(tags) => tags.iter().for_each(see),
    }
}

/// Whether two keys certainly differ, in whatever case: their first bytes are no two cases of one
/// ASCII letter.
fn starts_otherwise(one: &str, other: &str) -> bool {
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(one), Some(other)) => {
            one.is_ascii() && other.is_ascii() && (one | 0x20) != (other | 0x20)
        }
        (None, _) | (_, None) => false,
    }
}

struct Search<'k, 'a> {
    key: &'k str,
    reading: KeyReading,
    keys: u32,
    value: Option<&'a str>,
}

impl<'k, 'a> Search<'k, 'a> {
    fn new(key: &'k str, reading: KeyReading) -> Self {
        Self {
            key,
            reading,
            keys: 0,
            value: None,
        }
    }

    /// Looks at a tag. Few keys start alike: this stays out of the way of those who compare starts.
    #[inline(never)]
    fn see(&mut self, tag: TagRef<'a>) {
        let exact = tag.key == self.key;
        match self.reading {
            KeyReading::Exact if exact => self.value = Some(tag.value),
            KeyReading::Exact => {}
            KeyReading::Guarded | KeyReading::Folded if exact || eq_fold(tag.key, self.key) => {
                self.keys += 1;
                if exact || self.reading == KeyReading::Folded {
                    self.value = Some(tag.value);
                }
            }
            KeyReading::Guarded | KeyReading::Folded => {}
        }
    }

    fn result(&self) -> Found<'a> {
        match self.value {
            _ if self.keys > 1 => Found::Collision,
            Some(value) => Found::Value(value),
            None => Found::Absent,
        }
    }
}
