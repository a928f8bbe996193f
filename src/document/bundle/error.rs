//! What is wrong with the documents of a bundle or a case, beside their policies.
//!
//! An entry is refused where it stands: an attachment to a policy that nobody wrote is told at the
//! attachment, in its file.

use crate::document::error::Excerpt;
use crate::document::settings::MAX_STALENESS;
use crate::model::account::{InvalidName, PolicyRef};
use crate::model::action::InvalidAction;
use crate::model::arn::{AccountId, InvalidArn};
use crate::model::caller::identity::InvalidIdentity;
use crate::model::caller::principal::InvalidPrincipalPattern;
use crate::model::caller::{InvalidOwnPrincipal, Rpc};
use crate::model::inheritance::{InvalidRuleId, InvalidScope};
use crate::model::organization::MAX_FOLDER_DEPTH;
use crate::model::tag::DuplicateTagKey;
use crate::model::tag_policy::Dialect;
use crate::model::text::InvalidTagText;
use crate::model::verdict::limits;

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryErrorKind {
    /// A file or directory that no part of a bundle has this name of.
    #[error("no file of a bundle has this name")]
    UnknownFile,
    /// A directory below `accounts` that is named by no account.
    #[error("a directory below `accounts` is named by an account, 1 to 32 digits")]
    AccountDirectory,
    /// An account without its own file.
    #[error("the account has no `account.json`")]
    AccountFileMissing,
    /// An object of an account that is not there.
    #[error("the account is not there, but objects of it are")]
    AccountMissing,
    /// An organization under another name than its own.
    #[error("the organization is `{id}`, not as the object is named")]
    OrganizationName {
        /// What the document says.
        id: Excerpt,
    },
    /// No `bundle.json`.
    #[error("the bundle has no `bundle.json`")]
    BundleFileMissing,
    /// A format that is not known.
    #[error("format {found} is not known; this version reads format {known}")]
    Format {
        /// The format that is written.
        found: u64,
        /// The format that is read.
        known: u64,
    },
    /// A digest of the manifest that is no SHA-256.
    #[error("not a SHA-256 digest in lower-case hexadecimal digits")]
    Digest,
    /// The manifest names a file that is not there.
    #[error("the file is missing: {path}")]
    FileMissing {
        /// The file.
        path: Excerpt,
    },
    /// The manifest does not name a file that is there.
    #[error("the file is not named by the manifest of `bundle.json`")]
    FileExtra,
    /// A file differs from its digest.
    #[error("the file differs from its digest: {path}")]
    FileDiffers {
        /// The file.
        path: Excerpt,
    },
    /// A name of a policy, group or resource group.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A name of a user or role.
    #[error("not a name of 1 to 128 letters, digits and `. @ _ = , + -`")]
    IdentityName,
    /// A number of a user or role.
    #[error("not a number of 1 to 32 digits")]
    Uid,
    /// A number of an account.
    #[error("not an account: 1 to 32 digits")]
    Account,
    /// An ARN.
    #[error(transparent)]
    Arn(#[from] InvalidArn),
    /// An ARN that names no single resource.
    #[error("the ARN names no single resource")]
    NotConcrete,
    /// A resource whose owner is not told.
    #[error("the account field must name the owner")]
    OwnerMissing,
    /// A tag key or value.
    #[error(transparent)]
    TagText(#[from] InvalidTagText),
    /// A tag key that stands twice.
    #[error(transparent)]
    TagKeyTwice(#[from] DuplicateTagKey),
    /// More tags than a resource may have.
    #[error("more than {} tags", limits::RESOURCE_TAGS)]
    TagLimit,
    /// The name of an action.
    #[error(transparent)]
    Action(#[from] InvalidAction),
    /// A context key that calls cannot carry.
    #[error("not a context key `<prefix>:<name>` that calls carry")]
    ContextKey,
    /// A reference to a policy.
    #[error("expected `system:NAME` or `custom:NAME`, found `{found}`")]
    PolicyRef {
        /// What is written.
        found: Excerpt,
    },
    /// Whom a policy is attached to.
    #[error("expected `user:NAME`, `group:NAME` or `role:NAME`, found `{found}`")]
    Grantee {
        /// What is written.
        found: Excerpt,
    },
    /// Where an attachment counts.
    #[error("expected `account` or `rg:NAME`, found `{found}`")]
    Scope {
        /// What is written.
        found: Excerpt,
    },
    /// A name that peers have without an entry of their own.
    #[error("`anonymous` and `owner` are not names of callers")]
    CallerReserved,
    /// A peer that is told by nothing, or by two things.
    #[error("a peer is told by exactly one of `uid`, `gid`, `spiffe`, `dns`, `uri` and `token`")]
    Peer,
    /// The number of a user or group of the system.
    #[error("not a number of 0 to {}", u32::MAX)]
    SystemId,
    /// What a peer proves to be.
    #[error(transparent)]
    Identity(#[from] InvalidIdentity),
    /// A pattern of principals.
    #[error(transparent)]
    PrincipalPattern(#[from] InvalidPrincipalPattern),
    /// What a caller may send.
    #[error(
        "expected `resource_tags`, `resource_group`, `session`, `kind`, `explain`, `min_revision`, `context:*` or `context:KEY`, found `{found}`"
    )]
    Supply {
        /// What is written.
        found: Excerpt,
    },
    /// A level of disclosure.
    #[error("a level of disclosure is 0, 1, 2 or 3")]
    DisclosureLevel,
    /// A level of disclosure and a right that belong together.
    #[error("the right `explain` and `disclosure` 3 go together")]
    ExplainLevel,
    /// The right to explanations of somebody who is no principal.
    #[error("the right `explain` needs `principal`: who may `tagwarden:Explain`")]
    ExplainPrincipal,
    /// A right to change the directory of peers without a name.
    #[error("`{rpc}` changes the directory, and is not for peers without a name")]
    AnonymousWrites {
        /// The RPC.
        rpc: Rpc,
    },
    /// What a caller is itself.
    #[error(transparent)]
    CallerPrincipal(#[from] InvalidOwnPrincipal),
    /// Stale policies that are denied without a limit.
    #[error("`on_stale` = `deny` needs `max_staleness`")]
    StalenessMissing,
    /// A limit that nothing uses.
    #[error("`max_staleness` is used only with `on_stale` = `deny`")]
    StalenessUnused,
    /// How long policies may be stale.
    #[error("not a number of 1 to {MAX_STALENESS} seconds")]
    Staleness,
    /// A rule of inheritance that nobody defined.
    #[error("no rule `{name}`")]
    RuleUnknown {
        /// Its id.
        name: Excerpt,
    },
    /// A region in which inheritance does not work.
    #[error("`{found}` is no region of the catalog")]
    RegionUnknown {
        /// What is written.
        found: Excerpt,
    },
    /// The id of a rule of inheritance.
    #[error(transparent)]
    RuleId(#[from] InvalidRuleId),
    /// The keys of a rule.
    #[error(transparent)]
    TagScope(#[from] InvalidScope),
    /// A number out of its range.
    #[error("not a number of {least} to {most}")]
    Range {
        /// The least that is taken.
        least: usize,
        /// The most.
        most: usize,
    },
    /// A type of resources.
    #[error("not a resource type `service:resource` in lower case")]
    ResourceType,
    /// Characters that tags of a type may have.
    #[error("not a text of at most 64 characters without control characters")]
    Characters,
    /// A role that is of two sorts.
    #[error("a role is not both `service_linked` and `sso`")]
    RoleKind,
    /// Folders too deep.
    #[error("folders stand deeper than {MAX_FOLDER_DEPTH} levels")]
    FolderDepth,
    /// A policy that nobody wrote.
    #[error("no policy `{policy}`")]
    PolicyUnknown {
        /// The reference.
        policy: PolicyRef,
    },
    /// A tag policy that nobody wrote.
    #[error("no tag policy `{name}`")]
    TagPolicyUnknown {
        /// Its name.
        name: Excerpt,
    },
    /// A tag policy of another dialect than the organization's.
    #[error("a tag policy of dialect `{found}` in an organization of dialect `{asked}`")]
    OtherDialect {
        /// The organization's.
        asked: Dialect,
        /// The policy's.
        found: Dialect,
    },
    /// A user, group or role that nobody wrote.
    #[error("no {sort} `{name}` in this account")]
    IdentityUnknown {
        /// `user`, `group` or `role`.
        sort: &'static str,
        /// The name.
        name: Excerpt,
    },
    /// Something that stands twice.
    #[error("{sort} `{name}` is given twice")]
    Duplicate {
        /// What it is.
        sort: &'static str,
        /// Its name.
        name: Excerpt,
    },
    /// An account that stands in an organization already.
    #[error("account {account} is a member already, of organization `{organization}`")]
    MemberTwice {
        /// The account.
        account: AccountId,
        /// The organization that was read first.
        organization: Excerpt,
    },
    /// A management account among the members of its own organization.
    #[error("account {account} manages the organization and is no member of it")]
    ManagementIsMember {
        /// The account.
        account: AccountId,
    },
    /// A case tells of a resource that it does not ask about.
    #[error("`{name}` is not among the resources that are asked about")]
    ResourceNotAsked {
        /// The resource.
        name: Excerpt,
    },
    /// A case names an account that is not its principal's.
    #[error("the principal's ARN is not of account {account}")]
    PrincipalAccount {
        /// The account.
        account: AccountId,
    },
    /// A case names a type that is not its principal's.
    #[error("the principal's ARN is of another type")]
    PrincipalSort,
    /// A case has not one instant that can be read.
    #[error("`acs:CurrentTime` needs exactly one value: RFC 3339 with a zone")]
    OneTime,
    /// A member that this layer of a case does not have.
    #[error("policies of this layer do not have this member")]
    OtherLayer,
    /// By what a principal of a case has a policy.
    #[error("expected `user`, `role` or `group:NAME`, found `{found}`")]
    Via {
        /// What is written.
        found: Excerpt,
    },
    /// A group's policy, and a principal that is no user.
    #[error("only users are in groups")]
    GroupOfOthers,
    /// An identity policy, and a principal that is said to be unknown.
    #[error("an unknown principal has no identity policies")]
    PolicyOfUnknown,
    /// A control policy, and a principal that is of no account.
    #[error("the principal has no account that could be a member")]
    ControlOfNobody,
    /// A trust policy, and a resource that is no role.
    #[error("a trust policy is for questions about roles of a named account")]
    TrustOfOthers,
    /// A request of a case of routes is told in several ways, or in none.
    #[error("not a form that requests of cases have")]
    RequestForm,
    /// More than one thing is said of the session's policy.
    #[error("the session's policy is told twice")]
    SessionTwice,
}

impl EntryErrorKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownFile => "UNKNOWN_FILE",
            Self::AccountDirectory => "ACCOUNT_DIRECTORY",
            Self::AccountMissing => "ACCOUNT_MISSING",
            Self::OrganizationName { .. } => "ORGANIZATION_NAME",
            Self::AccountFileMissing | Self::BundleFileMissing | Self::FileMissing { .. } => {
                "FILE_MISSING"
            }
            Self::Format { .. } => "UNKNOWN_FORMAT",
            Self::Digest => "INVALID_DIGEST",
            Self::FileExtra => "FILE_EXTRA",
            Self::FileDiffers { .. } => "FILE_DIFFERS",
            Self::Name(_) | Self::IdentityName => "INVALID_NAME",
            Self::Uid => "INVALID_UID",
            Self::Account => "INVALID_ACCOUNT",
            Self::Arn(_) => "INVALID_ARN",
            Self::NotConcrete => "ARN_NOT_CONCRETE",
            Self::OwnerMissing => "OWNER_MISSING",
            Self::TagText(_) => "INVALID_TAG",
            Self::TagKeyTwice(_) => "TAG_KEY_DUPLICATE",
            Self::TagLimit => "TAG_LIMIT",
            Self::Action(_) => "INVALID_ACTION",
            Self::ContextKey => "INVALID_CONTEXT_KEY",
            Self::PolicyRef { .. } | Self::Grantee { .. } | Self::Scope { .. } => {
                "INVALID_REFERENCE"
            }
            Self::CallerReserved => "CALLER_RESERVED",
            Self::Peer | Self::SystemId | Self::Identity(_) => "INVALID_PEER",
            Self::PrincipalPattern(_) => "INVALID_PRINCIPAL_PATTERN",
            Self::Supply { .. } => "INVALID_SUPPLY",
            Self::DisclosureLevel => "INVALID_DISCLOSURE",
            Self::ExplainLevel => "EXPLAIN_LEVEL",
            Self::ExplainPrincipal => "EXPLAIN_PRINCIPAL",
            Self::AnonymousWrites { .. } => "ANONYMOUS_WRITES",
            Self::CallerPrincipal(_) => "INVALID_CALLER_PRINCIPAL",
            Self::StalenessMissing | Self::StalenessUnused | Self::Staleness => "INVALID_STALENESS",
            Self::RuleUnknown { .. } => "RULE_UNKNOWN",
            Self::RegionUnknown { .. } => "REGION_UNKNOWN",
            Self::RuleId(_) => "INVALID_RULE",
            Self::TagScope(_) => "INVALID_TAG_SCOPE",
            Self::Range { .. } => "OUT_OF_RANGE",
            Self::ResourceType => "INVALID_RESOURCE_TYPE",
            Self::Characters => "INVALID_CHARACTERS",
            Self::RoleKind => "ROLE_KIND",
            Self::FolderDepth => "FOLDER_DEPTH",
            Self::PolicyUnknown { .. } | Self::TagPolicyUnknown { .. } => "POLICY_UNKNOWN",
            Self::OtherDialect { .. } => "OTHER_DIALECT",
            Self::IdentityUnknown { .. } => "IDENTITY_UNKNOWN",
            Self::Duplicate { .. } => "DUPLICATE",
            Self::MemberTwice { .. } => "MEMBER_TWICE",
            Self::ManagementIsMember { .. } => "MANAGEMENT_IS_MEMBER",
            Self::ResourceNotAsked { .. }
            | Self::PrincipalAccount { .. }
            | Self::PrincipalSort
            | Self::OneTime
            | Self::OtherLayer
            | Self::Via { .. }
            | Self::GroupOfOthers
            | Self::PolicyOfUnknown
            | Self::ControlOfNobody
            | Self::TrustOfOthers
            | Self::RequestForm
            | Self::SessionTwice => "INVALID_CASE",
        }
    }
}
