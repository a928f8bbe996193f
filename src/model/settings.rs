//! The switches of a bundle. The first value of each is the default, and the closed one.
//!
//! What each other value opens is told beside it; `docs/settings.md` repeats it for operators.

/// All switches (design, section 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
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
