//! An organization of 10,000 accounts in 111 folders, five levels below the Root, with ten tag
//! policies of its own for each folder.

use tagwarden::document::tag_policy::read_tag_policy;
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::tag_policy::{Dialect, TagPolicy};

pub(crate) const ACCOUNTS: usize = 10_000;
pub(crate) const FOLDERS: usize = 111;
const POLICIES: usize = 10;
/// How many folders each folder of a level has: 1 + 10 + 20 + 40 + 40 in all.
const BELOW: [usize; 5] = [1, 10, 2, 2, 1];

/// The bundle.
pub(crate) fn bundle() -> Bundle {
    let mut made = Made {
        bundle: Bundle::default(),
        folders: 0,
    };
    let folders = made.folders(0);
    assert_eq!(made.folders, FOLDERS);
    let mut bundle = made.bundle;
    bundle.organizations = vec![Organization {
        id: "rd".to_owned(),
        management: account(0),
        dialect: Dialect::Alibaba,
        root: Node {
            name: "Root".to_owned(),
            control: Vec::new(),
            tag: Vec::new(),
            folders,
            members: Vec::new(),
        },
    }];
    bundle
}

struct Made {
    bundle: Bundle,
    folders: usize,
}

impl Made {
    fn folders(&mut self, level: usize) -> Vec<Node> {
        let count = BELOW.get(level).copied().unwrap_or(0);
        (0..count).map(|_| self.folder(level)).collect()
    }

    fn folder(&mut self, level: usize) -> Node {
        let number = self.folders;
        self.folders += 1;
        let tag = (0..POLICIES).map(|place| self.attached(level, number, place));
        Node {
            name: format!("folder-{number}"),
            control: Vec::new(),
            tag: tag.collect(),
            members: members(number),
            folders: self.folders(level + 1),
        }
    }

    fn attached(&mut self, level: usize, folder: usize, place: usize) -> TagAttachment {
        let policy = Name::try_from(&*format!("policy-{folder}-{place}")).unwrap();
        let written = written(level, folder, place);
        self.bundle.tag_policies.insert(policy.clone(), written);
        TagAttachment {
            policy,
            mode: TagMode::Enforce,
        }
    }
}

/// A key that all folders add values to, and one of the level's own.
fn written(level: usize, folder: usize, place: usize) -> TagPolicy {
    let text = format!(
        r#"{{"tags": {{
            "costcenter-{place}": {{
                "tag_key": {{"@@assign": "CostCenter-{place}"}},
                "tag_value": {{"@@append": ["unit-{folder}", "unit-{folder}-b"]}},
                "enforced_for": {{"@@assign": ["ecs:instance", "ecs:disk"]}}
            }},
            "level{level}-{place}": {{
                "tag_value": {{"@@assign": ["a", "b", "c"]}},
                "region_scope": {{"@@assign": ["cn-hangzhou", "cn-beijing"]}}
            }}
        }}}}"#
    );
    read_tag_policy(&text, Some(Dialect::Alibaba))
        .unwrap()
        .value
}

fn members(folder: usize) -> Vec<Member> {
    let accounts = (0..ACCOUNTS).filter(|number| number % FOLDERS == folder);
    accounts
        .map(|number| Member {
            account: account(number + 1),
            control: Vec::new(),
            tag: Vec::new(),
        })
        .collect()
}

fn account(number: usize) -> AccountId {
    AccountId::try_from(&*(1_000_000 + number).to_string()).unwrap()
}
