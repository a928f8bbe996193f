//! What stands in objects and arrays.

use crate::document::error::ShapeErrorKind;
use crate::document::json::Node;

use super::{Cursor, Sink, Told};

/// Members of an object, by name.
pub type Entries<'c, 'n> = Vec<(&'n str, Cursor<'c, 'n>)>;

/// The elements of an array.
#[derive(Debug, Clone)]
pub struct Items<'c, 'n> {
    pub(super) parent: &'c Cursor<'c, 'n>,
    pub(super) nodes: std::iter::Enumerate<std::slice::Iter<'n, Node<'n>>>,
}

impl<'c, 'n> Iterator for Items<'c, 'n> {
    type Item = Cursor<'c, 'n>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, node) = self.nodes.next()?;
        Some(self.parent.child(place, node))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.nodes.size_hint()
    }
}

impl ExactSizeIterator for Items<'_, '_> {}

/// The known members of one object.
#[derive(Debug)]
pub struct Members<'c, 'n> {
    pub(super) at: &'c Cursor<'c, 'n>,
    pub(super) entries: Entries<'c, 'n>,
}

impl<'c, 'n> Members<'c, 'n> {
    /// A member that must be there.
    ///
    /// # Errors
    ///
    /// When it is missing.
    pub fn required(
        &self,
        name: &'static str,
        sink: &mut Sink<'_>,
    ) -> Result<Cursor<'c, 'n>, Told> {
        self.optional(name)
            .ok_or_else(|| self.at.refuse(ShapeErrorKind::MissingMember { name }, sink))
    }

    /// A member that may be there.
    pub fn optional(&self, name: &str) -> Option<Cursor<'c, 'n>> {
        let found = self.entries.iter().find(|(known, _)| *known == name);
        found.map(|(_, at)| *at)
    }

    /// The object itself.
    pub fn whole(&self) -> &'c Cursor<'c, 'n> {
        self.at
    }
}

/// Reads every element, so that the errors of all are told.
///
/// # Errors
///
/// When one of them has an error.
pub fn all<I: IntoIterator, T>(
    items: I,
    mut read: impl FnMut(I::Item) -> Result<T, Told>,
) -> Result<Vec<T>, Told> {
    let items = items.into_iter();
    let mut values = Vec::with_capacity(items.size_hint().0);
    let mut told = None;
    for item in items {
        match read(item) {
            Ok(value) => values.push(value),
            Err(error) => told = Some(error),
        }
    }
    told.map_or(Ok(values), Err)
}
