//! Session policies: parsed once for each caller and text, and kept for the next call.
//!
//! A compiled policy belongs to the snapshot that it was compiled for, so that a new revision
//! starts anew (security 2.6).

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::service::peer::PeerAddress;
use crate::snapshot::{Policy, Revision, Snapshot};

/// The most compiled session policies that are kept.
const KEPT: usize = 1_024;

/// Compiles the text of a session policy for a snapshot, or tells what is wrong with it.
pub type CompileSession = fn(&Snapshot, &str) -> Result<Policy, String>;

/// The compiled session policies of all callers.
pub(crate) struct Sessions {
    compile: CompileSession,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sessions").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Kept {
    policies: HashMap<Key, Arc<Policy>>,
    /// The keys, oldest first.
    order: VecDeque<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    caller: Caller,
    revision: Revision,
    digest: [u8; 32],
}

/// Whose session policy it is: one caller's text never answers for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// A peer that nothing is known of.
    Anonymous,
    /// A user of this machine.
    User(u32),
}

impl From<Option<PeerAddress>> for Caller {
    fn from(address: Option<PeerAddress>) -> Self {
        match address {
            Some(PeerAddress::Unix(credentials)) => Self::User(credentials.uid),
            Some(PeerAddress::Tcp(_)) | None => Self::Anonymous,
        }
    }
}

impl Sessions {
    pub(crate) fn new(compile: CompileSession) -> Self {
        Self {
            compile,
            kept: Mutex::default(),
        }
    }

    /// The compiled form of a session policy.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub(crate) fn get(
        &self,
        caller: Caller,
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
        let policy = Arc::new((self.compile)(snapshot, text)?);
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
