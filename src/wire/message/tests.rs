//! The borrowed reading against prost's owned one, on whole messages and on broken bytes.

use proptest::prelude::*;
use prost::Message as _;

use super::changed::{changes, make, may_hold_group};
use super::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z:/*]{0,12}",
        2 => "\\PC{0,6}",
        1 => "[a-zé]{100,140}",
    ]
}

/// Mostly few; sometimes about as many as a limit.
fn several<T: std::fmt::Debug>(
    item: impl Strategy<Value = T>,
    limit: usize,
) -> impl Strategy<Value = Vec<T>> {
    let many = prop_oneof![15 => 0_usize..4, 1 => limit - 1..limit + 4];
    let item = std::rc::Rc::new(item);
    many.prop_flat_map(move |count| prop::collection::vec(item.clone(), count))
}

fn tag_set(limit: usize) -> impl Strategy<Value = v1::TagSet> {
    let tag = (text(), text()).prop_map(|(key, value)| v1::Tag { key, value });
    several(tag, limit).prop_map(|tags| v1::TagSet { tags })
}

fn resource() -> impl Strategy<Value = v1::Resource> {
    let group = prop::option::of(text().prop_map(|id| v1::ResourceGroup { id }));
    let tags = prop::option::of(tag_set(limits::RESOURCE_TAGS));
    (text(), text(), group, tags).prop_map(|(arn, r#type, resource_group, tags)| v1::Resource {
        arn,
        r#type,
        resource_group,
        tags,
    })
}

fn tag_write() -> impl Strategy<Value = v1::TagWrite> {
    let set = prop::option::of(tag_set(limits::REQUEST_TAGS));
    let keys = several(text(), limits::REMOVED_KEYS);
    (set, keys, any::<bool>(), any::<bool>()).prop_map(|(set, remove_keys, remove_all, replace)| {
        v1::TagWrite {
            set,
            remove_keys,
            remove_all,
            replace,
        }
    })
}

fn session() -> impl Strategy<Value = v1::Session> {
    use v1::session::Policy;
    let policy = prop_oneof![
        Just(None),
        Just(Some(Policy::None(v1::NoSessionPolicy {}))),
        text().prop_map(|text| Some(Policy::PolicyDocument(text))),
    ];
    policy.prop_map(|policy| v1::Session { policy })
}

fn token() -> impl Strategy<Value = v1::RevisionToken> {
    (text(), any::<u64>()).prop_map(|(source, number)| v1::RevisionToken { source, number })
}

fn request() -> impl Strategy<Value = v1::AuthorizeRequest> {
    let values = several(text(), limits::CONTEXT_VALUES);
    let entry = (text(), values).prop_map(|(key, values)| v1::ContextEntry { key, values });
    (
        (text(), text()),
        several(resource(), limits::RESOURCES),
        prop::option::of(tag_write()),
        several(entry, limits::CONTEXT_ENTRIES),
        prop::option::of(session()),
        (any::<i32>(), any::<bool>(), any::<bool>()),
        prop::option::of(token()),
    )
        .prop_map(
            |(names, resources, tag_write, context, session, flags, min_revision)| {
                v1::AuthorizeRequest {
                    principal: names.0,
                    action: names.1,
                    resources,
                    tag_write,
                    context,
                    session,
                    kind: flags.0,
                    min_revision,
                    explain: flags.1,
                    understands_obligations: flags.2,
                }
            },
        )
}

fn tagging() -> impl Strategy<Value = v1::ValidateTaggingRequest> {
    let set = prop::option::of(tag_set(limits::REQUEST_TAGS));
    let group = (set, any::<bool>()).prop_map(|(tags, excluded)| v1::GroupTags { tags, excluded });
    (
        text(),
        prop::option::of(resource()),
        (any::<i32>(), any::<bool>()),
        prop::option::of(tag_write()),
        prop::option::of(group),
        prop::option::of(token()),
    )
        .prop_map(
            |(
                principal,
                resource,
                (operation, ever_tagged),
                tag_write,
                group_tags,
                min_revision,
            )| {
                v1::ValidateTaggingRequest {
                    principal,
                    resource,
                    operation,
                    tag_write,
                    group_tags,
                    ever_tagged,
                    min_revision,
                }
            },
        )
}

/// Known fields again, whole and in parts.
fn known_fields() -> Vec<Vec<u8>> {
    vec![
        vec![0x0a, 1, b'x'],
        vec![0x22, 0],
        vec![0x1a, 4, 0x1a, 0, 0x22, 0],
        vec![0x1a, 8, 0x22, 2, 0x0a, 0, 0x22, 2, 0x0a, 0],
        vec![0x32, 4, 0x0a, 0, 0x12, 0],
        // A resource, and the tags of its group, of a question about tags.
        vec![0x12, 8, 0x22, 2, 0x0a, 0, 0x22, 2, 0x0a, 0],
        vec![0x12, 6, 0x1a, 0, 0x1a, 2, 0x0a, 0],
        vec![0x2a, 6, 0x0a, 0, 0x0a, 2, 0x0a, 0],
        vec![0x2a, 2, 0x10, 1],
        vec![
            0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        ],
    ]
}

fn check_question(bytes: &[u8]) {
    let owned = v1::AuthorizeRequest::decode(bytes);
    let mut read = Authorize::default();
    match (read.merge(bytes), &owned) {
        (Ok(()), owned) => assert_eq!(read, Authorize::from(owned.as_ref().unwrap())),
        (Err(Unread), Ok(_)) => assert!(may_hold_group(bytes), "{bytes:?}"),
        (Err(Unread), Err(_)) => {}
    }
    let told = with_question(bytes, |_| Ok(()));
    let expected = match &owned {
        Ok(_) => Ok(()),
        Err(error) => Err(CallError::MessageInvalid(error.to_string())),
    };
    assert_eq!(told, expected);
}

fn check_tagging(bytes: &[u8]) {
    let owned = v1::ValidateTaggingRequest::decode(bytes);
    let mut read = ValidateTagging::default();
    match (read.merge(bytes), &owned) {
        (Ok(()), owned) => assert_eq!(read, ValidateTagging::from(owned.as_ref().unwrap())),
        (Err(Unread), Ok(_)) => assert!(may_hold_group(bytes), "{bytes:?}"),
        (Err(Unread), Err(_)) => {}
    }
    let told = with_tagging(bytes, |_| Ok(()));
    let expected = match &owned {
        Ok(_) => Ok(()),
        Err(error) => Err(CallError::MessageInvalid(error.to_string())),
    };
    assert_eq!(told, expected);
}

fn check_batch(bytes: &[u8]) {
    let owned = v1::BatchAuthorizeRequest::decode(bytes);
    let mut items = Items::new(bytes);
    let mut place = 0;
    let read = loop {
        let mut question = Authorize::default();
        match items.next_item() {
            Ok(None) => break Ok(()),
            Ok(Some(bytes)) if question.merge(bytes).is_ok() => {
                if let Ok(owned) = &owned {
                    assert_eq!(question, Authorize::from(&owned.requests[place]));
                }
            }
            Ok(Some(_)) | Err(Unread) => break Err(Unread),
        }
        place += 1;
    };
    match (read, owned) {
        (Ok(()), owned) => {
            let requests = owned.unwrap().requests;
            let resources = requests.iter().map(|request| request.resources.len()).sum();
            assert_eq!(Items::new(bytes).count(), Ok((requests.len(), resources)));
        }
        (Err(Unread), Ok(_)) => assert!(may_hold_group(bytes), "{bytes:?}"),
        (Err(Unread), Err(_)) => {}
    }
}

fn check_streamed(bytes: &[u8]) {
    let owned = v1::AuthorizeStreamRequest::decode(bytes);
    let mut read = Authorize::default();
    match (streamed(bytes, &mut read), &owned) {
        (Ok(is_asked), owned) => {
            let owned = owned.as_ref().unwrap().request.as_ref();
            assert_eq!(is_asked.then_some(read), owned.map(Authorize::from));
        }
        (Err(Unread), Ok(_)) => assert!(may_hold_group(bytes), "{bytes:?}"),
        (Err(Unread), Err(_)) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_prost_writes_is_read_as_prost_reads_it(message in request()) {
        let bytes = message.encode_to_vec();
        let mut read = Authorize::default();
        prop_assert_eq!(read.merge(&bytes), Ok(()));
        prop_assert_eq!(read, Authorize::from(&message));
    }

    #[test]
    fn broken_questions_are_taken_and_refused_as_prost_does(
        message in request(),
        changes in changes(known_fields()),
    ) {
        let mut bytes = message.encode_to_vec();
        make(changes, &mut bytes);
        check_question(&bytes);
    }

    #[test]
    fn what_prost_writes_of_tags_is_read_as_prost_reads_it(message in tagging()) {
        let bytes = message.encode_to_vec();
        let mut read = ValidateTagging::default();
        prop_assert_eq!(read.merge(&bytes), Ok(()));
        prop_assert_eq!(read, ValidateTagging::from(&message));
    }

    #[test]
    fn broken_questions_about_tags_are_taken_and_refused_as_prost_does(
        message in tagging(),
        changes in changes(known_fields()),
    ) {
        let mut bytes = message.encode_to_vec();
        make(changes, &mut bytes);
        check_tagging(&bytes);
    }

    #[test]
    fn broken_batches_and_streams_are_taken_and_refused_as_prost_does(
        requests in prop::collection::vec(request(), 0..4),
        changes in changes(known_fields()),
    ) {
        let mut bytes = v1::BatchAuthorizeRequest { requests }.encode_to_vec();
        make(changes, &mut bytes);
        check_batch(&bytes);
        // The one field of both messages has the same number: there all its parts are merged.
        check_streamed(&bytes);
    }

    #[test]
    fn arbitrary_bytes_are_taken_and_refused_as_prost_does(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        check_question(&bytes);
        check_tagging(&bytes);
        check_batch(&bytes);
        check_streamed(&bytes);
    }
}

#[test]
fn parts_of_a_message_are_merged() {
    let part = |resource: v1::Resource| {
        let message = v1::AuthorizeRequest {
            resources: vec![resource],
            ..v1::AuthorizeRequest::default()
        };
        message.encode_to_vec()
    };
    let tags = |key: &str| v1::TagSet {
        tags: vec![v1::Tag {
            key: key.to_owned(),
            value: String::new(),
        }],
    };
    let with = |key: &str| v1::Resource {
        tags: Some(tags(key)),
        ..v1::Resource::default()
    };
    // One resource with two tag sets, then the same as two resources.
    let (one, other) = (with("a").encode_to_vec(), with("b").encode_to_vec());
    let mut merged = vec![0x1a, u8::try_from(one.len() + other.len()).unwrap()];
    merged.extend([one, other].concat());
    let mut read = Authorize::default();
    read.merge(&merged).unwrap();
    let keys = |read: &Authorize<'_>, place: usize| -> Vec<String> {
        let tags = read
            .resources
            .tags_of(&read.resources.listed[place])
            .unwrap();
        tags.iter().map(|tag| tag.key.to_owned()).collect()
    };
    assert_eq!(keys(&read, 0), ["a", "b"]);
    let two = [part(with("a")), part(with("b"))].concat();
    let mut read = Authorize::default();
    read.merge(&two).unwrap();
    assert_eq!(
        (keys(&read, 0), keys(&read, 1)),
        (vec!["a".to_owned()], vec!["b".to_owned()])
    );
    check_question(&merged);
    check_question(&two);
}
