//! The type of a resource, and whether a sent one is believed (design, section 5; semantics 49).

use crate::model::catalog::Catalog;
use crate::model::tag_policy::EffectivePolicy;

/// A sent type that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the type is refused")]
pub struct RefusedType;

/// Judges what is said of a type: by the directory (`stored`), by the ARN, by the request (`sent`,
/// empty: nothing); `None`: nobody tells the type.
///
/// # Errors
///
/// When the sent type is refused.
pub fn resource_type(
    catalog: &Catalog,
    policies: &[&EffectivePolicy],
    arn: &str,
    stored: Option<&str>,
    sent: &str,
) -> Result<Option<String>, RefusedType> {
    let table = |kind: String| {
        let mut entries = catalog.resource_types.iter();
        let entry = entries.find(|(from, _)| ***from == kind);
        entry.map_or(kind, |(_, to)| to.to_string())
    };
    // The directory stands over everybody.
    if let Some(stored) = stored {
        return Ok(Some(stored.to_lowercase()));
    }
    let fields: Vec<&str> = arn.splitn(5, ':').collect();
    let (service, id) = match fields.as_slice() {
        [_, service, _, _, id] => (*service, *id),
        // The ARN `*` says nothing, and any sent type is taken.
        _ => ("", "*"),
    };
    let segments: Vec<&str> = id.split('/').collect();
    let told = match segments.as_slice() {
        ["*", ..] | [] => None,
        [first, ..] => Some(table(format!("{service}:{first}").to_lowercase())),
    };
    let sent = table(sent.to_lowercase());
    if sent.is_empty() || told.as_ref() == Some(&sent) {
        return Ok(told);
    }
    // What the ARN tells stands where anybody lists it.
    if let Some(told) = told {
        let mut known: Vec<String> = Vec::new();
        for policy in policies {
            let types = catalog.tag_types.get(&policy.dialect);
            known.extend(
                types
                    .into_iter()
                    .flatten()
                    .map(|(kind, _)| kind.to_string()),
            );
            for statement in &policy.statements {
                let scope = statement.resource_type_scope.iter().flatten();
                let listed = scope.chain(&statement.enforced_for);
                let listed = listed.chain(&statement.report_required_tag_for);
                known.extend(listed.map(|kind| kind.as_str().to_lowercase()));
            }
        }
        if known.contains(&told) {
            return Err(RefusedType);
        }
    }
    // Else the sent type must be of the ARN's service, or of one that the table turns it into.
    let mut services = vec![service.to_lowercase()];
    for (from, to) in &catalog.resource_types {
        if from.split(':').next() == Some(service)
            && let Some((service, _)) = to.split_once(':')
        {
            services.push(service.to_lowercase());
        }
    }
    match sent.split_once(':') {
        _ if arn == "*" => Ok(Some(sent)),
        Some((of, _)) if services.iter().any(|service| service == of) => Ok(Some(sent)),
        Some(_) | None => Err(RefusedType),
    }
}
