//! A usual `ValidateTagging` call: an account two folders deep, ten keys, one of them by an
//! expression, and an instance that is made with five tags.

use tagwarden::document::shipped;
use tagwarden::document::tag_policy::read_tag_policy;
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::tag_policy::Dialect;
use tagwarden::wire::v1;

const ACCOUNT: &str = "200000000002";

/// Policies at the Root, at a folder, and at the member.
const POLICIES: [(&str, &str); 3] = [
    (
        "Root",
        r#"{"tags": {
            "costcenter": {
                "tag_key": {"@@assign": "CostCenter"},
                "tag_value": {"@@assign": ["Beijing", "Shanghai"],
                    "@@operators_allowed_for_child_policies": ["@@append"]},
                "enforced_for": {"@@assign": ["ecs:instance", "ecs:disk"]}},
            "env": {
                "tag_value": {"@@assign": ["prod", "test", "dev"]},
                "enforced_for": {"@@assign": ["ecs:instance"]}},
            "owner": {"tag_value": {"@@assign": ["*"]}},
            "project": {"tag_value": {"@@assign": ["*"]}},
            "bucket-class": {"resource_type_scope": {"@@assign": ["oss:bucket"]}},
            "dbclass": {"resource_type_scope": {"@@assign": ["rds:dbinstance"]}}},
          "matched_tags": {"ticket": {"tag_value": {"@@assign": ["[A-Z]+-[0-9]+"]}}}}"#,
    ),
    (
        "production",
        r#"{"tags": {
            "costcenter": {"tag_value": {"@@append": ["Shenzhen"]}},
            "backup": {"region_scope": {"@@assign": ["cn-beijing"]}},
            "zone": {"region_scope": {"@@assign": ["cn-beijing"]}}}}"#,
    ),
    (
        "member",
        r#"{"rg_inherit": {"team": {"tag_key": {"@@assign": "team"}}}}"#,
    ),
];

/// The bundle.
pub(crate) fn bundle() -> Bundle {
    let [root, folder, member] = POLICIES.map(|(name, _)| attached(name));
    let member = Member {
        account: AccountId::try_from(ACCOUNT).unwrap(),
        control: Vec::new(),
        tag: vec![member],
    };
    let node = |name: &str, tag, folders, members| Node {
        name: name.to_owned(),
        control: Vec::new(),
        tag: vec![tag],
        folders,
        members,
    };
    let production = node("production", folder, Vec::new(), vec![member]);
    let policies = POLICIES.map(|(name, text)| {
        let read = read_tag_policy(text, Some(Dialect::Alibaba));
        (Name::try_from(name).unwrap(), read.unwrap().value)
    });
    Bundle {
        catalog: shipped::catalog().clone(),
        control_policies: shipped::control_policies().clone(),
        system_policies: shipped::system_policies().clone(),
        tag_policies: policies.into(),
        organizations: vec![Organization {
            id: "rd".to_owned(),
            management: AccountId::try_from("200000000001").unwrap(),
            dialect: Dialect::Alibaba,
            root: node("Root", root, vec![production], Vec::new()),
        }],
        ..Bundle::default()
    }
}

fn attached(policy: &str) -> TagAttachment {
    TagAttachment {
        policy: Name::try_from(policy).unwrap(),
        mode: TagMode::Enforce,
    }
}

/// The request: its tags comply, and any caller on loopback may ask it.
pub(crate) fn request() -> v1::ValidateTaggingRequest {
    let tags = [
        ("CostCenter", "Shenzhen"),
        ("env", "prod"),
        ("owner", "alice"),
        ("project", "shop"),
        ("ticket", "OPS-1234"),
    ];
    let tag = |(key, value): (&str, &str)| v1::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    v1::ValidateTaggingRequest {
        resource: Some(v1::Resource {
            arn: format!("acs:ecs:cn-hangzhou:{ACCOUNT}:instance/*"),
            ..v1::Resource::default()
        }),
        operation: v1::TaggingOperation::Create.into(),
        tag_write: Some(v1::TagWrite {
            set: Some(v1::TagSet {
                tags: tags.map(tag).into(),
            }),
            ..v1::TagWrite::default()
        }),
        ..v1::ValidateTaggingRequest::default()
    }
}
