//! Masks that skip policies and statements before they are read.
//!
//! INVARIANT: a bit is shared by several services or actions, so that set bits prove nothing and a
//! missing bit proves that nothing matches.

use super::action::{ActionId, ServiceId};

/// A set of services or of actions, which may seem to hold more than it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks(u64);

/// The bit of services that nobody names in full: only the widest patterns reach them.
const UNKNOWN_BIT: u32 = 63;

impl Marks {
    const ALL: Self = Self(u64::MAX);

    fn of_service(service: ServiceId) -> Self {
        Self(1 << (service.0 % UNKNOWN_BIT))
    }

    /// One action.
    pub fn of_action(action: ActionId) -> Self {
        Self(1 << (action.0 % u64::BITS))
    }

    /// What either holds.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether both may hold one.
    #[inline]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What one statement may cover, in one number: most statements are passed by after one comparison.
///
/// The lower bits are actions that are named in full, the upper ones services that a wildcard
/// reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Glance(Marks);

impl Glance {
    /// How many bits actions have.
    const ACTIONS: u32 = 40;
    /// How many bits services have; the last of all is for those that nobody names in full.
    const SERVICES: u32 = u64::BITS - Self::ACTIONS - 1;

    /// Anything may be covered.
    pub const ALL: Self = Self(Marks::ALL);

    /// Every service, whether anybody names it in full or not.
    pub const ALL_SERVICES: Self = Self(Marks(u64::MAX << Self::ACTIONS));

    /// An action named in full.
    pub fn of_action(action: ActionId) -> Self {
        Self(Marks(1 << (action.0 % Self::ACTIONS)))
    }

    /// A service that a wildcard reaches.
    pub fn of_service(service: ServiceId) -> Self {
        Self(Marks(1 << (Self::ACTIONS + service.0 % Self::SERVICES)))
    }

    /// What either covers.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0.union(other.0))
    }

    /// Whether both may cover one action.
    #[inline]
    pub fn meets(self, other: Self) -> bool {
        self.0.meets(other.0)
    }
}

/// Which actions a policy may cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// Services that a wildcard reaches.
    wide: Marks,
    /// Services of the actions that are named in full.
    services: Marks,
    /// Actions that are named in full.
    actions: Marks,
}

/// The action of a request, as masks.
#[derive(Debug, Clone, Copy)]
pub struct AskedAction {
    /// None for an action that nobody names in full.
    pub(super) id: Option<ActionId>,
    service: Marks,
    action: Marks,
    /// What statements are held against: the action and its service.
    pub(super) glance: Glance,
    /// The same of the service alone.
    pub(super) reached: Glance,
}

impl ActionFilter {
    /// Anything may be covered.
    pub const ALL: Self = Self {
        wide: Marks::ALL,
        services: Marks(0),
        actions: Marks(0),
    };

    /// An action named in full.
    pub fn of_action(action: ActionId, service: ServiceId) -> Self {
        Self {
            wide: Marks(0),
            services: Marks::of_service(service),
            actions: Marks::of_action(action),
        }
    }

    /// A service that a wildcard reaches.
    pub fn of_service(service: ServiceId) -> Self {
        Self {
            wide: Marks::of_service(service),
            ..Self::default()
        }
    }

    /// What either covers.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            wide: self.wide.union(other.wide),
            services: self.services.union(other.services),
            actions: self.actions.union(other.actions),
        }
    }

    /// Whether the action of a request may be covered.
    #[inline]
    pub fn may_cover(&self, asked: AskedAction) -> bool {
        let named = self.services.meets(asked.service) && self.actions.meets(asked.action);
        named || self.wide.meets(asked.service)
    }
}

impl AskedAction {
    /// An action and its service, as far as anybody names them in full.
    pub fn new(action: Option<ActionId>, service: Option<ServiceId>) -> Self {
        let unknown = Glance(Marks(1 << UNKNOWN_BIT));
        let reached = service.map_or(unknown, Glance::of_service);
        Self {
            id: action,
            service: service.map_or(Marks(1 << UNKNOWN_BIT), Marks::of_service),
            action: action.map_or(Marks(0), Marks::of_action),
            glance: action.map_or(reached, |action| reached.union(Glance::of_action(action))),
            reached,
        }
    }
}
