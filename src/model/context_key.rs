//! Keys of a request's context that only the server knows (security 2.1).

/// Whether the server derives a key, so that no request may carry it: its own keys, those of the
/// tag families, and what could be of a tag family that a catalog names.
pub fn is_derived(key: &str) -> bool {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    DERIVED.into_iter().any(is) || is_tag_key(key)
}

/// Keys that the server derives, beside those of the tag families.
const DERIVED: [&str; 8] = [
    "acs:CurrentTime",
    "acs:PrincipalARN",
    "acs:PrincipalType",
    "acs:PrincipalUid",
    "acs:PrincipalId",
    "acs:ResourceGroupId",
    "Action",
    "Resource",
];

/// The tag families (security 3.8).
const FAMILIES: [&str; 6] = [
    "ResourceTag",
    "RequestTag",
    "tag",
    "BucketTag",
    "ExistingObjectTag",
    "RequestObjectTag",
];

/// Whether a key is of a tag family, with or without a tag's key, or could be of one that a catalog
/// names: `<svc>:…/<k>` whose left part contains `tag`.
fn is_tag_key(key: &str) -> bool {
    let Some((_, name)) = key.split_once(':') else {
        return false;
    };
    let (family, below) = match name.split_once('/') {
        Some((family, _)) => (family, true),
        None => (name, false),
    };
    FAMILIES
        .into_iter()
        .any(|known| known.eq_ignore_ascii_case(family))
        || (below && family.to_ascii_lowercase().contains("tag"))
}
