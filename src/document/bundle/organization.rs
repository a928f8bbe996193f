//! `organizations/*.json`: a Root with its folders and members, and their control policies.

use std::collections::BTreeSet;

use super::entry::{self, Placed, list, placed};
use super::error::EntryErrorKind;
use super::reading::duplicate;
use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::tag_policy;
use crate::model::account::{Name, PolicyRef};
use crate::model::arn::AccountId;
use crate::model::organization::{
    ControlAttachment, EffectScope, MAX_FOLDER_DEPTH, Member, Node, Organization, TagAttachment,
    TagMode,
};

/// What the file says, before it is known whether names lead anywhere.
#[derive(Debug, Clone)]
pub(in crate::document) struct OrganizationFile {
    pub(in crate::document) organization: Organization,
    pub(in crate::document) id: Placed<()>,
    pub(in crate::document) names: Vec<Placed<String>>,
    pub(in crate::document) members: Vec<Placed<AccountId>>,
    pub(in crate::document) policies: Vec<Placed<PolicyRef>>,
    pub(in crate::document) tag_policies: Vec<Placed<Name>>,
}

/// What is met on the way through the tree, with its place.
#[derive(Debug, Default)]
struct Met {
    names: Vec<Placed<String>>,
    members: Vec<Placed<AccountId>>,
    policies: Vec<Placed<PolicyRef>>,
    tag_policies: Vec<Placed<Name>>,
}

/// Reads the file.
pub(in crate::document) fn read(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<OrganizationFile, Told> {
    let members = at.members(&["id", "dialect", "management", "root"], sink)?;
    let id = members
        .required("id", sink)
        .and_then(|at| placed(&at, sink, entry::name));
    let management = members
        .required("management", sink)
        .and_then(|at| entry::account(&at, sink));
    let dialect = members
        .optional("dialect")
        .map(|at| tag_policy::dialect(&at, sink))
        .transpose();
    let mut met = Met::default();
    let root = members
        .required("root", sink)
        .and_then(|at| node(&at, 0, &mut met, sink));
    let Placed { value: id, spot } = id?;
    Ok(OrganizationFile {
        organization: Organization {
            id: id.as_str().to_owned(),
            management: management?,
            dialect: dialect?.unwrap_or_default(),
            root: root?,
        },
        id: Placed { value: (), spot },
        names: met.names,
        members: met.members,
        policies: met.policies,
        tag_policies: met.tag_policies,
    })
}

fn node(
    at: &Cursor<'_, '_>,
    depth: usize,
    met: &mut Met,
    sink: &mut Sink<'_>,
) -> Result<Node, Told> {
    if depth > MAX_FOLDER_DEPTH {
        return Err(at.refuse(EntryErrorKind::FolderDepth, sink));
    }
    let members = at.members(&["name", "control", "tag", "folders", "accounts"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| placed(&at, sink, node_name));
    if let Ok(name) = &name {
        met.names.push(name.clone());
    }
    let control = control(members.optional("control"), met, sink);
    let tag = tag(members.optional("tag"), met, sink);
    let folders = list(members.optional("folders"), sink, |at, sink| {
        node(at, depth + 1, met, sink)
    });
    let accounts = list(members.optional("accounts"), sink, |at, sink| {
        member(at, met, sink)
    });
    Ok(Node {
        name: name?.value,
        control: control?,
        tag: tag?,
        folders: folders?,
        members: accounts?,
    })
}

/// Names of folders: any text of tags' characters, so that they can be written as in the console.
fn node_name(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    at.parse(sink, |text| {
        crate::model::tag::check_key(text)
            .map(|()| text.to_owned())
            .map_err(EntryErrorKind::from)
    })
}

fn member(at: &Cursor<'_, '_>, met: &mut Met, sink: &mut Sink<'_>) -> Result<Member, Told> {
    let members = at.members(&["account", "control", "tag"], sink)?;
    let account = members
        .required("account", sink)
        .and_then(|at| placed(&at, sink, entry::account));
    let control = control(members.optional("control"), met, sink);
    let tag = tag(members.optional("tag"), met, sink);
    let account = account?;
    met.members.push(account.clone());
    Ok(Member {
        account: account.value,
        control: control?,
        tag: tag?,
    })
}

fn control(
    at: Option<Cursor<'_, '_>>,
    met: &mut Met,
    sink: &mut Sink<'_>,
) -> Result<Vec<ControlAttachment>, Told> {
    list(at, sink, |at, sink| {
        let members = at.members(&["policy", "effect_scope"], sink)?;
        let policy = members
            .required("policy", sink)
            .and_then(|at| placed(&at, sink, entry::policy_ref));
        let scopes = [("RAM", EffectScope::Ram), ("All", EffectScope::All)];
        let effect_scope = members
            .optional("effect_scope")
            .map(|at| at.word("`RAM` or `All`", &scopes, sink))
            .transpose();
        let policy = policy?;
        met.policies.push(policy.clone());
        Ok(ControlAttachment {
            policy: policy.value,
            effect_scope: effect_scope?.unwrap_or_default(),
        })
    })
}

/// Tag-policy 7, rule 53: no policy stands twice on one node.
fn tag(
    at: Option<Cursor<'_, '_>>,
    met: &mut Met,
    sink: &mut Sink<'_>,
) -> Result<Vec<TagAttachment>, Told> {
    let mut seen = BTreeSet::new();
    list(at, sink, |at, sink| {
        let members = at.members(&["policy", "mode"], sink)?;
        let policy = members
            .required("policy", sink)
            .and_then(|at| placed(&at, sink, entry::name));
        let modes = [
            ("report", TagMode::Report),
            ("warn", TagMode::Warn),
            ("enforce", TagMode::Enforce),
        ];
        let mode = members
            .optional("mode")
            .map(|at| at.word("`report`, `warn` or `enforce`", &modes, sink))
            .transpose();
        let policy = policy?;
        met.tag_policies.push(policy.clone());
        let Placed { value, spot } = policy;
        if !seen.insert(value.clone()) {
            return Err(sink.refuse(&spot, duplicate("tag policy", value.as_str())));
        }
        Ok(TagAttachment {
            policy: value,
            mode: mode?.unwrap_or_default(),
        })
    })
}
