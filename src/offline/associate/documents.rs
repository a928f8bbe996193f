//! What the documents are under which the steps of a case happen.

use std::collections::BTreeMap;

use super::{ACCOUNT, MANAGEMENT};
use crate::document::case::{AssociationCase, Step};
use crate::document::shipped;
use crate::model::account::Name;
use crate::model::arn::{AccountId, InvalidArn};
use crate::model::bundle::Bundle;
use crate::model::inheritance::Inheritance;
use crate::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use crate::model::tag_policy::Dialect;

/// The types that resources must have for the associations of a case.
pub(super) fn kinds(
    case: &AssociationCase,
    inheritance: &Inheritance,
) -> Result<BTreeMap<String, Box<str>>, String> {
    let mut kinds: BTreeMap<String, Box<str>> = BTreeMap::new();
    for step in &case.steps {
        let (Step::Link(pair) | Step::Unlink(pair)) = step else {
            continue;
        };
        let definition = inheritance.definitions.get(&pair.rule);
        let definition = definition.ok_or_else(|| format!("no rule `{}`", pair.rule))?;
        for (id, kind) in [
            (&pair.primary, &definition.primary),
            (&pair.associated, &definition.associated),
        ] {
            let known = kinds.entry(id.clone()).or_insert_with(|| kind.clone());
            if known != kind {
                return Err(format!("{id} is both {known} and {kind}"));
            }
        }
    }
    Ok(kinds)
}

/// The documents of a case: with a tag policy, an organization that attaches it.
pub(super) fn bundle(case: &AssociationCase) -> Result<Bundle, InvalidArn> {
    let bundle = Bundle {
        settings: case.settings.clone(),
        catalog: shipped::catalog().clone(),
        system_policies: shipped::system_policies().clone(),
        control_policies: shipped::control_policies().clone(),
        ..Bundle::default()
    };
    let (Some(policy), Ok(name)) = (&case.policy, Name::try_from("case")) else {
        return Ok(bundle);
    };
    let member = Member {
        account: AccountId::try_from(ACCOUNT)?,
        control: Vec::new(),
        tag: vec![TagAttachment {
            policy: name.clone(),
            mode: TagMode::Enforce,
        }],
    };
    let organization = Organization {
        id: "rd-1".to_owned(),
        management: AccountId::try_from(MANAGEMENT)?,
        dialect: Dialect::Alibaba,
        root: Node {
            name: "Root".to_owned(),
            control: Vec::new(),
            tag: Vec::new(),
            folders: Vec::new(),
            members: vec![member],
        },
    };
    Ok(Bundle {
        tag_policies: [(name, policy.clone())].into(),
        organizations: vec![organization],
        ..bundle
    })
}
