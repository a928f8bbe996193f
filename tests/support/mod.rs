//! What the tests share.

pub(crate) mod generate;
pub(crate) mod server;
