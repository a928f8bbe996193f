//! What stands in objects and arrays.

use smallvec::SmallVec;

use crate::document::error::ShapeErrorKind;
use crate::document::json::{Member, Node};

use super::{Cursor, Sink, Told};

/// Members of an object, by name.
pub type Entries<'c, 'n> = SmallVec<[(&'n str, Cursor<'c, 'n>); 4]>;

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

/// One value, or the elements of an array.
#[derive(Debug, Clone)]
pub enum OneOrSome<'c, 'n> {
    /// The value, until it was taken.
    One(Option<Cursor<'c, 'n>>),
    /// The elements.
    Some(Items<'c, 'n>),
}

impl<'c, 'n> Iterator for OneOrSome<'c, 'n> {
    type Item = Cursor<'c, 'n>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::One(one) => one.take(),
            Self::Some(items) => items.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let length = match self {
            Self::One(one) => usize::from(one.is_some()),
            Self::Some(items) => items.len(),
        };
        (length, Some(length))
    }
}

/// The known members of one object.
#[derive(Debug)]
pub struct Members<'c, 'n> {
    pub(super) at: &'c Cursor<'c, 'n>,
    pub(super) members: &'n [Member<'n>],
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
        let mut members = self.members.iter().enumerate();
        let (place, (_, node)) = members.find(|(_, (known, _))| *known == name)?;
        Some(self.at.child(place, node))
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
