//! The listings of the directory, for callers of the management channel.

use jiff::Timestamp;
use tonic::Request;

use super::Shared;
use crate::model::caller::Rpc;
use crate::service::listing::Listing;
use crate::service::pap::From;
use crate::snapshot::Snapshot;
use crate::wire::status::CallError;
use crate::wire::v1;

impl Shared {
    pub(super) fn list_tag_resources(
        &self,
        request: &Request<v1::ListTagResourcesRequest>,
    ) -> Result<v1::ListTagResourcesResponse, CallError> {
        let (snapshot, now) = (self.reader.load_full(), Timestamp::now());
        let listing = self.listing(
            snapshot.as_deref(),
            &From::of(request),
            now,
            Rpc::ListTagResources,
        )?;
        listing.tag_resources(request.get_ref())
    }

    pub(super) async fn list_resources_by_tags(
        &self,
        request: &Request<v1::ListResourcesByTagsRequest>,
    ) -> Result<v1::ListResourcesByTagsResponse, CallError> {
        let (snapshot, now) = (self.reader.load_full(), Timestamp::now());
        let listing = self.listing(
            snapshot.as_deref(),
            &From::of(request),
            now,
            Rpc::ListResourcesByTags,
        )?;
        listing.resources_by_tags(request.get_ref()).await
    }

    pub(super) async fn list_tag_keys(
        &self,
        request: &Request<v1::ListTagKeysRequest>,
    ) -> Result<v1::ListTagKeysResponse, CallError> {
        let (snapshot, now) = (self.reader.load_full(), Timestamp::now());
        let listing = self.listing(
            snapshot.as_deref(),
            &From::of(request),
            now,
            Rpc::ListTagKeys,
        )?;
        listing.keys(request.get_ref()).await
    }

    pub(super) async fn list_tag_values(
        &self,
        request: &Request<v1::ListTagValuesRequest>,
    ) -> Result<v1::ListTagValuesResponse, CallError> {
        let (snapshot, now) = (self.reader.load_full(), Timestamp::now());
        let listing = self.listing(
            snapshot.as_deref(),
            &From::of(request),
            now,
            Rpc::ListTagValues,
        )?;
        listing.values(request.get_ref()).await
    }

    pub(super) fn listing<'l>(
        &'l self,
        snapshot: Option<&'l Snapshot>,
        from: &From,
        now: Timestamp,
        rpc: Rpc,
    ) -> Result<Listing<'l>, CallError> {
        let (snapshot, caller) = self.caller(snapshot, &from.origin, rpc, now)?;
        Ok(Listing {
            directory: &self.directory,
            pages: &self.pages,
            snapshot,
            caller,
            now,
        })
    }
}
