//! Why a request asks nothing.

use std::fmt;

use crate::model::route::Route;

/// Why a request is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {what}")]
pub struct Refused<'t> {
    /// The stable reason.
    pub reason: Reason,
    /// What is wrong: it repeats nothing that the client did not send.
    pub what: String,
    /// The route that the request matches.
    pub route: Option<&'t Route>,
}

impl Refused<'_> {
    pub(super) fn new(reason: Reason, what: impl Into<String>) -> Self {
        let (what, route) = (what.into(), None);
        Self {
            reason,
            what,
            route,
        }
    }

    pub(super) fn on(self, route: &Route) -> Refused<'_> {
        let Refused { reason, what, .. } = self;
        let route = Some(route);
        Refused {
            reason,
            what,
            route,
        }
    }
}

/// The reasons. Each is the client's affair: none is a fault of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No route matches.
    NoRoute,
    /// The method is none, or another header names a second one.
    MethodInvalid,
    /// The host is none.
    HostInvalid,
    /// The path has a second spelling, or another header names a second one.
    PathInvalid,
    /// Nothing says who asks, or who says it is not one who may.
    PrincipalMissing,
    /// Who asks is not named as principals are.
    PrincipalInvalid,
    /// A claim is of another type.
    ClaimInvalid,
    /// A header is given twice, is a list, or is no text.
    HeaderInvalid,
    /// A parameter is given twice or cannot be read.
    ParameterInvalid,
    /// The body is needed and was not sent.
    BodyMissing,
    /// The body is cut off.
    BodyTruncated,
    /// The body is compressed.
    BodyEncoded,
    /// The body is of another type.
    BodyType,
    /// The body cannot be read.
    BodyInvalid,
    /// Something that makes part of a resource's name is absent.
    VariableMissing,
    /// A value that makes part of a resource's name is none.
    VariableInvalid,
    /// The tags cannot be read.
    TagsInvalid,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::NoRoute,
        Self::MethodInvalid,
        Self::HostInvalid,
        Self::PathInvalid,
        Self::PrincipalMissing,
        Self::PrincipalInvalid,
        Self::ClaimInvalid,
        Self::HeaderInvalid,
        Self::ParameterInvalid,
        Self::BodyMissing,
        Self::BodyTruncated,
        Self::BodyEncoded,
        Self::BodyType,
        Self::BodyInvalid,
        Self::VariableMissing,
        Self::VariableInvalid,
        Self::TagsInvalid,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute => "NO_ROUTE",
            Self::MethodInvalid => "METHOD_INVALID",
            Self::HostInvalid => "HOST_INVALID",
            Self::PathInvalid => "PATH_INVALID",
            Self::PrincipalMissing => "PRINCIPAL_MISSING",
            Self::PrincipalInvalid => "PRINCIPAL_INVALID",
            Self::ClaimInvalid => "CLAIM_INVALID",
            Self::HeaderInvalid => "HEADER_INVALID",
            Self::ParameterInvalid => "PARAMETER_INVALID",
            Self::BodyMissing => "BODY_MISSING",
            Self::BodyTruncated => "BODY_TRUNCATED",
            Self::BodyEncoded => "BODY_ENCODED",
            Self::BodyType => "BODY_TYPE",
            Self::BodyInvalid => "BODY_INVALID",
            Self::VariableMissing => "VARIABLE_MISSING",
            Self::VariableInvalid => "VARIABLE_INVALID",
            Self::TagsInvalid => "TAGS_INVALID",
        }
    }

    /// Whether the request may not be made, rather than being malformed.
    pub fn is_forbidden(self) -> bool {
        match self {
            Self::NoRoute | Self::PrincipalMissing => true,
            Self::MethodInvalid
            | Self::HostInvalid
            | Self::PathInvalid
            | Self::PrincipalInvalid
            | Self::ClaimInvalid
            | Self::HeaderInvalid
            | Self::ParameterInvalid
            | Self::BodyMissing
            | Self::BodyTruncated
            | Self::BodyEncoded
            | Self::BodyType
            | Self::BodyInvalid
            | Self::VariableMissing
            | Self::VariableInvalid
            | Self::TagsInvalid => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
