//! The resources of a scope one after the other, in steps between which others run.

use crate::directory::{Directory, Entry, Position, Query, Reach, Scope};

/// How many resources one step finds.
const STEP: usize = 64;
/// How many slots it passes.
const PASSED: u32 = 4_096;

/// A walk through the resources of one account, or of all. One that is there all the while is found
/// exactly once.
#[derive(Debug)]
pub(super) struct Walk {
    query: Query,
    /// Whether it goes on with the next account.
    reach: Accounts,
    /// Where the next step begins; `None`: it is over.
    at: Option<Position>,
}

/// In which accounts a walk finds resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accounts {
    /// In that of the scope.
    One,
    /// In that of the scope and in all that come after it.
    Further,
}

/// What a step found.
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// How many slots were passed.
    pub(super) passed: u32,
}

impl Walk {
    /// A walk from a position on.
    pub(super) fn from(scope: Scope, reach: Accounts, at: Position) -> Self {
        let filters = Vec::new();
        Self {
            query: Query { scope, filters },
            reach,
            at: Some(at),
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.at.is_none()
    }

    /// Where the next step begins; `None`: nothing is left.
    pub(super) fn position(&self) -> Option<(&str, &Position)> {
        self.at.as_ref().map(|at| (&*self.query.scope.account, at))
    }

    /// The resources of the next step, in their order.
    pub(super) fn step(&mut self, directory: &Directory) -> Found {
        let mut found = Found {
            entries: Vec::new(),
            passed: 0,
        };
        let Some(from) = self.at.take() else {
            return found;
        };
        let reach = Reach {
            found: STEP,
            passed: PASSED,
        };
        let step = directory.step(&self.query, &from, reach);
        found.entries = step.found.into_iter().map(|(_, entry)| entry).collect();
        // An account costs something though it may have nothing.
        found.passed = step.passed.max(1);
        self.at = step.next.or_else(|| self.further(directory));
        found
    }

    fn further(&mut self, directory: &Directory) -> Option<Position> {
        match self.reach {
            Accounts::One => None,
            Accounts::Further => {
                let next = directory.next_account(Some(&self.query.scope.account))?;
                self.query.scope.account = Box::from(&*next);
                Some(Position::default())
            }
        }
    }
}
