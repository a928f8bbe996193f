//! Decides: `decide(&Snapshot, &Request) -> Result<Decision, Refused>`.

pub mod decision;
pub mod request;
