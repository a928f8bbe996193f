//! All authored input at one moment: what a directory on disk, a store or a change adds up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::{Account, Name};
use super::arn::Arn;
use super::caller::Callers;
use super::catalog::Catalog;
use super::inheritance::Inheritance;
use super::organization::Organization;
use super::resource::Resource;
use super::route::Routes;
use super::settings::Settings;
use super::statement::Policy;
use super::tag_policy::TagPolicy;

/// Everything that a snapshot is compiled from, and the resources that the directory starts with.
///
/// Each document was checked by itself; whether they fit together is the compiler's affair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The switches.
    pub settings: Settings,
    /// What is known of actions: the shipped catalog with the bundle's on top.
    pub catalog: Catalog,
    /// Who may ask what.
    pub callers: Callers,
    /// Which requests of a proxy are which questions.
    pub routes: Routes,
    /// The organizations.
    pub organizations: Vec<Organization>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The shared identity policies (`system:NAME`): shipped ones, and those of `policies/system`.
    pub system_policies: BTreeMap<Name, Policy>,
    /// The control policies of `policies/control`.
    pub control_policies: BTreeMap<Name, Policy>,
    /// The tag policies of `policies/tag`.
    pub tag_policies: BTreeMap<Name, TagPolicy>,
    /// Resource-based policies with the ARN that each is attached to.
    pub resource_policies: Vec<ResourcePolicy>,
    /// Associated inheritance: the rules, and what the accounts made of them.
    pub inheritance: Arc<Inheritance>,
    /// The resources that are known at the start.
    pub resources: Vec<Resource>,
}

/// A policy attached to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePolicy {
    /// The resource: it covers this ARN and what stands below it (`<id>/…`).
    pub resource: Arn,
    /// The name under which answers speak of it.
    pub name: Name,
    /// The document.
    pub policy: Policy,
}
