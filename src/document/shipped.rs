//! What is shipped with the program: the catalog of actions and the system policies.
//!
//! The files stand in `catalog/` and `policies/` beside the sources. They are read once, at first
//! use; a test reads every one of them, so that none can be refused later.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::catalog::{CatalogFile, MAX_CATALOG_BYTES, catalog as read_catalog};
use super::error::DocumentErrors;
use super::policy::{PolicyOptions, read_policy};
use super::position::Source;
use super::{inheritance, read};
use crate::model::account::Name;
use crate::model::catalog::Catalog;
use crate::model::inheritance::{RuleDefinition, RuleId};
use crate::model::settings::Settings;
use crate::model::statement::{DocumentLayer, Policy};

/// The control policy that every node has which names none (ram 4.2).
pub const FULL_ACCESS: &str = "FullAliyunAccess";

/// The catalog files, by name.
pub const CATALOG_FILES: [(&str, &str); 24] = [
    ("cdn", include_str!("../../catalog/cdn.json")),
    ("cen", include_str!("../../catalog/cen.json")),
    ("common", include_str!("../../catalog/common.json")),
    ("cs", include_str!("../../catalog/cs.json")),
    ("eci", include_str!("../../catalog/eci.json")),
    ("ecs", include_str!("../../catalog/ecs.json")),
    ("ess", include_str!("../../catalog/ess.json")),
    ("gpdb", include_str!("../../catalog/gpdb.json")),
    ("kms", include_str!("../../catalog/kms.json")),
    ("log", include_str!("../../catalog/log.json")),
    ("oos", include_str!("../../catalog/oos.json")),
    ("oss", include_str!("../../catalog/oss.json")),
    ("polardb", include_str!("../../catalog/polardb.json")),
    ("r-kvstore", include_str!("../../catalog/r-kvstore.json")),
    ("ram", include_str!("../../catalog/ram.json")),
    ("rds", include_str!("../../catalog/rds.json")),
    (
        "resourcemanager",
        include_str!("../../catalog/resourcemanager.json"),
    ),
    ("slb", include_str!("../../catalog/slb.json")),
    ("smartag", include_str!("../../catalog/smartag.json")),
    ("sts", include_str!("../../catalog/sts.json")),
    ("tag", include_str!("../../catalog/tag.json")),
    ("tag_policy", include_str!("../../catalog/tag_policy.json")),
    ("tagwarden", include_str!("../../catalog/tagwarden.json")),
    ("vpc", include_str!("../../catalog/vpc.json")),
];

/// The system policies, by name.
pub const SYSTEM_POLICIES: [(&str, &str); 4] = [
    (
        "AdministratorAccess",
        include_str!("../../policies/system/AdministratorAccess.json"),
    ),
    (
        "AliyunECIFullAccess",
        include_str!("../../policies/system/AliyunECIFullAccess.json"),
    ),
    (
        "AliyunTagAdministratorAccess",
        include_str!("../../policies/system/AliyunTagAdministratorAccess.json"),
    ),
    (
        "ReadOnlyAccess",
        include_str!("../../policies/system/ReadOnlyAccess.json"),
    ),
];

/// The control policies, by name.
pub const CONTROL_POLICIES: [(&str, &str); 1] = [(
    FULL_ACCESS,
    include_str!("../../policies/control/FullAliyunAccess.json"),
)];

/// The shipped catalog.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| shipped(read_catalogs()));
    &CATALOG
}

/// The shipped rules of associated inheritance (tag-policy 4.1).
pub fn inheritance_rules() -> &'static BTreeMap<RuleId, RuleDefinition> {
    static RULES: LazyLock<BTreeMap<RuleId, RuleDefinition>> =
        LazyLock::new(|| shipped(read_rules()));
    &RULES
}

/// The shipped system policies, by name.
pub fn system_policies() -> &'static BTreeMap<Name, Policy> {
    static POLICIES: LazyLock<BTreeMap<Name, Policy>> =
        LazyLock::new(|| shipped(read_policies(&SYSTEM_POLICIES, DocumentLayer::Identity)));
    &POLICIES
}

/// The shipped control policies, by name.
pub fn control_policies() -> &'static BTreeMap<Name, Policy> {
    static POLICIES: LazyLock<BTreeMap<Name, Policy>> =
        LazyLock::new(|| shipped(read_policies(&CONTROL_POLICIES, DocumentLayer::Control)));
    &POLICIES
}

#[expect(
    clippy::expect_used,
    reason = "INVARIANT: a test reads every file that is shipped"
)]
fn shipped<T>(read: Result<T, DocumentErrors>) -> T {
    read.expect("what is shipped is valid")
}

fn read_catalogs() -> Result<Catalog, DocumentErrors> {
    let mut catalog = Catalog::default();
    for (_, text) in CATALOG_FILES {
        read_catalog_file(text)?.over(&mut catalog);
    }
    Ok(catalog)
}

/// Reads the text of one catalog file.
///
/// # Errors
///
/// All errors of the file.
pub fn read_catalog_file(text: &str) -> Result<CatalogFile, DocumentErrors> {
    read(Source::new(text), MAX_CATALOG_BYTES, read_catalog).map(|read| read.value)
}

fn read_rules() -> Result<BTreeMap<RuleId, RuleDefinition>, DocumentErrors> {
    let source = Source::new(include_str!("../../catalog/inheritance.json"));
    read(source, MAX_CATALOG_BYTES, inheritance::shipped).map(|read| read.value)
}

fn read_policies(
    files: &[(&str, &str)],
    layer: DocumentLayer,
) -> Result<BTreeMap<Name, Policy>, DocumentErrors> {
    let options = PolicyOptions {
        layer,
        settings: &Settings::default(),
        catalog: catalog(),
    };
    let mut policies = BTreeMap::new();
    for (name, text) in files {
        let policy = read_policy(text, &options)?.value;
        if let Ok(name) = Name::try_from(*name) {
            policies.insert(name, policy);
        }
    }
    Ok(policies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::action::ActionRef;
    use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};

    #[test]
    fn every_shipped_file_is_read_without_warnings() {
        for (name, text) in CATALOG_FILES {
            let read = read(Source::new(text), MAX_CATALOG_BYTES, read_catalog);
            let read = read.unwrap_or_else(|errors| panic!("{name}: {errors}"));
            assert_eq!(read.lints, [], "{name}");
        }
        assert_eq!(system_policies().len(), SYSTEM_POLICIES.len());
        assert_eq!(control_policies().len(), CONTROL_POLICIES.len());
    }

    #[test]
    fn every_entry_says_more_than_the_name_of_its_action() {
        for (file, text) in CATALOG_FILES {
            for named in read_catalog_file(text).unwrap().actions() {
                let action = ActionRef::parse(named).unwrap();
                let fallback = ActionFacts::from_name(action);
                assert_ne!(catalog().facts(action), fallback, "{file}: {named}");
            }
        }
    }

    #[test]
    fn each_service_stands_in_its_own_file_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (file, text) in CATALOG_FILES {
            for named in read_catalog_file(text).unwrap().actions() {
                assert_eq!(ActionRef::parse(named).unwrap().service(), file, "{named}");
                assert!(seen.insert(named.to_ascii_lowercase()), "{named}");
            }
        }
    }

    #[test]
    fn calls_that_matter_most() {
        let facts = |text| catalog().facts(ActionRef::parse(text).unwrap());
        assert!(facts("ECS:describeInstances").filterable);
        assert!(facts("eci:DescribeContainerGroups").filterable);
        assert!(!facts("tag:ListResourcesByTag").filterable);
        assert_eq!(facts("oss:PutBucketTagging").tags, TagEffect::Replace);
        assert_eq!(facts("ecs:TagResources").tags, TagEffect::Target);
        assert_eq!(facts("vpc:UnTagResources").tags, TagEffect::Remove);
        assert_eq!(facts("ecs:CopyImage").kind, OperationKind::Create);
        assert_eq!(facts("ram:CreateAccessKey").kind, OperationKind::Update);
        assert_eq!(*facts("ram:PassRole").required_keys, ["acs:service".into()]);
        assert!(facts("oss:PutObject").upsert);
        assert!(facts("ecs:DescribeRegions").all_resources);
        assert!(catalog().takes_four_fields("odps", "nowhere"));
        assert!(catalog().takes_four_fields("ecs", "cn-hangzhou"));
        assert!(!catalog().takes_four_fields("ecs", "nowhere"));
    }
}
