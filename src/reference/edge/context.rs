//! The context that a request sends.

use crate::model::bundle::Bundle;
use crate::model::condition::{parse_bool, parse_date, parse_ip};
use crate::model::request::AccessRequest;
use crate::model::settings::Operators;
use crate::model::text::fold;
use crate::model::verdict::{RefusalReason, limits};

/// The faults of the context and of the instant.
pub(super) fn faults(bundle: &Bundle, request: &AccessRequest) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    if request.context.len() > limits::CONTEXT_ENTRIES {
        faults.push(RefusalReason::ContextLimit);
    }
    let mut seen: Vec<String> = Vec::new();
    for (key, values) in &request.context {
        let folded = fold(key);
        faults.extend(text_faults(key, values));
        if is_derived(bundle, &folded) {
            faults.push(RefusalReason::ContextKeyDerived);
        }
        // security 2.1: two entries equal after case folding are refused.
        if seen.contains(&folded) {
            faults.push(RefusalReason::ContextKeyDuplicate);
        }
        faults.extend(value_faults(bundle, &folded, values));
        seen.push(folded);
    }
    // security 2.9: parsed at the edge, whatever the policies say.
    if let Some(instant) = &request.current_time
        && parse_date(instant).is_none()
    {
        faults.push(RefusalReason::ContextValueInvalid);
    }
    faults
}

fn text_faults(key: &str, values: &[String]) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    let long = |text: &str| text.len() > limits::CONTEXT_BYTES;
    // Decision 7: no key holds a control character.
    let control = key.chars().any(char::is_control);
    if key.is_empty() || control || long(key) || values.iter().any(|value| long(value)) {
        faults.push(RefusalReason::InvalidRequest);
    }
    if values.len() > limits::CONTEXT_VALUES {
        faults.push(RefusalReason::ContextLimit);
    }
    faults
}

/// security 2.1: facts that the engine derives are never accepted, nor is any key of a tag family.
fn is_derived(bundle: &Bundle, folded: &str) -> bool {
    let fact = matches!(
        folded,
        "acs:principalarn"
            | "acs:principaltype"
            | "acs:principaluid"
            | "acs:principalid"
            | "acs:currenttime"
            | "acs:resourcegroupid"
            | "action"
            | "resource"
    );
    fact || is_tag_family(bundle, folded)
}

/// security 3.8: the families.
fn is_tag_family(bundle: &Bundle, folded: &str) -> bool {
    let (left, _) = folded.split_once('/').unwrap_or((folded, ""));
    let Some((_, name)) = left.split_once(':') else {
        return false;
    };
    let of_any_service = matches!(name, "resourcetag" | "requesttag" | "tag");
    let of_oss = matches!(
        left,
        "oss:buckettag" | "oss:existingobjecttag" | "oss:requestobjecttag"
    );
    of_any_service || of_oss || bundle.catalog.tag_families.contains_key(left)
}

fn value_faults(bundle: &Bundle, folded: &str, values: &[String]) -> Vec<RefusalReason> {
    let several = values.len() > 1;
    // Decision 7: several values only without the prefix `acs:`, and only under `extended`.
    let single = folded.starts_with("acs:")
        || match bundle.settings.operators {
            Operators::Extended => false,
            Operators::Documented => true,
        };
    let readable = |value: &String| match folded {
        // security 2.9: typed values are parsed at the edge.
        "acs:sourceip" => parse_ip(value).is_some(),
        "acs:securetransport" | "acs:mfapresent" => parse_bool(value).is_some(),
        _ => true,
    };
    if (several && single) || !values.iter().all(readable) {
        vec![RefusalReason::ContextValueInvalid]
    } else {
        Vec::new()
    }
}
