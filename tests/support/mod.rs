//! What the tests share.

pub(crate) mod case;
pub(crate) mod generate;
pub(crate) mod policy;
pub(crate) mod process;
pub(crate) mod server;
