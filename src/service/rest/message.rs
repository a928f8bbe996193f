//! Messages in proto3's JSON, by the descriptors of the API.
//!
//! Nothing of a text is passed over: an unknown member, one that stands twice (in either spelling)
//! and what follows the message are refused.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{
    DescriptorError, DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor,
    MethodDescriptor, SerializeOptions,
};
use tonic::Status;

use crate::document::error::ShapeErrorKind;
use crate::document::json::{Arena, Node, parse};
use crate::document::{DocumentErrors, Source};
use crate::wire::DESCRIPTORS;
use crate::wire::status::CallError;

/// The services whose calls are served.
const SERVICES: [&str; 2] = [
    "tagwarden.v1.AuthorizationService",
    "tagwarden.v1.TaggingService",
];

/// The messages of the API.
#[derive(Debug, Clone)]
pub(super) struct Messages(DescriptorPool);

impl Messages {
    pub(super) fn new() -> Result<Self, DescriptorError> {
        DescriptorPool::decode(DESCRIPTORS).map(Self)
    }

    /// The method of a path `/<service>/<method>`, if it is served and has one answer.
    pub(super) fn method(&self, path: &str) -> Option<MethodDescriptor> {
        let (service, name) = path.strip_prefix('/')?.split_once('/')?;
        if !SERVICES.contains(&service) {
            return None;
        }
        let service = self.0.get_service_by_name(service)?;
        let mut methods = service.methods();
        let method = methods.find(|method| method.name() == name)?;
        (!method.is_client_streaming() && !method.is_server_streaming()).then_some(method)
    }

    /// A message of some name.
    pub(super) fn message(&self, name: &str) -> Option<MessageDescriptor> {
        self.0.get_message_by_name(name)
    }
}

/// Reads a text as a message, and writes its bytes.
pub(super) fn read(descriptor: MessageDescriptor, text: &[u8]) -> Result<Bytes, CallError> {
    check(text, Names::OfFields).map_err(invalid)?;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message = DynamicMessage::deserialize_with_options(descriptor, &mut reader, &options);
    let message = message.map_err(invalid)?;
    reader.end().map_err(invalid)?;
    Ok(message.encode_to_vec().into())
}

fn invalid(error: impl std::fmt::Display) -> CallError {
    CallError::MessageInvalid(error.to_string())
}

/// When two names of members are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// When they are equal.
    AsWritten,
    /// When they name the same field: `tagWrite` is `tag_write`.
    OfFields,
}

/// Refuses what is no JSON, too deep, or says something twice.
pub(super) fn check(text: &[u8], names: Names) -> Result<(), DocumentErrors> {
    let source = Source::from_bytes(text)?;
    let arena = Arena::default();
    let node = parse(source, text.len(), &arena)?;
    match twice(&node, names) {
        Some(name) => {
            let name = name.into();
            let kind = ShapeErrorKind::DuplicateMember { name };
            Err(DocumentErrors::one(kind, source.start()))
        }
        None => Ok(()),
    }
}

/// A member that an object has twice.
fn twice<'n>(node: &Node<'n>, names: Names) -> Option<&'n str> {
    match node {
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => None,
        Node::Array(nodes) => nodes.iter().find_map(|node| twice(node, names)),
        Node::Object(members) => {
            let mut seen = HashSet::with_capacity(members.len());
            let again = members.iter().find(|(name, _)| {
                let name = match names {
                    Names::AsWritten => Cow::Borrowed(*name),
                    Names::OfFields => Cow::Owned(spelled(name)),
                };
                !seen.insert(name)
            });
            let below = || members.iter().find_map(|(_, node)| twice(node, names));
            again.map(|(name, _)| *name).or_else(below)
        }
    }
}

/// A name in the spelling of JSON: `tag_write` is `tagWrite`.
fn spelled(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len());
    let mut is_next = false;
    for letter in name.chars() {
        match (letter, is_next) {
            ('_', _) => is_next = true,
            (letter, true) => {
                spelled.push(letter.to_ascii_uppercase());
                is_next = false;
            }
            (letter, false) => spelled.push(letter),
        }
    }
    spelled
}

/// Writes the bytes of a message as JSON.
pub(super) fn write(descriptor: MessageDescriptor, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    let unreadable = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Status::internal("the answer cannot be written as JSON")
    };
    let message = DynamicMessage::decode(descriptor, bytes).map_err(|error| unreadable(&error))?;
    let mut writer = serde_json::Serializer::new(Vec::with_capacity(bytes.len() * 2));
    let written = message.serialize_with_options(&mut writer, &SerializeOptions::new());
    written.map_err(|error| unreadable(&error))?;
    Ok(writer.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1;

    fn request(text: &str) -> Result<v1::AuthorizeRequest, String> {
        let messages = Messages::new().unwrap();
        let method = messages.method("/tagwarden.v1.AuthorizationService/Authorize");
        let bytes =
            read(method.unwrap().input(), text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(v1::AuthorizeRequest::decode(bytes).unwrap())
    }

    #[test]
    fn messages_are_read_in_both_spellings() {
        let expected = v1::AuthorizeRequest {
            action: "ecs:A".to_owned(),
            tag_write: Some(v1::TagWrite::default()),
            kind: v1::OperationKind::Update.into(),
            ..v1::AuthorizeRequest::default()
        };
        for text in [
            r#"{"action": "ecs:A", "tagWrite": {}, "kind": "OPERATION_KIND_UPDATE"}"#,
            r#" {"action": "ecs:A", "tag_write": {}, "kind": 3, "session": null} "#,
        ] {
            assert_eq!(request(text), Ok(expected.clone()), "{text}");
        }
    }

    #[test]
    fn nothing_is_passed_over() {
        let check = |text: &str, expected: &str| {
            let refused = request(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        };
        check("", "not JSON");
        check("{} {}", "trailing characters");
        check("[]", "expected");
        check(r#"{"acton": "a"}"#, "acton");
        check(
            r#"{"action": "a", "action": "b"}"#,
            "`action` is given twice",
        );
        check(
            r#"{"tagWrite": {}, "tag_write": {}}"#,
            "`tag_write` is given twice",
        );
        check(
            r#"{"resources": [{"arn": "a", "arn": "b"}]}"#,
            "`arn` is given twice",
        );
        check(r#"{"kind": "OPERATION_KIND_NONE"}"#, "OPERATION_KIND_NONE");
        check(r#"{"action": 1}"#, "expected a string");
        check(
            r#"{"tagWrite": {"set": {"tags": [{"k": "v"}]}}}"#,
            "unrecognized field name 'k'",
        );
        check(&"[".repeat(50), "nested deeper");
        let messages = Messages::new().unwrap();
        let stream = "/tagwarden.v1.AuthorizationService/AuthorizeStream";
        for path in [stream, "/tagwarden.v1.ManagementService/GetObject", "/", ""] {
            assert!(messages.method(path).is_none(), "{path}");
        }
    }
}
