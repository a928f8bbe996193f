//! The listings of the directory, for callers of the data listener.

use std::sync::Arc;

use crate::model::caller::Origin;
use crate::service::listing::Listing;
use crate::service::pdp::{Call, Pdp};
use crate::snapshot::Snapshot;
use crate::wire::status::CallError;
use crate::wire::v1;

impl Pdp {
    pub(super) fn list_tag_resources(
        &self,
        call: &Call,
        message: &v1::ListTagResourcesRequest,
    ) -> Result<v1::ListTagResourcesResponse, CallError> {
        let snapshot = self.snapshot()?;
        self.listing(call, &snapshot).tag_resources(message)
    }

    pub(super) async fn list_resources_by_tags(
        &self,
        call: &Call,
        message: &v1::ListResourcesByTagsRequest,
    ) -> Result<v1::ListResourcesByTagsResponse, CallError> {
        let snapshot = self.snapshot()?;
        let listing = self.listing(call, &snapshot);
        listing.resources_by_tags(message).await
    }

    pub(super) async fn list_tag_keys(
        &self,
        call: &Call,
        message: &v1::ListTagKeysRequest,
    ) -> Result<v1::ListTagKeysResponse, CallError> {
        let snapshot = self.snapshot()?;
        self.listing(call, &snapshot).keys(message).await
    }

    pub(super) async fn list_tag_values(
        &self,
        call: &Call,
        message: &v1::ListTagValuesRequest,
    ) -> Result<v1::ListTagValuesResponse, CallError> {
        let snapshot = self.snapshot()?;
        self.listing(call, &snapshot).values(message).await
    }

    fn listing<'l>(&'l self, call: &Call, snapshot: &'l Arc<Snapshot>) -> Listing<'l> {
        let origin = call.peer.as_ref();
        let origin = origin.map_or(&Origin::Remote, |peer| &peer.origin);
        Listing {
            directory: &self.shared.directory,
            pages: &self.shared.pages,
            snapshot,
            caller: snapshot.callers.find(origin),
            now: self.shared.clock.now(),
        }
    }
}
