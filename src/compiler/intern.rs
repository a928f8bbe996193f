//! One copy of each text of a bundle, and of each list of conditions and of resources.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;

use super::matcher::Matchers;
use crate::model::condition as written;
use crate::model::pattern::ResourcePattern;
use crate::model::statement::Effect;
use crate::snapshot::policy::Conditions;
use crate::snapshot::symbol::Symbol;

/// Hands out what is shared.
#[derive(Debug, Default)]
pub(super) struct Interner<'b> {
    texts: HashTable<(u64, Symbol)>,
    hasher: foldhash::fast::RandomState,
    /// The lists of conditions.
    pub(super) conditions: Lists<'b, written::Condition, Conditions>,
    /// The lists of resources; `None`: everything.
    pub(super) resources: Lists<'b, ResourcePattern, Option<Matchers>>,
}

impl Interner<'_> {
    /// The shared copy of a text.
    pub(super) fn symbol(&mut self, text: &str) -> Symbol {
        let hash = self.hasher.hash_one(text);
        let known = self.texts.entry(
            hash,
            |(other, known)| *other == hash && **known == *text,
            |(hash, _)| *hash,
        );
        let known = known.or_insert_with(|| (hash, Symbol::from(text)));
        Symbol::clone(&known.get().1)
    }

    /// The shared copies of many texts.
    pub(super) fn symbols<'a>(
        &mut self,
        texts: impl IntoIterator<Item = &'a String>,
    ) -> Box<[Symbol]> {
        texts.into_iter().map(|text| self.symbol(text)).collect()
    }
}

/// Lists by what they were lowered from, under one effect. Hashes are kept, so that what is long is
/// read once.
#[derive(Debug)]
pub(super) struct Lists<'b, W, L> {
    known: HashTable<Known<'b, W, L>>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Debug)]
struct Known<'b, W, L> {
    hash: u64,
    effect: Effect,
    written: &'b [W],
    list: L,
}

impl<W, L> Default for Lists<'_, W, L> {
    fn default() -> Self {
        Self {
            known: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }
}

impl<'b, W: Hash + Eq, L: Clone> Lists<'b, W, L> {
    /// The list that was lowered from what is written, or its hash.
    pub(super) fn get(&self, effect: Effect, written: &'b [W]) -> Result<L, u64> {
        let hash = self.hasher.hash_one((effect, written));
        let is_same = |known: &Known<'_, W, L>| {
            known.hash == hash && known.effect == effect && known.written == written
        };
        match self.known.find(hash, is_same) {
            Some(known) => Ok(known.list.clone()),
            None => Err(hash),
        }
    }

    /// Keeps a list that was missing, under the hash that was told.
    pub(super) fn insert(&mut self, hash: u64, effect: Effect, written: &'b [W], list: L) {
        let known = Known {
            hash,
            effect,
            written,
            list,
        };
        self.known.insert_unique(hash, known, |known| known.hash);
    }
}
