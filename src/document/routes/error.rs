//! What is wrong with routes.

use crate::document::error::Excerpt;
use crate::model::arn::InvalidArn;
use crate::model::route::source::{InvalidPointer, InvalidSpiffeTemplate};
use crate::model::route::template::InvalidTemplate;

/// What is wrong with a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteErrorKind {
    /// A template.
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
    /// A JSON pointer.
    #[error(transparent)]
    Pointer(#[from] InvalidPointer),
    /// A template of SPIFFE ids.
    #[error(transparent)]
    Spiffe(#[from] InvalidSpiffeTemplate),
    /// The name of a header.
    #[error("not the name of a header in lower case")]
    HeaderName,
    /// A header that others set or that the proxy makes.
    #[error("the header `{name}` is not one that a route may read")]
    HeaderReserved {
        /// Its name.
        name: Excerpt,
    },
    /// The name of a parameter.
    #[error("not a name of 1 to 128 characters without controls")]
    ParameterName,
    /// The name of a variable.
    #[error("not a name of lower-case letters, digits and `_`")]
    VariableName,
    /// The name of a service or method of gRPC.
    #[error("not a name of gRPC: letters, digits, `_`, and `.` in services")]
    GrpcName,
    /// A method of HTTP.
    #[error("not a method of HTTP in upper case")]
    Method,
    /// A route for requests and for calls, or for neither.
    #[error("a route has exactly one of `http` and `grpc`")]
    Target,
    /// A source that is told in several ways, or in none.
    #[error("expected exactly one of {expected}")]
    Form {
        /// What may stand here.
        expected: &'static str,
    },
    /// The names of the two members of a tag.
    #[error("expected the names of two members, the key's and the value's")]
    TagMembers,
    /// A principal that nobody wrote.
    #[error("no principal `{name}`")]
    PrincipalUnknown {
        /// Its name.
        name: Excerpt,
    },
    /// An ARN that no value makes one of a principal.
    #[error("with values in place of variables: {0}")]
    PrincipalArn(InvalidArn),
    /// The owner of an account, or a principal without a variable.
    #[error("a principal is a user, a role or a session, with a variable in its name")]
    PrincipalFixed,
    /// A session of which nothing is said.
    #[error("a role session needs `\"session\": \"none\"`: it has no session policy")]
    SessionMissing,
    /// Something is said of a session that is none.
    #[error("`session` is for role sessions")]
    SessionUnused,
    /// A template that no value makes an ARN.
    #[error("with values in place of variables: {0}")]
    ResourceArn(InvalidArn),
    /// A service that a request could choose.
    #[error("the service of an ARN has no variable")]
    ServiceVariable,
    /// A variable without a source.
    #[error("no variable `{name}`")]
    VariableUnknown {
        /// Its name.
        name: Excerpt,
    },
    /// A variable that no resource uses.
    #[error("no resource uses the variable `{name}`")]
    VariableUnused {
        /// Its name.
        name: Excerpt,
    },
    /// A variable with two sources.
    #[error("the variable `{name}` stands in the path or host already")]
    VariableTwice {
        /// Its name.
        name: Excerpt,
    },
    /// More than one list of ids.
    #[error("one variable at most is `each` of an array")]
    EachTwice,
    /// A variable that is `*` where it is absent, and no whole last segment.
    #[error(
        "`absent` = `*` is for a variable that is the last segment of each resource it stands in"
    )]
    AbsentPlace,
    /// Bodies of gRPC.
    #[error("calls of gRPC are read by their headers alone")]
    BodyOfGrpc,
    /// A body as two forms.
    #[error("one body is read as JSON or as a form, not as both")]
    TwoBodies,
    /// A key that the server derives.
    #[error("the server derives the key `{key}`")]
    ContextDerived {
        /// The key.
        key: Excerpt,
    },
    /// A typed key with a value that is none.
    #[error("not a value of the key `{key}`")]
    ContextValue {
        /// The key.
        key: Excerpt,
    },
    /// A kind that is less strict than the catalog's.
    #[error("the kind of this action is `{known}`, and a route states only a stricter one")]
    KindNotStricter {
        /// The catalog's.
        known: &'static str,
    },
    /// An empty result for something that is no list.
    #[error("only actions that list have another answer than a refusal")]
    NotAList,
    /// An empty result for calls of gRPC.
    #[error("calls of gRPC have `permission_denied` or `forward`")]
    EmptyOfGrpc,
    /// A forwarded refusal for requests of HTTP.
    #[error("`forward` is for calls of gRPC")]
    ForwardOfHttp,
    /// An empty result with another status.
    #[error("an empty result has the status 200")]
    EmptyStatus,
    /// A body that is too long.
    #[error("longer than {limit} bytes")]
    BodyTooLong {
        /// The most.
        limit: usize,
    },
    /// A media type.
    #[error("not a media type")]
    ContentType,
    /// Two routes match one request, and neither stands before the other.
    #[error("the route `{other}` matches the same requests with the same precedence")]
    Conflict {
        /// The route that stands first.
        other: Excerpt,
    },
    /// A name that stands twice.
    #[error("route `{name}` is given twice")]
    Duplicate {
        /// The name.
        name: Excerpt,
    },
}

impl RouteErrorKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Template(_) => "INVALID_TEMPLATE",
            Self::Pointer(_) => "INVALID_POINTER",
            Self::Spiffe(_) => "INVALID_SPIFFE_TEMPLATE",
            Self::HeaderName | Self::HeaderReserved { .. } => "INVALID_HEADER_NAME",
            Self::ParameterName => "INVALID_PARAMETER_NAME",
            Self::VariableName => "INVALID_VARIABLE_NAME",
            Self::GrpcName => "INVALID_GRPC_NAME",
            Self::Method => "INVALID_METHOD",
            Self::Target => "INVALID_TARGET",
            Self::Form { .. } | Self::TagMembers => "INVALID_SOURCE",
            Self::PrincipalUnknown { .. } => "PRINCIPAL_UNKNOWN",
            Self::PrincipalArn(_) | Self::PrincipalFixed => "INVALID_PRINCIPAL",
            Self::SessionMissing | Self::SessionUnused => "INVALID_SESSION",
            Self::ResourceArn(_) | Self::ServiceVariable => "INVALID_RESOURCE",
            Self::VariableUnknown { .. } => "VARIABLE_UNKNOWN",
            Self::VariableUnused { .. } => "VARIABLE_UNUSED",
            Self::VariableTwice { .. } => "VARIABLE_TWICE",
            Self::EachTwice => "EACH_TWICE",
            Self::AbsentPlace => "INVALID_ABSENT",
            Self::BodyOfGrpc | Self::TwoBodies => "INVALID_BODY_SOURCE",
            Self::ContextDerived { .. } | Self::ContextValue { .. } => "INVALID_CONTEXT",
            Self::KindNotStricter { .. } => "KIND_NOT_STRICTER",
            Self::NotAList
            | Self::EmptyOfGrpc
            | Self::ForwardOfHttp
            | Self::EmptyStatus
            | Self::BodyTooLong { .. }
            | Self::ContentType => "INVALID_ON_DENY",
            Self::Conflict { .. } => "ROUTE_CONFLICT",
            Self::Duplicate { .. } => "DUPLICATE",
        }
    }
}
