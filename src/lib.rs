//! tagwarden: a gRPC authorization sidecar that decides by tags.

pub mod document;
pub mod engine;
pub mod model;
pub mod snapshot;
