//! tagwarden: a gRPC authorization sidecar that decides by tags.

pub mod model;
