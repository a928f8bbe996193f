//! Every integration test, in one binary.

mod corpus;
mod reference;
mod support;
