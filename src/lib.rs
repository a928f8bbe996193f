//! tagwarden: a gRPC authorization sidecar that decides by tags.

pub mod compiler;
pub mod directory;
pub mod document;
pub mod engine;
pub mod model;
pub mod publish;
pub mod reference;
pub mod service;
pub mod snapshot;
pub mod source;
pub mod wire;
