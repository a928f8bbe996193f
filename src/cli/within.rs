//! Which part of the directory a command is about.

use crate::wire::v1;

/// Where resources are.
#[derive(Debug, clap::Args)]
pub(super) struct Within {
    /// The account that owns them. Default: the principal's own.
    #[arg(long, default_value = "")]
    account: String,
    /// A region. Repeatable.
    #[arg(long = "region")]
    regions: Vec<String>,
    /// A type, `ecs:instance`. Repeatable.
    #[arg(long = "type")]
    types: Vec<String>,
    /// The id of a resource group. Repeatable.
    #[arg(long = "group")]
    groups: Vec<String>,
}

impl Within {
    pub(super) fn scope(&self) -> v1::ResourceScope {
        v1::ResourceScope {
            account: self.account.clone(),
            regions: self.regions.clone(),
            types: self.types.clone(),
            resource_groups: self.groups.clone(),
        }
    }
}
