//! The context keys that no caller may send: facts that the engine derives itself, and tags.

use std::collections::BTreeMap;

use crate::model::condition::TagFamily;

/// Facts that come from the snapshot, the clock and the request itself.
const FACTS: [&str; 8] = [
    "acs:PrincipalARN",
    "acs:PrincipalType",
    "acs:PrincipalUid",
    "acs:PrincipalId",
    "acs:CurrentTime",
    "acs:ResourceGroupId",
    "Action",
    "Resource",
];

/// Security 2.1: facts that the engine derives are never accepted, nor is any key of a tag family.
/// `families` are those of the catalog, in lower case.
pub(super) fn is_derived(key: &str, families: &BTreeMap<Box<str>, TagFamily>) -> bool {
    is_one_of(&FACTS, key) || is_tag(key, families)
}

/// Security 3.8: the families.
fn is_tag(key: &str, families: &BTreeMap<Box<str>, TagFamily>) -> bool {
    let left = key.split_once('/').map_or(key, |(left, _)| left);
    let Some((_, name)) = left.split_once(':') else {
        return false;
    };
    is_one_of(&["ResourceTag", "RequestTag", "tag"], name)
        || is_one_of(
            &[
                "oss:BucketTag",
                "oss:ExistingObjectTag",
                "oss:RequestObjectTag",
            ],
            left,
        )
        // A catalog names few, if any.
        || families.keys().any(|family| family.eq_ignore_ascii_case(left))
}

fn is_one_of(known: &[&str], text: &str) -> bool {
    known.iter().any(|one| one.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_tags_are_derived_whatever_their_case() {
        let families = BTreeMap::from([("cs:clustertag".into(), TagFamily::Resource)]);
        let derived = |key| is_derived(key, &families);
        for key in [
            "acs:principalarn",
            "ACTION",
            "acs:ResourceTag/env",
            "ecs:requesttag/",
            "ram:TAG/a/b",
            "oss:buckettag/env",
            "cs:ClusterTag/env",
            "cs:clustertag",
        ] {
            assert!(derived(key), "{key}");
        }
        for key in [
            "acs:SourceIp",
            "ecs:BucketTag/env",
            "ims:ClusterTag/env",
            "env",
            "oss:Prefix",
        ] {
            assert!(!derived(key), "{key}");
        }
    }
}
