//! Catalog files: what is known of actions, regions and resource types (security 3.1).
//!
//! An entry names only what differs. It is laid over what was known before: the verb of the name,
//! then the shipped catalog, then the bundle's. A kind that differs from the one known before
//! brings the flags of that kind; the other flags stay until an entry names them.

use super::bundle::entry::{Placed, list};
use super::bundle::error::EntryErrorKind;
use super::cursor::{self, Cursor, Entries, Sink, Told};
use super::error::{Limit, ShapeErrorKind};
use crate::model::action::{ActionName, ActionRef};
use crate::model::catalog::{
    ActionFacts, Catalog, OperationKind, TagActions, TagCapabilities, TagCapability, TagEffect,
};
use crate::model::condition::TagFamily;
use crate::model::tag_policy::Dialect;

/// The most bytes of one catalog file.
pub const MAX_CATALOG_BYTES: usize = 4 * 1024 * 1024;

/// The most keys that one action may require.
pub const REQUIRED_KEYS: Limit = Limit {
    what: "required keys",
    most: 16,
    code: "TOO_MANY_REQUIRED_KEYS",
};

const MEMBERS: [&str; 8] = [
    "source",
    "actions",
    "services",
    "resource_types",
    "tag_families",
    "four_field_services",
    "regions",
    "tag_types",
];

/// What one catalog file says.
#[derive(Debug, Clone, Default)]
pub struct CatalogFile {
    actions: Vec<Placed<ActionEntry>>,
    services: Vec<(Box<str>, TagActions)>,
    resource_types: Vec<(Box<str>, Box<str>)>,
    tag_families: Vec<(Box<str>, TagFamily)>,
    four_field_services: Vec<Box<str>>,
    regions: Vec<Box<str>>,
    tag_types: Vec<(Dialect, TypeEntries)>,
}

/// Types of one dialect, in lower case, with what tag policies can do with them.
type TypeEntries = Vec<(Box<str>, TagCapabilities)>;

/// One action of a file.
#[derive(Debug, Clone)]
pub(super) struct ActionEntry {
    pub(super) action: ActionName,
    written: Box<str>,
    fallback: ActionFacts,
    flags: Flags,
}

/// The flags that an entry names.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    kind: Option<OperationKind>,
    list: Option<bool>,
    filterable: Option<bool>,
    tags: Option<TagEffect>,
    all_resources: Option<bool>,
    upsert: Option<bool>,
    required_keys: Option<Vec<Box<str>>>,
}

impl Flags {
    /// Lays the flags over what is known of an action of this name.
    pub fn over(&self, known: ActionFacts, name: &str) -> ActionFacts {
        let base = match self.kind {
            Some(kind) if kind != known.kind => ActionFacts {
                all_resources: known.all_resources,
                upsert: known.upsert,
                required_keys: known.required_keys,
                ..ActionFacts::of_kind(kind, name)
            },
            _ => known,
        };
        ActionFacts {
            kind: base.kind,
            list: self.list.unwrap_or(base.list),
            filterable: self.filterable.unwrap_or(base.filterable),
            tags: self.tags.unwrap_or(base.tags),
            all_resources: self.all_resources.unwrap_or(base.all_resources),
            upsert: self.upsert.unwrap_or(base.upsert),
            required_keys: self.required_keys.clone().unwrap_or(base.required_keys),
        }
    }
}

impl CatalogFile {
    /// The actions that the file names, as written.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(|entry| &*entry.value.written)
    }

    /// The actions that the file names, with their places.
    pub(super) fn entries(&self) -> &[Placed<ActionEntry>] {
        &self.actions
    }

    /// Lays the file over a catalog.
    pub fn over(&self, catalog: &mut Catalog) {
        for Placed { value: entry, .. } in &self.actions {
            let known = catalog
                .actions
                .get(&entry.action)
                .unwrap_or(&entry.fallback);
            let name = entry.written.split_once(':').map_or("", |(_, name)| name);
            let facts = entry.flags.over(known.clone(), name);
            catalog.actions.insert(entry.action.clone(), facts);
        }
        catalog.services.extend(self.services.iter().cloned());
        let types = self.resource_types.iter().cloned();
        catalog.resource_types.extend(types);
        catalog
            .tag_families
            .extend(self.tag_families.iter().cloned());
        add(&mut catalog.four_field_services, &self.four_field_services);
        add(&mut catalog.regions, &self.regions);
        for (dialect, types) in &self.tag_types {
            let known = catalog.tag_types.entry(*dialect).or_default();
            known.extend(types.iter().cloned());
        }
    }
}

fn add(known: &mut Vec<Box<str>>, new: &[Box<str>]) {
    known.extend(new.iter().cloned());
    known.sort_unstable();
    known.dedup();
}

/// Reads one catalog file.
///
/// # Errors
///
/// When an error was told.
pub fn catalog(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<CatalogFile, Told> {
    let members = at.members(&MEMBERS, sink)?;
    let source = members
        .required("source", sink)
        .and_then(|at| at.text(sink).map(|_| ()));
    let actions = map(members.optional("actions"), sink, action);
    let services = map(members.optional("services"), sink, |name, at, sink| {
        Ok((lower(name), tag_actions(at, sink)?))
    });
    let resource_types = map(
        members.optional("resource_types"),
        sink,
        |name, at, sink| Ok((Box::from(name), Box::from(at.text(sink)?))),
    );
    let tag_families = map(members.optional("tag_families"), sink, |name, at, sink| {
        Ok((lower(name), at.word(FAMILIES.0, &FAMILIES.1, sink)?))
    });
    let four_field_services = texts(members.optional("four_field_services"), sink);
    let regions = texts(members.optional("regions"), sink);
    let tag_types = tag_types(members.optional("tag_types"), sink);
    source?;
    Ok(CatalogFile {
        actions: actions?,
        services: services?,
        resource_types: resource_types?,
        tag_families: tag_families?,
        four_field_services: four_field_services?,
        regions: regions?,
        tag_types: tag_types?,
    })
}

/// The words for the families, and how they are told of.
const FAMILIES: (&str, [(&str, TagFamily); 3]) = (
    "`resource`, `request` or `either`",
    [
        ("resource", TagFamily::Resource),
        ("request", TagFamily::Request),
        ("either", TagFamily::Either),
    ],
);

fn lower(text: &str) -> Box<str> {
    text.to_ascii_lowercase().into_boxed_str()
}

fn map<T>(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
    mut read: impl FnMut(&str, &Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Vec<T>, Told> {
    let Some(at) = at else {
        return Ok(Vec::new());
    };
    let entries: Entries<'_, '_> = at.entries(sink)?;
    cursor::all(entries, |(name, at)| read(name, &at, sink))
}

fn texts(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Vec<Box<str>>, Told> {
    list(at, sink, |at, sink| at.text(sink).map(Box::from))
}

/// `{"alibaba": {"ecs:instance": ["create", …]}}`
fn tag_types(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<Vec<(Dialect, TypeEntries)>, Told> {
    map(at, sink, |name, at, sink| {
        let dialect = Dialect::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == name);
        let dialect = dialect.ok_or_else(|| {
            let (expected, found) = ("`alibaba`, `huawei` or `aws`", name.into());
            at.refuse_key(ShapeErrorKind::UnknownWord { expected, found }, sink)
        })?;
        let types = map(Some(*at), sink, |name, at, sink| {
            Ok((lower(name), capabilities(at, sink)?))
        })?;
        Ok((dialect, types))
    })
}

fn capabilities(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagCapabilities, Told> {
    let words = TagCapability::ALL.map(|one| (one.as_str(), one));
    let expected = "a capability: `create`, `tag`, `strong_verification`, `remediation` or \
                    `rg_inherit`";
    let items = at.items(sink)?;
    let held = cursor::all(items, |at| at.word(expected, &words, sink))?;
    Ok(held.into_iter().collect())
}

fn action(
    text: &str,
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Placed<ActionEntry>, Told> {
    let action =
        ActionRef::parse(text).map_err(|error| at.refuse_key(EntryErrorKind::Action(error), sink));
    let flags = flags(at, sink);
    let (action, flags) = (action?, flags?);
    let value = ActionEntry {
        action: action.into(),
        written: text.into(),
        fallback: ActionFacts::from_name(action),
        flags,
    };
    let spot = at.key_spot();
    Ok(Placed { value, spot })
}

/// Reads the flags of one action.
///
/// # Errors
///
/// When an error was told.
pub fn flags(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Flags, Told> {
    const NAMES: [&str; 7] = [
        "kind",
        "list",
        "filterable",
        "tags",
        "all_resources",
        "upsert",
        "required_keys",
    ];
    let members = at.members(&NAMES, sink)?;
    let mut flag = |name: &str| members.optional(name).map(|at| at.flag(sink)).transpose();
    let (list, filterable) = (flag("list"), flag("filterable"));
    let (all_resources, upsert) = (flag("all_resources"), flag("upsert"));
    let kind = members.optional("kind").map(|at| kind(&at, sink));
    let tags = members.optional("tags").map(|at| tag_effect(&at, sink));
    let required_keys = members.optional("required_keys").map(|at| {
        let items = at.some_items(REQUIRED_KEYS, sink)?;
        cursor::all(items, |at| at.parse(sink, context_key))
    });
    Ok(Flags {
        kind: kind.transpose()?,
        list: list?,
        filterable: filterable?,
        tags: tags.transpose()?,
        all_resources: all_resources?,
        upsert: upsert?,
        required_keys: required_keys.transpose()?,
    })
}

/// Reads an operation kind.
///
/// # Errors
///
/// When it is none.
pub fn kind(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<OperationKind, Told> {
    let words = [
        ("create", OperationKind::Create),
        ("query", OperationKind::Query),
        ("update", OperationKind::Update),
        ("other", OperationKind::Other),
    ];
    at.word("`create`, `query`, `update` or `other`", &words, sink)
}

fn tag_effect(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagEffect, Told> {
    let words = [
        ("none", TagEffect::None),
        ("new_resource", TagEffect::NewResource),
        ("target", TagEffect::Target),
        ("replace", TagEffect::Replace),
        ("remove", TagEffect::Remove),
    ];
    let expected = "`none`, `new_resource`, `target`, `replace` or `remove`";
    at.word(expected, &words, sink)
}

/// Reads a key of the context, in lower case.
pub(super) fn context_key(text: &str) -> Result<Box<str>, EntryErrorKind> {
    match text.split_once(':') {
        Some((prefix, name)) if !prefix.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(lower(text))
        }
        _ => Err(EntryErrorKind::ContextKey),
    }
}

fn tag_actions(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagActions, Told> {
    let members = at.members(&["tag_action", "untag_action"], sink)?;
    let mut action = |name: &'static str| {
        let at = members.required(name, sink)?;
        at.parse(sink, |text| {
            ActionName::try_from(text).map_err(EntryErrorKind::from)
        })
    };
    let (tag, untag) = (action("tag_action"), action("untag_action"));
    Ok(TagActions {
        tag: tag?,
        untag: untag?,
    })
}
