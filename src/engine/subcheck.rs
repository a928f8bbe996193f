//! One resource of a request: whether it exists, who owns it, and which tags who may see.
//!
//! | the resource | an Allow sees R, Q, T | a Deny sees R, Q, T |
//! |---|---|---|
//! | being made | none, new, new | none *or* new, new, new |
//! | existing | current, filter tags of a query, current | current, new, current |
//! | existing, tags written | current *or* resulting (security 4), new, both | current *or* resulting, new, as R |
//! | open (a list, or everything) | none, filter tags of a query, as Q | none, new, new |

use super::principal::Asker;
use super::request::{KnownTags, Request, Resource};
use super::tags::{Found, Overlay, Tags};
use super::view::ActionView;
use crate::model::arn::ResourceName;
use crate::model::catalog::{OperationKind, TagEffect};
use crate::snapshot::Snapshot;
use crate::snapshot::condition::KeyReading;

/// One resource of a request, ready to be judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubCheck<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) request: &'a Request<'a>,
    pub(super) action: &'a ActionView<'a>,
    pub(super) asker: &'a Asker<'a>,
    pub(super) resource: &'a Resource<'a>,
    pub(super) owner: &'a str,
    pub(super) standing: Standing,
}

/// Whether the resource is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It comes to be by this call.
    Making,
    /// It exists, and the call leaves its tags alone.
    Existing,
    /// It exists, and the call writes its tags (security 4).
    Written(Overlay),
    /// No single resource is named.
    Open,
}

/// Which tags a condition on R reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceTags {
    /// None: the family is absent.
    Absent,
    /// Those of the resource now.
    Current,
    /// Those that it would have after the call.
    Post,
    /// Those of the request, on the resource being made (security 3.4).
    New,
}

/// Which tags a condition on T reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EitherTags {
    /// As R.
    Resource,
    /// As Q.
    Request,
    /// Current and resulting: both must hold (security 3.8).
    Both,
}

/// One way to look at a sub-check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) resource: ResourceTags,
    pub(super) request: Seen,
    pub(super) either: EitherTags,
}

/// The ways to look at a sub-check. A second one differs in R alone, and so in T where it is read
/// as R.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Images {
    pub(super) first: Image,
    other: Option<ResourceTags>,
}

impl Images {
    const fn one(first: Image) -> Self {
        Self { first, other: None }
    }

    /// The second, if there is one.
    pub(super) fn second(self) -> Option<Image> {
        let other = |resource| Image {
            resource,
            ..self.first
        };
        self.other.map(other)
    }
}

/// Whether the request's tags are in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// They are.
    Yes,
    /// They are not: the family is absent.
    No,
}

impl<'a> SubCheck<'a> {
    /// Derives what is not told. The request was checked: it has an owner.
    #[inline]
    pub(super) fn new(
        snapshot: &'a Snapshot,
        request: &'a Request<'a>,
        action: &'a ActionView<'a>,
        asker: &'a Asker<'a>,
        resource: &'a Resource<'a>,
    ) -> Self {
        let owner = owner(resource, request, action).unwrap_or_default();
        let standing = standing(request, action, resource);
        Self {
            snapshot,
            request,
            action,
            asker,
            resource,
            owner,
            standing,
        }
    }

    /// Whether the resource exists, so that its tags are needed and may be unknown.
    pub(super) fn exists(&self) -> bool {
        match self.standing {
            Standing::Existing | Standing::Written(_) => true,
            Standing::Making | Standing::Open => false,
        }
    }

    /// Whether T was read as Q.
    pub(super) fn either_is_request(&self) -> bool {
        !self.exists()
    }

    /// The service whose own tag families may be there (docs/semantics.md 14).
    pub(super) fn service(&self) -> &'a str {
        match self.resource.name {
            ResourceName::Arn(arn) => arn.service(),
            ResourceName::All => self.action.name.service(),
        }
    }

    /// How an Allow looks at it; a written resource is looked at twice.
    pub(super) fn allow_images(&self) -> Images {
        let seen = |seen| if seen { Seen::Yes } else { Seen::No };
        let filters = self.action.kind == OperationKind::Query && self.action.filterable;
        let made = seen(filters || self.action.tags != TagEffect::None);
        let filter = seen(filters);
        let image = |resource, request, either| Image {
            resource,
            request,
            either,
        };
        match self.standing {
            Standing::Making => Images::one(image(ResourceTags::Absent, made, EitherTags::Request)),
            Standing::Existing => {
                Images::one(image(ResourceTags::Current, filter, EitherTags::Resource))
            }
            Standing::Open => Images::one(image(ResourceTags::Absent, filter, EitherTags::Request)),
            Standing::Written(_) => Images {
                first: image(ResourceTags::Current, Seen::Yes, EitherTags::Both),
                other: Some(ResourceTags::Post),
            },
        }
    }

    /// How a Deny looks at it: it holds if it holds on either image.
    pub(super) fn deny_images(&self) -> Images {
        let image = |resource, either| Image {
            resource,
            request: Seen::Yes,
            either,
        };
        match self.standing {
            // security 3.4: "with R absent or with R = the request tags"
            Standing::Making => Images {
                first: image(ResourceTags::Absent, EitherTags::Request),
                other: Some(ResourceTags::New),
            },
            Standing::Existing => Images::one(image(ResourceTags::Current, EitherTags::Resource)),
            Standing::Open => Images::one(image(ResourceTags::Absent, EitherTags::Request)),
            Standing::Written(_) => Images {
                first: image(ResourceTags::Current, EitherTags::Resource),
                other: Some(ResourceTags::Post),
            },
        }
    }

    /// The tags that a condition on R reads; `None`: the family is absent.
    pub(super) fn resource_tags(&self, tags: ResourceTags) -> Option<Tags<'a>> {
        match tags {
            ResourceTags::Absent => None,
            ResourceTags::Current => Some(Tags::Current(self.resource.tags)),
            ResourceTags::Post => Some(self.post()),
            ResourceTags::New => self.request.tags.set.map(Tags::Request),
        }
    }

    /// The tags that a condition on Q reads; `None`: the family is absent.
    pub(super) fn request_tags(&self, seen: Seen) -> Option<Tags<'a>> {
        match seen {
            Seen::Yes => self.request.tags.set.map(Tags::Request),
            Seen::No => None,
        }
    }

    /// Whether the call leaves a key alone, in whatever case: whether whoever looks for it finds the
    /// same after the call as now.
    pub(super) fn leaves(&self, key: &str) -> bool {
        let write = &self.request.tags;
        self.standing == Standing::Written(Overlay::Add)
            && !write.remove_all
            && write.remove_keys.is_empty()
            && write
                .set
                .is_none_or(|new| Tags::Request(new).find(key, KeyReading::Folded) == Found::Absent)
    }

    fn post(&self) -> Tags<'a> {
        let overlay = match self.standing {
            Standing::Written(overlay) => overlay,
            Standing::Making | Standing::Existing | Standing::Open => Overlay::Add,
        };
        Tags::Post(self.resource.tags, &self.request.tags, overlay)
    }
}

/// The account that owns a resource; `None`: it cannot be told (security 2.5).
pub(super) fn owner<'a>(
    resource: &Resource<'a>,
    request: &Request<'a>,
    action: &ActionView<'_>,
) -> Option<&'a str> {
    let written = match resource.name {
        ResourceName::Arn(arn) => arn.owner(),
        ResourceName::All => None,
    };
    let own = action.kind == OperationKind::Create || action.all_resources;
    written
        .or(resource.owner)
        .or_else(|| request.principal.account().filter(|_| own))
}

/// security 2.4: "on create or an action flagged `upsert` it is the one being made".
fn standing(request: &Request<'_>, action: &ActionView<'_>, resource: &Resource<'_>) -> Standing {
    let create = action.kind == OperationKind::Create;
    if !resource.name.is_concrete() {
        return if create {
            Standing::Making
        } else {
            Standing::Open
        };
    }
    let unknown = matches!(resource.tags, KnownTags::Unknown);
    if unknown && (create || action.upsert) {
        return Standing::Making;
    }
    match writes(request, action) {
        Some(overlay) => Standing::Written(overlay),
        None => Standing::Existing,
    }
}

/// security 4: "every sub-check on an existing resource whose call writes tags, whatever its kind".
fn writes(request: &Request<'_>, action: &ActionView<'_>) -> Option<Overlay> {
    let write = &request.tags;
    if write.replace || action.upsert || action.tags == TagEffect::Replace {
        return Some(Overlay::Replace);
    }
    let target = match action.kind {
        OperationKind::Update | OperationKind::Other => true,
        OperationKind::Create => action.tags == TagEffect::Target,
        OperationKind::Query => false,
    };
    let adds = write.set.is_some() && target;
    (adds || write.remove_all || !write.remove_keys.is_empty()).then_some(Overlay::Add)
}
