//! A tagging operation as the engine judges it: what is known of the resource, and its tags after.
//!
//! Everything is borrowed and nothing is allocated. Texts were checked by whoever asks.

mod index;

use arrayvec::ArrayVec;

use self::index::Index;
use super::request::KnownGroup;
use crate::model::compliance::TagHistory;
use crate::model::tag::{PackedTags, TagRef};
use crate::model::verdict::limits;

/// The most tags that a resource may have after an operation.
const MOST: usize = limits::RESOURCE_TAGS + limits::REQUEST_TAGS;
const _: () = assert!(MOST <= index::MOST, "every tag has a place");

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The type `service:resource`; its case does not matter.
    pub resource_type: &'a str,
    /// The region; `None`: not known.
    pub region: Option<&'a str>,
    /// The resource group.
    pub group: KnownGroup<'a>,
    /// The tags before the operation; none on create.
    pub current: Tags<'a>,
    /// What is done.
    pub operation: Operation<'a>,
    /// What the resource may take from its group.
    pub inheritance: Inheritance<'a>,
    /// Whether the resource carried a tag before.
    pub history: TagHistory,
}

/// Tags, from either place.
#[derive(Debug, Clone, Copy)]
pub enum Tags<'a> {
    /// Of a request.
    Sent(&'a [TagRef<'a>]),
    /// Of the directory.
    Stored(PackedTags<'a>),
}

/// What is done with tags.
#[derive(Debug, Clone, Copy)]
pub enum Operation<'a> {
    /// Nothing: the tags are looked at as they are.
    Detect,
    /// A resource is made with these tags.
    Create(&'a [TagRef<'a>]),
    /// Tags are set and keys are removed.
    Write {
        /// The tags that are added or overwritten.
        set: &'a [TagRef<'a>],
        /// The keys that are removed; none of them is set.
        removed: &'a [&'a str],
    },
}

/// The tags that a resource may take from its resource group.
#[derive(Debug, Clone, Copy)]
pub enum Inheritance<'a> {
    /// Not known: nothing is said of inheritance.
    Unknown,
    /// The resource is excluded from it.
    Excluded,
    /// The group has these tags.
    Group(Tags<'a>),
}

/// More tags than a resource can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MOST} tags")]
pub struct TooManyTags;

/// A question with the tags that the operation leaves.
#[derive(Debug)]
pub struct Tagging<'a> {
    /// What is asked.
    pub(super) question: Question<'a>,
    /// The tags after the operation.
    pub(super) after: ArrayVec<Held<'a>, MOST>,
    index: Index,
}

/// A tag after the operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) tag: TagRef<'a>,
    pub(super) by: Hand,
}

/// Who put a tag there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hand {
    /// It was there before.
    Before,
    /// The operation.
    Request,
}

impl<'a> Tags<'a> {
    /// The tags, in the order written.
    pub fn iter(self) -> impl Iterator<Item = TagRef<'a>> {
        let (sent, stored) = match self {
            Self::Sent(tags) => (Some(tags.iter().copied()), None),
            Self::Stored(tags) => (None, Some(tags.iter())),
        };
        let (sent, stored) = (sent.into_iter(), stored.into_iter());
        sent.flatten().chain(stored.flatten())
    }

    /// The value of a key, compared byte for byte.
    pub fn get(self, key: &str) -> Option<&'a str> {
        self.iter().find(|tag| tag.key == key).map(|tag| tag.value)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'a> Operation<'a> {
    /// The tags that the operation carries.
    pub fn set(&self) -> &'a [TagRef<'a>] {
        match self {
            Self::Detect => &[],
            Self::Create(set) | Self::Write { set, .. } => set,
        }
    }

    /// The keys that it removes.
    pub fn removed(&self) -> &'a [&'a str] {
        match self {
            Self::Detect | Self::Create(_) => &[],
            Self::Write { removed, .. } => removed,
        }
    }
}

impl<'a> Tagging<'a> {
    /// Works out the tags after the operation.
    ///
    /// # Errors
    ///
    /// When there are too many.
    pub fn new(question: Question<'a>) -> Result<Self, TooManyTags> {
        let mut tagging = Self::before(question);
        tagging.work_out()?;
        Ok(tagging)
    }

    /// Works out the tags after the operation, and works with them in their place: they are some
    /// kilobytes.
    ///
    /// # Errors
    ///
    /// When there are too many.
    pub fn with<T>(
        question: Question<'a>,
        work: impl FnOnce(&Self) -> T,
    ) -> Result<T, TooManyTags> {
        let mut tagging = Self::before(question);
        tagging.work_out()?;
        Ok(work(&tagging))
    }

    fn before(question: Question<'a>) -> Self {
        Self {
            question,
            after: ArrayVec::new(),
            index: Index::default(),
        }
    }

    fn work_out(&mut self) -> Result<(), TooManyTags> {
        let Question {
            operation, current, ..
        } = self.question;
        let (set, removed) = (operation.set(), operation.removed());
        if !matches!(operation, Operation::Create(_)) {
            for tag in current.iter() {
                let stays =
                    !set.iter().any(|new| new.key == tag.key) && !removed.contains(&tag.key);
                if stays {
                    self.push(tag, Hand::Before)?;
                }
            }
        }
        for tag in set {
            self.push(*tag, Hand::Request)?;
        }
        Ok(())
    }

    fn push(&mut self, tag: TagRef<'a>, by: Hand) -> Result<(), TooManyTags> {
        self.index.add(tag.key);
        let held = Held { tag, by };
        self.after.try_push(held).map_err(|_| TooManyTags)
    }

    /// The tags after the operation whose keys may be equal to a key after folding: all that are,
    /// in no order.
    pub(super) fn near(&self, key: &str) -> impl Iterator<Item = &Held<'a>> {
        let places = self.index.near(key);
        places.filter_map(|place| self.after.get(place))
    }

    /// What is asked.
    pub fn question(&self) -> &Question<'a> {
        &self.question
    }

    /// The tags after the operation.
    pub fn after(&self) -> impl Iterator<Item = TagRef<'a>> {
        self.after.iter().map(|held| held.tag)
    }

    /// Whether the operation takes away a key that was there.
    pub(super) fn takes_away(&self, key: &str) -> bool {
        let removed = self.question.operation.removed();
        removed.contains(&key) && self.question.current.get(key).is_some()
    }

    /// Whether the resource carries or once carried a tag.
    pub(super) fn was_ever_tagged(&self) -> bool {
        !self.after.is_empty()
            || self.question.history == TagHistory::Tagged
            || (!matches!(self.question.operation, Operation::Create(_))
                && !self.question.current.is_empty())
    }
}
