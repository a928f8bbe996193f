//! The type of a resource: who tells it, and when a sent one is believed (design, section 5).
//!
//! Statements are for types, so a sent type that nothing bounds would take a resource out of the
//! scope of what enforces.

use std::borrow::Cow;

use super::names_type;
use crate::model::arn::{ArnRef, ResourceName};
use crate::model::catalog::Catalog;
use crate::model::tag_policy::EffectivePolicy;

/// Who may tell the type of a resource.
#[derive(Debug, Clone, Copy)]
pub struct TypeSources<'a> {
    /// The ARN.
    pub name: ResourceName<'a>,
    /// What the directory has; `None`: it does not know the resource, or has no type of it.
    pub stored: Option<&'a str>,
    /// What the request says; empty: nothing.
    pub sent: &'a str,
}

/// A sent type that is not the resource's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the type is not that of the resource")]
pub struct TypeMismatch;

/// The type `service:resource`, in lower case; `None`: nobody tells it (semantics 49).
///
/// # Errors
///
/// When the sent type contradicts the ARN.
pub fn resource_type<'a>(
    catalog: &'a Catalog,
    policies: &[&EffectivePolicy],
    sources: &TypeSources<'a>,
) -> Result<Option<Cow<'a, str>>, TypeMismatch> {
    let TypeSources { name, stored, sent } = *sources;
    if let Some(stored) = stored {
        return Ok(Some(lower(stored)));
    }
    let told = match name {
        ResourceName::All => None,
        ResourceName::Arn(arn) => told(catalog, arn, sent),
    };
    if sent.is_empty() {
        return Ok(told);
    }
    let sent = corrected(catalog, lower(sent));
    match (told, name) {
        (Some(told), _) if told == sent => Ok(Some(sent)),
        (Some(told), _) if is_known(catalog, policies, &told) => Err(TypeMismatch),
        (_, ResourceName::All) => Ok(Some(sent)),
        (_, ResourceName::Arn(arn)) if is_of_service(catalog, arn, &sent) => Ok(Some(sent)),
        (_, ResourceName::Arn(_)) => Err(TypeMismatch),
    }
}

/// design, section 5: "`service:first-segment` of the ARN, corrected by the catalog's table". Where
/// the request says the same, its text is taken and none is made.
fn told<'a>(catalog: &'a Catalog, arn: ArnRef<'a>, sent: &'a str) -> Option<Cow<'a, str>> {
    let first = arn.id().split('/').next().filter(|first| *first != "*")?;
    let service = arn.service();
    let is_sent = sent.split_once(':').is_some_and(|(sent_service, sent)| {
        sent_service.eq_ignore_ascii_case(service) && sent.eq_ignore_ascii_case(first)
    });
    let kind = if is_sent {
        lower(sent)
    } else {
        let mut kind = [service, ":", first].concat();
        kind.make_ascii_lowercase();
        Cow::Owned(kind)
    };
    Some(corrected(catalog, kind))
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn corrected<'a>(catalog: &'a Catalog, kind: Cow<'a, str>) -> Cow<'a, str> {
    match catalog.resource_types.get(&*kind) {
        Some(corrected) => Cow::Borrowed(corrected),
        None => kind,
    }
}

fn is_known(catalog: &Catalog, policies: &[&EffectivePolicy], kind: &str) -> bool {
    policies
        .iter()
        .any(|policy| catalog.lists_tag_type(policy.dialect, kind) || names_type(policy, kind))
}

/// Whether a type is of the ARN's service, or of one that the catalog's table turns its types into.
fn is_of_service(catalog: &Catalog, arn: ArnRef<'_>, kind: &str) -> bool {
    let of = |kind: &str, service: &str| {
        let found = kind.split_once(':').map(|(found, _)| found);
        found.is_some_and(|found| found.eq_ignore_ascii_case(service))
    };
    of(kind, arn.service())
        || catalog.resource_types.iter().any(|(from, to)| {
            let service = to.split_once(':').map(|(service, _)| service);
            of(from, arn.service()) && service.is_some_and(|service| of(kind, service))
        })
}
