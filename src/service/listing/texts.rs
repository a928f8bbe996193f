//! Keys and values with how many resources carry each.
//!
//! For whoever sees all, the index has the counts. For others every resource of the scope is looked
//! at, so that keys that only others carry cost no more and no less than none.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::yield_now;

use super::{Listing, STEP};
use crate::directory::{Entry, Listed, Position, Query, Reach, Scope, TextMatch, Texts, Turn};
use crate::model::caller::Rpc;
use crate::model::verdict::limits;
use crate::service::listing::sight::{Sight, Viewer};
use crate::wire::listing::{self, SentPage};
use crate::wire::status::{CallError, TaggingFault};
use crate::wire::v1;

/// What is asked for.
struct Asked<'m> {
    scope: Scope,
    listed: Listed<'m>,
    text: Option<TextMatch>,
    page: SentPage<'m>,
    after: Option<String>,
}

impl Asked<'_> {
    fn turn(&self) -> Turn<'_> {
        Turn {
            asked: self.text.as_ref(),
            after: self.after.as_deref(),
            most: self.page.size,
        }
    }
}

impl<'l> Listing<'l> {
    /// `ListTagKeys`
    pub(crate) async fn keys(
        &self,
        message: &'l v1::ListTagKeysRequest,
    ) -> Result<v1::ListTagKeysResponse, CallError> {
        let v1::ListTagKeysRequest {
            principal,
            scope,
            key,
            page_size,
            page_token,
        } = message;
        let rpc = Rpc::ListTagKeys;
        let viewer = self.viewer(rpc, principal)?;
        let question = v1::ListTagKeysRequest {
            page_size: 0,
            page_token: String::new(),
            ..message.clone()
        };
        let bound = self.bound(rpc, principal, &question);
        let page = SentPage::read(*page_size, page_token)?;
        let key = key.as_ref().map(|key| listing::text_match(key, "key"));
        let asked = Asked {
            scope: listing::scope(scope.as_ref(), viewer.account(), &self.snapshot.catalog)?,
            listed: Listed::Keys,
            text: key.transpose()?,
            after: after(page.position(&bound)?.as_deref())?,
            page,
        };
        let (keys, next) = self.counted(viewer, rpc, &asked).await?;
        Ok(v1::ListTagKeysResponse {
            keys,
            next_page_token: next.map_or_else(String::new, |next| bound.seal(&[&next])),
            revision: self.revision(),
        })
    }

    /// `ListTagValues`
    pub(crate) async fn values(
        &self,
        message: &'l v1::ListTagValuesRequest,
    ) -> Result<v1::ListTagValuesResponse, CallError> {
        let v1::ListTagValuesRequest {
            principal,
            scope,
            key,
            value,
            page_size,
            page_token,
        } = message;
        let rpc = Rpc::ListTagValues;
        let viewer = self.viewer(rpc, principal)?;
        let question = v1::ListTagValuesRequest {
            page_size: 0,
            page_token: String::new(),
            ..message.clone()
        };
        let bound = self.bound(rpc, principal, &question);
        let page = SentPage::read(*page_size, page_token)?;
        let value = value
            .as_ref()
            .map(|value| listing::text_match(value, "value"));
        let asked = Asked {
            scope: listing::scope(scope.as_ref(), viewer.account(), &self.snapshot.catalog)?,
            listed: Listed::ValuesOf(listing::key(key)?),
            text: value.transpose()?,
            after: after(page.position(&bound)?.as_deref())?,
            page,
        };
        let (values, next) = self.counted(viewer, rpc, &asked).await?;
        Ok(v1::ListTagValuesResponse {
            values,
            next_page_token: next.map_or_else(String::new, |next| bound.seal(&[&next])),
            revision: self.revision(),
        })
    }

    /// One page of texts, with the last one if there are more.
    async fn counted(
        &self,
        viewer: Viewer<'l>,
        rpc: Rpc,
        asked: &Asked<'_>,
    ) -> Result<(Vec<v1::TagCount>, Option<Arc<str>>), CallError> {
        let (sight, scope) = (self.sight(viewer), &asked.scope);
        let sees_all = sight.sees_all(&scope.account, &self.directory.served(scope));
        let Texts {
            mut counted,
            mut next,
        } = if sees_all {
            self.directory.texts(scope, asked.listed, asked.turn())
        } else {
            self.looked_at(&sight, asked).await?
        };
        let predefined = if sight.may_on(
            &format!("tag:{rpc}"),
            &format!("acs:tag:*:{}:*", scope.account),
        ) {
            self.directory
                .predefined(&scope.account, asked.listed, asked.turn())
        } else {
            Vec::new()
        };
        for text in &predefined {
            if next.as_ref().is_none_or(|next| text <= next) {
                counted.entry(Arc::clone(text)).or_default();
            }
        }
        while counted.len() > asked.page.size {
            counted.pop_last();
            next = counted.last_key_value().map(|(last, _)| Arc::clone(last));
        }
        let counts = counted.into_iter().map(|(text, resources)| v1::TagCount {
            predefined: predefined.binary_search(&text).is_ok(),
            text: text.to_string(),
            resources,
        });
        Ok((counts.collect(), next))
    }

    /// The same for who does not see all: what each resource has that is seen.
    async fn looked_at(&self, sight: &Sight<'_>, asked: &Asked<'_>) -> Result<Texts, CallError> {
        if self.directory.extent(&asked.scope) > limits::LOOKED_AT {
            return Err(CallError::Tagging {
                reason: TaggingFault::ScopeTooBroad,
                field: "scope",
            });
        }
        let query = Query {
            scope: asked.scope.clone(),
            filters: Vec::new(),
        };
        let reach = Reach {
            found: STEP,
            passed: u32::MAX,
        };
        let mut sum = Sum::default();
        let mut from = Some(Position::default());
        while let Some(at) = from {
            let step = self.directory.step(&query, &at, reach);
            for (_, entry) in step.found {
                if sight.sees(&entry) {
                    sum.add(&entry, asked);
                }
            }
            from = step.next;
            yield_now().await;
        }
        Ok(sum.page(asked.page.size))
    }
}

fn after(position: Option<&[String]>) -> Result<Option<String>, CallError> {
    match position {
        None => Ok(None),
        Some([last]) => Ok(Some(last.clone())),
        Some(_) => Err(listing::unreadable()),
    }
}

/// The least texts of those that were seen, with their counts.
#[derive(Default)]
struct Sum(BTreeMap<Arc<str>, u64>);

impl Sum {
    fn add(&mut self, entry: &Entry, asked: &Asked<'_>) {
        for tag in entry.tags() {
            let text = match asked.listed {
                Listed::Keys => tag.key,
                Listed::ValuesOf(key) if tag.key == key => tag.value,
                Listed::ValuesOf(_) => continue,
            };
            if !asked.turn().is_due(text) {
                continue;
            }
            match self.0.get_mut(text) {
                Some(count) => *count += 1,
                None => {
                    self.0.insert(Arc::from(text), 1);
                }
            }
            // A text that is dropped stands behind so many that it never comes back: what is kept
            // was counted from the first resource on.
            if self.0.len() > asked.page.size + 1 {
                self.0.pop_last();
            }
        }
    }

    fn page(self, size: usize) -> Texts {
        let Self(mut counted) = self;
        let is_cut = counted.len() > size;
        if is_cut {
            counted.pop_last();
        }
        let last = counted.last_key_value().map(|(last, _)| Arc::clone(last));
        Texts {
            next: last.filter(|_| is_cut),
            counted,
        }
    }
}
