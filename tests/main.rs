//! Every integration test, in one binary.

mod corpus;
mod differential;
mod reference;
mod support;
