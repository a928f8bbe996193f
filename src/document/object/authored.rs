//! What a change needs to know of the authored state around it.

use std::error::Error;
use std::sync::Arc;

use super::Mention;
use crate::model::object::ObjectId;

/// The text of an object.
pub type Document = Arc<[u8]>;

/// An object that a change puts or deletes. Each stands once in a change, and has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub id: ObjectId,
    /// Its document before the change; `None`: there was none.
    pub before: Option<Document>,
}

/// The authored state as it is after a change: look-ups only.
///
/// Each is one look-up or one range of ordered keys. The keys are the text of [`ObjectId`] for
/// documents, and the text of [`Mention`] with that of the object for [`Authored::naming`]; a
/// store keeps the latter as an index of what [`super::mentions`] tells of each document.
pub trait Authored {
    /// The document of an object.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    fn document(&self, id: &ObjectId) -> Result<Option<Document>, Unreadable>;

    /// The objects whose text starts with `prefix`, in the order of their texts; at most `most`.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    fn below(&self, prefix: &str, most: usize) -> Result<Vec<ObjectId>, Unreadable>;

    /// The objects that name something, in the order of their texts; at most `most`.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    fn naming(&self, what: &Mention, most: usize) -> Result<Vec<ObjectId>, Unreadable>;

    /// All objects: asked for only when everything is compiled anew.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    fn all(&self) -> Result<Vec<(ObjectId, Document)>, Unreadable>;
}

/// The authored state cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the authored state cannot be read: {0}")]
pub struct Unreadable(#[source] pub Box<dyn Error + Send + Sync>);
