//! Tags of messages: each checked, none twice, never more than the limit.

use arrayvec::ArrayVec;

use super::fault::{Faults, first_repeat};
use crate::engine::request::TagWrite;
use crate::model::tag::{TagRef, check_key};
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message::{self, Tag};

/// What a call does with tags, checked.
#[derive(Debug, Default)]
pub(crate) struct Write<'m> {
    set: Option<ArrayVec<TagRef<'m>, { limits::REQUEST_TAGS }>>,
    remove_keys: ArrayVec<&'m str, { limits::REMOVED_KEYS }>,
    remove_all: bool,
    replace: bool,
}

impl<'m> Write<'m> {
    /// Reads what a message says.
    pub(crate) fn read(&mut self, message: &message::TagWrite<'m>, faults: &mut Faults) {
        let message::TagWrite {
            set,
            remove_keys,
            remove_all,
            replace,
        } = message;
        self.remove_all = *remove_all;
        self.replace = *replace;
        if let Some(set) = set {
            let tags = self.set.insert(ArrayVec::new());
            read_tags(set, tags, || "tag_write.set".to_owned(), faults);
        }
        self.read_removed(remove_keys, faults);
        self.check_conflicts(faults);
    }

    fn read_removed(&mut self, keys: &[&'m str], faults: &mut Faults) {
        for (place, &key) in keys.iter().enumerate() {
            let field = || format!("tag_write.remove_keys[{place}]");
            if let Err(error) = check_key(key) {
                faults.add(RefusalReason::InvalidRequest, field, error.to_string());
            }
            if self.remove_keys.try_push(key).is_err() {
                let detail = format!("more than {} keys", limits::REMOVED_KEYS);
                faults.add(
                    RefusalReason::TagLimit,
                    || "tag_write.remove_keys".to_owned(),
                    detail,
                );
                return;
            }
        }
        if let Some(place) = first_repeat(&self.remove_keys, |a, b| a == b, Ord::cmp) {
            let field = || format!("tag_write.remove_keys[{place}]");
            faults.add(
                RefusalReason::TagKeyDuplicate,
                field,
                "the key is given twice",
            );
        }
    }

    /// Semantics 5: what excludes each other.
    fn check_conflicts(&self, faults: &mut Faults) {
        let mut conflict = |field: &str, detail: &str| {
            faults.add(RefusalReason::TagWriteConflict, || field.to_owned(), detail);
        };
        let removes = !self.remove_keys.is_empty();
        let sets_some = self.set.as_ref().is_some_and(|set| !set.is_empty());
        if self.remove_all && (sets_some || removes || self.replace) {
            conflict(
                "tag_write.remove_all",
                "excludes every other member of `tag_write`",
            );
        }
        if self.replace && removes {
            conflict("tag_write.replace", "excludes `remove_keys`");
        }
        let sets = |key: &str| self.set.iter().flatten().any(|tag| tag.key == key);
        if self.remove_keys.iter().any(|key| sets(key)) {
            conflict("tag_write.remove_keys", "a key is both set and removed");
        }
    }

    /// The write as the engine takes it.
    pub(crate) fn as_engine(&self) -> TagWrite<'_> {
        TagWrite {
            set: self.set.as_deref(),
            remove_keys: &self.remove_keys,
            remove_all: self.remove_all,
            replace: self.replace,
        }
    }
}

/// A place that tags are put into, up to a limit.
pub(crate) trait TagSink<'m> {
    /// Adds one tag; `false` when the limit is reached.
    fn push_tag(&mut self, tag: TagRef<'m>) -> bool;
    /// The tags of this set.
    fn tags(&self) -> &[TagRef<'m>];
}

impl<'m, const LIMIT: usize> TagSink<'m> for ArrayVec<TagRef<'m>, LIMIT> {
    fn push_tag(&mut self, tag: TagRef<'m>) -> bool {
        self.try_push(tag).is_ok()
    }

    fn tags(&self) -> &[TagRef<'m>] {
        self
    }
}

/// Reads a tag set. Of one that is over the limit the first tag beyond it must be there.
pub(crate) fn read_tags<'m>(
    tags: &[Tag<'m>],
    sink: &mut impl TagSink<'m>,
    field: impl Fn() -> String,
    faults: &mut Faults,
) {
    for (place, &Tag { key, value }) in tags.iter().enumerate() {
        let at = || format!("{}.tags[{place}]", field());
        let parsed = TagRef::parse(key, value).unwrap_or_else(|error| {
            faults.add(RefusalReason::InvalidRequest, at, error.to_string());
            TagRef { key, value }
        });
        if !sink.push_tag(parsed) {
            let detail = format!("more than {place} tags");
            return faults.add(RefusalReason::TagLimit, field, detail);
        }
    }
    let order = |left: &TagRef<'_>, right: &TagRef<'_>| left.key.cmp(right.key);
    if let Some(place) = first_repeat(sink.tags(), |a, b| a.key == b.key, order) {
        let at = || format!("{}.tags[{place}].key", field());
        faults.add(RefusalReason::TagKeyDuplicate, at, "the key is given twice");
    }
}
