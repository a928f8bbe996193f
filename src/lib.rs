//! tagwarden: a gRPC authorization sidecar that decides by tags.

pub mod model;
pub mod snapshot;
pub mod compiler;
pub mod engine;
