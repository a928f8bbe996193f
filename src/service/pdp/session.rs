//! Session policies: parsed once for each caller and text, and kept for the next call.
//!
//! A compiled policy belongs to the snapshot that it was compiled for, so that a new revision
//! starts anew (security 2.6).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::compiler::compile_session;
use crate::document::{PolicyOptions, read_policy};
use crate::model::statement::DocumentLayer;
use crate::snapshot::caller::CallerId;
use crate::snapshot::{Policy, Revision, Snapshot};

/// The most compiled session policies that are kept.
const KEPT: usize = 1_024;

/// Compiles the text of a session policy for a snapshot, or tells what is wrong with it.
fn compile(snapshot: &Snapshot, text: &str) -> Result<Policy, String> {
    let settings = &snapshot.settings;
    let options = PolicyOptions {
        layer: DocumentLayer::Session,
        settings,
        catalog: &snapshot.catalog,
    };
    let read = read_policy(text, &options).map_err(|errors| errors.to_string())?;
    Ok(compile_session(&read.value, settings))
}

/// The compiled session policies of all callers.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    policies: HashMap<Key, Arc<Policy>>,
    /// The keys, oldest first.
    order: VecDeque<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// One caller's text never answers for another's.
    caller: CallerId,
    revision: Revision,
    digest: [u8; 32],
}

impl Sessions {
    /// The compiled form of a session policy.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub(crate) fn get(
        &self,
        caller: CallerId,
        snapshot: &Snapshot,
        text: &str,
    ) -> Result<Arc<Policy>, String> {
        let digest = Sha256::digest(text).into();
        let key = Key {
            caller,
            revision: snapshot.revision,
            digest,
        };
        if let Some(policy) = self.lock(|kept| kept.policies.get(&key).map(Arc::clone)) {
            return Ok(policy);
        }
        let policy = Arc::new(compile(snapshot, text)?);
        self.lock(|kept| kept.put(key, Arc::clone(&policy)));
        Ok(policy)
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        // A panic while it was held leaves at worst an entry that is not in the order.
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn put(&mut self, key: Key, policy: Arc<Policy>) {
        if self.policies.insert(key, policy).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.policies.remove(&oldest);
        }
    }
}
