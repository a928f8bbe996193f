//! Turning the feature on makes the service-linked role.

use super::*;

async fn object(world: &World, id: &str) -> Option<String> {
    let mut manage = world.process.manage().await;
    let id = id.to_owned();
    let asked = within(manage.get_object(v1::GetObjectRequest { id })).await;
    match asked {
        Ok(found) => {
            let document = found.into_inner().object.unwrap().document;
            Some(String::from_utf8(document).unwrap())
        }
        Err(status) => {
            assert_eq!(status.code(), tonic::Code::NotFound, "{status}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turning_the_feature_on_makes_the_role_and_off_leaves_it() {
    let world = World::new().await;
    assert_eq!(object(&world, ROLE).await, None);
    let on = world.change(&[(FEATURE, Some(ON))]).await;
    assert_eq!((on.outcome(), on.changed), (v1::ApplyOutcome::Published, 2));
    let role: serde_json::Value =
        serde_json::from_str(&object(&world, ROLE).await.unwrap()).unwrap();
    assert_eq!(role["service_linked"], true);
    let service = &role["trust"]["Statement"][0]["Principal"]["Service"];
    assert_eq!(*service, serde_json::json!(["tag.aliyuncs.com"]));
    // Whose name every inherited tag is written in is not taken away.
    let refused = world.change(&[(ROLE, None)]).await;
    assert_eq!(refused.outcome(), v1::ApplyOutcome::Refused);
    assert_eq!(refused.findings[0].file, ROLE, "{refused:?}");
    let off = world.change(&[(FEATURE, Some(OFF))]).await;
    assert_eq!(
        (off.outcome(), off.changed),
        (v1::ApplyOutcome::Published, 1)
    );
    assert!(object(&world, ROLE).await.is_some());
    // On again there is nothing to make; off it may go.
    assert_eq!(world.change(&[(FEATURE, Some(ON))]).await.changed, 1);
    let both = world.change(&[(FEATURE, Some(OFF)), (ROLE, None)]).await;
    assert_eq!(
        (both.outcome(), both.changed),
        (v1::ApplyOutcome::Published, 2)
    );
    assert_eq!(object(&world, ROLE).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_that_name_must_be_linked_to_a_service() {
    let world = World::new().await;
    world.change(&[(ROLE, Some("{}"))]).await;
    let refused = world.change(&[(FEATURE, Some(ON))]).await;
    assert_eq!(refused.outcome(), v1::ApplyOutcome::Refused);
    assert_eq!(refused.findings[0].file, ROLE, "{refused:?}");
}

/// A rollback takes the role away again, and a bundle that says nothing of it leaves it.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_comes_and_goes_with_the_change_that_makes_it() {
    let mut files = bundle();
    let account = r#"{"accounts": {"1": {"feature": "on"}}}"#;
    files.push(("inheritance.json".to_owned(), account.to_owned()));
    let world = World::with(&files).await;
    assert!(object(&world, ROLE).await.is_some());
    let mut manage = world.process.manage().await;
    let same = manage.apply_bundle(v1::ApplyBundleRequest {
        files: files
            .iter()
            .map(|(path, content)| v1::BundleFile {
                path: path.clone(),
                content: content.clone().into_bytes(),
            })
            .collect(),
        ..v1::ApplyBundleRequest::default()
    });
    let same = within(same).await.unwrap().into_inner();
    assert_eq!(same.outcome(), v1::ApplyOutcome::Unchanged, "{same:?}");

    let world = World::new().await;
    let on = world.change(&[(FEATURE, Some(ON))]).await;
    let number = on.revision.unwrap().number;
    let mut manage = world.process.manage().await;
    let back = manage.rollback(v1::RollbackRequest {
        number: number - 1,
        ..v1::RollbackRequest::default()
    });
    let back = within(back).await.unwrap().into_inner();
    assert_eq!(
        (back.outcome(), back.changed),
        (v1::ApplyOutcome::Published, 2)
    );
    assert_eq!(object(&world, ROLE).await, None);
}
