//! `PutResources` and `RemoveResources`: what a trusted inventory tells of the world
//! (security 1.2).
//!
//! What it tells is how things are, so that no permission is asked and nothing is intercepted; tags
//! that it tells as they were keep their provenance, and only those that differ are an edit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{Event, failure};
use super::target::count;
use super::{Actor, CallError, Gate, View, partial};
use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn};
use crate::model::inheritance::Authority;
use crate::model::resource::{LiveResource, LiveTag, Provenance, Version};
use crate::model::tag::{Tag, TagSet};
use crate::model::tagging::{FailureCode, Plan, PrimaryChange};

/// What is told of one part of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Said<T> {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// That it is this.
    That(T),
}

/// What an inventory tells of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its ARN.
    pub arn: Arn,
    /// The account that owns it, where the ARN names none.
    pub account: Option<AccountId>,
    /// Its region, where the ARN names none.
    pub region: Option<Arc<str>>,
    /// Its type, where it is not `service:first-segment`.
    pub kind: Option<Box<str>>,
    /// The resource group.
    pub group: Said<Option<Name>>,
    /// All its tags.
    pub tags: Said<TagSet>,
}

impl<V: View, G: Gate> Actor<'_, '_, V, G> {
    /// Puts what an inventory tells over what is known. Each resource is refused alone.
    pub fn put(&self, descriptions: &[Description]) -> Plan {
        let mut event = self.event();
        for described in descriptions {
            if let Err(code) = put(&mut event, described) {
                event.refuse(failure(&described.arn, code));
            }
        }
        partial(event.finish())
    }

    /// Removes resources that are no more; those associated with them lose what came by them.
    ///
    /// # Errors
    ///
    /// When the call is malformed.
    pub fn remove(&self, arns: &[Arn]) -> Result<Plan, CallError> {
        super::shape::check_resources(arns)?;
        let mut event = self.event();
        for arn in arns {
            if event.find(arn).is_some() {
                event.remove(arn);
                event.send(arn, PrimaryChange::Removed, Vec::new());
            } else {
                event.refuse(failure(arn, FailureCode::ResourceNotFound));
            }
        }
        Ok(partial(event.finish()))
    }
}

fn put<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    described: &Description,
) -> Result<(), FailureCode> {
    let arn = &described.arn;
    if !arn.fields().is_concrete() {
        return Err(FailureCode::IdRequired);
    }
    if event.is_ending(arn) {
        return Err(FailureCode::Conflict);
    }
    let before = event.find(arn);
    let next = told(described, before.as_ref());
    if next.owner().is_none() {
        return Err(FailureCode::OwnerUnknown);
    }
    let is_fuller = count(&next) > before.as_ref().map_or(0, count);
    if is_fuller && count(&next) > event.law.limits(&next).tags {
        return Err(FailureCode::QuotaExceeded);
    }
    let touched = differing(before.as_ref(), &next);
    let group_before = before.and_then(|before| before.group);
    // tag-policy 3.4: "Resources created in or moved into a group".
    let comes_into = next.group.is_some() && next.group != group_before;
    if comes_into {
        let passed = event.pass(next, Authority::ServiceRole, Vec::new(), |target| {
            target.touched.extend(touched);
        });
        // INVARIANT: on the service role's authority nothing is denied.
        return passed.map_err(|failure| failure.code);
    }
    event.put(next);
    event.edited(arn, touched, Vec::new());
    Ok(())
}

/// The resource as it is told.
fn told(described: &Description, before: Option<&LiveResource>) -> LiveResource {
    let known = before.cloned();
    let (group, tags, primaries) = match known {
        Some(known) => (known.group, known.tags, known.primaries),
        None => Default::default(),
    };
    let kind = described.kind.as_ref();
    LiveResource {
        arn: described.arn.clone(),
        account: described.account.clone(),
        region: described.region.clone(),
        kind: kind.map(|kind| kind.to_ascii_lowercase().into_boxed_str()),
        group: match &described.group {
            Said::Nothing => group,
            Said::That(group) => group.clone(),
        },
        version: Version::default(),
        tags: match &described.tags {
            Said::Nothing => tags,
            Said::That(told) => merged(told, &tags),
        },
        primaries,
    }
}

/// The told tags; those that are told as they were keep their provenance.
fn merged(told: &TagSet, known: &BTreeMap<Arc<str>, LiveTag>) -> BTreeMap<Arc<str>, LiveTag> {
    let tags = told.iter().map(|tag| {
        let same = known
            .get(tag.key)
            .filter(|known| *known.value == *tag.value);
        let own = || LiveTag {
            value: Arc::from(tag.value),
            provenance: Provenance::Own,
        };
        (Arc::from(tag.key), same.cloned().unwrap_or_else(own))
    });
    tags.collect()
}

/// The keys whose value is new, another, or gone.
fn differing(before: Option<&LiveResource>, next: &LiveResource) -> Vec<Arc<str>> {
    let value = |key: &str| before.and_then(|before| before.get(key));
    let written = next.tags.iter();
    let written = written.filter(|(key, tag)| value(key) != Some(&*tag.value));
    let written = written.map(|(key, _)| Arc::clone(key));
    let gone = before.iter().flat_map(|before| before.tags.keys());
    let gone = gone.filter(|key| !next.tags.contains_key(*key));
    written.chain(gone.cloned()).collect()
}

impl Description {
    /// A description of a resource of which only its tags are told.
    pub fn of(arn: Arn, tags: Vec<Tag>) -> Result<Self, crate::model::tag::DuplicateTagKey> {
        Ok(Self {
            arn,
            account: None,
            region: None,
            kind: None,
            group: Said::Nothing,
            tags: Said::That(TagSet::new(tags)?),
        })
    }
}
