//! Live resources by ARN: what is known of their tags and groups.
//!
//! A reader copies one `Arc` and lets the shard go; values are never changed in place. Nothing
//! iterates, and readers never wait for a reload: it fills a new map beside the old one.
//!
//! Not here: who may change a resource, and what a decision does with an unknown one.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use foldhash::fast::RandomState;

use crate::model::resource::{LiveResource, Resource, Write};

/// How many shards there are. With few, a growing one is rehashed under its lock for long.
const SHARDS: usize = 4_096;

type Resources = DashMap<Arc<str>, Arc<Resource>, RandomState>;

/// The resources that are known.
#[derive(Debug)]
pub struct Directory {
    resources: ArcSwap<Resources>,
    live: DashMap<Arc<str>, LiveResource>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            resources: ArcSwap::from_pointee(empty()),
            live: DashMap::new(),
        }
    }
}

fn empty() -> Resources {
    DashMap::with_hasher_and_shard_amount(RandomState::default(), SHARDS)
}

impl Directory {
    /// What is known of a resource, by its ARN as written.
    pub fn find(&self, arn: &str) -> Option<Arc<Resource>> {
        let resources = self.resources.load();
        resources.get(arn).map(|entry| Arc::clone(&entry))
    }

    /// Replaces all resources. Of two with one ARN the later stays.
    ///
    /// Blocks until no reader is left on the old map, so that none of them has to free it: call it
    /// on a thread that may wait.
    pub fn replace(&self, resources: impl IntoIterator<Item = Resource>) {
        let next = empty();
        for resource in resources {
            next.insert(resource.arn.shared(), Arc::new(resource));
        }
        let old = self.resources.swap(Arc::new(next));
        while Arc::strong_count(&old) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// All that is kept of a resource.
    pub fn live(&self, arn: &str) -> Option<LiveResource> {
        self.live.get(arn).map(|entry| entry.clone())
    }

    /// Puts what was committed.
    pub fn apply(&self, writes: &[Write]) {
        let resources = self.resources.load();
        for Write { arn, next, .. } in writes {
            match next {
                Some(next) => {
                    resources.insert(arn.shared(), Arc::new(next.to_resource()));
                    self.live.insert(arn.shared(), next.clone());
                }
                None => {
                    resources.remove(arn.as_str());
                    self.live.remove(arn.as_str());
                }
            }
        }
    }

    /// Replaces all.
    pub fn replace_live(&self, resources: Vec<LiveResource>) {
        self.live.clear();
        self.replace(resources.iter().map(LiveResource::to_resource));
        for resource in resources {
            self.live.insert(resource.arn.shared(), resource);
        }
    }

    /// How many resources are known.
    pub fn len(&self) -> usize {
        self.resources.load().len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tag::TagSet;

    fn resource(arn: &str) -> Resource {
        Resource {
            arn: arn.try_into().unwrap(),
            account: None,
            kind: None,
            group: None,
            tags: TagSet::default(),
        }
    }

    #[test]
    fn a_reload_leaves_nothing_of_the_old_state() {
        let directory = Directory::default();
        assert!(directory.is_empty());
        directory.replace([
            resource("acs:ecs::1:instance/a"),
            resource("acs:ecs::1:instance/b"),
        ]);
        let held = directory.find("acs:ecs::1:instance/a").unwrap();
        directory.replace([resource("acs:ecs::1:instance/b")]);
        assert!(directory.find("acs:ecs::1:instance/a").is_none());
        assert!(directory.find("acs:ecs::1:instance/b").is_some());
        assert_eq!(
            (directory.len(), held.arn.as_str()),
            (1, "acs:ecs::1:instance/a")
        );
    }
}
