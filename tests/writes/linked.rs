//! Associations and moves between groups: who may, what they bring, and that they fail as a whole.

use tagwarden::wire::status::reason_of;
use tonic::Code;

use super::*;

/// She may tag instances and disks; alice instances alone.
const CAROL: &str = "acs:ram::1:user/carol";
const DISK: &str = "acs:ecs:cn-hangzhou:1:disk/d-1";
const MISSING: &str = "acs:ecs:cn-hangzhou:1:disk/none";
const RULE: &str = "rule:AttachDisk-DetachDisk-TagInstance:Ecs-Instance:Ecs-Disk";

/// The rule of disks is in force, and resources take `env` from their groups.
fn linked() -> Vec<(String, String)> {
    let rules = format!(
        r#"{{"accounts": {{"1": {{"feature": "on", "rules": {{"{RULE}": {{"status": "enabled"}}}}}}}}}}"#
    );
    let tagger = |resource: &str| {
        format!(
            r#"{{"Version": "1", "Statement": [{{"Effect": "Allow", "Resource": "{resource}",
                "Action": ["tag:TagResources", "tag:UntagResources", "ecs:TagResources",
                  "ecs:UntagResources"]}}]}}"#
        )
    };
    let files = [
        ("bundle.json", r#"{"format": 1}"#.to_owned()),
        ("inheritance.json", rules),
        (
            "accounts/1/account.json",
            r#"{"users": [{"name": "alice"}, {"name": "carol"}], "attachments": [
                {"policy": "custom:Instances", "to": "user:alice", "scope": "account"},
                {"policy": "custom:All", "to": "user:carol", "scope": "account"}]}"#
                .to_owned(),
        ),
        (
            "accounts/1/policies/Instances.json",
            tagger("acs:ecs:*:1:instance/*"),
        ),
        ("accounts/1/policies/All.json", tagger("*")),
        ("accounts/9/account.json", "{}".to_owned()),
        (
            "policies/tag/Group.json",
            r#"{"dialect": "alibaba", "policy": {"rg_inherit": {"env": {
                "tag_key": {"@@assign": "env"}}}}}"#
                .to_owned(),
        ),
        (
            "organizations/o.json",
            r#"{"id": "o", "management": "9", "dialect": "alibaba", "root": {"name": "Root",
                "tag": [{"policy": "Group"}], "accounts": [{"account": "1"}]}}"#
                .to_owned(),
        ),
    ];
    let owned = files.into_iter();
    owned.map(|(name, text)| (name.to_owned(), text)).collect()
}

impl World {
    async fn linked() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("bundle"), &linked());
        Self::over(folder).await
    }

    async fn associate(
        &mut self,
        principal: &str,
        links: Links<'_>,
    ) -> Result<v1::DirectoryOutcome, Status> {
        let (writer, associations) = linking(principal, links);
        let asked = v1::AssociateResourcesRequest {
            writer,
            associations,
        };
        let done = within(self.client.associate_resources(asked)).await?;
        Ok(done.into_inner().outcome.unwrap())
    }

    async fn dissociate(
        &mut self,
        principal: &str,
        links: Links<'_>,
    ) -> Result<v1::DirectoryOutcome, Status> {
        let (writer, associations) = linking(principal, links);
        let asked = v1::DissociateResourcesRequest {
            writer,
            associations,
        };
        let done = within(self.client.dissociate_resources(asked)).await?;
        Ok(done.into_inner().outcome.unwrap())
    }

    async fn move_to(
        &mut self,
        principal: &str,
        arns: &[&str],
        group: Option<&str>,
    ) -> Result<v1::DirectoryOutcome, Status> {
        let asked = self.client.move_resources(v1::MoveResourcesRequest {
            writer: Some(writer(principal)),
            arns: owned(arns),
            resource_group: group.map(|id| v1::ResourceGroup { id: id.to_owned() }),
        });
        Ok(within(asked).await?.into_inner().outcome.unwrap())
    }

    /// A resource as the listing tells it.
    async fn listed(&mut self, arn: &str) -> v1::TaggedResource {
        let asked = self.client.list_tag_resources(v1::ListTagResourcesRequest {
            principal: String::new(),
            arns: owned(&[arn]),
        });
        let told = within(asked).await.unwrap().into_inner();
        told.resources.into_iter().next().unwrap()
    }
}

/// Primary, associated, rule.
type Links<'a> = &'a [(&'a str, &'a str, &'a str)];

/// What a call says that links resources, or ends that.
fn linking(
    principal: &str,
    links: Links<'_>,
) -> (Option<v1::TagWriter>, Vec<v1::ResourceAssociation>) {
    let links = links.iter().map(|(primary, associated, rule)| {
        let [primary, associated, rule] = [*primary, *associated, *rule].map(str::to_owned);
        v1::ResourceAssociation {
            primary,
            associated,
            rule,
        }
    });
    (Some(writer(principal)), links.collect())
}

/// The code, the reason and the message of a refusal.
fn told(refused: Result<v1::DirectoryOutcome, Status>) -> (Code, String, String) {
    let status = refused.unwrap_err();
    let reason = reason_of(&status).unwrap();
    (status.code(), reason, status.message().to_owned())
}

/// Holds a refusal against its code and its reason; its message.
#[track_caller]
fn refused_by(refused: Result<v1::DirectoryOutcome, Status>, code: Code, reason: &str) -> String {
    let (found, because, message) = told(refused);
    assert_eq!((found, &*because), (code, reason), "{message}");
    message
}

/// What a refusal for want of permission says of a resource.
fn denied(arn: &str) -> (Code, String, String) {
    let reason = "NoPermission.Tag".to_owned();
    let message = format!("refused: {arn} ({reason})");
    (Code::PermissionDenied, reason, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_association_needs_permission_for_what_it_brings_and_takes() {
    let mut world = World::linked().await;
    world.put(&[(ONE, &[("env", "prod")]), (DISK, &[])]).await;
    let link = [(ONE, DISK, RULE)];
    let refused = told(world.associate(ALICE, &link).await);
    assert_eq!(refused, denied(DISK));
    assert_eq!(world.listed(DISK).await.tags, []);
    let made = world.associate(CAROL, &link).await.unwrap();
    assert!(made.change > 0 && made.failed.is_empty(), "{made:?}");
    assert_eq!(world.listed(DISK).await.tags, sent(&[("env", "prod")]));
    world.process.said("the directory was changed").await;
    let logged = world.process.said("the directory was changed").await;
    let named = ["rpc", "principal", "arns"].map(|name| logged[name].clone());
    assert_eq!(named, ["AssociateResources", CAROL, DISK], "{logged}");
    // The rule's role carries what comes later: nobody is asked.
    world.tag(ALICE, &[ONE], &[("team", "a")]).await.unwrap();
    let both = sent(&[("env", "prod"), ("team", "a")]);
    assert_eq!(world.listed(DISK).await.tags, both);
    // Made again it is no error, for who might make it.
    assert_eq!(world.associate(CAROL, &link).await.unwrap().change, 0);
    assert_eq!(told(world.associate(ALICE, &link).await), denied(DISK));
    let refused = told(world.dissociate(ALICE, &link).await);
    assert_eq!(refused, denied(DISK));
    assert_eq!(world.listed(DISK).await.tags, both);
    let ended = world.dissociate(CAROL, &link).await.unwrap();
    assert!(ended.change > made.change);
    assert_eq!(world.listed(DISK).await.tags, []);
    assert_eq!(world.dissociate(CAROL, &link).await.unwrap().change, 0);
}

/// Tags that come later would come by an association that nobody was asked about.
#[tokio::test(flavor = "multi_thread")]
async fn an_association_that_brings_nothing_yet_needs_permission_too() {
    let mut world = World::linked().await;
    world.put(&[(ONE, &[]), (DISK, &[])]).await;
    let link = [(ONE, DISK, RULE)];
    assert_eq!(told(world.associate(ALICE, &link).await), denied(DISK));
    world.tag(ALICE, &[ONE], &[("team", "a")]).await.unwrap();
    assert_eq!(world.listed(DISK).await.tags, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_association_that_cannot_be_makes_the_call_fail() {
    let mut world = World::linked().await;
    world.put(&[(ONE, &[("env", "prod")]), (DISK, &[])]).await;
    let links = [(ONE, DISK, RULE), (ONE, MISSING, RULE)];
    let (code, reason) = (Code::NotFound, "InvalidResourceId.NotFound");
    let message = refused_by(world.associate(CAROL, &links).await, code, reason);
    assert!(message.contains(MISSING), "{message}");
    assert_eq!(world.listed(DISK).await.tags, []);
    refused_by(world.dissociate(CAROL, &links).await, code, reason);
    // Who could not tag it does not learn that it is not there.
    let links = [(ONE, MISSING, RULE)];
    assert_eq!(told(world.associate(ALICE, &links).await), denied(MISSING));
    assert_eq!(told(world.dissociate(ALICE, &links).await), denied(MISSING));
}

#[tokio::test(flavor = "multi_thread")]
async fn associations_that_cannot_be_are_told_by_their_reasons() {
    let mut world = World::linked().await;
    let far = "acs:ecs:cn-shanghai:1:disk/d-1";
    world
        .put(&[(ONE, &[]), (TWO, &[]), (DISK, &[]), (far, &[])])
        .await;
    let names: Vec<String> = (0..51)
        .map(|n| format!("acs:ecs:cn-hangzhou:1:disk/{n}"))
        .collect();
    let many: Vec<(&str, &str, &str)> = names.iter().map(|name| (ONE, &**name, RULE)).collect();
    let cases: [(Links<'_>, Code, &str); 9] = [
        (&[], Code::InvalidArgument, "MissingParameter.ResourceIds"),
        (&many, Code::InvalidArgument, "NumberExceed.ResourceIds"),
        (
            &[(ONE, DISK, RULE), (ONE, DISK, RULE)],
            Code::InvalidArgument,
            "RESOURCE_DUPLICATE",
        ),
        (
            &[(ONE, "acs:ecs", RULE)],
            Code::InvalidArgument,
            "INVALID_REQUEST",
        ),
        (
            &[(ONE, DISK, "no rule")],
            Code::InvalidArgument,
            "INVALID_REQUEST",
        ),
        (&[(ONE, DISK, "rule:x")], Code::NotFound, "RULE_UNKNOWN"),
        // Another type, another region, and itself.
        (
            &[(ONE, TWO, RULE)],
            Code::InvalidArgument,
            "ASSOCIATION_MISMATCH",
        ),
        (
            &[(ONE, far, RULE)],
            Code::InvalidArgument,
            "ASSOCIATION_MISMATCH",
        ),
        (
            &[(MISSING, DISK, RULE)],
            Code::NotFound,
            "InvalidResourceId.NotFound",
        ),
    ];
    for (links, code, reason) in cases {
        refused_by(world.associate(CAROL, links).await, code, reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_has_so_many_primaries_and_no_more() {
    let mut world = World::linked().await;
    world.put(&[(DISK, &[])]).await;
    let names: Vec<String> = (0..65)
        .map(|n| format!("acs:ecs:cn-hangzhou:1:instance/p-{n}"))
        .collect();
    for page in names.chunks(50) {
        let facts: Vec<(&str, &[(&str, &str)])> =
            page.iter().map(|name| (&**name, &[][..])).collect();
        world.put(&facts).await;
    }
    let links: Vec<(&str, &str, &str)> = names.iter().map(|name| (&**name, DISK, RULE)).collect();
    world.associate(CAROL, &links[..50]).await.unwrap();
    world.associate(CAROL, &links[50..64]).await.unwrap();
    let refused = world.associate(CAROL, &links[64..]).await;
    refused_by(refused, Code::FailedPrecondition, "PRIMARY_LIMIT");
}

const GROUP: &str = "acs:resourcemanager:*:1:resourcegroup/rg-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_move_brings_the_tags_of_the_group_or_is_refused_whole() {
    let mut world = World::linked().await;
    world
        .put(&[(GROUP, &[("env", "test")]), (ONE, &[]), (DISK, &[])])
        .await;
    let refused = told(world.move_to(ALICE, &[ONE, DISK], Some("rg-1")).await);
    assert_eq!(refused, denied(DISK));
    for arn in [ONE, DISK] {
        let listed = world.listed(arn).await;
        let group = listed.resource_group.unwrap_or_default();
        assert_eq!((&*group.id, listed.tags), ("", Vec::new()), "{arn}");
    }
    let moved = world.move_to(ALICE, &[ONE], Some("rg-1")).await.unwrap();
    assert!(moved.change > 0);
    world.move_to(CAROL, &[DISK], Some("rg-1")).await.unwrap();
    for arn in [ONE, DISK] {
        let listed = world.listed(arn).await;
        assert_eq!(listed.resource_group.unwrap().id, "rg-1");
        assert_eq!(listed.tags, sent(&[("env", "test")]), "{arn}");
    }
    // tag-policy 7, rule 34: what the group brought stays.
    world.move_to(ALICE, &[ONE], Some("")).await.unwrap();
    let listed = world.listed(ONE).await;
    assert_eq!(listed.resource_group.unwrap_or_default().id, "");
    assert_eq!(listed.tags, sent(&[("env", "test")]));
    let again = world.move_to(ALICE, &[ONE], Some("")).await.unwrap();
    assert_eq!(again.change, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_that_cannot_be_are_told_by_their_reasons() {
    let mut world = World::linked().await;
    world.put(&[(ONE, &[])]).await;
    let names: Vec<String> = (0..51)
        .map(|n| format!("acs:ecs:cn-hangzhou:1:instance/{n}"))
        .collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    let cases: [(&[&str], Option<&str>, Code, &str); 6] = [
        (&[ONE], None, Code::InvalidArgument, "INVALID_REQUEST"),
        (
            &[ONE],
            Some("no/group"),
            Code::InvalidArgument,
            "INVALID_REQUEST",
        ),
        (
            &[],
            Some("rg-1"),
            Code::InvalidArgument,
            "MissingParameter.ResourceIds",
        ),
        (
            &many,
            Some("rg-1"),
            Code::InvalidArgument,
            "NumberExceed.ResourceIds",
        ),
        (
            &[ONE, ONE],
            Some("rg-1"),
            Code::InvalidArgument,
            "RESOURCE_DUPLICATE",
        ),
        (
            &[ONE, MISSING],
            Some("rg-1"),
            Code::NotFound,
            "InvalidResourceId.NotFound",
        ),
    ];
    for (arns, group, code, reason) in cases {
        refused_by(world.move_to(CAROL, arns, group).await, code, reason);
    }
    let listed = world.listed(ONE).await;
    assert_eq!(listed.resource_group.unwrap_or_default().id, "");
    let refused = told(world.move_to(ALICE, &[MISSING], Some("rg-1")).await);
    assert_eq!(refused, denied(MISSING));
}

/// The caller comes first, whatever else is wrong with the call.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_the_right_and_the_principal_for_these_too() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("bundle");
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap());
    let mut files = linked();
    files.push((
        "callers.json".to_owned(),
        format!(
            r#"{{"callers": [{{"name": "linker", "peers": [{{"uid": {own}}}],
                "principal": "{CAROL}", "rpcs": ["AssociateResources"]}}]}}"#
        ),
    ));
    write(&place, &files);
    let mut world = World::over(folder).await;
    let check = |refused: Result<v1::DirectoryOutcome, Status>, part: &str| {
        let message = refused_by(refused, Code::PermissionDenied, "CALLER_NOT_ALLOWED");
        assert!(message.contains(part), "{message}");
    };
    check(
        world.dissociate("", &[]).await,
        "call `DissociateResources`",
    );
    check(world.move_to("", &[], None).await, "call `MoveResources`");
    let link = [(ONE, MISSING, RULE)];
    check(world.associate(ALICE, &link).await, "`principal`");
    // As itself it is heard.
    let (code, _, _) = told(world.associate("", &link).await);
    assert_eq!(code, Code::NotFound);
}
