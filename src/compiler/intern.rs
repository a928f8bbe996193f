//! One copy of each text of a bundle.

use hashbrown::HashSet;

use crate::snapshot::symbol::Symbol;

/// Hands out shared texts.
#[derive(Debug, Default)]
pub(super) struct Interner(HashSet<Symbol>);

impl Interner {
    /// The shared copy of a text.
    pub(super) fn symbol(&mut self, text: &str) -> Symbol {
        self.0
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
