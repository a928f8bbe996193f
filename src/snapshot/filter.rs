//! Masks that skip policies and statements before they are read.
//!
//! INVARIANT: a bit is shared by several services or actions, so that set bits prove nothing and a
//! missing bit proves that nothing matches.

use super::action::{ActionId, ServiceId};

/// Which actions a statement or a policy may cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// Services that a wildcard reaches.
    wide: u64,
    /// Services of the actions that are named in full.
    services: u64,
    /// Actions that are named in full.
    actions: u64,
}

/// The action of a request, as masks.
#[derive(Debug, Clone, Copy)]
pub struct AskedAction {
    service: u64,
    /// No bit for an action that nobody names in full.
    action: u64,
}

/// The bit of services that nobody names in full: only the widest patterns reach them.
const UNKNOWN_BIT: u32 = 63;

impl ActionFilter {
    /// Anything may be covered.
    pub const ALL: Self = Self {
        wide: u64::MAX,
        services: 0,
        actions: 0,
    };

    /// An action named in full.
    pub fn of_action(action: ActionId, service: ServiceId) -> Self {
        Self {
            wide: 0,
            services: service_bit(service),
            actions: action_bit(action),
        }
    }

    /// A service that a wildcard reaches.
    pub fn of_service(service: ServiceId) -> Self {
        Self {
            wide: service_bit(service),
            ..Self::default()
        }
    }

    /// What either covers.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            wide: self.wide | other.wide,
            services: self.services | other.services,
            actions: self.actions | other.actions,
        }
    }

    /// Whether the action of a request may be covered.
    #[inline]
    pub fn may_cover(&self, asked: AskedAction) -> bool {
        let named = self.services & asked.service != 0 && self.actions & asked.action != 0;
        named || self.wide & asked.service != 0
    }
}

impl AskedAction {
    /// An action and its service, as far as anybody names them in full.
    pub fn new(action: Option<ActionId>, service: Option<ServiceId>) -> Self {
        Self {
            service: service.map_or(1 << UNKNOWN_BIT, service_bit),
            action: action.map_or(0, action_bit),
        }
    }
}

fn service_bit(service: ServiceId) -> u64 {
    1 << (service.0 % UNKNOWN_BIT)
}

fn action_bit(action: ActionId) -> u64 {
    1 << (action.0 % u64::BITS)
}
