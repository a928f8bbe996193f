//! Accounts: which are known, and the control policies above each (ram 4.2).

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use super::copied::differing;
use super::symbol::Symbol;
use super::table::PolicyId;

/// The accounts that a snapshot knows, by number. Snapshots share what no change touches.
#[derive(Debug, Clone, Default)]
pub struct AccountTable {
    known: Arc<HashSet<Symbol>>,
    /// Those whose documents were refused, with the instant from which nothing is decided.
    quarantined: Arc<HashMap<Symbol, Timestamp>>,
    members: Arc<HashMap<Symbol, Arc<ControlChain>>>,
}

/// The control policies above one member account.
#[derive(Debug, Clone)]
pub struct ControlChain {
    /// The organization's management account: its identities are exempt.
    pub management: Symbol,
    /// The levels: the member's own first, the Root's last.
    pub levels: Box<[Arc<ControlLevel>]>,
}

/// The control policies of one node. A node without any lets everything pass.
#[derive(Debug, Clone, Default)]
pub struct ControlLevel {
    /// All of them: what binds users and roles.
    pub policies: Box<[PolicyId]>,
    /// Those that bind the account's owner too.
    pub for_root: Box<[PolicyId]>,
}

impl AccountTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        differing([&self.known], [&other.known]) + differing([&self.members], [&other.members])
    }

    /// Whether the snapshot holds the identities of an account.
    pub fn is_known(&self, account: &str) -> bool {
        self.known.contains(account)
    }

    /// The account, if there is one alone.
    pub fn only(&self) -> Option<&str> {
        let mut known = self.known.iter();
        let only = known.next()?;
        known.next().is_none().then_some(&**only)
    }

    /// Whether an account's documents were refused, so that nothing about it can be decided at an
    /// instant.
    pub fn is_quarantined(&self, account: &str, now: Timestamp) -> bool {
        let from = self.quarantined.get(account);
        from.is_some_and(|from| *from <= now)
    }

    /// Whether any account is set apart, now or later.
    #[inline]
    pub fn has_quarantined(&self) -> bool {
        !self.quarantined.is_empty()
    }

    /// Whether any account is a member of an organization.
    #[inline]
    pub fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// The control policies above an account; `None` if it is no member of an organization.
    pub fn chain(&self, account: &str) -> Option<&ControlChain> {
        self.members.get(account).map(|chain| &**chain)
    }

    /// Sets an account apart from an instant on; [`Timestamp::MIN`] for one that is known by number
    /// alone.
    pub(crate) fn quarantine(&mut self, account: Symbol, from: Timestamp) {
        let earliest = Arc::make_mut(&mut self.quarantined)
            .entry(account)
            .or_insert(from);
        *earliest = from.min(*earliest);
    }

    pub(crate) fn add(&mut self, account: Symbol) {
        Arc::make_mut(&mut self.known).insert(account);
    }

    pub(crate) fn remove(&mut self, account: &str) {
        Arc::make_mut(&mut self.known).remove(account);
    }

    pub(crate) fn add_member(&mut self, account: Symbol, chain: Arc<ControlChain>) {
        Arc::make_mut(&mut self.members).insert(account, chain);
    }

    pub(crate) fn remove_member(&mut self, account: &str) {
        Arc::make_mut(&mut self.members).remove(account);
    }
}
