//! tagwarden: a gRPC authorization sidecar that decides by tags.

pub mod admin;
pub mod app;
pub mod cli;
pub mod compiler;
pub mod directory;
pub mod document;
pub mod engine;
pub mod management;
pub mod model;
pub mod offline;
pub mod publish;
pub mod reference;
pub mod service;
pub mod snapshot;
pub mod source;
pub mod telemetry;
pub mod wire;
