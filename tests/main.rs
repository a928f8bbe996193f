//! Behaviour from outside: over real sockets, with real files.

mod accept;
mod drain;
mod grpc;
mod support;
