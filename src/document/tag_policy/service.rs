//! The services of AWS that take tag policies, from `catalog/aws-types.tsv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../../catalog/aws-types.tsv");

/// Which token for all types of a service is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AllTypes {
    /// `svc:ALL_SUPPORTED`, and `svc:*` as before.
    OldToo,
    /// `svc:ALL_SUPPORTED` alone.
    NewOnly,
}

static SERVICES: LazyLock<BTreeMap<&'static str, AllTypes>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let all = match (fields.next()?, fields.next()?) {
                (service, "yes") => (service, AllTypes::OldToo),
                (service, _) => (service, AllTypes::NewOnly),
            };
            Some(all)
        })
        .collect()
});

/// What is known of a service; `None`: nothing.
pub(super) fn aws(service: &str) -> Option<AllTypes> {
    SERVICES.get(service).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_old_services_from_new_ones() {
        assert!(SERVICES.len() >= 40);
        assert_eq!(aws("ecs"), Some(AllTypes::NewOnly));
        assert_eq!(aws("ec2"), Some(AllTypes::OldToo));
        assert_eq!(aws("nosuch"), None);
    }
}
