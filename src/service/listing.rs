//! Listings of the directory: resources by their tags, keys and values by their resources.
//!
//! Only what whoever asks may see is told, and a page tells nothing of the rest, not by a count and
//! not by being short: where resources are looked at one by one, a page ends after so many slots of
//! the account, whatever stands in them and whatever was asked (security 4: "listings, counts and
//! reports show only what the principal may see").
//!
//! A call yields after each step, and holds nothing of the directory meanwhile.

mod resources;
mod sight;
mod texts;
mod work;

use jiff::Timestamp;

pub(crate) use self::resources::{position, seal};
pub(crate) use self::sight::{Sight, Viewer};
pub(crate) use self::work::Whose;
use super::pdp::rights;
use crate::directory::Directory;
use crate::model::arn::PrincipalRef;
use crate::model::caller::{OwnPrincipal, Rpc};
use crate::snapshot::Snapshot;
use crate::snapshot::caller::{Caller, CallerId};
use crate::wire::listing::{Bound, invalid};
use crate::wire::page::PageKey;
use crate::wire::status::CallError;
use crate::wire::v1;

/// How many resources are looked at before others may run.
const STEP: usize = 256;

/// What a listing is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing<'l> {
    /// The resources.
    pub(crate) directory: &'l Directory,
    /// What page tokens are sealed with.
    pub(crate) pages: &'l PageKey,
    /// What decides who sees what.
    pub(crate) snapshot: &'l Snapshot,
    /// Who asks the server.
    pub(crate) caller: &'l Caller,
    /// The instant of the call.
    pub(crate) now: Timestamp,
}

impl<'l> Listing<'l> {
    /// Who is to see what is told: the principal, or where none is named the caller itself.
    pub(crate) fn viewer(&self, rpc: Rpc, principal: &'l str) -> Result<Viewer<'l>, CallError> {
        rights::check_rpc(self.caller, rpc)?;
        if principal.is_empty() {
            let own = self.caller.principal.as_ref();
            return match (self.caller.id, own.and_then(OwnPrincipal::principal)) {
                // The server's own user reads the store as it pleases.
                (CallerId::Owner, _) => Ok(Viewer::Owner),
                (CallerId::Named(_), Some(own)) => Ok(Viewer::Principal(own)),
                (CallerId::Named(_) | CallerId::Anonymous, _) => {
                    Err(invalid("principal", "absent, and the caller has none"))
                }
            };
        }
        let principal = PrincipalRef::parse(principal)
            .map_err(|error| invalid("principal", error.to_string()))?;
        rights::check_principal(self.caller, principal, self.snapshot)?;
        Ok(Viewer::Principal(principal))
    }

    fn sight(&self, viewer: Viewer<'l>) -> Sight<'l> {
        Sight {
            snapshot: self.snapshot,
            viewer,
            now: self.now,
        }
    }

    fn bound(&self, rpc: Rpc, principal: &str, question: &impl prost::Message) -> Bound<'l> {
        Bound::new(
            self.pages,
            rpc.as_str(),
            &self.caller.name,
            principal,
            question,
        )
    }

    pub(crate) fn revision(&self) -> Option<v1::Revision> {
        crate::wire::reply::told_revision(self.caller.rights.disclosure, &self.snapshot.revision)
    }
}
