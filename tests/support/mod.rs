//! What the tests share.

pub(crate) mod generate;
pub(crate) mod process;
pub(crate) mod server;
