//! Who may change what: every row of the table in `docs/management.md`, asked of the engine.

use std::sync::Arc;

use tagwarden::directory::Directory;
use tagwarden::document::object::Document;
use tagwarden::management::change::{Change, ChangeError, LockOut, Operation, What};
use tagwarden::management::permission::{Administrators, Denied};
use tagwarden::management::{self, ApplyMode, ApplyOutcome, AuthoredIn, Management};
use tagwarden::model::caller::{Origin, PeerPattern, SocketUser};
use tagwarden::model::object::ObjectId;
use tagwarden::publish::publication;
use tagwarden::source::embedded::{Keep, Store};
use tagwarden::telemetry::Reloads;

use super::*;
use crate::support::process::Process;
use crate::support::server::directory_writer;

/// Object and document; none: it is deleted.
type Step = (&'static str, Option<&'static str>);

const ADMINISTRATOR: u32 = 1;
const MANAGER: u32 = 2;
const NOBODY: u32 = 3;

/// A management task over a store in memory, with an administrator and a manager.
struct Managed {
    management: Management,
    reader: tagwarden::publish::Reader,
}

fn from(uid: u32) -> Origin {
    Origin::Unix {
        uid,
        gid: 100,
        user: SocketUser::Other,
    }
}

impl Managed {
    fn new() -> Self {
        let (publisher, reader) = publication().unwrap();
        let store = Arc::new(Store::in_memory(Keep::default()).unwrap());
        let directory = Arc::new(Directory::default());
        let (writer, _writing) = directory_writer(&directory, &reader);
        let (management, _task) = Management::start(management::Config {
            publisher,
            reader: reader.clone(),
            directory,
            writer,
            reloads: Reloads::default(),
            authored: AuthoredIn::Store {
                store,
                administrators: Administrators::Named(vec![PeerPattern::Uid(ADMINISTRATOR)]),
            },
        })
        .unwrap();
        Self { management, reader }
    }

    async fn ask(
        &self,
        who: u32,
        steps: &[Step],
        force: LockOut,
    ) -> Result<ApplyOutcome, ChangeError> {
        let operations = steps.iter().map(|(id, document)| Operation {
            id: ObjectId::try_from(*id).unwrap(),
            document: document.map(|text| Document::from(text.as_bytes())),
        });
        self.change(who, What::Operations(operations.collect()), force)
            .await
    }

    async fn change(
        &self,
        who: u32,
        what: What,
        lock_out: LockOut,
    ) -> Result<ApplyOutcome, ChangeError> {
        let change = Change {
            what,
            mode: ApplyMode::Commit,
            origin: from(who),
            peer: format!("uid {who}"),
            expected: None,
            key: None,
            message: String::new(),
            lock_out,
        };
        let made = within(self.management.change(change)).await.unwrap();
        made.map(|applied| applied.outcome)
    }

    async fn set_up(&self, steps: &[Step]) {
        let made = self.ask(ADMINISTRATOR, steps, LockOut::Refused).await;
        match made {
            Ok(outcome) => assert_eq!(outcome, ApplyOutcome::Published),
            Err(ChangeError::Refused(findings)) => panic!("{findings:?}"),
            Err(error) => panic!("{error}"),
        }
    }

    /// Gives the manager these permissions and no other.
    async fn permit(&self, permissions: &[(&str, &str)]) {
        let statements: Vec<String> = permissions
            .iter()
            .map(|(action, arn)| {
                format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{arn}"}}"#)
            })
            .collect();
        let statements = if statements.is_empty() {
            vec![r#"{"Effect": "Deny", "Action": "ecs:*", "Resource": "*"}"#.to_owned()]
        } else {
            statements
        };
        let text = format!(
            r#"{{"Version": "1", "Statement": [{}]}}"#,
            statements.join(", ")
        );
        let operation = Operation {
            id: ObjectId::try_from("accounts/1/policies/Manage").unwrap(),
            document: Some(Document::from(text.as_bytes())),
        };
        let what = What::Operations(vec![operation]);
        let made = self.change(ADMINISTRATOR, what, LockOut::Refused).await;
        made.unwrap();
    }
}

/// The manager of account 1, who has the policy `Manage`.
const BASE: &[Step] = &[
    ("accounts/1", Some("{}")),
    ("accounts/1/users/manager", Some("{}")),
    (
        "accounts/1/policies/Manage",
        Some(
            r#"{"Version": "1", "Statement": [{"Effect": "Deny", "Action": "ecs:*", "Resource": "*"}]}"#,
        ),
    ),
    (
        "accounts/1/attachments/user:manager/account/custom:Manage",
        Some("{}"),
    ),
    (
        "callers",
        Some(
            r#"{"callers": [{"name": "manager", "peers": [{"uid": 2}],
            "principal": "acs:ram::1:user/manager"}]}"#,
        ),
    ),
];

const PLAIN: &str =
    r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}"#;
const OTHER: &str =
    r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": "*"}]}"#;
const TRUST: &str = r#"{"trust": {"Version": "1", "Statement": [{"Effect": "Allow",
    "Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.aliyuncs.com"]}}]}}"#;
const LINKED: &str = r#"{"service_linked": true, "trust": {"Version": "1", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": ["ess.aliyuncs.com"]}}]}}"#;
const RESOURCE: &str = r#"{"resource": "acs:oss:*:1:reports", "policy": {"Version": "1", "Statement":
    [{"Effect": "Allow", "Action": "oss:*", "Principal": "*"}]}}"#;
const MOVED: &str = r#"{"resource": "acs:oss:*:1:others", "policy": {"Version": "1", "Statement":
    [{"Effect": "Allow", "Action": "oss:*", "Principal": "*"}]}}"#;
const TAG: &str = r#"{"dialect": "alibaba", "policy": {"tags": {"env": {
    "tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["test"]}}}}}"#;
const WEAK: &str = r#"{"dialect": "alibaba", "policy": {"tags": {"env": {
    "tag_value": {"@@append": ["*"]}}}}}"#;
const OTHER_TAG: &str = r#"{"dialect": "alibaba", "policy": {"tags": {"env": {
    "tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["prod"]}}}}}"#;

const OWN_RULE: &str = r#"{"rules": {"rule:own": {"primary": "a:b", "associated": "a:c"}}}"#;
const CLUSTER: &str = "accounts/1/inheritance/rule:TagCluster:Cs-Cluster:Vpc-Eip";
const CLUSTER_ARN: &str = "acs:tag:*:1:associatedresourcerule/rule:TagCluster:Cs-Cluster:Vpc-Eip";

const ORGANIZATION: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "folders": [{"name": "prod"}]}}"#;
const RENAMED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "folders": [{"name": "test"}]}}"#;
const JOINED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "folders": [{"name": "prod", "accounts": [{"account": "2"}]}]}}"#;
const CONTROLLED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "folders": [{"name": "prod", "control": [{"policy": "custom:C"}]}]}}"#;
const TAGGED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "folders": [{"name": "prod", "tag": [{"policy": "t"}]}]}}"#;
const REPORTED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "folders": [{"name": "prod", "tag": [{"policy": "t", "mode": "report"}]}]}}"#;
const ROOTED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "tag": [{"policy": "t"}], "folders": [{"name": "prod"}]}}"#;
const WEAKENED: &str = r#"{"id": "o", "dialect": "alibaba", "management": "1", "root":
    {"name": "Root", "tag": [{"policy": "t"}], "folders":
    [{"name": "prod", "tag": [{"policy": "w"}]}]}}"#;

/// What stands before, what is done, and what it needs: each action on each ARN, in this order.
type Row = (
    &'static [Step],
    &'static [Step],
    &'static [(&'static str, &'static str)],
);

const ROWS: &[Row] = &[
    (
        &[],
        &[("settings", Some(r#"{"rg_deny": "documented_order"}"#))],
        &[("tagwarden:PutSettings", "acs:tagwarden:*:1:settings")],
    ),
    (
        &[("settings", Some("{}"))],
        &[("settings", None)],
        &[("tagwarden:PutSettings", "acs:tagwarden:*:1:settings")],
    ),
    (
        &[],
        &[("callers", Some("{}"))],
        &[("tagwarden:PutCallers", "acs:tagwarden:*:1:callers")],
    ),
    (
        &[],
        &[("routes", Some(r#"{"routes": []}"#))],
        &[("tagwarden:PutRoutes", "acs:tagwarden:*:1:routes")],
    ),
    (
        &[],
        &[("callers", None)],
        &[("tagwarden:PutCallers", "acs:tagwarden:*:1:callers")],
    ),
    (
        &[],
        &[(
            "resources",
            Some(r#"{"arn": "acs:ecs:cn-hangzhou:1:instance/i-1", "tags": {}}"#),
        )],
        &[("tagwarden:PutResources", "acs:tagwarden:*:1:resources")],
    ),
    (
        &[],
        &[(
            "catalog/shop",
            Some(r#"{"source": "ours", "actions": {"shop:Buy": {"kind": "update"}}}"#),
        )],
        &[("tagwarden:PutCatalog", "acs:tagwarden:*:1:catalog/shop")],
    ),
    (
        &[("catalog/shop", Some(r#"{"source": "ours"}"#))],
        &[("catalog/shop", None)],
        &[("tagwarden:DeleteCatalog", "acs:tagwarden:*:1:catalog/shop")],
    ),
    // Policies of no account.
    (
        &[],
        &[("policies/system/S", Some(PLAIN))],
        &[(
            "tagwarden:PutSystemPolicy",
            "acs:tagwarden:*:1:systempolicy/S",
        )],
    ),
    (
        &[("policies/system/S", Some(PLAIN))],
        &[("policies/system/S", Some(OTHER))],
        &[(
            "tagwarden:PutSystemPolicy",
            "acs:tagwarden:*:1:systempolicy/S",
        )],
    ),
    (
        &[("policies/system/S", Some(PLAIN))],
        &[("policies/system/S", None)],
        &[(
            "tagwarden:DeleteSystemPolicy",
            "acs:tagwarden:*:1:systempolicy/S",
        )],
    ),
    (
        &[],
        &[("policies/control/C", Some(PLAIN))],
        &[(
            "resourcemanager:CreateControlPolicy",
            "acs:resourcemanager:*:1:controlpolicy/C",
        )],
    ),
    (
        &[("policies/control/C", Some(PLAIN))],
        &[("policies/control/C", Some(OTHER))],
        &[(
            "resourcemanager:UpdateControlPolicy",
            "acs:resourcemanager:*:1:controlpolicy/C",
        )],
    ),
    (
        &[("policies/control/C", Some(PLAIN))],
        &[("policies/control/C", None)],
        &[(
            "resourcemanager:DeleteControlPolicy",
            "acs:resourcemanager:*:1:controlpolicy/C",
        )],
    ),
    (
        &[],
        &[("policies/tag/t", Some(TAG))],
        &[("tag:CreatePolicy", "acs:tag:*:1:policy/t")],
    ),
    (
        &[("policies/tag/t", Some(TAG))],
        &[("policies/tag/t", Some(OTHER_TAG))],
        &[("tag:ModifyPolicy", "acs:tag:*:1:policy/t")],
    ),
    (
        &[("policies/tag/t", Some(TAG))],
        &[("policies/tag/t", None)],
        &[("tag:DeletePolicy", "acs:tag:*:1:policy/t")],
    ),
    (
        &[],
        &[("policies/resource/r", Some(RESOURCE))],
        &[("tagwarden:PutResourcePolicy", "acs:oss:*:1:reports")],
    ),
    (
        &[("policies/resource/r", Some(RESOURCE))],
        &[("policies/resource/r", Some(MOVED))],
        &[
            ("tagwarden:PutResourcePolicy", "acs:oss:*:1:others"),
            ("tagwarden:PutResourcePolicy", "acs:oss:*:1:reports"),
        ],
    ),
    (
        &[("policies/resource/r", Some(RESOURCE))],
        &[("policies/resource/r", None)],
        &[("tagwarden:DeleteResourcePolicy", "acs:oss:*:1:reports")],
    ),
    // Accounts and what is in them.
    (
        &[("organizations/o", Some(ORGANIZATION))],
        &[("accounts/2", Some("{}"))],
        &[(
            "resourcemanager:CreateResourceAccount",
            "acs:resourcemanager:*:1:account/2",
        )],
    ),
    (
        &[
            ("organizations/o", Some(ORGANIZATION)),
            ("accounts/2", Some("{}")),
        ],
        &[("accounts/2", None)],
        &[(
            "resourcemanager:DeleteAccount",
            "acs:resourcemanager:*:1:account/2",
        )],
    ),
    (
        &[],
        &[("accounts/1/policies/Q", Some(PLAIN))],
        &[("ram:CreatePolicy", "acs:ram:*:1:policy/Q")],
    ),
    (
        &[("accounts/1/policies/Q", Some(PLAIN))],
        &[("accounts/1/policies/Q", Some(OTHER))],
        &[("ram:CreatePolicyVersion", "acs:ram:*:1:policy/Q")],
    ),
    (
        &[("accounts/1/policies/Q", Some(PLAIN))],
        &[("accounts/1/policies/Q", None)],
        &[("ram:DeletePolicy", "acs:ram:*:1:policy/Q")],
    ),
    (
        &[],
        &[("accounts/1/users/bob", Some("{}"))],
        &[("ram:CreateUser", "acs:ram:*:1:user/bob")],
    ),
    (
        &[("accounts/1/users/bob", Some("{}"))],
        &[("accounts/1/users/bob", Some(r#"{"uid": "7"}"#))],
        &[("ram:UpdateUser", "acs:ram:*:1:user/bob")],
    ),
    (
        &[("accounts/1/users/bob", Some("{}"))],
        &[("accounts/1/users/bob", None)],
        &[("ram:DeleteUser", "acs:ram:*:1:user/bob")],
    ),
    (
        &[],
        &[("accounts/1/groups/ops", Some(r#"{"users": ["manager"]}"#))],
        &[
            ("ram:AddUserToGroup", "acs:ram:*:1:group/ops"),
            ("ram:AddUserToGroup", "acs:ram:*:1:user/manager"),
            ("ram:CreateGroup", "acs:ram:*:1:group/ops"),
        ],
    ),
    (
        &[("accounts/1/groups/ops", Some("{}"))],
        &[("accounts/1/groups/ops", Some(r#"{"users": ["manager"]}"#))],
        &[
            ("ram:AddUserToGroup", "acs:ram:*:1:group/ops"),
            ("ram:AddUserToGroup", "acs:ram:*:1:user/manager"),
        ],
    ),
    (
        &[("accounts/1/groups/ops", Some(r#"{"users": ["manager"]}"#))],
        &[("accounts/1/groups/ops", Some(r#"{"users": []}"#))],
        &[
            ("ram:RemoveUserFromGroup", "acs:ram:*:1:group/ops"),
            ("ram:RemoveUserFromGroup", "acs:ram:*:1:user/manager"),
        ],
    ),
    (
        &[("accounts/1/groups/ops", Some("{}"))],
        &[("accounts/1/groups/ops", Some(r#"{"users": []}"#))],
        &[("ram:UpdateGroup", "acs:ram:*:1:group/ops")],
    ),
    (
        &[("accounts/1/groups/ops", Some("{}"))],
        &[("accounts/1/groups/ops", None)],
        &[("ram:DeleteGroup", "acs:ram:*:1:group/ops")],
    ),
    (
        &[],
        &[("accounts/1/roles/ops", Some(TRUST))],
        &[("ram:CreateRole", "acs:ram:*:1:role/ops")],
    ),
    (
        &[("accounts/1/roles/ops", Some(TRUST))],
        &[("accounts/1/roles/ops", Some("{}"))],
        &[("ram:UpdateRole", "acs:ram:*:1:role/ops")],
    ),
    (
        &[("accounts/1/roles/ops", Some(TRUST))],
        &[("accounts/1/roles/ops", None)],
        &[("ram:DeleteRole", "acs:ram:*:1:role/ops")],
    ),
    (
        &[],
        &[("accounts/1/roles/linked", Some(LINKED))],
        &[("ram:CreateServiceLinkedRole", "acs:ram:*:1:role/linked")],
    ),
    (
        &[("accounts/1/roles/ops", Some(TRUST))],
        &[("accounts/1/roles/ops", Some(LINKED))],
        &[("ram:CreateServiceLinkedRole", "acs:ram:*:1:role/ops")],
    ),
    (
        &[("accounts/1/roles/linked", Some(LINKED))],
        &[("accounts/1/roles/linked", None)],
        &[("ram:DeleteServiceLinkedRole", "acs:ram:*:1:role/linked")],
    ),
    // Inheritance.
    (
        &[],
        &[("inheritance", Some(OWN_RULE))],
        &[(
            "tagwarden:PutInheritanceRules",
            "acs:tagwarden:*:1:inheritance",
        )],
    ),
    (
        &[("inheritance", Some(OWN_RULE))],
        &[("inheritance", None)],
        &[(
            "tagwarden:PutInheritanceRules",
            "acs:tagwarden:*:1:inheritance",
        )],
    ),
    (
        &[],
        &[("accounts/1/inheritance", Some(r#"{"feature": "on"}"#))],
        &[
            (
                "ram:CreateServiceLinkedRole",
                "acs:ram:*:1:role/AliyunServiceRoleForTag",
            ),
            ("tagwarden:PutInheritance", "acs:tagwarden:*:1:inheritance"),
        ],
    ),
    (
        &[],
        &[(CLUSTER, Some(r#"{"status": "enabled"}"#))],
        &[("tag:CreateAssociatedResourceRules", CLUSTER_ARN)],
    ),
    (
        &[(CLUSTER, Some(r#"{"status": "enabled"}"#))],
        &[(CLUSTER, Some(r#"{"status": "disabled"}"#))],
        &[("tag:UpdateAssociatedResourceRule", CLUSTER_ARN)],
    ),
    (
        &[(CLUSTER, Some(r#"{"status": "enabled"}"#))],
        &[(CLUSTER, None)],
        &[("tag:DeleteAssociatedResourceRule", CLUSTER_ARN)],
    ),
    // Attachments.
    (
        &[],
        &[(
            "accounts/1/attachments/user:manager/account/system:ReadOnlyAccess",
            Some("{}"),
        )],
        &[
            ("ram:AttachPolicyToUser", "acs:ram:*:1:user/manager"),
            (
                "ram:AttachPolicyToUser",
                "acs:ram:*:1:policy/system/ReadOnlyAccess",
            ),
        ],
    ),
    (
        &[
            ("accounts/1/users/bob", Some("{}")),
            (
                "accounts/1/attachments/user:bob/account/custom:Manage",
                Some("{}"),
            ),
        ],
        &[(
            "accounts/1/attachments/user:bob/account/custom:Manage",
            None,
        )],
        &[
            ("ram:DetachPolicyFromUser", "acs:ram:*:1:user/bob"),
            ("ram:DetachPolicyFromUser", "acs:ram:*:1:policy/Manage"),
        ],
    ),
    (
        &[("accounts/1/groups/ops", Some("{}"))],
        &[(
            "accounts/1/attachments/group:ops/account/custom:Manage",
            Some("{}"),
        )],
        &[
            ("ram:AttachPolicyToGroup", "acs:ram:*:1:group/ops"),
            ("ram:AttachPolicyToGroup", "acs:ram:*:1:policy/Manage"),
        ],
    ),
    (
        &[
            ("accounts/1/groups/ops", Some("{}")),
            (
                "accounts/1/attachments/group:ops/account/custom:Manage",
                Some("{}"),
            ),
        ],
        &[(
            "accounts/1/attachments/group:ops/account/custom:Manage",
            None,
        )],
        &[
            ("ram:DetachPolicyFromGroup", "acs:ram:*:1:group/ops"),
            ("ram:DetachPolicyFromGroup", "acs:ram:*:1:policy/Manage"),
        ],
    ),
    (
        &[("accounts/1/roles/ops", Some("{}"))],
        &[(
            "accounts/1/attachments/role:ops/account/custom:Manage",
            Some("{}"),
        )],
        &[
            ("ram:AttachPolicyToRole", "acs:ram:*:1:role/ops"),
            ("ram:AttachPolicyToRole", "acs:ram:*:1:policy/Manage"),
        ],
    ),
    (
        &[
            ("accounts/1/roles/ops", Some("{}")),
            (
                "accounts/1/attachments/role:ops/account/custom:Manage",
                Some("{}"),
            ),
        ],
        &[(
            "accounts/1/attachments/role:ops/account/custom:Manage",
            None,
        )],
        &[
            ("ram:DetachPolicyFromRole", "acs:ram:*:1:role/ops"),
            ("ram:DetachPolicyFromRole", "acs:ram:*:1:policy/Manage"),
        ],
    ),
    (
        &[],
        &[(
            "accounts/1/attachments/user:manager/rg:rg-1/custom:Manage",
            Some("{}"),
        )],
        &[
            ("resourcemanager:AttachPolicy", "acs:ram:*:1:user/manager"),
            ("resourcemanager:AttachPolicy", "acs:ram:*:1:policy/Manage"),
            (
                "resourcemanager:AttachPolicy",
                "acs:resourcemanager:*:1:resourcegroup/rg-1",
            ),
        ],
    ),
    (
        &[(
            "accounts/1/attachments/user:manager/rg:rg-1/custom:Manage",
            Some("{}"),
        )],
        &[(
            "accounts/1/attachments/user:manager/rg:rg-1/custom:Manage",
            None,
        )],
        &[
            ("resourcemanager:DetachPolicy", "acs:ram:*:1:user/manager"),
            ("resourcemanager:DetachPolicy", "acs:ram:*:1:policy/Manage"),
            (
                "resourcemanager:DetachPolicy",
                "acs:resourcemanager:*:1:resourcegroup/rg-1",
            ),
        ],
    ),
    // Organizations.
    (
        &[],
        &[("organizations/o", Some(ORGANIZATION))],
        &[
            (
                "resourcemanager:InitResourceDirectory",
                "acs:resourcemanager:*:1:organization/o",
            ),
            (
                "resourcemanager:InitResourceDirectory",
                "acs:tagwarden:*:1:organizations/o",
            ),
        ],
    ),
    (
        &[("organizations/o", Some(ORGANIZATION))],
        &[("organizations/o", None)],
        &[(
            "resourcemanager:DestroyResourceDirectory",
            "acs:resourcemanager:*:1:organization/o",
        )],
    ),
    (
        &[("organizations/o", Some(ORGANIZATION))],
        &[("organizations/o", Some(RENAMED))],
        &[(
            "tagwarden:PutOrganization",
            "acs:resourcemanager:*:1:organization/o",
        )],
    ),
    (
        &[
            ("organizations/o", Some(ORGANIZATION)),
            ("accounts/2", Some("{}")),
        ],
        &[("organizations/o", Some(JOINED))],
        &[
            (
                "tagwarden:PutOrganization",
                "acs:resourcemanager:*:1:organization/o",
            ),
            (
                "tagwarden:PutOrganization",
                "acs:tagwarden:*:1:organizations/o",
            ),
        ],
    ),
    (
        &[
            ("organizations/o", Some(ORGANIZATION)),
            ("policies/control/C", Some(PLAIN)),
        ],
        &[("organizations/o", Some(CONTROLLED))],
        &[
            (
                "resourcemanager:AttachControlPolicy",
                "acs:resourcemanager:*:1:folder/prod",
            ),
            (
                "resourcemanager:AttachControlPolicy",
                "acs:resourcemanager:*:1:controlpolicy/C",
            ),
        ],
    ),
    (
        &[
            ("organizations/o", Some(CONTROLLED)),
            ("policies/control/C", Some(PLAIN)),
        ],
        &[("organizations/o", Some(ORGANIZATION))],
        &[
            (
                "resourcemanager:DetachControlPolicy",
                "acs:resourcemanager:*:1:folder/prod",
            ),
            (
                "resourcemanager:DetachControlPolicy",
                "acs:resourcemanager:*:1:controlpolicy/C",
            ),
        ],
    ),
    (
        &[
            ("organizations/o", Some(ORGANIZATION)),
            ("policies/tag/t", Some(TAG)),
        ],
        &[("organizations/o", Some(TAGGED))],
        &[
            ("tag:AttachPolicy", "acs:resourcemanager:*:1:folder/prod"),
            ("tag:AttachPolicy", "acs:tag:*:1:policy/t"),
        ],
    ),
    (
        &[
            ("organizations/o", Some(TAGGED)),
            ("policies/tag/t", Some(TAG)),
        ],
        &[("organizations/o", Some(ORGANIZATION))],
        &[
            ("tag:DetachPolicy", "acs:resourcemanager:*:1:folder/prod"),
            ("tag:DetachPolicy", "acs:tag:*:1:policy/t"),
        ],
    ),
    // A policy whose mode changes is detached and attached.
    (
        &[
            ("organizations/o", Some(TAGGED)),
            ("policies/tag/t", Some(TAG)),
        ],
        &[("organizations/o", Some(REPORTED))],
        &[
            ("tag:AttachPolicy", "acs:resourcemanager:*:1:folder/prod"),
            ("tag:AttachPolicy", "acs:tag:*:1:policy/t"),
            ("tag:DetachPolicy", "acs:resourcemanager:*:1:folder/prod"),
            ("tag:DetachPolicy", "acs:tag:*:1:policy/t"),
        ],
    ),
    // security 6.1
    (
        &[
            ("organizations/o", Some(ROOTED)),
            ("policies/tag/t", Some(TAG)),
            ("policies/tag/w", Some(WEAK)),
        ],
        &[("organizations/o", Some(WEAKENED))],
        &[
            ("tag:AttachPolicy", "acs:resourcemanager:*:1:folder/prod"),
            ("tag:AttachPolicy", "acs:tag:*:1:policy/w"),
            (
                "tagwarden:WeakenTagPolicy",
                "acs:resourcemanager:*:1:folder/Root",
            ),
        ],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_put_and_delete_needs_its_actions_on_its_arns() {
    for (before, steps, needed) in ROWS {
        let managed = Managed::new();
        managed.set_up(BASE).await;
        if !before.is_empty() {
            managed.set_up(before).await;
        }
        for place in 0..needed.len() {
            managed.permit(&needed[..place]).await;
            let (action, arn) = needed[place];
            match managed.ask(MANAGER, steps, LockOut::Forced).await {
                Err(ChangeError::Denied(Denied::Action {
                    action: told,
                    arn: on,
                })) => {
                    assert_eq!((told, &*on), (action, arn), "{steps:?}");
                }
                other => panic!("{steps:?} without {action}: {other:?}"),
            }
        }
        managed.permit(needed).await;
        let made = managed.ask(MANAGER, steps, LockOut::Forced).await;
        assert!(
            matches!(made, Ok(ApplyOutcome::Published)),
            "{steps:?}: {made:?}"
        );
    }
    assert!(ROWS.len() >= 50, "{}", ROWS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_and_a_rollback_need_what_each_of_their_parts_needs() {
    let managed = Managed::new();
    managed.set_up(BASE).await;
    managed
        .permit(&[("ram:CreateUser", "acs:ram:*:1:user/*")])
        .await;
    let both: &[Step] = &[
        ("accounts/1/users/bob", Some("{}")),
        ("accounts/1/policies/Q", Some(PLAIN)),
    ];
    let denied = managed
        .ask(MANAGER, both, LockOut::Forced)
        .await
        .unwrap_err();
    assert_eq!(
        denied.to_string(),
        "`ram:CreatePolicy` on `acs:ram:*:1:policy/Q` is not allowed"
    );
    managed.set_up(both).await;
    let number = managed.reader.load_full().unwrap().revision.number;
    let denied = managed
        .change(MANAGER, What::Rollback(number - 1), LockOut::Forced)
        .await;
    let expected = "`ram:DeletePolicy` on `acs:ram:*:1:policy/Q` is not allowed";
    assert_eq!(denied.unwrap_err().to_string(), expected);
    // The refusal of a change says nothing of what its documents say.
    let bad: &[Step] = &[("accounts/1/policies/Q", Some("{"))];
    let denied = managed
        .ask(MANAGER, bad, LockOut::Forced)
        .await
        .unwrap_err();
    assert!(matches!(denied, ChangeError::Denied(_)), "{denied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_manages_what_others_are_judged_by() {
    let managed = Managed::new();
    managed.set_up(BASE).await;
    managed.permit(&[("*", "*")]).await;
    let settings: &[Step] = &[("settings", Some(r#"{"rg_deny": "documented_order"}"#))];
    // Of one account it is the server; of two neither is.
    let made = managed
        .ask(MANAGER, settings, LockOut::Refused)
        .await
        .unwrap();
    assert_eq!(made, ApplyOutcome::Published);
    managed
        .set_up(&[("accounts/2", Some("{}")), ("settings", None)])
        .await;
    for steps in [
        settings,
        &[("callers", Some("{}"))],
        &[("policies/system/S", Some(PLAIN))],
        &[("policies/tag/t", Some(TAG))],
        &[("accounts/3", Some("{}"))],
        &[("accounts/2/users/bob", Some("{}"))],
        &[("organizations/o", Some(ORGANIZATION))],
    ] {
        let denied = managed
            .ask(MANAGER, steps, LockOut::Forced)
            .await
            .unwrap_err();
        assert!(
            matches!(denied, ChangeError::Denied(_)),
            "{steps:?}: {denied}"
        );
    }
    // The management account of the organization is.
    managed.set_up(&[("organizations/o", Some(JOINED))]).await;
    let made = managed
        .ask(MANAGER, settings, LockOut::Refused)
        .await
        .unwrap();
    assert_eq!(made, ApplyOutcome::Published);
    // A tag policy is of those who attach it.
    let second = r#"{"id": "p", "dialect": "alibaba", "management": "3", "root":
        {"name": "Root", "tag": [{"policy": "t"}]}}"#;
    managed
        .set_up(&[
            ("accounts/3", Some("{}")),
            ("organizations/p", Some(second)),
            ("policies/tag/t", Some(TAG)),
            ("policies/tag/own", Some(TAG)),
        ])
        .await;
    let denied = managed.ask(
        MANAGER,
        &[("policies/tag/t", Some(OTHER_TAG))],
        LockOut::Forced,
    );
    let expected = "`tag:ModifyPolicy` on `acs:tag:*:3:policy/t` is not allowed";
    assert_eq!(denied.await.unwrap_err().to_string(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_locks_itself_out_unless_forced() {
    let managed = Managed::new();
    managed.set_up(BASE).await;
    managed.permit(&[("*", "*")]).await;
    // Without its policy the manager could not attach it again.
    let detach: &[Step] = &[(
        "accounts/1/attachments/user:manager/account/custom:Manage",
        None,
    )];
    let refused = managed
        .ask(MANAGER, detach, LockOut::Refused)
        .await
        .unwrap_err();
    let expected = "after the change its author could not undo it: \
                    `ram:AttachPolicyToUser` on `acs:ram:*:1:user/manager` is not allowed";
    assert_eq!(refused.to_string(), expected);
    // Nor could it come back after it unmapped itself: then it is nobody.
    let unmap: &[Step] = &[("callers", Some("{}"))];
    let refused = managed
        .ask(MANAGER, unmap, LockOut::Refused)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ChangeError::LockedOut(Denied::Nobody(_))),
        "{refused}"
    );
    // An administrator that maps itself to a principal without permission would be locked out.
    let callers = r#"{"callers": [{"name": "root", "peers": [{"uid": 1}],
        "principal": "acs:ram::1:user/nobody"}]}"#;
    let map: &[Step] = &[("callers", Some(callers))];
    let refused = managed
        .ask(ADMINISTRATOR, map, LockOut::Refused)
        .await
        .unwrap_err();
    assert!(matches!(refused, ChangeError::LockedOut(_)), "{refused}");
    let forced = managed
        .ask(ADMINISTRATOR, map, LockOut::Forced)
        .await
        .unwrap();
    assert_eq!(forced, ApplyOutcome::Published);
    // From then on its policies decide, and it has none.
    let denied = managed
        .ask(ADMINISTRATOR, unmap, LockOut::Refused)
        .await
        .unwrap_err();
    assert!(
        matches!(denied, ChangeError::Denied(Denied::Action { .. })),
        "{denied}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_neither_administrator_nor_principal_does_nothing() {
    let managed = Managed::new();
    managed.set_up(BASE).await;
    let asked = managed
        .ask(NOBODY, &[("settings", Some("{}"))], LockOut::Forced)
        .await;
    let expected = "the caller `anonymous` is neither an administrator nor a principal";
    assert_eq!(asked.unwrap_err().to_string(), expected);
}

/// Over the socket: this process' own user, mapped to a principal.
#[tokio::test(flavor = "multi_thread")]
async fn a_principal_reads_and_changes_what_its_policies_allow() {
    let (mut world, _) = World::with_alice().await;
    let own = std::fs::metadata(world.folder.path()).unwrap();
    let uid = std::os::unix::fs::MetadataExt::uid(&own);
    let callers = format!(
        r#"{{"callers": [{{"name": "me", "peers": [{{"uid": {uid}}}],
        "principal": "acs:ram::1:user/alice"}}]}}"#
    );
    let allow = r#"{"Version": "1", "Statement": [{"Effect": "Allow",
        "Action": ["tagwarden:GetObject", "ram:CreateUser"], "Resource": "acs:ram:*:1:*"},
        {"Effect": "Allow", "Action": "tagwarden:ListObjects", "Resource": "*"}]}"#;
    let forced = v1::ChangeOptions {
        force: true,
        ..v1::ChangeOptions::default()
    };
    let map = vec![
        put("callers", &callers),
        put("accounts/1/policies/P", allow),
    ];
    let made = world.ask(map, forced).await.unwrap();
    assert_eq!(made.outcome(), v1::ApplyOutcome::Published);

    assert_eq!(world.get("accounts/1/users/alice").await.unwrap(), "{}");
    let list = v1::ListObjectsRequest::default();
    within(world.manage.list_objects(list)).await.unwrap();
    let denied = |status: Status| {
        let reason = tagwarden::wire::status::reason_of(&status).unwrap();
        (status.code(), reason, status.message().to_owned())
    };
    let not = |action: &str, arn: &str| {
        let message = format!("`{action}` on `{arn}` is not allowed");
        (
            tonic::Code::PermissionDenied,
            "NOT_AUTHORIZED".to_owned(),
            message,
        )
    };
    let found = denied(world.get("settings").await.unwrap_err());
    assert_eq!(
        found,
        not("tagwarden:GetObject", "acs:tagwarden:*:1:settings")
    );
    let history = v1::ListRevisionsRequest::default();
    let found = within(world.manage.list_revisions(history))
        .await
        .unwrap_err();
    assert_eq!(
        denied(found),
        not("tagwarden:ListRevisions", "acs:tagwarden:*:1:revisions")
    );
    let export = within(world.manage.export_bundle(v1::ExportBundleRequest {})).await;
    let found = denied(export.unwrap_err());
    assert_eq!(
        found,
        not("tagwarden:GetBundle", "acs:tagwarden:*:1:bundle")
    );
    let info = within(
        world
            .manage
            .get_snapshot_info(v1::GetSnapshotInfoRequest {}),
    )
    .await;
    let found = denied(info.unwrap_err());
    assert_eq!(
        found,
        not("tagwarden:GetSnapshotInfo", "acs:tagwarden:*:1:snapshot")
    );
    let watch = within(world.manage.watch_revisions(v1::WatchRevisionsRequest {})).await;
    let found = denied(watch.unwrap_err());
    assert_eq!(
        found,
        not("tagwarden:ListRevisions", "acs:tagwarden:*:1:revisions")
    );

    // It may make a user and could not delete it again.
    let bob = || vec![put("accounts/1/users/bob", "{}")];
    let status = world
        .ask(bob(), v1::ChangeOptions::default())
        .await
        .unwrap_err();
    let reason = tagwarden::wire::status::reason_of(&status).unwrap();
    assert_eq!(
        (status.code(), &*reason),
        (tonic::Code::FailedPrecondition, "LOCKED_OUT")
    );
    let forced = v1::ChangeOptions {
        force: true,
        ..v1::ChangeOptions::default()
    };
    let made = world.ask(bob(), forced).await.unwrap();
    assert_eq!(made.outcome(), v1::ApplyOutcome::Published);
    let status = world.ask(
        vec![delete("accounts/1/users/bob")],
        v1::ChangeOptions::default(),
    );
    let found = denied(status.await.unwrap_err());
    assert_eq!(found, not("ram:DeleteUser", "acs:ram:*:1:user/bob"));
}

/// A peer that is named at start, and only that one.
#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_named_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let process = serve(&data(&folder), &["--administrator", "uid:4242424"]).await;
    let mut manage = process.manage().await;
    let info = within(manage.get_snapshot_info(v1::GetSnapshotInfoRequest {})).await;
    let status = info.unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    let reason = tagwarden::wire::status::reason_of(&status).unwrap();
    assert_eq!(reason, "CALLER_NOT_ALLOWED");
    let mut process = Process::start(&["--administrator", "root"]);
    let wrote = process.wrote().await.join("\n");
    assert!(
        wrote.contains("expected `uid:<number>`, `gid:<number>`"),
        "{wrote}"
    );
}
