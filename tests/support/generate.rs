//! Random small bundles and questions, drawn from tiny alphabets so that conditions often hold.
//!
//! A world is read from a tape of numbers: a shorter tape and smaller numbers are a simpler world,
//! so that proptest shrinks a failure to few policies, conditions and resources.

mod bundle;
mod condition;
mod request;

pub(crate) use bundle::Names;

use std::fmt;

use proptest::prelude::*;
use tagwarden::document::write::write_policy;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::request::AccessRequest;

/// A bundle and a question to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) bundle: Bundle,
    pub(crate) request: AccessRequest,
}

/// What differs from world to world, a line each.
impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bundle, request } = self;
        writeln!(formatter, "{request:?}\n{:?}", bundle.settings)?;
        writeln!(formatter, "{:?}", bundle.catalog.actions)?;
        for account in &bundle.accounts {
            for (name, policy) in &account.policies {
                writeln!(formatter, "{}: {name}: {policy:?}", account.id)?;
            }
            for attachment in &account.attachments {
                writeln!(formatter, "{}: {attachment:?}", account.id)?;
            }
            for role in account.roles.iter().filter(|role| role.trust.is_some()) {
                writeln!(formatter, "{}: {role:?}", account.id)?;
            }
        }
        for organization in &bundle.organizations {
            writeln!(formatter, "{organization:?}\n{:?}", bundle.control_policies)?;
        }
        writeln!(
            formatter,
            "{:?}\n{:?}",
            bundle.resource_policies, bundle.resources
        )
    }
}

/// Reads choices from the tape; zero, the simplest choice, when it is at its end.
#[derive(Debug)]
pub(crate) struct Tape<'a> {
    rest: std::slice::Iter<'a, u16>,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(tape: &'a [u16]) -> Self {
        Self { rest: tape.iter() }
    }
    /// A number below `count`; zero is the simplest.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.rest.next().copied().unwrap_or(0)) % count
    }

    /// True in so many of a hundred cases; false is simpler.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of the choices; the first is the simplest.
    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// Worlds of every sort.
pub(crate) fn worlds() -> impl Strategy<Value = World> {
    prop::collection::vec(any::<u16>(), 0..900).prop_map(|tape| world(&tape))
}

/// The world that a tape tells.
pub(crate) fn world(tape: &[u16]) -> World {
    let mut tape = Tape::new(tape);
    let mut request = request::question(&mut tape);
    let mut bundle = bundle::bundle(&mut tape, &request);
    bundle::keep_documented(&mut bundle, &mut request);
    World { bundle, request }
}

/// The same for whoever lists the tags of resources: many policies speak of it.
pub(crate) fn listing_worlds() -> impl Strategy<Value = World> {
    let tape = prop::collection::vec(any::<u16>(), 0..900);
    tape.prop_map(|tape| {
        let mut world = world(&tape);
        bundle::list_tags(&mut Tape::new(&tape), &mut world.bundle);
        world
    })
}

/// A policy as a document; `names` where it names principals.
pub(crate) fn policy_text(tape: &mut Tape<'_>, names: Names) -> String {
    write_policy(&bundle::policy(tape, names)).to_string()
}

/// A question alone.
pub(crate) fn question(tape: &mut Tape<'_>) -> AccessRequest {
    request::question(tape)
}
