//! Every integration test, in one binary: documents, then behaviour over real sockets.

#[cfg(test)]
mod accept;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod api;
#[cfg(test)]
mod association;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod bundle;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod case;
#[cfg(test)]
mod change;
#[cfg(test)]
mod compliance;
#[cfg(test)]
mod config;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod inheritance;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod management;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod mesh;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod notify;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod publication;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod stale;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod swap;
#[cfg(test)]
mod tag_policy;
#[cfg(test)]
mod tagging;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod ways;
#[cfg(test)]
mod workers;
#[cfg(test)]
mod writes;
