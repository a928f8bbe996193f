//! One copy of each text of a bundle, and of each list of conditions and of resources.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::model::condition as written;
use crate::model::pattern::ResourcePattern;
use crate::model::statement::Effect;
use crate::snapshot::condition::Condition;
use crate::snapshot::policy::ArnMatcher;
use crate::snapshot::symbol::Symbol;

/// The patterns of a list of resources; `None`: everything.
type Resources = Option<Arc<[ArnMatcher]>>;

/// Hands out what is shared. Lists are found by what they were lowered from, under one effect.
#[derive(Debug, Default)]
pub(super) struct Interner<'b> {
    texts: HashSet<Symbol>,
    /// The lists of conditions.
    pub(super) conditions: HashMap<(Effect, &'b [written::Condition]), Arc<[Condition]>>,
    /// The lists of resources.
    pub(super) resources: HashMap<(Effect, &'b [ResourcePattern]), Resources>,
}

impl Interner<'_> {
    /// The shared copy of a text.
    pub(super) fn symbol(&mut self, text: &str) -> Symbol {
        self.texts
            .get_or_insert_with(text, |text| Symbol::from(text))
            .clone()
    }

    /// The shared copies of many texts.
    pub(super) fn symbols<'a>(
        &mut self,
        texts: impl IntoIterator<Item = &'a String>,
    ) -> Box<[Symbol]> {
        texts.into_iter().map(|text| self.symbol(text)).collect()
    }
}
