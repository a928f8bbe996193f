//! What is known of actions: their kind, and what their calls do with tags (security 3.1).
//!
//! An action that is listed nowhere is told from its verb; the table is [`ActionFacts::from_name`].

use std::collections::BTreeMap;

use arrayvec::ArrayString;

use super::action::{ActionName, ActionRef, MAX_ACTION_BYTES};
use super::tag_policy::Dialect;

/// The operation kinds (ram 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// Makes a resource; has no id yet.
    Create,
    /// Reads; an id is optional.
    Query,
    /// Changes a resource; needs its id.
    Update,
    /// Anything else; needs an id. The strictest.
    Other,
}

impl OperationKind {
    /// How strict it is: a request may state a kind only as strict as the catalog's, or stricter
    /// (security 3.1).
    pub fn strictness(self) -> u8 {
        match self {
            Self::Query => 0,
            Self::Create => 1,
            Self::Update | Self::Other => 2,
        }
    }
}

/// What a call does with the tags that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagEffect {
    /// The call has no tag parameter, or one that only filters.
    None,
    /// They become the tags of the resource being made.
    NewResource,
    /// They are added to the tags of the resource named.
    Target,
    /// They replace the tags of the resource named, also when none is sent.
    Replace,
    /// The call removes tags.
    Remove,
}

/// What is known of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionFacts {
    /// The operation kind.
    pub kind: OperationKind,
    /// Whether it lists: a refusal is shown as an empty result.
    pub list: bool,
    /// Whether its request tags filter the result.
    pub filterable: bool,
    /// What its call does with tags.
    pub tags: TagEffect,
    /// Whether it has no resource-level permission, and may name the ARN `*`.
    pub all_resources: bool,
    /// Whether it makes the resource that it names, or overwrites it with all its tags.
    pub upsert: bool,
    /// Context keys that its calls always carry, in lower case.
    pub required_keys: Vec<Box<str>>,
}

impl ActionFacts {
    /// What the name alone tells (security 3.1): the fallback for actions that no catalog lists.
    pub fn from_name(action: ActionRef<'_>) -> Self {
        let name = action.name();
        let kind = kind_of(name);
        Self::of_kind(kind, name)
    }

    /// The flags that follow from a kind and a name, where nobody said otherwise.
    pub fn of_kind(kind: OperationKind, name: &str) -> Self {
        Self {
            kind,
            list: kind == OperationKind::Query
                && (has_verb(name, "Describe") || has_verb(name, "List")),
            filterable: false,
            tags: tags_of(kind, name),
            all_resources: false,
            upsert: false,
            required_keys: Vec::new(),
        }
    }
}

fn kind_of(name: &str) -> OperationKind {
    let verb = |verb: &str| has_verb(name, verb);
    if ["Describe", "List", "Get", "Query"].into_iter().any(verb) {
        OperationKind::Query
    } else if ["Update", "Modify", "Set"].into_iter().any(verb) || contains_tag(name) {
        OperationKind::Update
    } else if name == "RunInstances" || ["Create", "Allocate"].into_iter().any(verb) {
        OperationKind::Create
    } else {
        OperationKind::Other
    }
}

fn tags_of(kind: OperationKind, name: &str) -> TagEffect {
    let removes = ["Untag", "UnTag", "Remove", "Delete", "Unbind"]
        .into_iter()
        .any(|verb| name.starts_with(verb))
        && contains_tag(name);
    match kind {
        OperationKind::Query => TagEffect::None,
        OperationKind::Create => TagEffect::NewResource,
        OperationKind::Update | OperationKind::Other if removes => TagEffect::Remove,
        OperationKind::Update | OperationKind::Other => TagEffect::Target,
    }
}

/// Whether a name starts with a verb as a whole word: `Set` in `SetX`, not in `Settle`.
fn has_verb(name: &str, verb: &str) -> bool {
    name.strip_prefix(verb)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
}

fn contains_tag(name: &str) -> bool {
    name.as_bytes().windows(3).any(|part| part == b"Tag")
        || name
            .get(..5)
            .is_some_and(|verb| verb.eq_ignore_ascii_case("untag"))
}

/// The actions that are listed, shipped and added by a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The listed actions.
    pub actions: BTreeMap<ActionName, ActionFacts>,
    /// The services whose resource patterns may leave the account out (security 7.2).
    pub four_field_services: Vec<Box<str>>,
    /// The regions that are known, for the same rule.
    pub regions: Vec<Box<str>>,
    /// Families of tag keys by the left part of a condition key, in lower case: `cs:clustertag`.
    pub tag_families: BTreeMap<Box<str>, super::condition::TagFamily>,
    /// Types by `service:first-segment`, where they differ: `slb:loadbalancer` is `slb:instance`.
    pub resource_types: BTreeMap<Box<str>, Box<str>>,
    /// The actions by which services write tags, by service in lower case.
    pub services: BTreeMap<Box<str>, TagActions>,
    /// What tag policies can do with each type, by dialect and type in lower case (tag-policy 3.2).
    pub tag_types: BTreeMap<Dialect, BTreeMap<Box<str>, TagCapabilities>>,
}

/// What a tag policy can do with the resources of one type (tag-policy 3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TagCapabilities(u8);

/// One thing that a tag policy can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TagCapability {
    /// Intercept the creation of a resource with wrong tags.
    Create,
    /// Intercept a change of tags.
    Tag,
    /// Intercept the creation of a resource that lacks a key.
    StrongVerification,
    /// Replace wrong tags.
    Remediation,
    /// Copy the tags of the resource group.
    RgInherit,
}

impl TagCapability {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Tag,
        Self::StrongVerification,
        Self::Remediation,
        Self::RgInherit,
    ];

    /// The word in catalog files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Tag => "tag",
            Self::StrongVerification => "strong_verification",
            Self::Remediation => "remediation",
            Self::RgInherit => "rg_inherit",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Tag => 2,
            Self::StrongVerification => 4,
            Self::Remediation => 8,
            Self::RgInherit => 16,
        }
    }
}

impl TagCapabilities {
    /// Everything: what is taken of a type that no catalog limits.
    pub const ALL: Self = Self(31);

    /// Whether a capability is there.
    pub fn holds(self, capability: TagCapability) -> bool {
        self.0 & capability.bit() != 0
    }
}

impl FromIterator<TagCapability> for TagCapabilities {
    fn from_iter<I: IntoIterator<Item = TagCapability>>(capabilities: I) -> Self {
        let bits = capabilities.into_iter().map(TagCapability::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// The actions of one service that write tags and nothing else (security 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagActions {
    /// Adds tags: `ecs:tagresources`.
    pub tag: ActionName,
    /// Removes tags: `ecs:untagresources`.
    pub untag: ActionName,
}

impl Catalog {
    /// Whether a resource pattern of this service and region may leave the account out
    /// (security 7.2).
    pub fn takes_four_fields(&self, service: &str, region: &str) -> bool {
        let listed = |names: &[Box<str>], name: &str| names.iter().any(|known| **known == *name);
        region == "*" || listed(&self.regions, region) || listed(&self.four_field_services, service)
    }

    /// What tag policies of a dialect can do with a type, given in lower case. A type that is not
    /// listed is unknown where the catalog lists types of the dialect at all (security 6.6); where
    /// it lists none, any type is taken, with everything.
    pub fn tag_capabilities(&self, dialect: Dialect, kind: &str) -> Option<TagCapabilities> {
        match self.tag_types.get(&dialect) {
            Some(types) if !types.is_empty() => types.get(kind).copied(),
            Some(_) | None => Some(TagCapabilities::ALL),
        }
    }

    /// Whether a type, given in lower case, is listed for tag policies of a dialect.
    pub fn lists_tag_type(&self, dialect: Dialect, kind: &str) -> bool {
        let types = self.tag_types.get(&dialect);
        types.is_some_and(|types| types.contains_key(kind))
    }

    /// What is known of an action: listed, or told from its name.
    pub fn facts(&self, action: ActionRef<'_>) -> ActionFacts {
        let mut name = ArrayString::<MAX_ACTION_BYTES>::new();
        // INVARIANT: an `ActionRef` is no longer than there is place for, and it is ASCII.
        let _ = name.try_push_str(action.as_str());
        name.make_ascii_lowercase();
        match self.actions.get(name.as_str()) {
            Some(facts) => facts.clone(),
            None => ActionFacts::from_name(action),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_only_a_fallback_and_exact() {
        let check = |text: &str, kind, tags| {
            let facts = ActionFacts::from_name(ActionRef::parse(text).unwrap());
            assert_eq!((facts.kind, facts.tags), (kind, tags), "{text}");
        };
        check(
            "ecs:RunInstances",
            OperationKind::Create,
            TagEffect::NewResource,
        );
        check("ecs:RunCommand", OperationKind::Other, TagEffect::Target);
        check(
            "eci:CreateContainerGroup",
            OperationKind::Create,
            TagEffect::NewResource,
        );
        check("ecs:CreateTags", OperationKind::Update, TagEffect::Target);
        check(
            "rds:AddTagsToResource",
            OperationKind::Update,
            TagEffect::Target,
        );
        check(
            "vpc:UnTagResources",
            OperationKind::Update,
            TagEffect::Remove,
        );
        check(
            "rds:RemoveTagsFromResource",
            OperationKind::Update,
            TagEffect::Remove,
        );
        check(
            "oss:PutBucketTagging",
            OperationKind::Update,
            TagEffect::Target,
        );
        check("ecs:DescribeTags", OperationKind::Query, TagEffect::None);
        check("x:Settle", OperationKind::Other, TagEffect::Target);
        check("x:Listen", OperationKind::Other, TagEffect::Target);
        check("oss:PutObject", OperationKind::Other, TagEffect::Target);
    }
}
