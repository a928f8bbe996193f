//! tagwarden: a gRPC authorization sidecar that decides by tags.
//!
//! Data flows two ways. To decide:
//!
//! ```text
//! bytes ──> wire ──> service ──> engine ──> snapshot
//! ```
//!
//! and to change what decides:
//!
//! ```text
//! files ──> source ──> management ──> document ──> compiler ──> snapshot ──> publish
//! objects ──> source::embedded ──> management ──> compiler::change ──> snapshot ──> publish
//! ```
//!
//! # Invariants
//!
//! - A module imports only from modules above it in the list below; a test holds it.
//! - The first eight are pure: no async, I/O, clock, lock or tonic type. Time is an argument.
//! - A snapshot is never changed; the next one shares what no change touched. A decision uses one
//!   from start to end.
//! - What is not understood is refused, with its position, and never dropped.
//! - A deny is an answer; a request that cannot be decided is an error. The types differ.
//! - [`engine::decide`] allocates nothing, and no input makes it panic.
//!
//! # What is here
//!
//! | feature | specification | status |
//! |---|---|---|
//! | RAM documents, their errors and lints | ram 1 and 2, security 7.1 to 7.3 | complete |
//! | bundles on disk, manifests, quarantine | design 6, security 7.4 | complete |
//! | evaluation: all layers, kinds and families | ram 4 and 5, security 2 and 3 | complete |
//! | tag writes by RAM policies | security 4, the first three paragraphs | complete |
//! | obligations, empty results, filtering | security 3.5 to 3.7 | complete |
//! | decisions over gRPC: unary, batch, stream, filter | design 5 | complete |
//! | reloads, the management channel | design 5 and 7, security 7.4 and 11 | complete |
//! | objects, changes at their own cost, the embedded store | design 3 and 7 | complete |
//! | metrics and probes | design 5, security 1.3 | complete |
//! | decisions over HTTP with JSON, AuthZEN | security 1.3 | complete |
//! | limits, deadlines, revisions to wait for | security 9 | complete |
//! | who asks, and what answers reveal | security 1 and 8 | complete |
//! | requests of a proxy: ext_authz, routes | security 10 | complete |
//! | TLS, client certificates, tokens | security 1.1, design 5 | complete |
//! | associated inheritance, writes of tags as a state machine | tag-policy 4, 5 and 7, security 5 | complete |
//! | compliance over the directory: reports, repairs, counters | tag-policy 3, security 4 and 5 | complete |
//! | decisions without a server, case files | design 8 | complete |
//!
//! Decisions of meaning that the specification leaves open are numbered in `docs/semantics.md`.

// The vocabulary.
pub mod model;

// Text to vocabulary, and what vocabulary is compiled to.
pub mod document;
pub mod snapshot;

// Compiling, and deciding in two ways.
pub mod compiler;
pub mod engine;
pub mod reference;

// What calls write to live resources.
pub mod tagging;

// What a proxy's request asks.
pub mod routing;

// The edges: live state, files, what is counted.
pub mod directory;
mod memory;
pub mod publish;
pub mod source;
pub mod telemetry;
pub mod tls;

// What is in force, and messages.
pub mod management;
pub mod wire;

// Listeners and handlers.
pub mod service;

// Metrics and probes.
pub mod admin;

// The same answers without a server.
pub mod offline;

// What is told.
pub mod config;

// The parts put together, and the command line.
pub mod app;
pub mod cli;
