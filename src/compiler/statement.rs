//! Lowers policies and their statements.

use super::condition;
use super::intern::Interner;
use super::matcher;
use crate::model::condition::TagFamily;
use crate::model::settings::Settings;
use crate::model::statement as written;
use crate::snapshot::action::{ActionTable, Named};
use crate::snapshot::condition::{Condition, Key};
use crate::snapshot::filter::ActionFilter;
use crate::snapshot::policy::{
    ActionMatcher, Actions, Class, Policy, PrincipalMatcher, Principals, Reads, Rest, Statement,
};
use crate::snapshot::symbol::Symbol;
use crate::snapshot::table::PolicyTable;

/// What lowering needs and grows: shared texts, and the actions that are named in full.
#[derive(Debug)]
pub(super) struct Lowering<'a, 'b> {
    pub(super) settings: &'a Settings,
    pub(super) interner: &'a mut Interner<'b>,
    pub(super) actions: Option<&'a mut ActionTable>,
}

impl<'b> Lowering<'_, 'b> {
    /// One policy under the name by which answers speak of it.
    pub(super) fn policy(&mut self, name: &str, policy: &'b written::Policy) -> Policy {
        let mut filter = ActionFilter::default();
        let mut statements = Vec::with_capacity(policy.statements.len());
        for statement in &policy.statements {
            let (lowered, covered) = self.statement(statement);
            filter = filter.union(covered);
            statements.push(lowered);
        }
        Policy::new(Symbol::from(name), filter, statements)
    }

    /// A statement, and the actions that it may cover.
    fn statement(&mut self, statement: &'b written::Statement) -> (Statement, ActionFilter) {
        let effect = statement.effect;
        let (patterns, excluding) = match &statement.actions {
            written::Actions::Only(patterns) => (patterns, false),
            written::Actions::AllBut(patterns) => (patterns, true),
        };
        let table = self.actions.as_deref_mut();
        let (actions, named) = matcher::actions(self.interner, table, patterns);
        let actions = if excluding {
            actions.excluded()
        } else {
            actions
        };
        let conditions =
            condition::list(self.interner, self.settings, effect, &statement.conditions);
        let lowered = Statement {
            rest: self.rest(statement),
            actions,
            excluding,
            effect,
            class: class(&conditions),
            reads: reads(&conditions),
            resources: matcher::resources(self.interner, effect, &statement.resources),
            conditions,
        };
        (lowered, if excluding { ActionFilter::ALL } else { named })
    }

    fn rest(&mut self, statement: &'b written::Statement) -> Option<Box<Rest>> {
        let principals = statement.principals.as_ref();
        let principals = principals.map(|named| self.principals(named));
        let sid = statement.sid.as_deref();
        let sid = sid.map(|sid| self.interner.symbol(sid));
        let is_plain = principals.is_none() && sid.is_none();
        (!is_plain).then(|| Box::new(Rest { principals, sid }))
    }

    fn principals(&mut self, principals: &written::Principals) -> Principals {
        match principals {
            written::Principals::Everybody => Principals::Everybody,
            written::Principals::Any(patterns) => Principals::Any(
                patterns
                    .iter()
                    .map(|pattern| self.principal(pattern))
                    .collect(),
            ),
        }
    }

    fn principal(&mut self, pattern: &written::PrincipalPattern) -> PrincipalMatcher {
        let interner = &mut *self.interner;
        match pattern {
            written::PrincipalPattern::Id(id) => PrincipalMatcher::Id(interner.symbol(id)),
            written::PrincipalPattern::Account(account) => {
                PrincipalMatcher::Account(interner.symbol(account.as_str()))
            }
            written::PrincipalPattern::Identity(identity) if identity.open => {
                PrincipalMatcher::IdentityPrefix(interner.symbol(&identity.prefix))
            }
            written::PrincipalPattern::Identity(identity) => {
                PrincipalMatcher::Identity(interner.symbol(&identity.prefix))
            }
            written::PrincipalPattern::Service(name) => {
                PrincipalMatcher::Service(interner.symbol(name))
            }
            written::PrincipalPattern::Federated(arn) => {
                PrincipalMatcher::Federated(interner.symbol(arn))
            }
        }
    }
}

fn class(conditions: &[Condition]) -> Class {
    let mut class = Class::default();
    for condition in conditions {
        if let Key::Tag(tag) = &condition.key {
            match tag.family {
                TagFamily::Resource => class.resource = true,
                TagFamily::Request => class.request = true,
                TagFamily::Either => class.either = true,
            }
        }
    }
    class
}

fn reads(conditions: &[Condition]) -> Reads {
    let mut reads = Reads::default();
    for condition in conditions {
        match condition.key {
            Key::ResourceGroupId => reads.group = true,
            Key::SourceIp | Key::SecureTransport | Key::MfaPresent | Key::Context(_) => {
                reads.context = true;
            }
            Key::CurrentTime | Key::PrincipalArn | Key::Action | Key::Resource | Key::Tag(_) => {}
        }
        reads.values |= condition::is_read_late(condition);
    }
    reads
}

/// The actions and services that policies name in full.
pub(super) fn named(policies: &PolicyTable) -> Named {
    let mut named = Named::default();
    let statements = policies.iter().flat_map(Policy::statements);
    let actions = statements.map(|statement| &statement.actions);
    for Actions {
        exact,
        patterns,
        glance: _,
    } in actions
    {
        named.actions.extend(exact.as_slice().iter().copied());
        for pattern in patterns {
            match pattern {
                ActionMatcher::Service(service, _) => {
                    named.services.insert(*service);
                }
                ActionMatcher::All | ActionMatcher::Wide(..) => {}
            }
        }
    }
    named
}
