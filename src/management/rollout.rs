//! What is live, what was refused and why: the state that the management task owns. No I/O.
//!
//! An account whose new documents are refused is compiled from the last files of it that were good,
//! as long as they fit the rest of the new bundle (security 7.4). Nothing else of an older bundle
//! enters a new one: what was removed is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::load::{Compiled, LoadError, compile_loaded};
use crate::document::bundle::{
    BundleFiles, FileErrors, Loaded, PackedFiles, Quarantined, Strictness, read_bundle, read_mixed,
};
use crate::document::shipped;
use crate::model::arn::AccountId;
use crate::model::bundle::Bundle;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};
use crate::model::resource::Resource;
use crate::snapshot::Revision;
use crate::source::embedded::Difference;

/// The files of each account that were good last.
#[derive(Debug, Default)]
pub(super) struct GoodFiles {
    /// All files that are in force.
    in_force: Option<Arc<PackedFiles>>,
    /// Since when the newest files of some have been refused.
    refused: BTreeMap<AccountId, Timestamp>,
}

/// A bundle that was compiled, with what is not of its own files.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) compiled: Compiled,
    /// The accounts whose files were refused, with what became of them.
    pub(super) refused: Vec<RefusedAccount>,
}

/// An account whose newest files are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAccount {
    /// The account.
    pub account: AccountId,
    /// What is in force for it.
    pub state: AccountState,
    /// Since when its newest files have been refused.
    pub since: Timestamp,
    /// Why.
    pub errors: FileErrors,
}

/// What is in force for an account whose newest files are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountState {
    /// The files of it that were good last.
    LastGood,
    /// Nothing: requests about it are refused.
    Quarantined,
}

impl GoodFiles {
    /// Compiles a bundle whose accounts may be bad, and that was seen at an instant.
    ///
    /// # Errors
    ///
    /// All that is wrong with what concerns more than one account.
    pub(super) fn compile(
        &self,
        files: &BundleFiles,
        seen: Timestamp,
    ) -> Result<Candidate, LoadError> {
        let loaded = read_bundle(files, Strictness::Quarantine)?;
        let bad: Vec<Quarantined> = loaded.quarantined.clone();
        let loaded = self.mixed(files, &bad).unwrap_or(loaded);
        let refused = bad.into_iter().map(|one| {
            let since = self.refused.get(&one.account).copied();
            refused(one, &loaded, since.unwrap_or(seen))
        });
        let refused = refused.collect();
        let compiled = compile_loaded(loaded)?;
        Ok(Candidate { compiled, refused })
    }

    /// The bundle with the last good files of bad accounts. None, if there are none, or if they
    /// spoil others.
    fn mixed(&self, files: &BundleFiles, bad: &[Quarantined]) -> Option<Loaded> {
        let kept = self.in_force.as_ref().filter(|_| !bad.is_empty())?;
        // A stream that is damaged leaves nothing good: the accounts are quarantined.
        let good = kept.unpack().ok()?;
        let accounts = bad.iter().map(|one| &one.account);
        let accounts: BTreeSet<AccountId> = accounts
            .filter(|account| good.has_account(account))
            .cloned()
            .collect();
        if accounts.is_empty() {
            return None;
        }
        let mixed = files.clone().with_accounts(&accounts, good);
        let loaded = read_mixed(&mixed, Strictness::Quarantine).ok()?;
        let was_bad = |one: &Quarantined| bad.iter().any(|bad| bad.account == one.account);
        loaded.quarantined.iter().all(was_bad).then_some(loaded)
    }

    /// Keeps the files of a bundle that is in force now, in the place of those that were refused the
    /// last good ones; tells what is kept.
    ///
    /// # Errors
    ///
    /// When they cannot be compressed; then nothing is kept.
    pub(super) fn keep(
        &mut self,
        files: BundleFiles,
        refused: &[RefusedAccount],
    ) -> io::Result<Arc<PackedFiles>> {
        let since = refused.iter().map(|one| (one.account.clone(), one.since));
        self.refused = since.collect();
        let good = self.in_force.take();
        let in_force = if refused.is_empty() {
            files
        } else {
            let accounts = self.refused.keys().cloned().collect();
            let good = good.map_or_else(|| Ok(BundleFiles::default()), |good| good.unpack())?;
            files.with_accounts(&accounts, good)
        };
        let packed = Arc::new(PackedFiles::pack(&in_force)?);
        self.in_force = Some(Arc::clone(&packed));
        Ok(packed)
    }
}

fn refused(one: Quarantined, loaded: &Loaded, since: Timestamp) -> RefusedAccount {
    let Quarantined { account, errors } = one;
    let quarantined = loaded.quarantined.iter();
    let state = if quarantined
        .map(|apart| &apart.account)
        .any(|id| *id == account)
    {
        AccountState::Quarantined
    } else {
        AccountState::LastGood
    };
    RefusedAccount {
        account,
        state,
        since,
        errors,
    }
}

/// How much a bundle holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accounts.
    pub accounts: usize,
    /// Users and roles.
    pub principals: usize,
    /// Policies of all sorts, those that are shipped included.
    pub policies: usize,
    /// Resources.
    pub resources: usize,
}

impl Counts {
    /// What is there after a change; `resources`, where it replaces them.
    pub(super) fn after(mut self, changed: &[Difference], resources: Option<&[Resource]>) -> Self {
        for Difference { id, before, after } in changed {
            let count = match id {
                ObjectId::Account(_, AccountObject::Itself) => &mut self.accounts,
                ObjectId::Account(_, AccountObject::User(_) | AccountObject::Role(_)) => {
                    &mut self.principals
                }
                // It takes the place of the one that is shipped.
                ObjectId::Shared(SharedPolicy::System, name)
                    if shipped::system_policies().contains_key(name) =>
                {
                    continue;
                }
                ObjectId::Account(_, AccountObject::Policy(_))
                | ObjectId::Shared(
                    SharedPolicy::System | SharedPolicy::Control | SharedPolicy::Resource,
                    _,
                ) => &mut self.policies,
                ObjectId::Account(
                    _,
                    AccountObject::Group(_)
                    | AccountObject::Attachment(..)
                    | AccountObject::Inheritance
                    | AccountObject::InheritanceRule(_),
                )
                | ObjectId::Shared(SharedPolicy::Tag, _)
                | ObjectId::Settings
                | ObjectId::Callers
                | ObjectId::Routes
                | ObjectId::Inheritance
                | ObjectId::Catalog(_)
                | ObjectId::Organization(_)
                | ObjectId::Resources => continue,
            };
            match (before, after) {
                (None, Some(_)) => *count += 1,
                (Some(_), None) => *count = count.saturating_sub(1),
                (None, None) | (Some(_), Some(_)) => {}
            }
        }
        if let Some(resources) = resources {
            self.resources = resources.len();
        }
        self
    }

    /// What a bundle holds.
    pub(super) fn of(bundle: &Bundle) -> Self {
        let accounts = bundle.accounts.iter();
        let shared = bundle.system_policies.len() + bundle.control_policies.len();
        let own: usize = accounts.clone().map(|one| one.policies.len()).sum();
        Self {
            accounts: bundle.accounts.len(),
            principals: accounts.map(|one| one.users.len() + one.roles.len()).sum(),
            policies: shared + own + bundle.resource_policies.len(),
            resources: bundle.resources.len(),
        }
    }
}

/// Numbers revisions of one source.
#[derive(Debug)]
pub(super) struct Numbers {
    source: u64,
    last: u64,
}

impl Numbers {
    pub(super) fn new(source: u64) -> Self {
        Self { source, last: 0 }
    }

    /// The next revision.
    pub(super) fn next(&mut self, digest: u64) -> Revision {
        self.last += 1;
        Revision {
            source: self.source,
            number: self.last,
            digest,
        }
    }
}
