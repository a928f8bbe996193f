//! tagwarden's engine.

use std::hint::black_box;

use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::model::verdict::Outcome;
use tagwarden::snapshot::Snapshot;

use crate::Engine;
use crate::corpus::Corpus;
use crate::profiles::single;

/// A snapshot of all policies.
#[derive(Debug)]
pub struct Own {
    snapshot: Snapshot,
    requests: Vec<Request<'static>>,
}

impl Own {
    /// Compiles the policies.
    ///
    /// # Panics
    ///
    /// When they do not compile.
    #[must_use]
    pub fn new(corpus: &Corpus) -> Self {
        Self {
            snapshot: compile(&corpus.bundle).expect("compiles"),
            requests: single::requests(corpus.policies, corpus.asked.len()),
        }
    }
}

impl Engine for Own {
    fn name(&self) -> &str {
        "tagwarden"
    }

    fn allows(&mut self, place: usize) -> bool {
        let decision = decide(&self.snapshot, black_box(&self.requests[place]));
        decision.expect("decided").outcome == Outcome::Allow
    }
}
