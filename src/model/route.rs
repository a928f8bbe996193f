//! Routes: which request that a proxy asks about is which action on which resources, and for whom
//! (security 10).
//!
//! Nothing here reads a request. Every template and source was checked when it was read, so that
//! what can be wrong later is the request's fault alone.
//!
//! Not here: `routes.json` (`document`), which route a request matches (`snapshot::route`), and what
//! a request says where a source looks (`routing`).

pub mod source;
pub mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::source::{ContextSource, KeySource, Principal, Source, TagSource};
use self::template::{HostPattern, PathTemplate, Template};
use super::account::Name;
use super::catalog::OperationKind;

/// The routes of a bundle. No two of them match one request with equal precedence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// The routes, in the order written; it has no meaning.
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name: it stands in metadata and messages.
    pub name: Name,
    /// The requests that it matches.
    pub target: Target,
    /// Who asks.
    pub principal: Arc<Principal>,
    /// What they ask to do: a checked action, as written.
    pub action: Box<str>,
    /// A stricter kind than the catalog's.
    pub kind: Option<OperationKind>,
    /// Variables that stand in no path and no host.
    pub variables: BTreeMap<Box<str>, Variable>,
    /// The resources; each is asked about.
    pub resources: Vec<Template>,
    /// Where the request's tags stand; `None`: such requests have no tag parameter.
    pub tags: Option<TagSource>,
    /// Where the keys stand that the request removes.
    pub removed_keys: Option<KeySource>,
    /// What is told of the circumstances.
    pub context: BTreeMap<Box<str>, ContextSource>,
    /// How a refused list is shown.
    pub on_deny: OnDeny,
    /// What is done with obligations.
    pub obligations: Obligations,
}

/// The requests that a route matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Requests of HTTP that are no calls of gRPC.
    Http(HttpTarget),
    /// Calls of gRPC.
    Grpc(GrpcTarget),
}

/// Requests of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTarget {
    /// The hosts; none: any.
    pub hosts: Vec<HostPattern>,
    /// The methods; none: any.
    pub methods: Vec<Box<str>>,
    /// The path.
    pub path: PathTemplate,
    /// Query parameters that must have these values: how APIs name their actions.
    pub parameters: BTreeMap<Box<str>, Box<str>>,
}

/// Calls of gRPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcTarget {
    /// The hosts; none: any.
    pub hosts: Vec<HostPattern>,
    /// The service with its package.
    pub service: Box<str>,
    /// The method; `None`: every one.
    pub method: Option<Box<str>>,
}

/// A variable, and what it is where its source has nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Where its value stands.
    pub source: Source,
    /// What a request without it means.
    pub absent: Absent,
}

/// What it means that a value is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The request is refused.
    Refused,
    /// The variable is `*`: a list without an id.
    Every,
}

/// How a refused list is shown, where the engine says that it is an empty result (security 3.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OnDeny {
    /// As any refusal: 403, or PERMISSION_DENIED.
    #[default]
    Error,
    /// As an answer of HTTP with status 200.
    Empty(EmptyResult),
    /// A call of gRPC is forwarded with a header that tells the upstream to answer without entries.
    Forward,
}

/// What a client gets for a list that it may not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyResult {
    /// The body.
    pub body: Box<str>,
    /// Its type.
    pub content_type: Box<str>,
}

/// What is done with an ALLOW that has obligations (security 3.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Obligations {
    /// It is a refusal.
    #[default]
    Refused,
    /// The upstream applies them: they are told in a header.
    Applied,
}

/// What a route reads beside headers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// Parameters of the query.
    pub query: bool,
    /// A form.
    pub form: bool,
    /// JSON.
    pub json: bool,
}

impl Route {
    /// What it reads beside headers.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        for variable in self.variables.values() {
            match variable.source {
                Source::Header(_) => {}
                Source::Query(_) => reads.query = true,
                Source::Form(_) => reads.form = true,
                Source::Json(_) | Source::Each(_) => reads.json = true,
            }
        }
        match self.tags {
            None | Some(TagSource::Headers(_)) => {}
            Some(TagSource::Query(_)) => reads.query = true,
            Some(TagSource::Form(_)) => reads.form = true,
            Some(TagSource::Json(..)) => reads.json = true,
        }
        match self.removed_keys {
            None => {}
            Some(KeySource::Query(_)) => reads.query = true,
            Some(KeySource::Form(_)) => reads.form = true,
            Some(KeySource::Json(_)) => reads.json = true,
        }
        match &self.target {
            Target::Http(target) => reads.query |= !target.parameters.is_empty(),
            Target::Grpc(_) => {}
        }
        reads
    }
}

impl Target {
    /// The hosts; none: any.
    pub fn hosts(&self) -> &[HostPattern] {
        match self {
            Self::Http(target) => &target.hosts,
            Self::Grpc(target) => &target.hosts,
        }
    }
}
