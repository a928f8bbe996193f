//! The authored state for those who read it: of a store, or of the files that are in force.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use crate::document::bundle::{FileErrors, PackedFiles};
use crate::document::object::{Authored, Document, Mention, Unreadable, mentions, split};
use crate::model::object::ObjectId;
use crate::snapshot::Revision;
use crate::source::embedded::{Difference, Documents, List, Record, StoreError, View};

/// One state, read from start to end.
#[derive(Debug)]
pub enum Reading {
    /// Of the store.
    Store(View),
    /// Of files.
    Files(Arc<FileObjects>),
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// Nothing is in force yet.
    #[error("no policies are loaded yet")]
    Nothing,
    /// The store cannot be read.
    #[error(transparent)]
    Failed(#[from] StoreError),
    /// The state cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The objects of files, taken apart when somebody first reads them.
#[derive(Debug)]
pub struct FileObjects {
    revision: Revision,
    files: Arc<PackedFiles>,
    objects: OnceLock<Result<ByText, Unsplit>>,
}

/// Why files cannot be taken apart.
#[derive(Debug, Clone, thiserror::Error)]
enum Unsplit {
    /// The files that are kept are damaged.
    #[error("{0}")]
    Damaged(String),
    /// The files are refused.
    #[error(transparent)]
    Refused(#[from] FileErrors),
}

/// Objects in the order of the texts of their ids.
type ByText = BTreeMap<String, (ObjectId, Document)>;

impl FileObjects {
    pub(super) fn new(revision: Revision, files: Arc<PackedFiles>) -> Self {
        Self {
            revision,
            files,
            objects: OnceLock::new(),
        }
    }

    fn objects(&self) -> Result<&ByText, Unreadable> {
        let split = self.objects.get_or_init(|| {
            let files = self.files.unpack();
            let files = files.map_err(|error| Unsplit::Damaged(error.to_string()))?;
            let objects = split(&files)?.into_iter();
            Ok(objects
                .map(|(id, document)| (id.to_string(), (id, document)))
                .collect())
        });
        let refused = |error: &Unsplit| Unreadable(Box::new(error.clone()));
        split.as_ref().map_err(refused)
    }
}

impl Reading {
    /// Which state it is; the number is 0 before the first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn revision(&self) -> Result<Revision, ReadingError> {
        match self {
            Self::Store(view) => Ok(view.revision()?),
            Self::Files(files) => Ok(files.revision),
        }
    }

    /// The state as permissions are decided in it.
    pub fn as_authored(&self) -> &dyn Authored {
        match self {
            Self::Store(view) => view,
            Self::Files(files) => &**files,
        }
    }

    /// Objects whose ids begin with `prefix`, after the one with the text `after`; at most `most`.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    pub fn list(
        &self,
        prefix: &str,
        after: &str,
        most: usize,
        documents: Documents,
    ) -> Result<List, ReadingError> {
        let files = match self {
            Self::Store(view) => return Ok(view.list(prefix, after, most, documents)?),
            Self::Files(files) => files,
        };
        let from = if after < prefix {
            Bound::Included(prefix)
        } else {
            Bound::Excluded(after)
        };
        let objects = files.objects()?.range::<str, _>((from, Bound::Unbounded));
        let below = objects.take_while(|(text, _)| text.starts_with(prefix));
        let mut list = List::default();
        let mut left = documents;
        for (_, (id, document)) in below.take(most) {
            if !list.add(id.clone(), document, &mut left) {
                break;
            }
        }
        Ok(list)
    }

    /// The records of the changes before a number, the newest first; none of files.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn records(&self, before: u64, most: usize) -> Result<Vec<Record>, ReadingError> {
        match self {
            Self::Store(view) => Ok(view.records(before, most)?),
            Self::Files(_) => Ok(Vec::new()),
        }
    }

    /// What one change did.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn differences(&self, number: u64) -> Result<Vec<Difference>, ReadingError> {
        match self {
            Self::Store(view) => Ok(view.differences(number)?),
            Self::Files(_) => Ok(Vec::new()),
        }
    }
}

impl Authored for FileObjects {
    fn document(&self, id: &ObjectId) -> Result<Option<Document>, Unreadable> {
        let found = self.objects()?.get(&id.to_string());
        Ok(found.map(|(_, document)| document.clone()))
    }

    fn below(&self, prefix: &str, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let objects = self.objects()?.range::<str, _>(from);
        let below = objects.take_while(|(text, _)| text.starts_with(prefix));
        Ok(below.take(most).map(|(_, (id, _))| id.clone()).collect())
    }

    fn naming(&self, what: &Mention, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let objects = self.objects()?.values();
        let naming = objects.filter(|(id, document)| mentions(id, document).contains(what));
        Ok(naming.take(most).map(|(id, _)| id.clone()).collect())
    }

    fn all(&self) -> Result<Vec<(ObjectId, Document)>, Unreadable> {
        Ok(self.objects()?.values().cloned().collect())
    }
}
