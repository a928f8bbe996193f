use super::*;
use crate::directory::Directory;
use crate::engine::request::{KnownGroup, KnownTags};
use crate::model;
use crate::model::tag::TagRef;

fn request() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        principal: "acs:ram::1:user/alice".to_owned(),
        action: "ecs:DeleteInstance".to_owned(),
        resources: vec![resource("acs:ecs:cn-hangzhou:1:instance/i-1")],
        ..v1::AuthorizeRequest::default()
    }
}

fn resource(arn: &str) -> v1::Resource {
    v1::Resource {
        arn: arn.to_owned(),
        ..v1::Resource::default()
    }
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

fn many_tags(count: usize) -> v1::TagSet {
    let tag = |place| v1::Tag {
        key: format!("k{place}"),
        value: String::new(),
    };
    v1::TagSet {
        tags: (0..count).map(tag).collect(),
    }
}

fn check(change: impl FnOnce(&mut v1::AuthorizeRequest), expected: Option<(RefusalReason, &str)>) {
    let mut message = request();
    change(&mut message);
    let message = message::Authorize::from(&message);
    let mut storage = Storage::default();
    let refusal = match Question::read(&message, &mut storage) {
        Ok(question) => question.late,
        Err(refusal) => Some(refusal),
    };
    let found = refusal
        .as_ref()
        .map(|refusal| (refusal.reason, refusal.field.as_str()));
    assert_eq!(found, expected, "{refusal:?}");
}

#[test]
fn a_plain_request_is_read() {
    check(|_| {}, None);
    check(
        |message| message.resources[0].tags = Some(many_tags(128)),
        None,
    );
    check(
        |message| {
            message.tag_write = Some(v1::TagWrite {
                set: Some(many_tags(20)),
                remove_keys: vec!["other".to_owned()],
                ..v1::TagWrite::default()
            });
        },
        None,
    );
}

#[test]
fn names_that_break_their_grammar_are_told_by_field() {
    use RefusalReason::InvalidRequest;
    check(
        |message| message.principal.clear(),
        Some((InvalidRequest, "principal")),
    );
    check(
        |message| message.action = "ecs".to_owned(),
        Some((InvalidRequest, "action")),
    );
    check(|message| message.kind = 9, Some((InvalidRequest, "kind")));
    check(
        |message| message.resources.push(resource("acs:ecs:*:1:instance/i-*")),
        Some((InvalidRequest, "resources[1].arn")),
    );
    check(
        |message| message.resources[0].r#type = "ecs".to_owned(),
        Some((InvalidRequest, "resources[0].type")),
    );
    check(
        |message| {
            message.resources[0].resource_group = Some(v1::ResourceGroup {
                id: "a b".to_owned(),
            });
        },
        Some((InvalidRequest, "resources[0].resource_group.id")),
    );
    check(
        |message| message.resources[0].tags = Some(tags(&[("env", "x"), (" env", "x")])),
        Some((InvalidRequest, "resources[0].tags.tags[1]")),
    );
    check(
        |message| message.session = Some(v1::Session::default()),
        Some((InvalidRequest, "session")),
    );
}

#[test]
fn limits_and_repeats_are_refused() {
    check(
        |message| message.resources.clear(),
        Some((RefusalReason::NoResource, "resources")),
    );
    check(
        |message| message.resources = vec![resource("*"); 51],
        Some((RefusalReason::ResourceLimit, "resources")),
    );
    check(
        |message| message.resources = vec![resource("acs:ecs::1:instance/a"); 2],
        Some((RefusalReason::ResourceDuplicate, "resources[1].arn")),
    );
    check(
        |message| message.resources[0].tags = Some(many_tags(129)),
        Some((RefusalReason::TagLimit, "resources[0].tags")),
    );
    check(
        |message| message.resources[0].tags = Some(tags(&[("a", "1"), ("a", "2")])),
        Some((
            RefusalReason::TagKeyDuplicate,
            "resources[0].tags.tags[1].key",
        )),
    );
    check(
        |message| {
            message.tag_write = Some(v1::TagWrite {
                set: Some(many_tags(21)),
                ..v1::TagWrite::default()
            });
        },
        Some((RefusalReason::TagLimit, "tag_write.set")),
    );
    check(
        |message| {
            let policy = v1::session::Policy::PolicyDocument("x".repeat(2_049));
            message.session = Some(v1::Session {
                policy: Some(policy),
            });
        },
        Some((RefusalReason::InvalidDocument, "session.policy_document")),
    );
}

#[test]
fn tag_writes_that_exclude_each_other_are_refused() {
    let conflict = |write: v1::TagWrite, expected| {
        check(|message| message.tag_write = Some(write), Some(expected));
    };
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    conflict(
        v1::TagWrite {
            set: Some(tags(&[("a", "1")])),
            remove_keys: keys(&["a"]),
            ..v1::TagWrite::default()
        },
        (RefusalReason::TagWriteConflict, "tag_write.remove_keys"),
    );
    conflict(
        v1::TagWrite {
            remove_keys: keys(&["a"]),
            replace: true,
            ..v1::TagWrite::default()
        },
        (RefusalReason::TagWriteConflict, "tag_write.replace"),
    );
    conflict(
        v1::TagWrite {
            set: Some(tags(&[("a", "1")])),
            remove_all: true,
            ..v1::TagWrite::default()
        },
        (RefusalReason::TagWriteConflict, "tag_write.remove_all"),
    );
    conflict(
        v1::TagWrite {
            remove_keys: keys(&["a", "b", "a"]),
            ..v1::TagWrite::default()
        },
        (RefusalReason::TagKeyDuplicate, "tag_write.remove_keys[2]"),
    );
}

#[test]
fn the_directory_stands_before_the_sender() {
    let mut message = request();
    message.resources[0].tags = Some(tags(&[("env", "test")]));
    message.resources[0].resource_group = Some(v1::ResourceGroup::default());
    let borrowed = message::Authorize::from(&message);
    let mut storage = Storage::default();
    Question::read(&borrowed, &mut storage).unwrap();
    let stored = |value: &str| model::resource::Resource {
        arn: message.resources[0].arn.as_str().try_into().unwrap(),
        account: None,
        kind: None,
        group: None,
        tags: model::tag::TagSet::new(vec![TagRef { key: "env", value }.into()]).unwrap(),
    };
    let directory = Directory::default();
    let check = |found: Option<model::resource::Resource>, value: Option<&str>, ignored: u64| {
        directory.replace(found);
        let found: Found = [directory.find(&message.resources[0].arn)]
            .into_iter()
            .collect();
        let mut known = Resources::new();
        assert_eq!(storage.known(&found, &mut known), ignored);
        let told = match known[0].tags {
            KnownTags::Unknown => None,
            KnownTags::Sent(tags) => Some(tags[0].value),
            KnownTags::Stored(tags) => tags.get("env"),
        };
        assert_eq!(told, value);
        assert_eq!(known[0].group, KnownGroup::None);
    };
    check(None, Some("test"), 0);
    check(Some(stored("test")), Some("test"), 0);
    check(Some(stored("prod")), Some("prod"), 1);
}
