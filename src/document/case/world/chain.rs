//! The organization of a case: one chain from the principal's account to the Root.

use crate::model::arn::AccountId;
use crate::model::organization::{ControlAttachment, Member, Node, Organization};
use crate::model::tag_policy::Dialect;

/// The organization whose only member is `member`, with the control policies of each level: the
/// member's first, the Root's last. A member alone stands below a Root without control policies.
pub(super) fn organization(
    member: &str,
    levels: Vec<Vec<ControlAttachment>>,
) -> Option<Organization> {
    let account = AccountId::try_from(member).ok()?;
    let management = AccountId::try_from(if member == "1" { "2" } else { "1" }).ok()?;
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
            let made = organization("12", levels).unwrap();
            let account = AccountId::try_from("12").unwrap();
            assert_eq!(made.chain(&account).unwrap().len(), expected);
        };
        check(1, 2);
        check(2, 2);
        check(4, 4);
    }
}
