//! A question as the engine takes it: borrowed, every text already checked.
//!
//! Whoever builds one has read the texts with the types of `model` and asked the directory.
//! What depends on the action's kind is checked by the engine itself.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::catalog::OperationKind;
use crate::model::tag::{PackedTags, TagRef};
use crate::snapshot::Policy;

/// May this principal do this action on these resources, with these tags?
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: PrincipalRef<'a>,
    /// The action.
    pub action: ActionRef<'a>,
    /// The resources, each its own sub-check.
    pub resources: &'a [Resource<'a>],
    /// What the call does with tags.
    pub tags: TagWrite<'a>,
    /// What is known of the circumstances.
    pub context: Context<'a>,
    /// What is said of the session's policy.
    pub session: Session<'a>,
    /// A stricter kind than the catalog's.
    pub kind: Option<OperationKind>,
    /// Whether whoever asks carries out obligations.
    pub understands_obligations: bool,
}

impl<'a> Request<'a> {
    /// A question that says nothing but who, what and on which: no tags, no context, no session, and
    /// no obligation is understood.
    pub fn bare(
        principal: PrincipalRef<'a>,
        action: ActionRef<'a>,
        resources: &'a [Resource<'a>],
        now: Timestamp,
    ) -> Self {
        Self {
            principal,
            action,
            resources,
            tags: TagWrite::default(),
            context: Context {
                current_time: now,
                source_ip: None,
                secure_transport: None,
                mfa_present: None,
                entries: &[],
            },
            session: Session::Unstated,
            kind: None,
            understands_obligations: false,
        }
    }
}

/// One resource, with what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Its ARN, or `*`.
    pub name: ResourceName<'a>,
    /// Its tags.
    pub tags: KnownTags<'a>,
    /// Its group.
    pub group: KnownGroup<'a>,
    /// The account that the directory has for it, where the ARN names none.
    pub owner: Option<&'a str>,
}

/// What is known of a resource's tags. The directory stands before the caller (security 2.3).
#[derive(Debug, Clone, Copy)]
pub enum KnownTags<'a> {
    /// Nothing.
    Unknown,
    /// The caller sent them.
    Sent(&'a [TagRef<'a>]),
    /// The directory has them.
    Stored(PackedTags<'a>),
}

/// What is known of a resource's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownGroup<'a> {
    /// Nothing.
    Unknown,
    /// It is in none.
    None,
    /// It is in this one.
    Some(&'a str),
}

/// What a call does with tags. The default is a call without any tag parameter.
#[derive(Debug, Clone, Copy, Default)]
pub struct TagWrite<'a> {
    /// The tag parameter; `None`: the call has none.
    pub set: Option<&'a [TagRef<'a>]>,
    /// Keys to remove.
    pub remove_keys: &'a [&'a str],
    /// Removes all tags.
    pub remove_all: bool,
    /// The tags replace all tags of the resource.
    pub replace: bool,
}

/// The circumstances of a request. Values of the four typed keys were read at the edge.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// `acs:CurrentTime`.
    pub current_time: Timestamp,
    /// `acs:SourceIp`; canonical.
    pub source_ip: Option<IpAddr>,
    /// `acs:SecureTransport`.
    pub secure_transport: Option<bool>,
    /// `acs:MFAPresent`.
    pub mfa_present: Option<bool>,
    /// All other keys: none of them derived, none twice without regard to case.
    pub entries: &'a [ContextEntry<'a>],
}

/// One key of the context.
#[derive(Debug, Clone, Copy)]
pub struct ContextEntry<'a> {
    /// The key, as sent.
    pub key: &'a str,
    /// Its values; several only for keys without the prefix `acs:`.
    pub values: &'a [&'a str],
}

/// What a request says of its session policy (security 2.6).
#[derive(Debug, Clone, Copy)]
pub enum Session<'a> {
    /// Nothing.
    Unstated,
    /// The session has none.
    None,
    /// The session has this one.
    Policy(&'a Policy),
}
