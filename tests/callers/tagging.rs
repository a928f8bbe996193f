//! Questions about tags, by the same rights as decisions.

use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_tags_are_held_to_the_same_rights() {
    let world = World::new("{}");
    let tagging = |principal: &str, resource| v1::ValidateTaggingRequest {
        principal: principal.to_owned(),
        resource: Some(resource),
        operation: v1::TaggingOperation::Tag.into(),
        tag_write: Some(v1::TagWrite {
            set: Some(v1::TagSet {
                tags: vec![v1::Tag {
                    key: "env".to_owned(),
                    value: "test".to_owned(),
                }],
            }),
            ..v1::TagWrite::default()
        }),
        ..v1::ValidateTaggingRequest::default()
    };
    let grouped = with_group().resources.remove(0);
    let no_group = "the caller `anonymous` may not send `resource.resource_group`, for want \
                    of the right `resource_group`";
    let mut anonymous = TaggingServiceClient::new(world.running.channel().await);
    for (asked, expected) in [
        // The account is in no organization, which is none of the caller's faults.
        (
            tagging(ALICE, with_tags().resources.remove(0)),
            "ACCOUNT_OUTSIDE_ORGANIZATION",
        ),
        (tagging(ROOT, with_tags().resources.remove(0)), NOT_FOR_IT),
        (tagging(ALICE, grouped), no_group),
    ] {
        let refused = within(anonymous.validate_tagging(asked.clone())).await;
        assert_eq!(refusal(&refused.unwrap_err()), expected, "{asked:?}");
        let both = v1::BatchValidateTaggingRequest {
            requests: vec![asked],
        };
        let answers = within(anonymous.batch_validate_tagging(both))
            .await
            .unwrap();
        let result = answers.into_inner().results.remove(0).result;
        let Some(v1::validate_tagging_result::Result::Error(error)) = result else {
            panic!("{result:?}")
        };
        let details = prost::Message::encode_to_vec(&error).into();
        let status = Status::with_details(Code::from_i32(error.code), error.message, details);
        assert_eq!(refusal(&status), expected);
    }
    // Where values come from is told to whoever was given it.
    let effective = v1::GetEffectiveTagPolicyRequest {
        account: "1".to_owned(),
        ..v1::GetEffectiveTagPolicyRequest::default()
    };
    let refused = within(anonymous.get_effective_tag_policy(effective.clone())).await;
    assert_eq!(
        refusal(&refused.unwrap_err()),
        "the caller `anonymous` may not call `GetEffectiveTagPolicy`"
    );
    let socket = world.folder.path().join("s");
    let mut owner = TaggingServiceClient::new(world.running.channel_to(socket).await);
    let refused = within(owner.get_effective_tag_policy(effective)).await;
    assert_ne!(refused.unwrap_err().code(), Code::PermissionDenied);
}
