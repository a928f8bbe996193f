//! Whether there is a management channel, and whether the server starts without it.

use std::sync::Arc;

use crate::service::Listen;
use crate::service::pap::Pap;
use crate::tls::Endpoint;

/// The management channel.
#[derive(Debug, Clone)]
pub struct Manage {
    listen: Listen,
    without: Without,
}

/// What is done where the management channel cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    /// The server does not start.
    Stop,
    /// It serves without one, and says so.
    GoOn,
}

impl Manage {
    /// A channel that somebody asked for: without it the server does not start.
    pub fn needed(listen: Listen) -> Self {
        let without = Without::Stop;
        Self { listen, without }
    }

    /// A channel that nobody asked for: where it cannot be made there is none.
    pub fn wanted(listen: Listen) -> Self {
        let without = Without::GoOn;
        Self { listen, without }
    }

    /// Where it listens.
    pub fn address(&self) -> &Listen {
        &self.listen
    }

    pub(super) fn bind(&self, endpoint: Option<&Arc<Endpoint>>) -> anyhow::Result<Option<Pap>> {
        match (Pap::bind(&self.listen, endpoint), self.without) {
            (Ok(pap), _) => {
                let address = pap.address()?;
                tracing::info!(%address, "listening for management");
                Ok(Some(pap))
            }
            (Err(error), Without::GoOn) => {
                tracing::warn!(%error, "there is no management channel");
                Ok(None)
            }
            (Err(error), Without::Stop) => Err(error.into()),
        }
    }
}
