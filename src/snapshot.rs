//! The compiled form: immutable, whole, stamped with its revision; data and look-ups only. What no
//! change touched is shared between a snapshot and the next.
//!
//! A decision uses one snapshot from start to end. Nothing in it waits, locks or is filled later;
//! operands are parsed, patterns compiled and names interned by the compiler.
//!
//! Not here: live resources and their tags (`directory`), and any rule of evaluation (`engine`).

pub mod account;
pub mod action;
pub mod arn;
pub mod attached;
pub mod caller;
pub mod condition;
pub mod copied;
pub mod filter;
pub mod matcher;
pub mod names;
pub mod policy;
pub mod principal;
pub mod route;
pub mod start;
pub mod symbol;
pub mod table;
pub mod tags;

pub use policy::{Policy, Statement};
pub use table::{PolicyId, StatementId};

use std::sync::Arc;

use crate::model::catalog::Catalog;
use crate::model::inheritance::Inheritance;
use crate::model::settings::Settings;

/// Everything that decisions need, at one revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Which state this is.
    pub revision: Revision,
    /// The switches.
    pub settings: Settings,
    /// The catalog, for reading the documents that requests carry.
    pub catalog: Arc<Catalog>,
    /// Who may ask what.
    pub callers: caller::CallerTable,
    /// Which requests of a proxy are which questions.
    pub routes: route::RouteTable,
    /// Actions and services by name.
    pub actions: action::ActionTable,
    /// Compiled policies by id.
    pub policies: table::PolicyTable,
    /// Their places by name: for changes, not for decisions.
    pub names: names::PolicyNames,
    /// Users and roles.
    pub principals: principal::PrincipalTable,
    /// Accounts, and the control policies above them.
    pub accounts: account::AccountTable,
    /// Effective tag policies.
    pub tags: tags::TagTable,
    /// Associated inheritance.
    pub inheritance: Arc<Inheritance>,
    /// Policies attached to resources.
    pub attached: attached::AttachedTable,
}

impl Snapshot {
    /// The place of a policy by the account that it stands in and its name.
    pub fn place(&self, account: &str, name: &str) -> Option<PolicyId> {
        self.names.get(&self.policies, account, name)
    }

    /// The policy and the statement that an answer names; `None` for session policies.
    pub fn statement(&self, id: StatementId) -> Option<(&Policy, &Statement)> {
        let policy = self.policies.get(id.policy)?;
        Some((policy, policy.statements().get(usize::from(id.index))?))
    }
}

/// Which state a snapshot is (design, section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Revision {
    /// A random id, made with the store; for a directory of files at each start.
    pub source: u64,
    /// Grows within one source; 0 is before the first.
    pub number: u64,
    /// The first 64 bits of the SHA-256 digest of what it was compiled from.
    pub digest: u64,
}
