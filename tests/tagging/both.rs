//! `AuthorizeTagging` and the other rules of the service, on the example of tag governance.

use std::path::Path;
use std::sync::Arc;

use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{Loaded, Strictness, read_bundle};
use tagwarden::snapshot::Revision;
use tagwarden::source::files::read_directory;
use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1;
use tagwarden::wire::v1::TaggingOperation::{Create, Detect};
use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;
use tonic::transport::Channel;

use crate::support::server::{Running, SOURCE, config, start_with};

const ALICE: &str = "acs:ram::200000000002:user/alice";
const BOB: &str = "acs:ram::200000000002:user/bob";
const WEB: &str = "acs:ecs:cn-hangzhou:200000000002:instance/i-web";
const NEW: &str = "acs:ecs:cn-hangzhou:200000000002:instance/*";

async fn serve() -> (Running, TaggingServiceClient<Channel>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tag-governance");
    let files = read_directory(&root).unwrap();
    let Loaded { bundle, .. } = read_bundle(&files, Strictness::Strict).unwrap();
    let directory = Arc::new(Directory::default());
    directory.replace(bundle.resources.iter().cloned());
    let mut running = start_with(config(), directory);
    let mut snapshot = compile(&bundle).unwrap();
    snapshot.revision = Revision {
        source: SOURCE,
        number: 1,
        digest: 0,
    };
    running.publisher.publish(snapshot);
    let client = TaggingServiceClient::new(running.channel().await);
    (running, client)
}

fn tags(pairs: &[(&str, &str)]) -> v1::TagSet {
    let tag = |(key, value): &(&str, &str)| v1::Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    v1::TagSet {
        tags: pairs.iter().map(tag).collect(),
    }
}

fn resource(arn: &str) -> v1::Resource {
    v1::Resource {
        arn: arn.to_owned(),
        ..v1::Resource::default()
    }
}

fn both(who: &str, action: &str, arn: &str, set: &[(&str, &str)]) -> v1::AuthorizeTaggingRequest {
    v1::AuthorizeTaggingRequest {
        request: Some(v1::AuthorizeRequest {
            principal: who.to_owned(),
            action: action.to_owned(),
            resources: vec![resource(arn)],
            tag_write: Some(v1::TagWrite {
                set: Some(tags(set)),
                ..v1::TagWrite::default()
            }),
            ..v1::AuthorizeRequest::default()
        }),
    }
}

#[tokio::test]
async fn both_questions_have_one_answer() {
    let (_running, mut client) = serve().await;
    let mut ask = async |who, action, arn, set: &[(&str, &str)]| {
        let message = both(who, action, arn, set);
        client
            .authorize_tagging(message)
            .await
            .unwrap()
            .into_inner()
    };
    let refused = ask(BOB, "ecs:TagResources", WEB, &[("CostCenter", "x")]).await;
    assert_eq!(refused.effect(), v1::Effect::Deny);
    assert_eq!(refused.reason(), v1::TaggingReason::NotAuthorized);
    assert!(refused.edits.is_empty() && refused.verdicts.is_empty());
    assert!(refused.revision.is_none());

    let wrong = ask(ALICE, "ecs:TagResources", WEB, &[("CostCenter", "beijing")]).await;
    assert_eq!(wrong.reason(), v1::TaggingReason::Intercepted);
    let edit = |kind: v1::TagEditKind, key: &str, value: &str| v1::TagEdit {
        kind: kind.into(),
        key: key.to_owned(),
        value: value.to_owned(),
        ..v1::TagEdit::default()
    };
    let expected = [
        edit(v1::TagEditKind::Remove, "costcenter", ""),
        edit(v1::TagEditKind::Set, "CostCenter", "Beijing"),
    ];
    assert_eq!(wrong.edits, expected);
    assert!(wrong.edits_complete);

    let new = ask(
        ALICE,
        "ecs:RunInstances",
        NEW,
        &[("costCenter", "Shanghai")],
    )
    .await;
    assert_eq!(new.reason(), v1::TaggingReason::Intercepted);
    let renamed = v1::TagEdit {
        kind: v1::TagEditKind::Rename.into(),
        key: "costCenter".to_owned(),
        new_key: "CostCenter".to_owned(),
        value: "Shanghai".to_owned(),
        any_value: false,
    };
    assert_eq!((new.edits, new.edits_complete), (vec![renamed], true));

    let bare = ask(ALICE, "ecs:RunInstances", NEW, &[]).await;
    assert_eq!(bare.reason(), v1::TaggingReason::Intercepted);
    assert_eq!(
        bare.edits,
        [edit(v1::TagEditKind::Set, "CostCenter", "Beijing")]
    );

    let right = ask(
        ALICE,
        "ecs:RunInstances",
        NEW,
        &[("CostCenter", "Shenzhen")],
    )
    .await;
    assert_eq!(right.effect(), v1::Effect::Allow);
    assert!(right.edits.is_empty());
}

/// One write for two resources: the edits must be right for both.
#[tokio::test]
async fn edits_are_for_all_resources_of_a_call() {
    let (_running, mut client) = serve().await;
    let other = |tags_of: &[(&str, &str)]| v1::Resource {
        tags: Some(tags(tags_of)),
        resource_group: Some(v1::ResourceGroup::default()),
        ..resource("acs:ecs:cn-hangzhou:200000000002:instance/i-other")
    };
    let mut ask = async |set: &[(&str, &str)], second: v1::Resource| {
        let mut message = both(ALICE, "ecs:TagResources", WEB, set);
        message.request.as_mut().unwrap().resources.push(second);
        client
            .authorize_tagging(message)
            .await
            .unwrap()
            .into_inner()
    };
    let edit = |kind: v1::TagEditKind, key: &str, value: &str| v1::TagEdit {
        kind: kind.into(),
        key: key.to_owned(),
        value: value.to_owned(),
        ..v1::TagEdit::default()
    };
    let set = edit(v1::TagEditKind::Set, "CostCenter", "Beijing");
    let own = edit(v1::TagEditKind::Remove, "costcenter", "");
    let wrong = [("CostCenter", "beijing")];
    // What the first needs does for the second, which has no tags.
    let answer = ask(&wrong, other(&[])).await;
    assert_eq!(answer.reason(), v1::TaggingReason::Intercepted);
    assert_eq!(answer.verdicts.len(), 2);
    assert_eq!(answer.edits, [own.clone(), set.clone()]);
    assert!(answer.edits_complete);
    // The second has another variant: both go.
    let answer = ask(&[("CostCenter", "Beijing")], other(&[("COSTCENTER", "x")])).await;
    let second = edit(v1::TagEditKind::Remove, "COSTCENTER", "");
    assert_eq!(answer.edits, [second, own]);
    assert!(answer.edits_complete);
}

#[tokio::test]
async fn what_a_principal_may_not_see_is_not_told() {
    let (_running, mut client) = serve().await;
    let mut check = async |arn: &str, kind: &str, operation, set: Option<v1::TagSet>, expected| {
        let message = v1::ValidateTaggingRequest {
            resource: Some(v1::Resource {
                r#type: kind.to_owned(),
                ..resource(arn)
            }),
            operation: v1::TaggingOperation::into(operation),
            tag_write: set.map(|set| v1::TagWrite {
                set: Some(set),
                ..v1::TagWrite::default()
            }),
            ..v1::ValidateTaggingRequest::default()
        };
        let answer = client.validate_tagging(message).await;
        let reason = answer.err().and_then(|status| reason_of(&status));
        assert_eq!(reason.as_deref(), expected, "{arn}");
    };
    let set = || Some(tags(&[("CostCenter", "Beijing")]));
    check(WEB, "", Detect, None, Some("RESOURCE_UNKNOWN")).await;
    check(NEW, "", Create, set(), None).await;
    let open = "acs:ecs:cn-hangzhou:200000000002:*";
    check(open, "", Create, set(), Some("RESOURCE_TYPE_UNKNOWN")).await;
    check(
        open,
        "ecs:instnace",
        Create,
        set(),
        Some("RESOURCE_TYPE_UNKNOWN"),
    )
    .await;
    check(open, "ecs:instance", Create, set(), None).await;
    let nobody = "acs:ecs:cn-hangzhou::instance/*";
    check(nobody, "", Create, set(), Some("OWNER_UNKNOWN")).await;
    let other = "acs:ecs:cn-hangzhou:999:instance/*";
    check(
        other,
        "",
        Create,
        set(),
        Some("ACCOUNT_OUTSIDE_ORGANIZATION"),
    )
    .await;
    check(NEW, "", Detect, set(), Some("INVALID_REQUEST")).await;

    let asked = v1::GetEffectiveTagPolicyRequest {
        account: "200000000002".to_owned(),
        ..v1::GetEffectiveTagPolicyRequest::default()
    };
    let status = client.get_effective_tag_policy(asked).await.unwrap_err();
    assert_eq!(reason_of(&status).as_deref(), Some("CALLER_NOT_ALLOWED"));
}
