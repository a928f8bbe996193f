//! Authored state in memory, with the index that look-ups need: for servers without a store, and
//! for tests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Authored, Document, Mention, Objects, Touched, Unreadable, mentions};
use crate::model::object::ObjectId;

/// Objects by the texts of their ids, and who names what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    objects: BTreeMap<String, (ObjectId, Document)>,
    named: BTreeSet<(String, String)>,
}

impl Memory {
    /// Puts and deletes objects, and tells what has changed. Of several changes of one object the
    /// last counts.
    pub fn apply(
        &mut self,
        changes: impl IntoIterator<Item = (ObjectId, Option<Document>)>,
    ) -> Vec<Touched> {
        let changes: BTreeMap<ObjectId, Option<Document>> = changes.into_iter().collect();
        let mut touched = Vec::new();
        for (id, document) in changes {
            let key = id.to_string();
            let before = self.objects.get(&key).map(|(_, known)| known.clone());
            if before == document {
                continue;
            }
            self.put(&id, key, before.as_ref(), document);
            touched.push(Touched { id, before });
        }
        touched
    }

    /// Takes a change back.
    pub fn revert(&mut self, touched: Vec<Touched>) {
        self.apply(touched.into_iter().map(|one| (one.id, one.before)));
    }

    /// All objects.
    pub fn objects(&self) -> Objects {
        self.objects.values().cloned().collect()
    }

    fn put(
        &mut self,
        id: &ObjectId,
        key: String,
        before: Option<&Document>,
        document: Option<Document>,
    ) {
        for mention in before.iter().flat_map(|document| mentions(id, document)) {
            self.named.remove(&(mention.to_string(), key.clone()));
        }
        for mention in document.iter().flat_map(|document| mentions(id, document)) {
            self.named.insert((mention.to_string(), key.clone()));
        }
        match document {
            Some(document) => self.objects.insert(key, (id.clone(), document)),
            None => self.objects.remove(&key),
        };
    }
}

impl FromIterator<(ObjectId, Document)> for Memory {
    fn from_iter<I: IntoIterator<Item = (ObjectId, Document)>>(objects: I) -> Self {
        let mut memory = Self::default();
        for (id, document) in objects {
            let key = id.to_string();
            memory.put(&id, key, None, Some(document));
        }
        memory
    }
}

impl Authored for Memory {
    fn document(&self, id: &ObjectId) -> Result<Option<Document>, Unreadable> {
        let found = self.objects.get(&id.to_string());
        Ok(found.map(|(_, document)| document.clone()))
    }

    fn below(&self, prefix: &str, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let found = self.objects.range(prefix.to_owned()..);
        let found = found.take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.take(most).map(|(_, (id, _))| id.clone()).collect())
    }

    fn naming(&self, what: &Mention, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let what = what.to_string();
        let found = self.named.range((what.clone(), String::new())..);
        let found = found.take_while(|(known, _)| *known == what);
        let found = found.filter_map(|(_, key)| self.objects.get(key));
        Ok(found.take(most).map(|(id, _)| id.clone()).collect())
    }

    fn all(&self) -> Result<Vec<(ObjectId, Document)>, Unreadable> {
        Ok(self.objects.values().cloned().collect())
    }
}
