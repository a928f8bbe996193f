//! Behaviour from outside: over real sockets, with real files.

#[cfg(test)]
mod accept;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod support;
