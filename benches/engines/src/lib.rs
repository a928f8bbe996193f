//! Other engines on the corpus of single-statement policies, each in its best usage.
//!
//! | engine | its best usage here |
//! |---|---|
//! | tagwarden | `engine::decide` on a snapshot of all policies |
//! | cedar-policy | requests and entities built before; all policies, or the policies of the one who asks, found by a hash |
//! | regorus | compiled for its VM; data indexed by principal and action, input built before |
//! | casbin | the compiled matcher over all policies, or an enforcer of the policies of the one who asks, found by a hash |
//!
//! What a text of the corpus means is taken apart before the clock starts, in favour of the others:
//! actions are folded, and where an engine has no wildcards within a field, an ARN is its service
//! and id, which is the same here because region and account are `*`. Nobody keeps an answer.

#[cfg(feature = "foreign")]
pub mod casbin_rules;
#[cfg(feature = "foreign")]
pub mod cedar;
pub mod corpus;
pub mod own;
#[cfg(feature = "foreign")]
pub mod rego;
pub mod run;

#[path = "../../support/profiles.rs"]
#[allow(
    dead_code,
    missing_docs,
    reason = "shared with the crate's benches; a part is used"
)]
mod profiles;

use corpus::Corpus;

/// An engine with the policies and the requests of a corpus.
pub trait Engine {
    /// Its name, version and usage.
    fn name(&self) -> &str;

    /// Whether the request at a place is allowed.
    fn allows(&mut self, place: usize) -> bool;
}

/// The version of a crate that this package is locked to.
///
/// # Panics
///
/// When the lock file does not have it.
#[must_use]
pub fn version(name: &str) -> &'static str {
    let head = format!("name = \"{name}\"\nversion = \"");
    let lock = include_str!("../Cargo.lock");
    let (_, rest) = lock.split_once(&head).expect("locked");
    rest.split_once('"').expect("a version ends").0
}

/// All engines on a corpus; tagwarden is the first.
#[must_use]
pub fn engines(corpus: &Corpus) -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(own::Own::new(corpus)),
        #[cfg(feature = "foreign")]
        Box::new(cedar::Cedar::all(corpus)),
        #[cfg(feature = "foreign")]
        Box::new(cedar::Cedar::of_caller(corpus)),
        #[cfg(feature = "foreign")]
        Box::new(rego::Rego::new(corpus)),
        #[cfg(feature = "foreign")]
        Box::new(casbin_rules::Casbin::all(corpus)),
        #[cfg(feature = "foreign")]
        Box::new(casbin_rules::Casbin::of_caller(corpus)),
    ]
}
