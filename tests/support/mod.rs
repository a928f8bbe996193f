//! What the tests share.

pub mod case;
pub mod policy;
