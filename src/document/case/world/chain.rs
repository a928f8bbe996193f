//! The organization of a case: one chain from a member account to the Root.

use crate::document::bundle::entry;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{Members, Sink, Told};
use crate::model::arn::AccountId;
use crate::model::organization::{ControlAttachment, Member, Node, Organization};
use crate::model::tag_policy::Dialect;

/// What `organization` says.
pub(super) struct Place {
    pub(super) member: AccountId,
    pub(super) management: AccountId,
}

/// Reads `organization`: whose chain the control policies stand in, and who manages it.
pub(super) fn read(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Option<Place>, Told> {
    let Some(at) = members.optional("organization") else {
        return Ok(None);
    };
    let members = at.members(&["member", "management"], sink)?;
    let member = members
        .required("member", sink)
        .and_then(|at| entry::account(&at, sink));
    let management = members
        .required("management", sink)
        .and_then(|at| entry::account(&at, sink));
    let (member, management) = (member?, management?);
    if member == management {
        let account = member;
        return Err(at.refuse(EntryErrorKind::ManagementIsMember { account }, sink));
    }
    Ok(Some(Place { member, management }))
}

/// The organization whose only member is `member`, with the control policies of each level: the
/// member's first, the Root's last. A member alone stands below a Root without control policies.
pub(super) fn organization(
    account: AccountId,
    management: Option<&AccountId>,
    levels: Vec<Vec<ControlAttachment>>,
) -> Option<Organization> {
    let other = if account.as_str() == "1" { "2" } else { "1" };
    let management = match management {
        Some(management) => management.clone(),
        None => AccountId::try_from(other).ok()?,
    };
    let mut levels = levels.into_iter();
    let own = levels.next().unwrap_or_default();
    let mut above: Vec<Vec<ControlAttachment>> = levels.collect();
    let root = above.pop().unwrap_or_default();
    let member = Member {
        account,
        control: own,
        tag: Vec::new(),
    };
    let mut below = Below::Member(member);
    for (number, control) in above.into_iter().enumerate() {
        below = Below::Folder(below.inside(format!("folder-{}", number + 1), control));
    }
    Some(Organization {
        id: "rd-case".to_owned(),
        management,
        dialect: Dialect::default(),
        root: below.inside("Root".to_owned(), root),
    })
}

/// What stands in the next node.
enum Below {
    Member(Member),
    Folder(Node),
}

impl Below {
    fn inside(self, name: String, control: Vec<ControlAttachment>) -> Node {
        let (folders, members) = match self {
            Self::Member(member) => (Vec::new(), vec![member]),
            Self::Folder(folder) => (vec![folder], Vec::new()),
        };
        Node {
            name,
            control,
            tag: Vec::new(),
            folders,
            members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_its_levels_in_order_and_a_root() {
        let check = |levels: usize, expected: usize| {
            let levels = vec![Vec::new(); levels];
            let account = AccountId::try_from("12").unwrap();
            let made = organization(account.clone(), None, levels).unwrap();
            assert_eq!(made.chain(&account).unwrap().len(), expected);
        };
        check(1, 2);
        check(2, 2);
        check(4, 4);
    }
}
