//! What is known of one operation on one resource, and what judges it.

use std::borrow::Cow;

use crate::directory::Entry;
use crate::engine::compliance::{
    Staged, StagedVerdict, TypeSources, can_intercept, capabilities, resource_type, validate_staged,
};
use crate::engine::request::{KnownGroup, TagWrite};
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags, TooManyTags};
use crate::model::arn::ResourceName;
use crate::model::catalog::TagCapabilities;
use crate::model::compliance::TagHistory;
use crate::model::tag::TagRef;
use crate::model::verdict::RefusalReason;
use crate::snapshot::Snapshot;
use crate::snapshot::tags::TagNode;
use crate::wire::status::{CallError, Refusal, TaggingFault};

/// One operation on one resource.
pub(super) struct Facts<'a> {
    pub(super) name: ResourceName<'a>,
    /// The type that is sent; empty: none.
    pub(super) kind: &'a str,
    pub(super) stored: Option<&'a Entry>,
    pub(super) group: KnownGroup<'a>,
    pub(super) current: Tags<'a>,
    pub(super) change: Change<'a>,
    pub(super) inheritance: Inheritance<'a>,
    pub(super) history: TagHistory,
}

/// What is done with the tags.
pub(super) enum Change<'a> {
    Detect,
    Create(&'a [TagRef<'a>]),
    Write {
        set: &'a [TagRef<'a>],
        removed: Cow<'a, [&'a str]>,
    },
}

impl<'a> Change<'a> {
    /// What a write does to the tags that are there.
    pub(super) fn of_write(write: &TagWrite<'a>, current: Tags<'a>) -> Self {
        Self::Write {
            set: write.set.unwrap_or_default(),
            removed: removed(write, current),
        }
    }
}

/// The keys that a write takes away.
fn removed<'a>(write: &TagWrite<'a>, current: Tags<'a>) -> Cow<'a, [&'a str]> {
    let set = write.set.unwrap_or_default();
    if write.remove_all || write.replace {
        let keys = current.iter().map(|tag| tag.key);
        keys.filter(|key| !set.iter().any(|tag| tag.key == *key))
            .collect()
    } else {
        Cow::Borrowed(write.remove_keys)
    }
}

impl<'a> Facts<'a> {
    /// Finds the type of the resource and what tag policies can do with it.
    pub(super) fn settle(
        self,
        snapshot: &'a Snapshot,
        node: &'a TagNode,
    ) -> Result<Settled<'a>, CallError> {
        let policies = &node.policies;
        let (enforce, warn) = (&*policies.enforce.policy, &*policies.warn.policy);
        let report = &*policies.report.policy;
        let refused = |reason| CallError::Tagging {
            reason,
            field: "resource.type",
        };
        let sources = TypeSources {
            name: self.name,
            stored: self.stored.and_then(|stored| stored.kind()),
            sent: self.kind,
        };
        let kind = resource_type(&snapshot.catalog, &[enforce, warn, report], &sources)
            .map_err(|_| refused(TaggingFault::ResourceTypeMismatch))?;
        let known = kind
            .as_deref()
            .and_then(|kind| capabilities(&snapshot.catalog, enforce, kind));
        let looks = matches!(self.change, Change::Detect);
        // security 6.6: "an unknown resource type … is refused".
        if known.is_none() && !looks && can_intercept(enforce) {
            return Err(refused(TaggingFault::ResourceTypeUnknown));
        }
        Ok(Settled {
            facts: self,
            kind: kind.unwrap_or_default(),
            staged: Staged {
                enforce,
                warn,
                report,
                settings: &snapshot.settings,
                capabilities: known.unwrap_or(TagCapabilities::ALL),
            },
        })
    }
}

/// An operation that can be judged.
pub(super) struct Settled<'a> {
    facts: Facts<'a>,
    /// Empty: not known.
    kind: Cow<'a, str>,
    pub(super) staged: Staged<'a>,
}

impl Settled<'_> {
    /// The tags after the operation.
    pub(super) fn tagging(&self) -> Result<Tagging<'_>, CallError> {
        Tagging::new(self.question()).map_err(too_many)
    }

    /// Judges the tags after the operation, and tells the verdict.
    pub(super) fn judge<T>(
        &self,
        tell: impl FnOnce(&StagedVerdict<'_>) -> T,
    ) -> Result<T, CallError> {
        let judge = |tagging: &Tagging<'_>| tell(&validate_staged(&self.staged, tagging));
        Tagging::with(self.question(), judge).map_err(too_many)
    }

    fn question(&self) -> Question<'_> {
        let facts = &self.facts;
        let region = match facts.name {
            ResourceName::All => None,
            ResourceName::Arn(arn) => Some(arn.region()),
        };
        Question {
            resource_type: &self.kind,
            // Where the ARN names none, the directory may know it.
            region: region
                .filter(|region| !matches!(*region, "" | "*"))
                .or_else(|| facts.stored.and_then(Entry::region)),
            group: facts.group,
            current: facts.current,
            operation: match &facts.change {
                Change::Detect => Operation::Detect,
                Change::Create(set) => Operation::Create(set),
                Change::Write { set, removed } => Operation::Write { set, removed },
            },
            inheritance: facts.inheritance,
            history: facts.history,
        }
    }
}

fn too_many(error: TooManyTags) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::TagLimit,
        field: "tag_write".to_owned(),
        detail: error.to_string(),
    })
}

/// What binds the account that owns a resource (security 2.5 and 6.6).
pub(super) fn node<'s>(
    snapshot: &'s Snapshot,
    name: ResourceName<'_>,
    stored: Option<&Entry>,
    own: Option<&str>,
) -> Result<&'s TagNode, CallError> {
    let named = match name {
        ResourceName::All => None,
        ResourceName::Arn(arn) => arn.owner(),
    };
    let stored = stored.and_then(Entry::owner);
    let owner = named.or(stored).or(own).ok_or_else(|| {
        CallError::Refused(Refusal {
            reason: RefusalReason::OwnerUnknown,
            field: "resource.arn".to_owned(),
            detail: "the account that owns the resource cannot be told".to_owned(),
        })
    })?;
    let node = snapshot.tags.account(owner);
    node.map(|node| &**node).ok_or(CallError::Tagging {
        reason: TaggingFault::AccountOutsideOrganization,
        field: "resource.arn",
    })
}
