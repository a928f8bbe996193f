//! tagwarden: a gRPC authorization sidecar that decides by tags.

pub mod compiler;
pub mod document;
pub mod engine;
pub mod model;
pub mod reference;
pub mod snapshot;
