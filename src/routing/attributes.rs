//! What a proxy tells of a request, borrowed from its message.

use std::fmt;

use crate::model::route::source::Claim;

/// A request, as a proxy tells of it.
#[derive(Debug, Clone)]
pub struct Attributes<'r> {
    /// The method.
    pub method: &'r str,
    /// The host, with a port or without.
    pub host: &'r str,
    /// The path with the query, as sent.
    pub path: &'r str,
    /// `http` or `https`.
    pub scheme: &'r str,
    /// How the headers are told.
    pub header_form: HeaderForm,
    /// Names and values.
    pub headers: Vec<(&'r str, &'r [u8])>,
    /// The body.
    pub body: Body<'r>,
    /// The address of the client; empty: not known.
    pub address: &'r str,
    /// What the client's certificate proves; empty: nothing.
    pub peer: &'r str,
    /// The metadata of the proxy's filters.
    pub claims: &'r dyn Claims,
}

/// How a proxy tells headers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum HeaderForm {
    /// Those of one name are joined with commas, and `!` stands for bytes that are no text.
    #[default]
    Joined,
    /// One by one, as sent.
    Raw,
}

/// A body, as a proxy tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'r> {
    /// There is none, or the proxy does not send it.
    Unsent,
    /// Its beginning alone.
    Partial,
    /// All of it, with `!` in place of bytes that are no text.
    Replaced(&'r str),
    /// All of it.
    Whole(&'r [u8]),
}

/// The metadata of the proxy's filters.
pub trait Claims: fmt::Debug {
    /// What stands at a place.
    fn claim(&self, claim: &Claim) -> Claimed<'_>;
}

/// What a claim says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed<'r> {
    /// Nothing.
    Absent,
    /// A text.
    Text(&'r str),
    /// A boolean.
    Flag(bool),
    /// Something else.
    Other,
}
