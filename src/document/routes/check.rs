//! Whether the parts of a route fit together, whatever a request says.

use super::error::RouteErrorKind;
use super::is_lax;
use crate::document::cursor::{Members, Sink, Told};
use crate::document::error::Excerpt;
use crate::document::lint::LintKind;
use crate::model::action::ActionRef;
use crate::model::arn::ResourceName;
use crate::model::catalog::{ActionFacts, Catalog, OperationKind};
use crate::model::condition::{parse_bool, parse_ip};
use crate::model::context_key::is_derived;
use crate::model::route::source::{ContextSource, Source};
use crate::model::route::template::{HostPattern, Template};
use crate::model::route::{Absent, Obligations, OnDeny, Route, Target};

pub(super) fn route(
    route: &Route,
    members: &Members<'_, '_>,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    // INVARIANT: the action was parsed when it was read.
    let facts = ActionRef::parse(&route.action).map(|action| catalog.facts(action));
    let facts = facts.map_err(|error| {
        let kind = crate::document::bundle::error::EntryErrorKind::from(error);
        members.whole().refuse(kind, sink)
    })?;
    let mut checking = Checking {
        route,
        members,
        sink,
        told: None,
    };
    checking.variables();
    checking.resources();
    checking.bodies();
    checking.context();
    checking.answers(&facts);
    checking.told.map_or(Ok(()), Err)
}

struct Checking<'c, 'a, 's> {
    route: &'c Route,
    members: &'c Members<'c, 'c>,
    sink: &'s mut Sink<'a>,
    told: Option<Told>,
}

impl Checking<'_, '_, '_> {
    /// Tells an error at a member, or at the route where the member is missing.
    fn refuse(&mut self, member: &str, kind: RouteErrorKind) {
        let told = match self.members.optional(member) {
            Some(at) => at.refuse(kind, self.sink),
            None => self.members.whole().refuse(kind, self.sink),
        };
        self.told = Some(told);
    }

    fn variables(&mut self) {
        let in_target = target_variables(&self.route.target);
        let variables = &self.route.variables;
        let used = |name: &str| self.route.resources.iter().any(|one| uses(one, name));
        let twice = |name: &str| in_target.iter().filter(|one| **one == name).count() > 1;
        let mut wrong = Vec::new();
        for name in variables.keys() {
            let shown = Excerpt::from(&**name);
            if in_target.contains(&&**name) {
                wrong.push(RouteErrorKind::VariableTwice { name: shown });
            } else if !used(name) {
                wrong.push(RouteErrorKind::VariableUnused { name: shown });
            }
        }
        let each = variables
            .values()
            .filter(|variable| matches!(variable.source, Source::Each(_)));
        if each.count() > 1 {
            wrong.push(RouteErrorKind::EachTwice);
        }
        for kind in wrong {
            self.refuse("variables", kind);
        }
        if let Some(name) = in_target.iter().find(|name| twice(name)) {
            let name = Excerpt::from(*name);
            self.refuse("http", RouteErrorKind::VariableTwice { name });
        }
    }

    fn resources(&mut self) {
        let in_target = target_variables(&self.route.target);
        for template in &self.route.resources {
            let variables = &self.route.variables;
            let known = |name: &str| in_target.contains(&name) || variables.contains_key(name);
            if let Some(name) = template.variables().find(|name| !known(name)) {
                let name = Excerpt::from(name);
                self.refuse("resources", RouteErrorKind::VariableUnknown { name });
                continue;
            }
            if let Err(kind) = check_template(template, self.route) {
                self.refuse("resources", kind);
            }
        }
    }

    fn bodies(&mut self) {
        let reads = self.route.reads();
        match &self.route.target {
            Target::Grpc(_) if reads.form || reads.json || reads.query => {
                self.refuse("grpc", RouteErrorKind::BodyOfGrpc);
            }
            Target::Http(_) if reads.form && reads.json => {
                self.refuse("http", RouteErrorKind::TwoBodies);
            }
            Target::Grpc(_) | Target::Http(_) => {}
        }
    }

    fn context(&mut self) {
        let mut wrong = Vec::new();
        for (key, source) in &self.route.context {
            let shown = Excerpt::from(&**key);
            if is_derived(key) {
                wrong.push(RouteErrorKind::ContextDerived { key: shown });
            } else if !fits(key, source) {
                wrong.push(RouteErrorKind::ContextValue { key: shown });
            }
        }
        for kind in wrong {
            self.refuse("context", kind);
        }
    }

    fn answers(&mut self, facts: &ActionFacts) {
        let route = self.route;
        if is_lax(route.kind, facts.kind) {
            let known = word(facts.kind);
            self.refuse("kind", RouteErrorKind::KindNotStricter { known });
        }
        match (&route.on_deny, &route.target) {
            (OnDeny::Error, _) => {}
            // security 3.5: "EMPTY_RESULT only for actions flagged `list`".
            (OnDeny::Empty(_) | OnDeny::Forward, _) if !facts.list => {
                self.refuse("on_deny", RouteErrorKind::NotAList);
            }
            (OnDeny::Empty(_), Target::Grpc(_)) => {
                self.refuse("on_deny", RouteErrorKind::EmptyOfGrpc);
            }
            (OnDeny::Forward, Target::Http(_)) => {
                self.refuse("on_deny", RouteErrorKind::ForwardOfHttp);
            }
            (OnDeny::Empty(_), Target::Http(_)) | (OnDeny::Forward, Target::Grpc(_)) => {}
        }
        if facts.filterable && route.tags.is_some() && route.obligations == Obligations::Refused {
            let at = self.members.optional("tags");
            let spot = at.map_or_else(|| self.members.whole().spot(), |at| at.spot());
            self.sink.warn(&spot, LintKind::RouteRefusesObligations);
        }
    }
}

/// A kind as documents write it.
fn word(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "create",
        OperationKind::Query => "query",
        OperationKind::Update => "update",
        OperationKind::Other => "other",
    }
}

fn uses(template: &Template, name: &str) -> bool {
    template.variables().any(|one| one == name)
}

/// The variables that stand in the path and, where all hosts have it, in the host.
fn target_variables(target: &Target) -> Vec<&str> {
    let mut names: Vec<&str> = match target {
        Target::Http(target) => target.path.variables().collect(),
        Target::Grpc(_) => Vec::new(),
    };
    let hosts = target.hosts();
    if let Some(name) = hosts.first().and_then(HostPattern::variable)
        && hosts.iter().all(|host| host.variable() == Some(name))
    {
        names.push(name);
    }
    names
}

/// Whether values in place of variables make an ARN whose service no request can choose.
fn check_template(template: &Template, route: &Route) -> Result<(), RouteErrorKind> {
    let text = template.to_string();
    let service = text.split(':').nth(1).unwrap_or_default();
    if service.contains('{') || text.starts_with('{') {
        return Err(RouteErrorKind::ServiceVariable);
    }
    let filled = template.fill(|_| Some("1")).unwrap_or_default();
    ResourceName::parse(&filled).map_err(RouteErrorKind::ResourceArn)?;
    let is_every = |name: &str| {
        let variable = route.variables.get(name);
        variable.is_some_and(|variable| variable.absent == Absent::Every)
    };
    let every = template.fill(|name| Some(if is_every(name) { "*" } else { "1" }));
    ResourceName::parse(&every.unwrap_or_default()).map_err(|_| RouteErrorKind::AbsentPlace)?;
    Ok(())
}

/// Whether a source can have a value of a typed key.
fn fits(key: &str, source: &ContextSource) -> bool {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let (is_ip, is_bool) = (
        is("acs:SourceIp"),
        is("acs:SecureTransport") || is("acs:MFAPresent"),
    );
    match source {
        ContextSource::SourceAddress => is_ip,
        ContextSource::SecureTransport => !is_ip,
        ContextSource::Claim(_) => true,
        ContextSource::Value(text) => {
            (!is_ip || parse_ip(text).is_some()) && (!is_bool || parse_bool(text).is_some())
        }
    }
}
