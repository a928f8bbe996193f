//! Tags of messages: each checked, none twice, never more than the limit.

use arrayvec::ArrayVec;

use super::fault::{Faults, first_repeat};
use crate::engine::request::TagWrite;
use crate::model::tag::{TagRef, check_key, check_tag};
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
            let limit = limits::REQUEST_TAGS;
            check_tags(set, limit, || "tag_write.set".to_owned(), faults);
            self.set.insert(ArrayVec::new()).extend(checked(set, limit));
        }
        // Nearly all writes only set tags: nothing excludes that.
        if *remove_all || !remove_keys.is_empty() {
            self.read_removed(remove_keys, faults);
            self.check_conflicts(faults);
        }
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

/// Checks a tag set that may hold so many tags. Of one that is over the limit the first tag beyond
/// it must be there.
pub(crate) fn check_tags(
    tags: &[Tag<'_>],
    limit: usize,
    field: impl Fn() -> String,
    faults: &mut Faults,
) {
    for (place, tag) in tags.iter().enumerate() {
        if let Err(error) = check_tag(tag.key, tag.value) {
            let at = || format!("{}.tags[{place}]", field());
            faults.add(RefusalReason::InvalidRequest, at, error.to_string());
        }
    }
    if tags.len() > limit {
        let detail = format!("more than {limit} tags");
        return faults.add(RefusalReason::TagLimit, field, detail);
    }
    let order = |left: &Tag<'_>, right: &Tag<'_>| left.key.cmp(right.key);
    if let Some(place) = first_repeat(tags, |a, b| a.key == b.key, order) {
        let at = || format!("{}.tags[{place}].key", field());
        faults.add(RefusalReason::TagKeyDuplicate, at, "the key is given twice");
    }
}

/// The tags of a set that was checked, up to the limit. Where it is not what it should be a fault
/// was told, so that nobody takes them.
pub(crate) fn checked<'m>(
    tags: &[Tag<'m>],
    limit: usize,
) -> impl ExactSizeIterator<Item = TagRef<'m>> {
    tags.iter()
        .take(limit)
        .map(|&Tag { key, value }| TagRef { key, value })
}
