//! The question as understood, and its parts: one sub-check for each resource.

use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::bundle::Bundle;
use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};
use crate::model::request::{AccessRequest, RequestedResource};

use super::principal::Standing;

/// Tags as written: keys and values.
pub(super) type Tags = Vec<(String, String)>;

/// A request whose shape is right, with what the bundle knows of it.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) request: &'a AccessRequest,
    pub(super) principal: PrincipalRef<'a>,
    pub(super) standing: Standing<'a>,
    pub(super) action: ActionRef<'a>,
    /// The catalog's facts, under the kind that was stated.
    pub(super) facts: ActionFacts,
    pub(super) resources: Vec<SubCheck<'a>>,
}

impl Question<'_> {
    /// Whether the action is `sts:AssumeRole`: another combination of layers (ram 4.2).
    pub(super) fn assumes_role(&self) -> bool {
        self.action.as_str().eq_ignore_ascii_case("sts:AssumeRole")
    }
}

/// One resource of the question.
#[derive(Debug)]
pub(super) struct SubCheck<'a> {
    pub(super) name: ResourceName<'a>,
    /// The account that owns it.
    pub(super) owner: String,
    pub(super) part: Part,
    /// The tags of an existing resource, where they are known.
    pub(super) tags: Option<Tags>,
    pub(super) group: Group,
    /// What the call does to the tags of an existing resource.
    pub(super) write: Option<Write>,
}

/// What a resource is to the call (decision 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is being made.
    Made,
    /// It exists.
    Existing,
    /// It is no single resource: a list without an id, or everything.
    Open,
}

/// What is known of a resource's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    Unknown,
    Outside,
    In(String),
}

/// A write of tags (security 4).
#[derive(Debug)]
pub(super) struct Write {
    pub(super) current: Tags,
    pub(super) post: Tags,
    /// The keys that the call sets.
    pub(super) new: Vec<String>,
    /// Keys of `new`, removed keys, and under replace the keys of `current` not in `new`.
    pub(super) touched: Vec<String>,
}

impl<'a> SubCheck<'a> {
    pub(super) fn new(
        bundle: &'a Bundle,
        request: &'a AccessRequest,
        facts: &ActionFacts,
        asked: &RequestedResource,
        name: ResourceName<'a>,
        owner: String,
    ) -> Self {
        let stored = bundle
            .resources
            .iter()
            .find(|stored| name.is_concrete() && stored.arn.as_str() == name.as_str());
        // security 2.3, decision 10: known tags come from the directory, else from the request.
        let stored_tags = stored.map(|stored| {
            let pair = |tag: crate::model::tag::TagRef<'_>| (tag.key.into(), tag.value.into());
            stored.tags.iter().map(pair).collect()
        });
        let tags: Option<Tags> = stored_tags.or_else(|| asked.tags.clone());
        let part = part_of(facts, name, tags.is_some());
        let group = match (stored, &asked.group) {
            (Some(stored), _) => match &stored.group {
                Some(group) => Group::In(group.as_str().to_owned()),
                None => Group::Outside,
            },
            (None, Some(Some(group))) => Group::In(group.clone()),
            (None, Some(None)) => Group::Outside,
            // Decision 10: existing, and no group sent: unknown. Being made, or a list without an
            // id: in none.
            (None, None) if part == Part::Existing => Group::Unknown,
            (None, None) => Group::Outside,
        };
        let write = (part == Part::Existing)
            .then(|| write_of(request, facts, tags.clone().unwrap_or_default()))
            .flatten();
        Self {
            name,
            owner,
            part,
            tags: if part == Part::Existing { tags } else { None },
            group,
            write,
        }
    }

    /// The service whose tag families are there (decision 14).
    pub(super) fn service(&self, action: ActionRef<'_>) -> String {
        match self.name {
            ResourceName::All => action.service().to_ascii_lowercase(),
            ResourceName::Arn(arn) => arn.service().to_owned(),
        }
    }
}

/// Decision 9: the resource being made.
pub(super) fn part_of(facts: &ActionFacts, name: ResourceName<'_>, known: bool) -> Part {
    let creates = facts.kind == OperationKind::Create;
    match (name.is_concrete(), known) {
        // On create, an ARN that is not concrete, or one that is neither known nor sent with tags.
        (false, _) | (true, false) if creates => Part::Made,
        // On an upsert action of another kind, a concrete ARN neither known nor sent with tags.
        (true, false) if facts.upsert => Part::Made,
        (true, _) => Part::Existing,
        (false, _) => Part::Open,
    }
}

/// Decision 5: `replace` comes from the request or from the catalog. For existing resources.
pub(super) fn replaces(request: &AccessRequest, facts: &ActionFacts) -> bool {
    request.tags.replace || facts.tags == TagEffect::Replace || facts.upsert
}

/// Decision 26: whether the call writes tags of an existing resource, and how.
fn write_of(request: &AccessRequest, facts: &ActionFacts, current: Tags) -> Option<Write> {
    let replace = replaces(request, facts);
    let changes = match facts.kind {
        OperationKind::Update | OperationKind::Other => true,
        OperationKind::Create => facts.tags == TagEffect::Target,
        OperationKind::Query => false,
    };
    let tags = &request.tags;
    let sets = changes && tags.set.is_some();
    if !(sets || replace || tags.remove_all || !tags.remove_keys.is_empty()) {
        return None;
    }
    let new = tags.set.clone().unwrap_or_default();
    let is_new = |key: &str| new.iter().any(|(other, _)| other == key);
    let mut touched: Vec<String> = new.iter().map(|(key, _)| key.clone()).collect();
    touched.extend(tags.remove_keys.iter().cloned());
    // security 4: touched = keys of new, removed keys, and under replace those of current not in
    // new. `remove_all` removes every key of current.
    let gone = |key: &str| {
        (replace && !is_new(key))
            || tags.remove_all
            || tags.remove_keys.iter().any(|removed| removed == key)
    };
    for (key, _) in &current {
        if gone(key) && !touched.contains(key) {
            touched.push(key.clone());
        }
    }
    // security 4: post = current overlaid by new, without removed keys (replace: new alone).
    let kept = current
        .iter()
        .filter(|(key, _)| !gone(key) && !is_new(key))
        .cloned();
    let post = kept.chain(new.iter().cloned()).collect();
    Some(Write {
        current,
        post,
        new: new.into_iter().map(|(key, _)| key).collect(),
        touched,
    })
}
