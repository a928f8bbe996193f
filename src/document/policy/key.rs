//! Condition keys as written (ram 3, security 3.8 and 7.1).
//!
//! The part before the first `/` is read without regard to ASCII case; a tag key is kept as it is.

use crate::document::error::Excerpt;
use crate::model::catalog::Catalog;
use crate::model::condition::{CONTEXT_KEYS, ConditionKey, TagConditionKey, TagFamily};
use crate::model::pattern::has_wildcard;
use crate::model::tag::check_key;
use crate::model::text::split_at_byte;

use super::{MAX_VALUE_BYTES, PolicyErrorKind};

/// A key, and how well it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadKey {
    /// The key.
    pub(super) key: ConditionKey,
    /// How well it is known.
    pub(super) standing: Standing,
}

/// How well a key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// As any key of a service.
    Plain,
    /// `Action` or `Resource` without a prefix.
    Bare,
    /// A key with the prefix `acs:` that nobody documents.
    UnknownAcs,
}

/// Reads a condition key.
pub(super) fn parse(text: &str, catalog: &Catalog) -> Result<ReadKey, PolicyErrorKind> {
    if text.len() > MAX_VALUE_BYTES {
        return Err(PolicyErrorKind::ValueTooLong);
    }
    let (left, tag_key) = match split_at_byte(text, b'/') {
        Some((left, tag_key)) => (left, Some(tag_key)),
        None => (text, None),
    };
    let fixed = left.to_ascii_lowercase();
    if !fixed.bytes().all(is_key_byte) {
        return Err(PolicyErrorKind::InvalidKey { key: text.into() });
    }
    let plain = |key| ReadKey {
        key,
        standing: Standing::Plain,
    };
    let Some((service, name)) = split_at_byte(&fixed, b':') else {
        return bare(&fixed, tag_key)
            .ok_or_else(|| PolicyErrorKind::KeyUnprefixed { key: text.into() });
    };
    if service.is_empty() || name.is_empty() {
        return Err(PolicyErrorKind::InvalidKey { key: text.into() });
    }
    if let Some(family) = family(service, name, &fixed, catalog) {
        return tag(left, tag_key, service, family).map(|key| plain(ConditionKey::Tag(key)));
    }
    if tag_key.is_some() && service != "acs" && fixed.contains("tag") {
        let family = left.into();
        return Err(PolicyErrorKind::UnknownTagFamily { family });
    }
    let whole = text.to_ascii_lowercase();
    match (service, known(&whole)) {
        (_, Some(key)) => Ok(plain(key)),
        ("acs", None) => Ok(ReadKey {
            key: ConditionKey::Context(whole.into_boxed_str()),
            standing: Standing::UnknownAcs,
        }),
        (_, None) if !whole.bytes().all(is_key_byte) => {
            Err(PolicyErrorKind::InvalidKey { key: text.into() })
        }
        (_, None) => Ok(plain(ConditionKey::Context(whole.into_boxed_str()))),
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?')
}

/// Security 7.1: bare `Action` and `Resource` are the requested action and ARN.
fn bare(fixed: &str, tag_key: Option<&str>) -> Option<ReadKey> {
    let key = match (fixed, tag_key) {
        ("action", None) => ConditionKey::Action,
        ("resource", None) => ConditionKey::Resource,
        _ => return None,
    };
    Some(ReadKey {
        key,
        standing: Standing::Bare,
    })
}

/// Security 3.8: the families of tags.
fn family(service: &str, name: &str, fixed: &str, catalog: &Catalog) -> Option<TagFamily> {
    match (service, name) {
        (_, "resourcetag") | ("oss", "buckettag" | "existingobjecttag") => {
            Some(TagFamily::Resource)
        }
        (_, "requesttag") | ("oss", "requestobjecttag") => Some(TagFamily::Request),
        ("acs", _) => None,
        (_, "tag") => Some(TagFamily::Either),
        _ => catalog.tag_families.get(fixed).copied(),
    }
}

fn tag(
    left: &str,
    tag_key: Option<&str>,
    service: &str,
    family: TagFamily,
) -> Result<TagConditionKey, PolicyErrorKind> {
    let written = || Excerpt::from(left);
    let key = match tag_key {
        None | Some("") => return Err(PolicyErrorKind::TagKeyMissing { family: written() }),
        Some(key) if has_wildcard(key) => {
            return Err(PolicyErrorKind::TagKeyWildcard { key: key.into() });
        }
        Some(key) => key,
    };
    check_key(key).map_err(|cause| PolicyErrorKind::InvalidTagKey {
        key: key.into(),
        cause,
    })?;
    Ok(TagConditionKey {
        family,
        service: (service != "acs").then(|| service.into()),
        key: key.into(),
    })
}

/// The keys that are known by name (ram 3).
fn known(whole: &str) -> Option<ConditionKey> {
    match whole {
        "acs:currenttime" => Some(ConditionKey::CurrentTime),
        "acs:sourceip" => Some(ConditionKey::SourceIp),
        "acs:securetransport" => Some(ConditionKey::SecureTransport),
        "acs:mfapresent" => Some(ConditionKey::MfaPresent),
        "acs:principalarn" => Some(ConditionKey::PrincipalArn),
        "acs:resourcegroupid" => Some(ConditionKey::ResourceGroupId),
        _ => CONTEXT_KEYS
            .contains(&whole)
            .then(|| ConditionKey::Context(whole.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ReadKey, &'static str> {
        let mut catalog = Catalog::default();
        let family = TagFamily::Resource;
        catalog.tag_families.insert("cs:clustertag".into(), family);
        parse(text, &catalog).map_err(|error| error.code())
    }

    #[test]
    fn fixed_parts_ignore_case_and_tag_keys_do_not() {
        let check = |text: &str, family, service: Option<&str>, key: &str| {
            let expected = ConditionKey::Tag(TagConditionKey {
                family,
                service: service.map(Into::into),
                key: key.into(),
            });
            assert_eq!(read(text).map(|read| read.key), Ok(expected), "{text}");
        };
        check("ACS:resourcetag/Env", TagFamily::Resource, None, "Env");
        check("acs:RequestTag/a/b:c", TagFamily::Request, None, "a/b:c");
        check("ecs:tag/部门", TagFamily::Either, Some("ecs"), "部门");
        check("RDS:ResourceTag/t", TagFamily::Resource, Some("rds"), "t");
        check("oss:BucketTag/t", TagFamily::Resource, Some("oss"), "t");
        check(
            "oss:ExistingObjectTag/t",
            TagFamily::Resource,
            Some("oss"),
            "t",
        );
        check(
            "oss:RequestObjectTag/t",
            TagFamily::Request,
            Some("oss"),
            "t",
        );
        check("cs:ClusterTag/t", TagFamily::Resource, Some("cs"), "t");
        check(
            "kms:tag/acs:rds:x",
            TagFamily::Either,
            Some("kms"),
            "acs:rds:x",
        );
    }

    #[test]
    fn other_keys_are_known_or_read_from_the_context() {
        let check = |text: &str, key, standing| {
            assert_eq!(read(text), Ok(ReadKey { key, standing }), "{text}");
        };
        let context = |text: &str| ConditionKey::Context(text.into());
        check("acs:SourceIP", ConditionKey::SourceIp, Standing::Plain);
        check("acs:MFAPresent", ConditionKey::MfaPresent, Standing::Plain);
        check("Action", ConditionKey::Action, Standing::Bare);
        check("acs:SourceVpc", context("acs:sourcevpc"), Standing::Plain);
        check("oss:Prefix", context("oss:prefix"), Standing::Plain);
        check("ecs:IsTagged", context("ecs:istagged"), Standing::Plain);
        check("acs:Typo", context("acs:typo"), Standing::UnknownAcs);
        check("acs:tag/k", context("acs:tag/k"), Standing::UnknownAcs);
        check(
            "acs:SourceIp/x",
            context("acs:sourceip/x"),
            Standing::UnknownAcs,
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let check = |text: &str, code| assert_eq!(read(text), Err(code), "{text}");
        check("acs:RequestTag", "TAG_KEY_MISSING");
        check("acs:ResourceTag/", "TAG_KEY_MISSING");
        check("ecs:tag", "TAG_KEY_MISSING");
        check("acs:ResourceTag/*", "TAG_KEY_WILDCARD");
        check("acs:ResourceTag/a?", "TAG_KEY_WILDCARD");
        check("acs:ResourceTag/ a", "INVALID_TAG_KEY");
        check("ecs:InstanceTag/a", "UNKNOWN_TAG_FAMILY");
        check("ecs:BucketTag/a", "UNKNOWN_TAG_FAMILY");
        check("cs:ClusterTag", "TAG_KEY_MISSING");
        check("SourceIp", "KEY_UNPREFIXED");
        check("Action/x", "KEY_UNPREFIXED");
        check("", "KEY_UNPREFIXED");
        check("ecs:", "INVALID_KEY");
        check(":x", "INVALID_KEY");
        check("acs:Source Ip", "INVALID_KEY");
        check("oss:Prefix ", "INVALID_KEY");
        check("oss:*", "INVALID_KEY");
        check("oss:x/部", "INVALID_KEY");
        check(&format!("oss:{}", "x".repeat(1_100)), "VALUE_TOO_LONG");
    }
}
