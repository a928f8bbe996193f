//! What the tests share.

pub(crate) mod certificate;
pub(crate) mod envoy;
pub(crate) mod generate;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod server;
