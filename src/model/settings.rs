//! The switches of a bundle. The first value of each is the default, and the closed one.
//!
//! What each other value opens is told beside it; `docs/settings.md` repeats it for operators.

mod limits;

pub use limits::{
    DEFAULT_TAGS, DEFAULT_VALUE_CHARS, InvalidTag, ReserveTags, TagLimits, TagTextFault,
    TypeLimits, is_reserved_key,
};

use std::sync::Arc;

use jiff::SignedDuration;

use super::text::eq_fold;

/// All switches (design, section 6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// `rg_deny`
    pub rg_deny: RgDeny,
    /// `query_denied`
    pub query_denied: QueryDenied,
    /// `query_unfiltered`
    pub query_unfiltered: QueryUnfiltered,
    /// `tag_key_case`
    pub tag_key_case: TagKeyCase,
    /// `absent_family`
    pub absent_family: AbsentFamily,
    /// `update_extra_tags`
    pub update_extra_tags: UpdateExtraTags,
    /// `missing_required`
    pub missing_required: MissingRequired,
    /// `control_scope`
    pub control_scope: ControlScope,
    /// `operators`
    pub operators: Operators,
    /// `forall_absent`
    pub forall_absent: ForAllAbsent,
    /// `unknown_keys`
    pub unknown_keys: UnknownKeys,
    /// `not_resource`
    pub not_resource: NotResource,
    /// `strong_verification`
    pub strong_verification: StrongVerification,
    /// `untag_interception`
    pub untag_interception: UntagInterception,
    /// `protected_tag_keys`
    pub protected_tag_keys: ProtectedTagKeys,
    /// `reserve_tags`
    pub reserve_tags: ReserveTags,
    /// `tag_limits`
    pub tag_limits: TagLimits,
    /// `on_stale`, with `max_staleness`
    pub on_stale: OnStale,
}

/// Whether a Deny at resource-group scope stands over an Allow at account scope (case F17).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RgDeny {
    /// Any explicit Deny wins.
    #[default]
    Always,
    /// The order of 2021: an account-level Allow ends the identity step. Opens what a
    /// resource-group Deny was meant to close.
    DocumentedOrder,
}

/// How a refused list is shown (security 3.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum QueryDenied {
    /// As an empty result.
    #[default]
    Empty,
    /// As an error. Tells that the caller lacks the permission.
    Error,
    /// As an error where a Deny decided, else as an empty result. Tells that a Deny exists.
    ErrorOnExplicit,
}

/// A list without an id, allowed while tags, group, type or id should narrow it (security 3.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum QueryUnfiltered {
    /// ALLOW with the obligation `filter_results`.
    #[default]
    Obligation,
    /// DENY.
    Deny,
}

/// How tag keys of policies meet tag keys of requests and resources (security 3.9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TagKeyCase {
    /// Exact in an Allow; folded in a Deny condition that an absent key would defeat.
    #[default]
    Guarded,
    /// Exact everywhere. Opens a Deny on `Env` for a resource tagged `env`.
    Exact,
    /// Folded everywhere. Opens an Allow on `Env` for a resource tagged `env`.
    Fold,
}

/// What an Allow does where a whole tag family cannot be there (security 3.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AbsentFamily {
    /// It does not hold, whatever the operator.
    #[default]
    Fail,
    /// Each key is merely absent: a negated operator holds. Opens creates without tags.
    Aws,
}

/// How `new_ok` may be had from the resulting tags (security 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UpdateExtraTags {
    /// An Allow that holds on the resulting tags is enough, also for extra keys.
    #[default]
    Class,
    /// Only for removed or replaced keys; new keys must each be named. Closes more.
    Named,
}

/// An always-present key that the caller did not send (security 2.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MissingRequired {
    /// The request is refused.
    #[default]
    Refuse,
    /// The key is absent. Opens a Deny on it.
    AsAbsent,
}

/// Whose control policies are evaluated (security 2.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ControlScope {
    /// The resource owner's.
    #[default]
    Owner,
    /// The owner's and the principal's. Closes more.
    OwnerAndPrincipal,
}

/// Which operators documents may use (ram 2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Operators {
    /// Also `…IfExists`, `Null`, `ForAnyValue:` and `ForAllValues:`, and keys with several values.
    #[default]
    Extended,
    /// Only those that the platform documents.
    Documented,
}

/// `ForAllValues` in an Allow on an absent or empty key (security 7.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ForAllAbsent {
    /// Does not hold.
    #[default]
    False,
    /// Holds. Opens requests that leave the key out.
    Aws,
}

/// A condition key with the prefix `acs:` that is not known (security 7.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UnknownKeys {
    /// The document is refused.
    #[default]
    Refuse,
    /// A warning where its absence fails closed; refused where it fails open.
    Warn,
}

/// The element `NotResource` (ram 1.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NotResource {
    /// The document is refused.
    #[default]
    Refuse,
    /// Every resource but those listed. Opens what nobody named.
    Aws,
}

/// Whether a create that lacks a key of an enforced tag policy is intercepted (tag-policy 3.2).
/// Only the Alibaba dialect knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StrongVerification {
    /// It is reported. Opens creates without the key.
    #[default]
    Off,
    /// It is intercepted.
    On,
}

/// Whether removing a key that an enforced tag policy requires is intercepted (security 6.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UntagInterception {
    /// Under strong verification.
    #[default]
    Strong,
    /// Never. Opens the removal of what a create had to carry.
    Never,
    /// Always. Closes more.
    Always,
}

/// The tag keys that inheritance and correction never overwrite or remove (security 5.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ProtectedTagKeys(Box<[Arc<str>]>);

impl ProtectedTagKeys {
    /// Whether a key is protected; its case does not matter.
    pub fn holds(&self, key: &str) -> bool {
        self.0.iter().any(|protected| eq_fold(protected, key))
    }

    /// The keys, as written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|key| &**key)
    }
}

impl FromIterator<Arc<str>> for ProtectedTagKeys {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// What decides while the source holds other documents than what is in force, or is lost
/// (design, section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OnStale {
    /// What is in force, however old.
    #[default]
    Serve,
    /// What is in force for so long, and nothing after that. Closes more.
    DenyAfter(SignedDuration),
}

impl OnStale {
    /// How long what is stale still decides; `None`: for ever.
    pub fn limit(self) -> Option<SignedDuration> {
        match self {
            Self::Serve => None,
            Self::DenyAfter(limit) => Some(limit),
        }
    }
}
