//! One event of a case.

use crate::document::bundle::entry;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::inheritance::scope;
use crate::model::account::Name;
use crate::model::inheritance::{ApplyToExisting, RuleId, TagScope};
use crate::model::tag::{TagRef, TagSet};

/// What happens. Resources are named by an id of the case's own.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The inventory tells of a resource, and of its group where one is named.
    Resource {
        /// The resource.
        id: String,
        /// Its tags.
        tags: Vec<(String, String)>,
        /// The group that it is in.
        group: Option<Name>,
    },
    /// The inventory tells that a resource is no more.
    Remove {
        /// The resource.
        id: String,
    },
    /// The inventory tells the tags of a resource group.
    Group {
        /// The group.
        id: Name,
        /// Its tags.
        tags: Vec<(String, String)>,
    },
    /// A resource is moved into a group, or out of any.
    Move {
        /// The resource.
        id: String,
        /// The group.
        group: Option<Name>,
    },
    /// A rule is enabled, or what is enabled is changed.
    Enable {
        /// The rule.
        rule: RuleId,
        /// Its keys.
        scope: TagScope,
        /// Whether associations that are there are filled.
        existing: ApplyToExisting,
    },
    /// The keys of a rule that is enabled are changed, and whether existing associations are filled
    /// where that is said.
    Update {
        /// The rule.
        rule: RuleId,
        /// Its keys.
        scope: TagScope,
        /// Whether associations that are there are filled; `None`: as before.
        existing: Option<ApplyToExisting>,
    },
    /// A rule is disabled.
    Disable {
        /// The rule.
        rule: RuleId,
    },
    /// The feature is turned on. It is on when a case begins.
    EnableFeature,
    /// The feature is turned off.
    DisableFeature,
    /// An association is made.
    Link(Pair),
    /// An association is ended.
    Unlink(Pair),
    /// A user writes tags.
    Tag {
        /// The resource.
        id: String,
        /// The tags.
        tags: Vec<(String, String)>,
    },
    /// A user removes tags.
    Untag {
        /// The resource.
        id: String,
        /// The keys; `None`: all.
        keys: Option<Vec<String>>,
    },
    /// A resource is repaired.
    Remediate {
        /// The resource.
        id: String,
    },
}

/// The two ends of an association, and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The rule.
    pub rule: RuleId,
    /// The resource whose tags are taken.
    pub primary: String,
    /// The resource that takes them.
    pub associated: String,
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Resource,
    Remove,
    Group,
    Move,
    Enable,
    Update,
    Disable,
    EnableFeature,
    DisableFeature,
    Link,
    Unlink,
    Tag,
    Untag,
    Remediate,
}

const OPS: [(&str, Op); 14] = [
    ("resource", Op::Resource),
    ("remove", Op::Remove),
    ("group", Op::Group),
    ("move", Op::Move),
    ("enable", Op::Enable),
    ("update", Op::Update),
    ("disable", Op::Disable),
    ("enable_feature", Op::EnableFeature),
    ("disable_feature", Op::DisableFeature),
    ("link", Op::Link),
    ("unlink", Op::Unlink),
    ("tag", Op::Tag),
    ("untag", Op::Untag),
    ("remediate", Op::Remediate),
];

const NAMES: [&str; 10] = [
    "op",
    "id",
    "tags",
    "keys",
    "group",
    "rule",
    "tag_keys",
    "existing",
    "primary",
    "associated",
];

impl Op {
    /// The members beside `op`.
    fn members(self) -> &'static [&'static str] {
        match self {
            Self::Resource => &["id", "tags", "group"],
            Self::Group | Self::Tag => &["id", "tags"],
            Self::Move => &["id", "group"],
            Self::Enable | Self::Update => &["rule", "tag_keys", "existing"],
            Self::Disable => &["rule"],
            Self::EnableFeature | Self::DisableFeature => &[],
            Self::Link | Self::Unlink => &["rule", "primary", "associated"],
            Self::Untag => &["id", "keys"],
            Self::Remove | Self::Remediate => &["id"],
        }
    }
}

pub(super) fn step(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Step, Told> {
    let op = at.members(&NAMES, sink)?.required("op", sink)?;
    let op = op.word("the name of an event", &OPS, sink)?;
    let known: Vec<&str> = op.members().iter().copied().chain(["op"]).collect();
    let members = at.members(&known, sink)?;
    let mut fields = Fields {
        members: &members,
        sink,
    };
    Ok(match op {
        Op::Resource => Step::Resource {
            id: fields.text("id")?,
            tags: fields.tags()?,
            group: fields.group()?,
        },
        Op::Remove => Step::Remove {
            id: fields.text("id")?,
        },
        Op::Group => Step::Group {
            id: fields.name("id")?,
            tags: fields.tags()?,
        },
        Op::Move => Step::Move {
            id: fields.text("id")?,
            group: fields.group()?,
        },
        Op::Enable => Step::Enable {
            rule: fields.rule()?,
            scope: fields.scope()?,
            existing: fields.existing()?.unwrap_or_default(),
        },
        Op::Update => Step::Update {
            rule: fields.rule()?,
            scope: fields.scope()?,
            existing: fields.existing()?,
        },
        Op::Disable => Step::Disable {
            rule: fields.rule()?,
        },
        Op::EnableFeature => Step::EnableFeature,
        Op::DisableFeature => Step::DisableFeature,
        Op::Link => Step::Link(fields.pair()?),
        Op::Unlink => Step::Unlink(fields.pair()?),
        Op::Tag => Step::Tag {
            id: fields.text("id")?,
            tags: fields.tags()?,
        },
        Op::Untag => Step::Untag {
            id: fields.text("id")?,
            keys: fields.keys()?,
        },
        Op::Remediate => Step::Remediate {
            id: fields.text("id")?,
        },
    })
}

/// The members of one event.
struct Fields<'f, 'c, 'n, 's, 'a> {
    members: &'f Members<'c, 'n>,
    sink: &'s mut Sink<'a>,
}

impl Fields<'_, '_, '_, '_, '_> {
    fn text(&mut self, name: &'static str) -> Result<String, Told> {
        let at = self.members.required(name, self.sink)?;
        at.text(self.sink).map(str::to_owned)
    }

    fn name(&mut self, name: &'static str) -> Result<Name, Told> {
        let at = self.members.required(name, self.sink)?;
        entry::name(&at, self.sink)
    }

    fn group(&mut self) -> Result<Option<Name>, Told> {
        let at = self.members.optional("group");
        at.map(|at| entry::name(&at, self.sink)).transpose()
    }

    fn tags(&mut self) -> Result<Vec<(String, String)>, Told> {
        let at = self.members.required("tags", self.sink)?;
        pairs(&at, self.sink)
    }

    fn keys(&mut self) -> Result<Option<Vec<String>>, Told> {
        let Some(at) = self.members.optional("keys") else {
            return Ok(None);
        };
        let items = at.items(self.sink)?;
        let keys = cursor::all(items, |at| at.text(self.sink).map(str::to_owned));
        keys.map(Some)
    }

    fn rule(&mut self) -> Result<RuleId, Told> {
        let at = self.members.required("rule", self.sink)?;
        at.parse(self.sink, |text| {
            RuleId::try_from(text).map_err(EntryErrorKind::from)
        })
    }

    fn scope(&mut self) -> Result<TagScope, Told> {
        let at = self.members.required("tag_keys", self.sink)?;
        scope(&at, self.sink)
    }

    fn existing(&mut self) -> Result<Option<ApplyToExisting>, Told> {
        let Some(at) = self.members.optional("existing") else {
            return Ok(None);
        };
        Ok(Some(if at.flag(self.sink)? {
            ApplyToExisting::Yes
        } else {
            ApplyToExisting::No
        }))
    }

    fn pair(&mut self) -> Result<Pair, Told> {
        Ok(Pair {
            rule: self.rule()?,
            primary: self.text("primary")?,
            associated: self.text("associated")?,
        })
    }
}

pub(super) fn pairs(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<(String, String)>, Told> {
    let tags: TagSet = entry::tags(at, sink)?;
    let pair = |tag: TagRef<'_>| (tag.key.to_owned(), tag.value.to_owned());
    Ok(tags.iter().map(pair).collect())
}
