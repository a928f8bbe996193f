//! Every integration test, in one binary.

mod bundle;
mod case;
mod corpus;
