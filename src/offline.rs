//! Decisions without a server: a bundle in memory, asked with the messages of the API.
//!
//! What `test`, `authorize` and `explain` use, so that they answer as a server would.

pub mod associate;
pub mod comply;
pub mod effective;
pub mod route;
pub mod verdict;

use jiff::Timestamp;

use crate::compiler::{self, error::CompileErrors};
use crate::directory::Directory;
use crate::model::bundle::Bundle;
use crate::service::pdp::desk::Desk;
use crate::service::pdp::ids::DecisionId;
use crate::service::pdp::session::Sessions;
use crate::snapshot::Snapshot;
use crate::wire::encode::Writer;
use crate::wire::message;
use crate::wire::status::CallError;
use crate::wire::v1;

/// A bundle that can be asked.
#[derive(Debug)]
pub struct Offline {
    snapshot: Snapshot,
    directory: Directory,
    sessions: Sessions,
}

impl Offline {
    /// Compiles a bundle.
    ///
    /// # Errors
    ///
    /// Every place where its documents do not fit together.
    pub fn new(bundle: &Bundle) -> Result<Self, CompileErrors> {
        let directory = Directory::default();
        directory.replace(bundle.resources.iter().cloned());
        Ok(Self {
            snapshot: compiler::compile(bundle)?,
            directory,
            sessions: Sessions::default(),
        })
    }

    /// Answers a request that is asked at an instant; everything is told.
    ///
    /// # Errors
    ///
    /// As a call of `Authorize`.
    pub fn answer(
        &self,
        message: &v1::AuthorizeRequest,
        now: Timestamp,
    ) -> Result<v1::AuthorizeResponse, CallError> {
        let desk = Desk {
            snapshot: &self.snapshot,
            directory: &self.directory,
            sessions: &self.sessions,
            caller: self.snapshot.callers.owner(),
            now,
        };
        let mut bytes = Vec::new();
        let answer = &mut Writer(&mut bytes);
        desk.answer(&message.into(), DecisionId::default, answer)
            .result?;
        message::decode(&bytes)
    }
}
