//! Keys and values that are carried, with how many resources carry each.
//!
//! A page costs what it compares and not what there is. These are counts over all resources of a
//! scope: whoever tells them sees to it that all of those may be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::carriers::Carriers;
use super::index::Index;
use super::partition::Partition;
use super::posting::Window;
use super::query::{Scope, TextMatch};
use super::search::scope_terms;

/// The most texts of one region that are compared for a page.
const MOST_COMPARED: usize = 16_384;

/// A service with resources in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The region; empty where its resources have none.
    pub region: Arc<str>,
    /// The service.
    pub service: Box<str>,
    /// Whether the ARNs of all of them name account and region.
    pub is_plain: bool,
}

/// Of what the texts are told.
#[derive(Debug, Clone, Copy)]
pub enum Listed<'a> {
    /// Keys.
    Keys,
    /// The values of this key.
    ValuesOf(&'a str),
}

/// Which texts a page tells.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// Which are meant; `None`: every one.
    pub asked: Option<&'a TextMatch>,
    /// The last one before the page; `None`: it is the first page.
    pub after: Option<&'a str>,
    /// The most that it tells.
    pub most: usize,
}

/// A page of texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// How many resources carry each; with 0 it is predefined only.
    pub counted: BTreeMap<Arc<str>, u64>,
    /// The last text that was looked at, if there are more.
    pub next: Option<Arc<str>>,
}

impl Turn<'_> {
    fn from(&self) -> (Bound<&str>, Bound<&str>) {
        (
            self.after.map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        )
    }

    fn holds(&self, text: &str) -> bool {
        self.asked.is_none_or(|asked| asked.holds(text))
    }

    /// Whether a text is of this page or of a later one.
    pub fn is_due(&self, text: &str) -> bool {
        self.after.is_none_or(|after| text > after) && self.holds(text)
    }
}

impl Index {
    /// How many resources a scope means.
    pub(super) fn extent(&self, scope: &Scope) -> u64 {
        let partitions = self.regions(scope, "");
        let meant = partitions.map(|(_, one)| match Among::new(one, scope).0 {
            Some(among) => among.len(),
            None => one.all.len(),
        });
        meant.sum()
    }

    /// The services of a scope, region by region.
    pub(super) fn served(&self, scope: &Scope) -> Vec<Served> {
        let partitions = self.regions(scope, "");
        let served = partitions.flat_map(|(region, partition)| {
            partition.services.iter().map(|(name, service)| Served {
                region: Arc::clone(region),
                service: name.clone(),
                is_plain: service.unnamed == 0,
            })
        });
        served.collect()
    }

    /// Predefined keys, or values of a key, of this page and of later ones, in order.
    pub(super) fn predefined(
        &self,
        account: &str,
        listed: Listed<'_>,
        turn: Turn<'_>,
    ) -> Vec<Arc<str>> {
        let of_account = self.predefined.get(account).into_iter();
        let due = |text: &&Arc<str>| turn.is_due(text);
        match listed {
            Listed::Keys => {
                let keys = of_account.flat_map(|keys| keys.range::<str, _>(turn.from()));
                keys.map(|(key, _)| key).filter(due).cloned().collect()
            }
            Listed::ValuesOf(key) => {
                let values = of_account.filter_map(|keys| keys.get(key));
                let values = values.flat_map(|values| values.range::<str, _>(turn.from()));
                values.filter(due).cloned().collect()
            }
        }
    }

    /// A page of keys or values.
    pub(super) fn texts(&self, scope: &Scope, listed: Listed<'_>, turn: Turn<'_>) -> Texts {
        let mut found = BTreeSet::new();
        let mut horizon: Option<Arc<str>> = None;
        let mut looked = |page: Page| {
            found.extend(page.texts);
            let nearer = |last: &Arc<str>| horizon.as_ref().is_none_or(|far| last < far);
            if page.last.as_ref().is_some_and(nearer) {
                horizon = page.last;
            }
        };
        for (_, partition) in self.regions(scope, "") {
            match listed {
                Listed::Keys => looked(Page::of(
                    partition
                        .keys
                        .range::<str, _>(turn.from())
                        .map(|(key, _)| &**key),
                    turn,
                )),
                Listed::ValuesOf(key) => {
                    let of_key = partition.keys.get(key).into_iter();
                    let (from, _) = turn.from();
                    let values = of_key.flat_map(|of_key| of_key.values.range(from));
                    looked(Page::of(values.map(|(text, _)| text), turn));
                }
            }
        }
        self.page(scope, listed, turn, (found, horizon))
    }

    fn page(
        &self,
        scope: &Scope,
        listed: Listed<'_>,
        turn: Turn<'_>,
        (found, horizon): (BTreeSet<Arc<str>>, Option<Arc<str>>),
    ) -> Texts {
        let partitions = self.regions(scope, "");
        let partitions: Vec<_> = partitions
            .map(|(_, one)| (one, Among::new(one, scope)))
            .collect();
        let mut texts = Texts::default();
        for text in found {
            if horizon.as_ref().is_some_and(|horizon| text > *horizon) {
                break;
            }
            if texts.counted.len() == turn.most {
                texts.next = texts
                    .counted
                    .last_key_value()
                    .map(|(last, _)| Arc::clone(last));
                return texts;
            }
            let count = partitions
                .iter()
                .map(|(one, among)| among.count(one, listed, &text));
            let count = count.sum();
            if count > 0 {
                texts.counted.insert(text, count);
            }
        }
        texts.next = horizon;
        texts
    }
}

/// Texts of one region.
struct Page {
    texts: Vec<Arc<str>>,
    /// The last one that was compared, if there are more.
    last: Option<Arc<str>>,
}

impl Page {
    fn of<'i>(mut all: impl Iterator<Item = &'i str>, turn: Turn<'_>) -> Self {
        let mut texts = Vec::new();
        let mut last = None;
        for text in all.by_ref().take(MOST_COMPARED) {
            if turn.holds(text) {
                texts.push(Arc::from(text));
            }
            last = Some(text);
            // One more than is told says whether there is a further page.
            if texts.len() > turn.most {
                break;
            }
        }
        let last = last.filter(|_| all.next().is_some()).map(Arc::from);
        Self { texts, last }
    }
}

/// The resources of a partition that a scope means; `None`: all.
struct Among(Option<RoaringBitmap>);

impl Among {
    fn new(partition: &Partition, scope: &Scope) -> Self {
        let window = Window::new(0..partition.slots.end());
        let mut among: Option<RoaringBitmap> = None;
        for (_, postings) in scope_terms(partition, scope) {
            let mut meant = RoaringBitmap::new();
            for carriers in postings {
                carriers.add_to(&window, &mut meant);
            }
            among = Some(match among {
                Some(among) => among & meant,
                None => meant,
            });
        }
        Self(among)
    }

    fn count(&self, partition: &Partition, listed: Listed<'_>, text: &str) -> u64 {
        let carriers: Option<Carriers<'_>> = match listed {
            Listed::Keys => partition.keys.get(text).map(|of_key| (&of_key.any).into()),
            Listed::ValuesOf(key) => partition
                .keys
                .get(key)
                .and_then(|of_key| of_key.values.get(text)),
        };
        carriers.map_or(0, |carriers| match &self.0 {
            Some(among) => carriers.len_among(among),
            None => carriers.len(),
        })
    }
}
