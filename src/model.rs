//! The vocabulary: validated values and closed enums, shared by every other module.
//!
//! A value of one of these types is proof that its text was checked: nothing below this module
//! parses the same text twice. Nothing here reads a clock, a file or a socket.
//!
//! Not here: how documents are written in JSON (`document`), and the compiled forms (`snapshot`).

pub mod account;
pub mod action;
pub mod arn;
pub mod bundle;
pub mod caller;
pub mod catalog;
pub mod compliance;
pub mod condition;
pub mod context_key;
pub mod decimal;
pub mod inheritance;
pub mod object;
pub mod organization;
pub mod pattern;
pub mod request;
pub mod resource;
pub mod route;
pub mod settings;
pub mod statement;
pub mod tag;
pub mod tag_policy;
pub mod tagging;
pub mod text;
pub mod verdict;
