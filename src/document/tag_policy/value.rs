//! The values that lists may hold, by dialect, section and setting.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::{TagPolicyErrorKind, TagPolicyLint};
use super::service::{self, AllTypes};
use super::statement::Place;
use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::json::Node;
use crate::document::lint::LintKind;
use crate::document::shipped;
use crate::model::tag::MAX_VALUE_CHARS;
use crate::model::tag_policy::{Dialect, ListSetting, Operator, Section, TypePattern, ValueRegex};
use crate::model::text::check_tag_text;

/// Reads one element of a list.
pub(super) fn element(
    at: &Cursor<'_, '_>,
    place: Place<'_>,
    (setting, operator): (ListSetting, Operator),
    sink: &mut Sink<'_>,
) -> Result<Arc<str>, Told> {
    let text = scalar(at, place.dialect, sink)?;
    let checked = match setting {
        ListSetting::TagValue => tag_value(&text, place, operator).map(|()| Arc::from(&*text)),
        ListSetting::RegionScope | ListSetting::RgScope => {
            scope_name(&text).map(|()| Arc::from(&*text))
        }
        ListSetting::ResourceTypeScope
        | ListSetting::EnforcedFor
        | ListSetting::ReportRequiredTagFor => resource_type(at, &text, place.dialect, sink),
    };
    checked.map_err(|kind| at.refuse(kind, sink))
}

/// AWS turns numbers, booleans and null into text (tag-policy 7, rule 12).
fn scalar<'n>(
    at: &Cursor<'_, 'n>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Cow<'n, str>, Told> {
    match (at.node(), dialect) {
        (Node::Number(number), Dialect::Aws) => Ok(number.to_string().into()),
        (Node::Bool(value), Dialect::Aws) => Ok(value.to_string().into()),
        (Node::Null, Dialect::Aws) => Ok("null".into()),
        (
            Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::String(_)
            | Node::Array(_)
            | Node::Object(_),
            _,
        ) => at.text(sink).map(Cow::Borrowed),
    }
}

/// A value that is only taken away may be anything.
fn tag_value(text: &str, place: Place<'_>, operator: Operator) -> Result<(), TagPolicyErrorKind> {
    if operator == Operator::Remove {
        return Ok(());
    }
    if place.section == Section::MatchedTags {
        return Ok(ValueRegex::new(text).map(drop)?);
    }
    check_tag_text(text, MAX_VALUE_CHARS)?;
    let stars = text.matches('*').count();
    match place.dialect {
        // Tag-policy 7, rule 14.
        Dialect::Alibaba if stars > 0 && text != "*" => Err(TagPolicyErrorKind::PartialStar),
        Dialect::Huawei | Dialect::Aws if stars > 1 => Err(TagPolicyErrorKind::TwoStars),
        Dialect::Alibaba | Dialect::Huawei | Dialect::Aws => Ok(()),
    }
}

fn scope_name(text: &str) -> Result<(), TagPolicyErrorKind> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=128).contains(&text.len()) && text.bytes().all(plain) {
        Ok(())
    } else {
        Err(TagPolicyErrorKind::ScopeName)
    }
}

/// Types are kept in lower case, so that they are told apart as they are compared (rule 58).
fn resource_type(
    at: &Cursor<'_, '_>,
    text: &str,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Arc<str>, TagPolicyErrorKind> {
    let found = || text.into();
    let Some((service, resource)) = split_type(text, dialect) else {
        return Err(TagPolicyErrorKind::Type { found: found() });
    };
    let open = resource == "*" || resource.eq_ignore_ascii_case(TypePattern::ALL_SUPPORTED);
    let takes = match dialect {
        Dialect::Alibaba => !open,
        Dialect::Huawei => !open || resource == "*",
        Dialect::Aws => true,
    };
    if service == "*" || !takes {
        let found = found();
        return Err(TagPolicyErrorKind::OpenType { dialect, found });
    }
    let part = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
        !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
    };
    if !part(&service) || !(open || part(&resource)) {
        return Err(TagPolicyErrorKind::Type { found: found() });
    }
    known_service(at, &service, &resource, dialect, sink)?;
    let resource = if open {
        resource
    } else {
        resource.to_ascii_lowercase()
    };
    Ok(format!("{service}:{resource}").into())
}

/// `service:resource`; Cloud Config's `ACS::Service::Resource` as well in the Alibaba dialect.
fn split_type(text: &str, dialect: Dialect) -> Option<(String, String)> {
    let text = match (dialect, text.split_once("::")) {
        (Dialect::Alibaba, Some(("ACS", rest))) => rest.replacen("::", ":", 1),
        (Dialect::Alibaba | Dialect::Huawei | Dialect::Aws, _) => text.to_owned(),
    };
    if text == "*" {
        return Some((text.clone(), text));
    }
    let (service, resource) = text.split_once(':')?;
    Some((service.to_ascii_lowercase(), resource.to_owned()))
}

fn known_service(
    at: &Cursor<'_, '_>,
    service: &str,
    resource: &str,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<(), TagPolicyErrorKind> {
    match dialect {
        Dialect::Huawei => Ok(()),
        Dialect::Alibaba => {
            if !is_in_catalog(service) {
                let service = service.into();
                let lint = TagPolicyLint::UnlistedService { service };
                sink.warn(&at.spot(), LintKind::TagPolicy(lint));
            }
            Ok(())
        }
        Dialect::Aws => match service::aws(service) {
            None => Err(TagPolicyErrorKind::UnknownService {
                service: service.into(),
            }),
            Some(AllTypes::NewOnly) if resource == "*" => Err(TagPolicyErrorKind::OldWildcard {
                service: service.into(),
            }),
            Some(AllTypes::NewOnly | AllTypes::OldToo) => Ok(()),
        },
    }
}

fn is_in_catalog(service: &str) -> bool {
    let catalog = shipped::catalog();
    let mut actions = catalog.actions.keys();
    catalog.services.contains_key(service) || actions.any(|action| action.service() == service)
}
