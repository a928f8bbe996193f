//! Envoy's messages: what a `CheckRequest` tells of a request, and answers as `CheckResponse`.
//!
//! What is answered goes beyond the proxy: bodies and headers tell the effect, the id of the
//! decision, and what is malformed; metadata stays with the proxy and tells it as much as the caller
//! may see (security 8).
//!
//! Not here: which question a request is (`routing`).

mod answer;
mod claims;
mod message;
mod metadata;
mod read;
mod tree;

pub(crate) use self::answer::{Shown, allowed, denied, empty, failed, forwarded, malformed};
pub(crate) use self::message::fill;
pub use self::message::{attributes, with_attributes};
pub(crate) use self::metadata::Told;

/// The headers that upstreams and clients get, in lower case.
pub mod header {
    /// The id of the decision.
    pub const DECISION_ID: &str = "x-tagwarden-decision-id";
    /// `ALLOW`, or `DENY` for a call that is forwarded to be answered without entries.
    pub const EFFECT: &str = "x-tagwarden-effect";
    /// What the upstream must do, as JSON.
    pub const OBLIGATIONS: &str = "x-tagwarden-obligations";
}

#[cfg(test)]
mod tests;
