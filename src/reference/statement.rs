//! Statements where they stand: whether they cover the question, and whether they hold.

use crate::model::account::Name;
use crate::model::arn::{ArnRef, ResourceName};
use crate::model::condition::{ConditionKey, TagFamily};
use crate::model::pattern::{AccountPattern, ActionPattern, ResourcePattern};
use crate::model::statement::{Actions, Effect, Resources, Statement};

use super::StatementName;
use super::condition;
use super::image::{Image, images};
use super::principal;
use super::subcheck::{Part, Question, SubCheck};
use super::wildcard;

/// A statement of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) policy: PolicyName<'a>,
    pub(super) index: usize,
    pub(super) statement: &'a Statement,
    /// The account that four-field patterns of an Allow are about.
    pub(super) account: &'a str,
    /// The resource group that the grant is for.
    pub(super) group: Option<&'a Name>,
}

/// The document that holds a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum PolicyName<'a> {
    Attached(&'a crate::model::account::PolicyRef),
    Session,
    Resource(&'a Name),
    Trust(&'a str),
}

/// The class of a statement, by the families that it reads (security 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    None,
    Resource,
    Request,
    Both,
}

impl Class {
    /// R, RQ or N: such a statement speaks of a state, not of the request's tags alone.
    pub(super) fn speaks_of_a_state(self) -> bool {
        match self {
            Self::None | Self::Resource | Self::Both => true,
            Self::Request => false,
        }
    }

    /// Q or RQ.
    pub(super) fn reads_request(self) -> bool {
        match self {
            Self::Request | Self::Both => true,
            Self::None | Self::Resource => false,
        }
    }
}

impl Placed<'_> {
    pub(super) fn name(&self) -> StatementName {
        let policy = match self.policy {
            PolicyName::Attached(policy) => policy.to_string(),
            PolicyName::Session => "session".to_owned(),
            PolicyName::Resource(name) => format!("resource:{name}"),
            PolicyName::Trust(role) => format!("trust:{role}"),
        };
        StatementName {
            policy,
            index: self.index,
        }
    }

    pub(super) fn is(&self, effect: Effect) -> bool {
        self.statement.effect == effect
    }

    /// Whether the statement matches by principal, action and resource.
    pub(super) fn matches(&self, question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
        self.names_and_acts(question) && self.covers_resource(sub)
    }

    /// Whether the statement matches by principal and action.
    pub(super) fn names_and_acts(&self, question: &Question<'_>) -> bool {
        let named = self.statement.principals.as_ref().is_none_or(|principals| {
            principal::names(principals, question.principal, question.standing)
        });
        named && self.covers_action(question)
    }

    fn covers_action(&self, question: &Question<'_>) -> bool {
        // security 7.3: actions are folded alike everywhere.
        let service = question.action.service().to_ascii_lowercase();
        let name = question.action.name().to_ascii_lowercase();
        let any = |patterns: &[ActionPattern]| {
            patterns.iter().any(|pattern| match pattern {
                ActionPattern::All => true,
                ActionPattern::Named {
                    service: wanted_service,
                    name: wanted_name,
                } => {
                    wildcard::matches(wanted_service.as_str(), &service)
                        && wildcard::matches(wanted_name.as_str(), &name)
                }
            })
        };
        match &self.statement.actions {
            Actions::Only(patterns) => any(patterns),
            Actions::AllBut(patterns) => !any(patterns),
        }
    }

    fn covers_resource(&self, sub: &SubCheck<'_>) -> bool {
        let matched = |pattern: &ResourcePattern| self.pattern_matches(pattern, sub);
        match &self.statement.resources {
            Resources::Only(patterns) => patterns.iter().any(matched),
            // ram 1.2: every resource except those listed.
            Resources::AllBut(patterns) => !patterns.iter().any(matched),
            // A document without `Resource` is about what it is attached to.
            Resources::Attached => true,
        }
    }

    fn pattern_matches(&self, pattern: &ResourcePattern, sub: &SubCheck<'_>) -> bool {
        match (pattern, sub.name) {
            (ResourcePattern::All, _) => true,
            // ram 1.5: the ARN `*`, which only the pattern `*` matches.
            (ResourcePattern::Arn { .. }, ResourceName::All) => false,
            // ram 1.5: each of the fields by itself.
            (
                ResourcePattern::Arn {
                    service,
                    region,
                    account,
                    id,
                },
                ResourceName::Arn(arn),
            ) => {
                wildcard::matches(service.as_str(), arn.service())
                    && wildcard::matches(region.as_str(), arn.region())
                    && self.covers_account(account, &sub.owner)
                    && wildcard::matches(id.as_str(), arn.id())
            }
        }
    }

    fn covers_account(&self, pattern: &AccountPattern, owner: &str) -> bool {
        // Decision 1: the account field of a pattern is compared with the owner.
        if let AccountPattern::Field(field) = pattern
            && !field.as_str().is_empty()
        {
            return wildcard::matches(field.as_str(), owner);
        }
        // security 7.2: in an Allow the account is the policy's own, in a Deny any. Decision 37: an
        // empty field is read so, too, and what is excluded the other way round.
        let excluding = matches!(self.statement.resources, Resources::AllBut(_));
        let own = (self.statement.effect == Effect::Allow) != excluding;
        !own || owner == self.account
    }

    /// Decision 31: whether the resources of the statement certainly cover everything below the ARN
    /// asked for.
    pub(super) fn covers_all_below(&self, sub: &SubCheck<'_>) -> bool {
        let all = |pattern: &ResourcePattern| self.pattern_covers_below(pattern, sub);
        let some = |pattern: &ResourcePattern| self.pattern_touches_below(pattern, sub);
        match &self.statement.resources {
            Resources::Only(patterns) => patterns.iter().any(all),
            Resources::AllBut(patterns) => !patterns.iter().any(some),
            Resources::Attached => true,
        }
    }

    /// Decision 31: whether the resources of the statement could match something below the ARN.
    pub(super) fn may_touch_below(&self, sub: &SubCheck<'_>) -> bool {
        let all = |pattern: &ResourcePattern| self.pattern_covers_below(pattern, sub);
        let some = |pattern: &ResourcePattern| self.pattern_touches_below(pattern, sub);
        match &self.statement.resources {
            Resources::Only(patterns) => patterns.iter().any(some),
            Resources::AllBut(patterns) => !patterns.iter().any(all),
            Resources::Attached => true,
        }
    }

    fn pattern_covers_below(&self, pattern: &ResourcePattern, sub: &SubCheck<'_>) -> bool {
        match (pattern, sub.name) {
            (ResourcePattern::All, _) => true,
            (ResourcePattern::Arn { .. }, ResourceName::All) => false,
            (
                ResourcePattern::Arn {
                    service,
                    region,
                    account,
                    id,
                },
                ResourceName::Arn(arn),
            ) => {
                let everywhere = match arn.region() {
                    "*" => wildcard::covers(region.as_str(), ""),
                    written => wildcard::matches(region.as_str(), written),
                };
                wildcard::matches(service.as_str(), arn.service())
                    && everywhere
                    && self.covers_account(account, &sub.owner)
                    && wildcard::covers(id.as_str(), fixed_part(arn))
            }
        }
    }

    fn pattern_touches_below(&self, pattern: &ResourcePattern, sub: &SubCheck<'_>) -> bool {
        match (pattern, sub.name) {
            (ResourcePattern::All, _) => true,
            (ResourcePattern::Arn { .. }, ResourceName::All) => pattern.can_match(),
            (
                ResourcePattern::Arn {
                    service,
                    region,
                    account,
                    id,
                },
                ResourceName::Arn(arn),
            ) => {
                let somewhere = match arn.region() {
                    "*" | "" => true,
                    written => wildcard::matches(region.as_str(), written),
                };
                wildcard::matches(service.as_str(), arn.service())
                    && somewhere
                    && self.covers_account(account, &sub.owner)
                    && wildcard::may_begin(id.as_str(), fixed_part(arn))
            }
        }
    }

    /// The families that the statement reads.
    pub(super) fn reads(&self, family: TagFamily) -> bool {
        self.statement.conditions.iter().any(
            |condition| matches!(&condition.key, ConditionKey::Tag(key) if key.family == family),
        )
    }

    pub(super) fn reads_group(&self) -> bool {
        let mut conditions = self.statement.conditions.iter();
        conditions.any(|condition| condition.key == ConditionKey::ResourceGroupId)
    }

    /// The class in a sub-check. Decisions 13 and 30: T is R on an existing resource, else Q.
    pub(super) fn class(&self, part: Part) -> Class {
        let either = self.reads(TagFamily::Either);
        let resource = self.reads(TagFamily::Resource) || (either && part == Part::Existing);
        let request = self.reads(TagFamily::Request) || (either && part != Part::Existing);
        match (resource, request) {
            (false, false) => Class::None,
            (true, false) => Class::Resource,
            (false, true) => Class::Request,
            (true, true) => Class::Both,
        }
    }

    /// Whether every condition holds on the image. A value that cannot be read holds nothing; the
    /// request was refused before.
    pub(super) fn holds_on(
        &self,
        question: &Question<'_>,
        sub: &SubCheck<'_>,
        image: &Image,
    ) -> bool {
        self.statement.conditions.iter().all(|condition| {
            condition::holds(question, sub, image, self.statement.effect, condition) == Ok(true)
        })
    }

    /// Whether every condition holds on some image.
    pub(super) fn holds_somewhere(&self, question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
        images(question, sub, self.statement.effect)
            .iter()
            .any(|image| self.holds_on(question, sub, image))
    }
}

/// `instance/` of `instance/*`; nothing of `*`.
fn fixed_part(arn: ArnRef<'_>) -> &str {
    arn.id().strip_suffix('*').unwrap_or(arn.id())
}
