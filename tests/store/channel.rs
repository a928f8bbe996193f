//! Every RPC of the management channel, and what it refuses.

use tagwarden::wire::status::reason_of;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;
use crate::support::process::{files, may, write};

const POLICY: &str = "accounts/1/policies/P";

fn refused<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    let status = result.unwrap_err();
    (status.code(), reason_of(&status).unwrap())
}

fn because(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_decide_at_once_and_tell_their_revision() {
    let (mut world, first) = World::with_alice().await;
    let mut client = world.process.client().await;
    assert!(may(&mut client, "1", "1").await.unwrap());
    let denied = world
        .apply(vec![put(POLICY, &policy("Deny", "ecs:*", "*"))])
        .await;
    assert!(!may(&mut client, "1", "1").await.unwrap());
    let second = denied.revision.unwrap();
    assert_eq!((first.number, second.number, denied.changed), (1, 2, 1));
    assert_eq!(first.source, second.source);
    assert_ne!(first.digest, second.digest);
    // The same state has the same digest.
    let back = world
        .apply(vec![put(POLICY, &policy("Allow", "ecs:*", "*"))])
        .await;
    let back = back.revision.unwrap();
    assert_eq!((back.number, &back.digest), (3, &first.digest));
    // What changes nothing makes no revision.
    let same = vec![
        put(POLICY, &policy("Allow", "ecs:*", "*")),
        delete("callers"),
    ];
    let same = world.ask(same, v1::ChangeOptions::default()).await.unwrap();
    assert_eq!(same.outcome(), v1::ApplyOutcome::Unchanged);
    assert_eq!((same.revision, same.changed), (Some(back.clone()), 0));
    let info = world.process.info().await.snapshot.unwrap();
    assert_eq!(info.revision, Some(back));
    assert_eq!((info.accounts, info.principals), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_of_every_document_is_told_at_once_and_nothing_changes() {
    let (mut world, first) = World::with_alice().await;
    let operations = vec![
        put("accounts/1/users/bob", "{\n  \"age\": 7\n}"),
        put(
            "accounts/1/policies/Q",
            r#"{"Version": "1", "Statement": [{"Effect": "Perhaps"}]}"#,
        ),
        put("settings", r#"{"rg_deny": "sometimes"}"#),
    ];
    let answer = world
        .ask(operations, v1::ChangeOptions::default())
        .await
        .unwrap();
    assert_eq!(answer.outcome(), v1::ApplyOutcome::Refused);
    assert_eq!((answer.revision, answer.changed), (Some(first.clone()), 0));
    for file in ["accounts/1/users/bob", "accounts/1/policies/Q", "settings"] {
        let found = answer.findings.iter().find(|found| found.file == file);
        let found = found.unwrap_or_else(|| panic!("{file}: {:?}", answer.findings));
        assert!(found.line > 0 && found.column > 0 && !found.code.is_empty());
    }
    let bob = &answer
        .findings
        .iter()
        .find(|one| one.file.ends_with("bob"))
        .unwrap();
    assert_eq!((bob.line, bob.column, &*bob.pointer), (2, 3, "/age"));
    // A name that leads nowhere.
    let gone = world.ask(
        vec![delete("accounts/1/policies/P")],
        v1::ChangeOptions::default(),
    );
    assert_eq!(gone.await.unwrap().outcome(), v1::ApplyOutcome::Refused);
    assert_eq!(world.history().await.len(), 1);
    assert_eq!(
        refused(world.get("accounts/1/users/bob").await).0,
        Code::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_and_says_what_would_come_of_it() {
    let (mut world, first) = World::with_alice().await;
    let dry = v1::ChangeOptions {
        dry_run: true,
        ..v1::ChangeOptions::default()
    };
    let answer = world.ask(
        vec![put(POLICY, &policy("Deny", "ecs:*", "*"))],
        dry.clone(),
    );
    let answer = answer.await.unwrap();
    assert_eq!(answer.outcome(), v1::ApplyOutcome::Valid);
    assert_eq!((answer.revision, answer.changed), (Some(first), 1));
    let answer = world
        .ask(vec![put(POLICY, "{")], dry.clone())
        .await
        .unwrap();
    assert_eq!(answer.outcome(), v1::ApplyOutcome::Refused);
    let mut client = world.process.client().await;
    assert!(may(&mut client, "1", "1").await.unwrap());
    assert_eq!(world.history().await.len(), 1);
    let rolled = world.rollback(0, dry).await.unwrap();
    assert_eq!(
        (rolled.outcome(), rolled.changed),
        (v1::ApplyOutcome::Valid, 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_revision_than_the_expected_one_is_a_conflict() {
    let (mut world, first) = World::with_alice().await;
    let expecting = |token| v1::ChangeOptions {
        expected_revision: Some(token),
        ..v1::ChangeOptions::default()
    };
    let deny = || vec![put(POLICY, &policy("Deny", "ecs:*", "*"))];
    let made = world.ask(deny(), expecting(token(&first))).await.unwrap();
    assert_eq!(made.outcome(), v1::ApplyOutcome::Published);
    let conflict = because(Code::FailedPrecondition, "REVISION_CONFLICT");
    let status = world
        .ask(deny(), expecting(token(&first)))
        .await
        .unwrap_err();
    let violation = &status
        .get_details_precondition_failure()
        .unwrap()
        .violations[0];
    assert_eq!(violation.subject, "options.expected_revision");
    assert_eq!(
        violation.description,
        "revision 1 is expected and 2 is in force"
    );
    assert_eq!(refused::<()>(Err(status)), conflict);
    let mut other_store = token(&made.revision.unwrap());
    other_store.source = "0000000000000001".to_owned();
    assert_eq!(
        refused(world.ask(deny(), expecting(other_store)).await),
        conflict
    );
    let rolled = world.rollback(1, expecting(token(&first))).await;
    assert_eq!(refused(rolled), conflict);
    let no_source = v1::RevisionToken {
        source: "x".to_owned(),
        number: 1,
    };
    let invalid = because(Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(
        refused(world.ask(deny(), expecting(no_source)).await),
        invalid
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_a_key_is_made_once() {
    let (mut world, _) = World::with_alice().await;
    let keyed = |key: &str| v1::ChangeOptions {
        idempotency_key: key.to_owned(),
        ..v1::ChangeOptions::default()
    };
    let deny = || vec![put(POLICY, &policy("Deny", "ecs:*", "*"))];
    let first = world.ask(deny(), keyed("a")).await.unwrap();
    let allow = vec![put(POLICY, &policy("Allow", "ecs:*", "*"))];
    world.apply(allow.clone()).await;
    // It was undone since then, and is not done again.
    let again = world.ask(deny(), keyed("a")).await.unwrap();
    assert_eq!(again, first);
    assert!(world.get(POLICY).await.unwrap().contains("Allow"));
    let reused = because(Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(refused(world.ask(allow.clone(), keyed("a")).await), reused);
    // What changed nothing is answered so again.
    let nothing = world.ask(allow.clone(), keyed("b")).await.unwrap();
    assert_eq!(nothing.outcome(), v1::ApplyOutcome::Unchanged);
    world.apply(deny()).await;
    assert_eq!(world.ask(allow, keyed("b")).await.unwrap(), nothing);
    assert!(world.get(POLICY).await.unwrap().contains("Deny"));
    // Bundles and rollbacks have keys, too; one of another sort is another request.
    assert_eq!(refused(world.rollback(1, keyed("a")).await), reused);
    let rolled = world.rollback(1, keyed("c")).await.unwrap();
    world.apply(deny()).await;
    assert_eq!(world.rollback(1, keyed("c")).await.unwrap(), rolled);
    let dry = v1::ChangeOptions {
        dry_run: true,
        ..keyed("d")
    };
    let invalid = because(Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(refused(world.ask(deny(), dry).await), invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_a_change_back() {
    let (mut world, first) = World::with_alice().await;
    world
        .apply(vec![put(POLICY, &policy("Deny", "ecs:*", "*"))])
        .await;
    let more = vec![
        put("accounts/2", "{}"),
        put(POLICY, &policy("Deny", "oss:*", "*")),
        delete("accounts/1/attachments/user:alice/account/custom:P"),
    ];
    world.apply(more).await;
    let options = v1::ChangeOptions {
        message: "it was better before".to_owned(),
        ..v1::ChangeOptions::default()
    };
    let rolled = world.rollback(1, options).await.unwrap();
    assert_eq!(
        (rolled.outcome(), rolled.changed),
        (v1::ApplyOutcome::Published, 3)
    );
    let revision = rolled.revision.unwrap();
    assert_eq!((revision.number, &revision.digest), (4, &first.digest));
    let mut client = world.process.client().await;
    assert!(may(&mut client, "1", "1").await.unwrap());

    let history = world.history().await;
    let numbers = history
        .iter()
        .map(|one| one.revision.as_ref().unwrap().number);
    assert_eq!(numbers.collect::<Vec<_>>(), [4, 3, 2, 1]);
    let change = &history[0];
    assert_eq!(change.cause(), v1::ChangeCause::Rollback);
    assert_eq!(
        (change.rolled_back_to, &*change.message),
        (1, "it was better before")
    );
    assert_eq!((&*change.caller, &*change.principal), ("owner", ""));
    assert!(change.peer.starts_with("uid "), "{}", change.peer);
    assert!(change.time.is_some());
    let ids = |change: &v1::Change| -> Vec<String> {
        change
            .differences
            .iter()
            .map(|one| one.id.clone())
            .collect()
    };
    assert_eq!(ids(change), ids(&history[1]));
    let forth = &history[1].differences[0];
    let back = &change.differences[0];
    assert_eq!((&forth.id, &forth.after), (&back.id, &back.before));

    // The rollback can be rolled back, to the state before anything was there, too.
    let rolled = world
        .rollback(3, v1::ChangeOptions::default())
        .await
        .unwrap();
    assert_eq!(rolled.revision.unwrap().number, 5);
    let empty = world
        .rollback(0, v1::ChangeOptions::default())
        .await
        .unwrap();
    assert_eq!(empty.outcome(), v1::ApplyOutcome::Published, "{empty:?}");
    assert_eq!(refused(world.get("accounts/1").await).0, Code::NotFound);
    let same = world
        .rollback(6, v1::ChangeOptions::default())
        .await
        .unwrap();
    assert_eq!(same.outcome(), v1::ApplyOutcome::Unchanged);
    let ahead = world.rollback(7, v1::ChangeOptions::default()).await;
    let short = because(Code::FailedPrecondition, "HISTORY_TOO_SHORT");
    assert_eq!(refused(ahead), short);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_was_forgotten_is_no_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    write(&bundle, &files(&[("1", "Allow")]));
    let bundle = bundle.to_str().unwrap();
    let process = serve(
        &data(&folder),
        &["--history-changes", "2", "--bundle", bundle],
    )
    .await;
    let manage = process.manage().await;
    let mut world = World {
        process,
        manage,
        folder,
    };
    let short = because(Code::FailedPrecondition, "HISTORY_TOO_SHORT");
    // An import is no change that could be undone.
    assert_eq!(
        refused(world.rollback(0, v1::ChangeOptions::default()).await),
        short
    );
    let history = world.history().await;
    assert_eq!(history[0].cause(), v1::ChangeCause::Import);
    assert_eq!((history[0].changed, history[0].differences.len()), (4, 0));
    for action in ["ecs:*", "oss:*", "rds:*"] {
        world
            .apply(vec![put(POLICY, &policy("Deny", action, "*"))])
            .await;
    }
    assert_eq!(world.history().await.len(), 2);
    assert_eq!(
        refused(world.rollback(1, v1::ChangeOptions::default()).await),
        short
    );
    let rolled = world
        .rollback(2, v1::ChangeOptions::default())
        .await
        .unwrap();
    assert_eq!(rolled.revision.unwrap().number, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_listed_page_by_page_with_tokens_for_one_question() {
    let (mut world, first) = World::with_alice().await;
    world
        .apply(
            (2..=9)
                .map(|id| put(&format!("accounts/{id}"), "{}"))
                .collect(),
        )
        .await;
    let question = |prefix: &str, page_size, page_token: &str, documents| v1::ListObjectsRequest {
        prefix: prefix.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
        documents,
    };
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = world
            .manage
            .list_objects(question("accounts/", 5, &page_token, true));
        let page = within(page).await.unwrap().into_inner();
        assert!(page.objects.len() <= 5);
        assert_eq!(page.revision.as_ref().unwrap().number, 2);
        found.extend(page.objects);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let ids: Vec<&str> = found.iter().map(|one| &*one.id).collect();
    let mut expected: Vec<String> = (1..=9).map(|id| format!("accounts/{id}")).collect();
    expected.extend(alice("Allow").into_iter().skip(1).map(|one| one.id));
    expected.sort();
    assert_eq!(ids, expected);
    assert!(found.iter().all(|one| !one.document.is_empty()));

    let page = world
        .manage
        .list_objects(question("accounts/1/", 2, "", false));
    let page = within(page).await.unwrap().into_inner();
    assert!(page.objects.iter().all(|one| one.document.is_empty()));
    let token = page.next_page_token;
    assert_ne!(token, "");
    let invalid = because(Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    for other in [
        question("accounts/", 2, &token, false),
        question("accounts/1/", 2, &token, true),
        question("accounts/1/", 2, &token[..token.len() - 2], false),
        question("accounts/1/", 2, "accounts/1/policies/P", false),
    ] {
        let answer = within(world.manage.list_objects(other)).await;
        assert_eq!(refused(answer), invalid);
    }
    let history = v1::ListRevisionsRequest {
        page_size: 1,
        page_token: token,
        differences: false,
    };
    let answer = within(world.manage.list_revisions(history.clone())).await;
    assert_eq!(refused(answer), invalid);
    let page = v1::ListRevisionsRequest {
        page_token: String::new(),
        ..history
    };
    let page = within(world.manage.list_revisions(page))
        .await
        .unwrap()
        .into_inner();
    let last = v1::ListRevisionsRequest {
        page_size: 1,
        page_token: page.next_page_token,
        differences: false,
    };
    let last = within(world.manage.list_revisions(last))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(last.changes[0].revision, Some(first));
    assert_eq!((last.changes.len(), &*last.next_page_token), (1, ""));
    let large = within(world.manage.list_objects(question("", 1_001, "", false))).await;
    let invalid = because(Code::InvalidArgument, "INVALID_REQUEST");
    assert_eq!(refused(large), invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_the_differences_to_the_store_and_comes_back_whole() {
    let (mut world, _) = World::with_alice().await;
    let bundle = |effect: &str| v1::ApplyBundleRequest {
        files: files(&[("1", effect), ("2", "Allow")])
            .into_iter()
            .map(|(path, content)| v1::BundleFile {
                path,
                content: content.into_bytes(),
            })
            .collect(),
        dry_run: false,
        options: None,
    };
    let made = within(world.manage.apply_bundle(bundle("Allow")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.outcome(), v1::ApplyOutcome::Published);
    let again = within(world.manage.apply_bundle(bundle("Allow")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (again.outcome(), again.changed),
        (v1::ApplyOutcome::Unchanged, 0)
    );
    let other = within(world.manage.apply_bundle(bundle("Deny")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (other.outcome(), other.changed),
        (v1::ApplyOutcome::Published, 1)
    );
    let change = world.history().await.remove(0);
    assert_eq!(change.cause(), v1::ChangeCause::Bundle);
    assert_eq!(change.differences[0].id, POLICY);

    let export = world.manage.export_bundle(v1::ExportBundleRequest {});
    let mut export = within(export).await.unwrap().into_inner();
    let mut exported = Vec::new();
    while let Some(message) = within(export.message()).await.unwrap() {
        assert_eq!(message.revision, other.revision);
        exported.push(message.file.unwrap());
    }
    let request = v1::ApplyBundleRequest {
        files: exported,
        dry_run: false,
        options: None,
    };
    let same = within(world.manage.apply_bundle(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(same.outcome(), v1::ApplyOutcome::Unchanged, "{same:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_sees_every_revision_and_readers_see_their_writes() {
    let (mut world, first) = World::with_alice().await;
    let mut revisions = world.process.revisions().await;
    assert_eq!(revisions.next().await, Some(first));
    let mut client = world.process.client().await;
    for effect in ["Deny", "Allow", "Deny"] {
        let made = world
            .apply(vec![put(POLICY, &policy(effect, "ecs:*", "*"))])
            .await;
        let made = made.revision.unwrap();
        assert_eq!(revisions.next().await.as_ref(), Some(&made));
        let asked = client.authorize(v1::AuthorizeRequest {
            principal: "acs:ram::1:user/alice".to_owned(),
            action: "ecs:StartInstance".to_owned(),
            resources: vec![v1::Resource {
                arn: "acs:ecs:cn-hangzhou:1:instance/i-1".to_owned(),
                ..v1::Resource::default()
            }],
            min_revision: Some(token(&made)),
            ..v1::AuthorizeRequest::default()
        });
        let answer = within(asked).await.unwrap().into_inner();
        assert_eq!(answer.revision, Some(made));
        assert_eq!(answer.effect() == v1::Effect::Allow, effect == "Allow");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_as_objects_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let process = Process::serving(folder.path()).await;
    let manage = process.manage().await;
    let mut world = World {
        process,
        manage,
        folder,
    };
    let read_only = because(Code::FailedPrecondition, "MANAGEMENT_READ_ONLY");
    let asked = world.ask(alice("Deny"), v1::ChangeOptions::default()).await;
    assert_eq!(refused(asked), read_only);
    assert_eq!(
        refused(world.rollback(1, v1::ChangeOptions::default()).await),
        read_only
    );
    assert!(world.get(POLICY).await.unwrap().contains("Allow"));
    let missing = world.get("accounts/1/users/bob").await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let info = missing.get_details_resource_info().unwrap();
    assert_eq!(info.resource_name, "accounts/1/users/bob");
    let list = v1::ListObjectsRequest {
        prefix: "accounts/1/".to_owned(),
        ..v1::ListObjectsRequest::default()
    };
    let listed = within(world.manage.list_objects(list))
        .await
        .unwrap()
        .into_inner();
    let ids: Vec<String> = listed.objects.into_iter().map(|one| one.id).collect();
    let mut expected: Vec<String> = alice("Allow")
        .into_iter()
        .skip(1)
        .map(|one| one.id)
        .collect();
    expected.sort();
    assert_eq!(ids, expected);
    assert_eq!(listed.revision.unwrap().number, 1);
    assert!(world.history().await.is_empty());
    let export = world.manage.export_bundle(v1::ExportBundleRequest {});
    let mut export = within(export).await.unwrap().into_inner();
    let first = within(export.message())
        .await
        .unwrap()
        .unwrap()
        .file
        .unwrap();
    assert_eq!(first.path, "accounts/1/account.json");
}
