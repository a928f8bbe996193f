//! Objects and history, page by page.

use super::{From, Handlers, unread};
use crate::management::permission::{Actor, Read};
use crate::management::reading::Reading;
use crate::model::object::ObjectId;
use crate::source::embedded::{Difference, Documents, Listed};
use crate::wire::change::{change, object_id};
use crate::wire::reply::revision;
use crate::wire::status::{CallError, ManageFault};
use crate::wire::v1;

/// The most entries of a page.
pub const MAX_PAGE: usize = 1_000;
/// The entries of a page for which no size is asked.
const PAGE: usize = 100;
/// The most bytes of documents in a page.
pub const PAGE_BYTES: usize = 4 * 1_024 * 1_024;

impl Handlers {
    pub(super) fn get(
        &self,
        actor: &Actor,
        reading: &Reading,
        message: &v1::GetObjectRequest,
    ) -> Result<v1::GetObjectResponse, CallError> {
        let v1::GetObjectRequest { id } = message;
        let id = object_id("id", id)?;
        self.may_read(actor, reading, Read::Object(&id))?;
        let found = reading.as_authored().document(&id);
        let found = found.map_err(|error| unread(error.into()))?;
        let document = found.ok_or_else(|| ManageFault::ObjectNotFound { id: id.to_string() })?;
        let told = reading.revision().map_err(unread)?;
        Ok(v1::GetObjectResponse {
            object: Some(object(&id, Some(&document))),
            revision: Some(revision(&told)),
        })
    }

    pub(super) fn list(
        &self,
        actor: &Actor,
        reading: &Reading,
        message: &v1::ListObjectsRequest,
    ) -> Result<v1::ListObjectsResponse, CallError> {
        let v1::ListObjectsRequest {
            prefix,
            page_size,
            page_token,
            documents,
        } = message;
        self.may_read(actor, reading, Read::Objects(prefix))?;
        let form = if *documents { "documents" } else { "ids" };
        let question = question("ListObjects", actor, &[prefix, form]);
        let after = self.after(&question, page_token)?;
        let size = page_size_of(*page_size)?;
        let documents = if *documents {
            Documents::Told { most: PAGE_BYTES }
        } else {
            Documents::Left
        };
        // One more than is told says whether there is a further page.
        let listed = reading.list(prefix, &after, size.saturating_add(1), documents);
        let mut listed = listed.map_err(unread)?;
        let is_full = listed.objects.len() > size;
        listed.objects.truncate(size);
        let last = listed.objects.last().map(|one| one.id.to_string());
        let next = last.filter(|_| is_full || listed.is_cut);
        let told = reading.revision().map_err(unread)?;
        let objects = listed.objects.iter();
        let objects = objects.map(|Listed { id, document }| object(id, document.as_deref()));
        Ok(v1::ListObjectsResponse {
            objects: objects.collect(),
            next_page_token: self.next(&question, next),
            revision: Some(revision(&told)),
        })
    }

    pub(super) fn history(
        &self,
        actor: &Actor,
        reading: &Reading,
        message: &v1::ListRevisionsRequest,
    ) -> Result<v1::ListRevisionsResponse, CallError> {
        let v1::ListRevisionsRequest {
            page_size,
            page_token,
            differences,
        } = message;
        self.may_read(actor, reading, Read::Revisions)?;
        let form = if *differences {
            "differences"
        } else {
            "records"
        };
        let question = question("ListRevisions", actor, &[form]);
        let before = match &*self.after(&question, page_token)? {
            "" => u64::MAX,
            number => number.parse().map_err(|_| ManageFault::PageToken)?,
        };
        let size = page_size_of(*page_size)?;
        let records = reading.records(before, size.saturating_add(1));
        let mut records = records.map_err(unread)?.into_iter().peekable();
        let told = reading.revision().map_err(unread)?;
        let mut changes = Vec::new();
        let (mut bytes, mut last) = (0, None);
        while changes.len() < size && bytes < PAGE_BYTES {
            let Some(record) = records.next() else {
                break;
            };
            let number = record.number;
            let told_of = if *differences {
                reading.differences(number).map_err(unread)?
            } else {
                Vec::new()
            };
            bytes += told_of.iter().map(length).sum::<usize>();
            changes.push(change(told.source, record, told_of));
            last = Some(number);
        }
        let next = records.peek().and(last).map(|last| last.to_string());
        Ok(v1::ListRevisionsResponse {
            changes,
            next_page_token: self.next(&question, next),
            revision: Some(revision(&told)),
        })
    }

    /// Whether whoever asks may watch what is in force.
    pub(super) async fn may_watch(
        &self,
        from: &From,
        read: Read<'static>,
    ) -> Result<(), CallError> {
        // Before anything is in force there are no principals.
        if let Actor::Administrator { .. } = self.known(from)? {
            return Ok(());
        }
        self.reading(from, move |handlers, actor, reading| {
            handlers.may_read(actor, reading, read)
        })
        .await
    }

    /// Where a list goes on.
    fn after(&self, question: &[String], token: &str) -> Result<String, CallError> {
        if token.is_empty() {
            return Ok(String::new());
        }
        let parts: Vec<&str> = question.iter().map(String::as_str).collect();
        Ok(self.config.pages.open(&parts, token)?)
    }

    fn next(&self, question: &[String], position: Option<String>) -> String {
        let parts: Vec<&str> = question.iter().map(String::as_str).collect();
        let sealed = position.map(|position| self.config.pages.seal(&parts, &position));
        sealed.unwrap_or_default()
    }
}

/// security 9: page tokens are "bound to principal and query".
fn question(rpc: &str, actor: &Actor, parts: &[&str]) -> Vec<String> {
    let author = actor.author("");
    let who = [rpc.to_owned(), author.caller, author.principal];
    let parts = parts.iter().map(|part| (*part).to_owned());
    who.into_iter().chain(parts).collect()
}

fn page_size_of(asked: u32) -> Result<usize, ManageFault> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE),
        Ok(size) if size <= MAX_PAGE => Ok(size),
        Ok(_) | Err(_) => Err(ManageFault::Invalid {
            field: "page_size".to_owned(),
            detail: format!("more than {MAX_PAGE}"),
        }),
    }
}

fn object(id: &ObjectId, document: Option<&[u8]>) -> v1::Object {
    v1::Object {
        id: id.to_string(),
        document: document.unwrap_or_default().to_vec(),
    }
}

fn length(difference: &Difference) -> usize {
    let length = |document: &Option<_>| document.as_deref().map_or(0, <[u8]>::len);
    length(&difference.before) + length(&difference.after)
}
