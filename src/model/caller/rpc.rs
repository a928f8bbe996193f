//! The RPCs that callers are given one by one, and what each of them is for.

use std::fmt;

/// An RPC of the data listeners, or one that changes the directory. Health and reflection are
/// everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rpc {
    /// `AuthorizationService.Authorize`
    Authorize,
    /// `AuthorizationService.BatchAuthorize`
    BatchAuthorize,
    /// `AuthorizationService.AuthorizeStream`
    AuthorizeStream,
    /// `AuthorizationService.FilterResources`
    FilterResources,
    /// `TaggingService.ValidateTagging`
    ValidateTagging,
    /// `TaggingService.BatchValidateTagging`
    BatchValidateTagging,
    /// `TaggingService.AuthorizeTagging`
    AuthorizeTagging,
    /// `TaggingService.GetEffectiveTagPolicy`
    GetEffectiveTagPolicy,
    /// `ListTagResources` of `TaggingService` and `DirectoryService`
    ListTagResources,
    /// `ListResourcesByTags` of `TaggingService` and `DirectoryService`
    ListResourcesByTags,
    /// `ListTagKeys` of `TaggingService` and `DirectoryService`
    ListTagKeys,
    /// `ListTagValues` of `TaggingService` and `DirectoryService`
    ListTagValues,
    /// Envoy's `Authorization.Check`
    Check,
    /// `DirectoryService.PutResources`
    PutResources,
    /// `DirectoryService.RemoveResources`
    RemoveResources,
    /// `DirectoryService.MoveResources`
    MoveResources,
    /// `DirectoryService.TagResources`
    TagResources,
    /// `DirectoryService.UntagResources`
    UntagResources,
    /// `DirectoryService.AssociateResources`
    AssociateResources,
    /// `DirectoryService.DissociateResources`
    DissociateResources,
    /// `DirectoryService.CheckCompliance`
    CheckCompliance,
    /// `DirectoryService.Remediate`
    Remediate,
    /// `DirectoryService.CreateTags`
    CreateTags,
    /// `DirectoryService.DeleteTag`
    DeleteTag,
    /// `DirectoryService.GetInheritanceProgress`
    GetInheritanceProgress,
}

/// What an RPC is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It decides whether a principal may.
    Decision,
    /// It says whether tags comply.
    Verdict,
    /// It does both.
    Both,
    /// It tells what nobody asked about by name: policies, or what the directory knows.
    Listing,
    /// It changes the directory. Nobody calls such a one without a name (security 1.2).
    Change,
}

impl Rpc {
    /// Every one, in the order of its places.
    pub const ALL: [Self; 25] = [
        Self::Authorize,
        Self::BatchAuthorize,
        Self::AuthorizeStream,
        Self::FilterResources,
        Self::ValidateTagging,
        Self::BatchValidateTagging,
        Self::AuthorizeTagging,
        Self::GetEffectiveTagPolicy,
        Self::ListTagResources,
        Self::ListResourcesByTags,
        Self::ListTagKeys,
        Self::ListTagValues,
        Self::Check,
        Self::PutResources,
        Self::RemoveResources,
        Self::MoveResources,
        Self::TagResources,
        Self::UntagResources,
        Self::AssociateResources,
        Self::DissociateResources,
        Self::CheckCompliance,
        Self::Remediate,
        Self::CreateTags,
        Self::DeleteTag,
        Self::GetInheritanceProgress,
    ];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "Authorize",
            Self::BatchAuthorize => "BatchAuthorize",
            Self::AuthorizeStream => "AuthorizeStream",
            Self::FilterResources => "FilterResources",
            Self::ValidateTagging => "ValidateTagging",
            Self::BatchValidateTagging => "BatchValidateTagging",
            Self::AuthorizeTagging => "AuthorizeTagging",
            Self::GetEffectiveTagPolicy => "GetEffectiveTagPolicy",
            Self::ListTagResources => "ListTagResources",
            Self::ListResourcesByTags => "ListResourcesByTags",
            Self::ListTagKeys => "ListTagKeys",
            Self::ListTagValues => "ListTagValues",
            Self::Check => "Check",
            Self::PutResources => "PutResources",
            Self::RemoveResources => "RemoveResources",
            Self::MoveResources => "MoveResources",
            Self::TagResources => "TagResources",
            Self::UntagResources => "UntagResources",
            Self::AssociateResources => "AssociateResources",
            Self::DissociateResources => "DissociateResources",
            Self::CheckCompliance => "CheckCompliance",
            Self::Remediate => "Remediate",
            Self::CreateTags => "CreateTags",
            Self::DeleteTag => "DeleteTag",
            Self::GetInheritanceProgress => "GetInheritanceProgress",
        }
    }

    /// Its place among all.
    pub fn place(self) -> usize {
        self as usize
    }

    /// What it is for.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Authorize
            | Self::BatchAuthorize
            | Self::AuthorizeStream
            | Self::FilterResources
            | Self::Check => Purpose::Decision,
            Self::ValidateTagging | Self::BatchValidateTagging => Purpose::Verdict,
            Self::AuthorizeTagging => Purpose::Both,
            Self::GetEffectiveTagPolicy
            | Self::ListTagResources
            | Self::ListResourcesByTags
            | Self::ListTagKeys
            | Self::ListTagValues
            | Self::CheckCompliance
            | Self::GetInheritanceProgress => Purpose::Listing,
            Self::PutResources
            | Self::RemoveResources
            | Self::MoveResources
            | Self::TagResources
            | Self::UntagResources
            | Self::AssociateResources
            | Self::DissociateResources
            | Self::Remediate
            | Self::CreateTags
            | Self::DeleteTag => Purpose::Change,
        }
    }

    /// Whether it decides what a principal may.
    pub fn decides(self) -> bool {
        matches!(self.purpose(), Purpose::Decision | Purpose::Both)
    }

    /// Whether it says if tags comply.
    pub fn judges_tags(self) -> bool {
        matches!(self.purpose(), Purpose::Verdict | Purpose::Both)
    }

    /// Whether it changes the directory.
    pub fn changes_directory(self) -> bool {
        self.purpose() == Purpose::Change
    }
}

impl fmt::Display for Rpc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Some of the RPCs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RpcSet(u32);

impl RpcSet {
    /// Whether an RPC is among them.
    pub fn contains(self, rpc: Rpc) -> bool {
        self.0 & Self::bit(rpc) != 0
    }

    fn bit(rpc: Rpc) -> u32 {
        1 << rpc as u32
    }
}

impl FromIterator<Rpc> for RpcSet {
    fn from_iter<I: IntoIterator<Item = Rpc>>(rpcs: I) -> Self {
        Self(
            rpcs.into_iter()
                .map(Self::bit)
                .fold(0, |set, bit| set | bit),
        )
    }
}
