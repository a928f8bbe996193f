//! Resources with their tags: some by their ARNs, or those that a search finds.

use tokio::task::yield_now;

use super::{Listing, STEP};
use crate::directory::{Position, Query, Reach};
use crate::model::caller::Rpc;
use crate::model::verdict::limits;
use crate::service::listing::sight::Sight;
use crate::wire::listing::{self, Bound, SentPage, tagged, unreadable};
use crate::wire::status::CallError;
use crate::wire::v1;

impl Listing<'_> {
    /// `ListTagResources`
    pub(crate) fn tag_resources(
        &self,
        message: &v1::ListTagResourcesRequest,
    ) -> Result<v1::ListTagResourcesResponse, CallError> {
        let v1::ListTagResourcesRequest { principal, arns } = message;
        let viewer = self.viewer(Rpc::ListTagResources, principal)?;
        let sight = self.sight(viewer);
        let names = listing::arns(arns)?;
        let known = names
            .iter()
            .filter_map(|name| self.directory.find(name.as_str()));
        let seen = known.filter(|entry| sight.sees(entry));
        Ok(v1::ListTagResourcesResponse {
            resources: seen
                .map(|entry| tagged(&entry, &self.snapshot.catalog))
                .collect(),
            revision: self.revision(),
        })
    }

    /// `ListResourcesByTags`
    pub(crate) async fn resources_by_tags(
        &self,
        message: &v1::ListResourcesByTagsRequest,
    ) -> Result<v1::ListResourcesByTagsResponse, CallError> {
        let v1::ListResourcesByTagsRequest {
            principal,
            scope,
            filters,
            page_size,
            page_token,
        } = message;
        let rpc = Rpc::ListResourcesByTags;
        let viewer = self.viewer(rpc, principal)?;
        let page = SentPage::read(*page_size, page_token)?;
        let scope = listing::scope(scope.as_ref(), viewer.account(), &self.snapshot.catalog)?;
        let question = v1::ListResourcesByTagsRequest {
            page_size: 0,
            page_token: String::new(),
            ..message.clone()
        };
        let bound = self.bound(rpc, principal, &question);
        let search = Search {
            listing: self,
            query: listing::query(scope, filters)?,
            sight: self.sight(viewer),
            size: page.size,
        };
        let from = position(page, &bound)?;
        let (resources, next) = search.page(from).await;
        Ok(v1::ListResourcesByTagsResponse {
            resources,
            next_page_token: next.map_or_else(String::new, |next| seal(&bound, &next)),
            revision: self.revision(),
        })
    }
}

/// Where a page begins.
pub(crate) fn position(page: SentPage<'_>, bound: &Bound<'_>) -> Result<Position, CallError> {
    let Some(parts) = page.position(bound)? else {
        return Ok(Position::default());
    };
    let [slot, region] = parts.as_slice() else {
        return Err(unreadable());
    };
    Ok(Position {
        region: Box::from(&**region),
        slot: slot.parse().map_err(|_| unreadable())?,
    })
}

/// The token of a position.
pub(crate) fn seal(bound: &Bound<'_>, next: &Position) -> String {
    bound.seal(&[&next.slot.to_string(), &next.region])
}

/// One page of a search.
struct Search<'s> {
    listing: &'s Listing<'s>,
    query: Query,
    sight: Sight<'s>,
    size: usize,
}

impl Search<'_> {
    async fn page(&self, mut from: Position) -> (Vec<v1::TaggedResource>, Option<Position>) {
        let Listing {
            directory,
            snapshot,
            ..
        } = self.listing;
        let scope = &self.query.scope;
        let sees_all = self
            .sight
            .sees_all(&scope.account, &directory.served(scope));
        let mut resources = Vec::new();
        let mut left = limits::PAGE_SLOTS;
        loop {
            let step = directory.step(
                &self.query,
                &from,
                self.reach(sees_all, left, resources.len()),
            );
            let found = u32::try_from(step.found.len()).unwrap_or(u32::MAX);
            for (position, entry) in step.found {
                let holds = step.is_exact || self.query.holds(entry.tags());
                if !(holds && (sees_all || self.sight.sees(&entry))) {
                    continue;
                }
                // One more than is told says whether there is a further page.
                if resources.len() == self.size {
                    return (resources, Some(position));
                }
                resources.push(tagged(&entry, &snapshot.catalog));
            }
            let Some(next) = step.next else {
                return (resources, None);
            };
            left = left.saturating_sub(if sees_all { found } else { step.passed });
            if left == 0 {
                return (resources, Some(next));
            }
            from = next;
            yield_now().await;
        }
    }

    /// Where not all is seen, the slots that a page passes are counted: what stands in them must
    /// not show. Else what is found is, for it is all there is to compare.
    fn reach(&self, sees_all: bool, left: u32, told: usize) -> Reach {
        if sees_all {
            let wanted = self.size.saturating_sub(told).saturating_add(1);
            Reach {
                found: wanted.clamp(STEP / 4, STEP),
                passed: u32::MAX,
            }
        } else {
            Reach {
                found: STEP,
                passed: left,
            }
        }
    }
}
