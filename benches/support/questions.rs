//! Requests drawn to the shares of kinds and outcomes that the profiles ask for (ram 9).
//!
//! A candidate is aimed at a statement of its principal, and kept if the engine answers with the
//! outcome that is wanted.

use std::net::IpAddr;

use tagwarden::engine::decide;
use tagwarden::model::catalog::OperationKind;
use tagwarden::model::condition::{Condition, ConditionKey, TagFamily, Test};
use tagwarden::model::pattern::{ActionPattern, Pattern, ResourcePattern};
use tagwarden::model::statement::{Actions, Effect, Resources, Statement};
use tagwarden::model::verdict::Outcome;
use tagwarden::snapshot::Snapshot;

use super::Profile;
use super::question::{OwnedTag, Question};
use super::random::{Draw, Random};
use super::world::{ACCOUNT, Action, REGIONS, tag_key, tag_value};

/// What a call looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Get,
    List,
    FilteredList,
    Create,
    Modify,
    Retag,
    Other,
}

/// "57 % query (half without an id; of these half without tags), 14 % create with tags, 9 % update
/// (half retag), 20 % other", in thousandths.
const FORMS: [(Form, usize); 7] = [
    (Form::Get, 285),
    (Form::List, 143),
    (Form::FilteredList, 142),
    (Form::Create, 140),
    (Form::Modify, 45),
    (Form::Retag, 45),
    (Form::Other, 200),
];

/// "60 % allowed, 10 % explicit deny, 30 % implicit deny".
const OUTCOMES: [(Outcome, usize); 3] = [
    (Outcome::Allow, 60),
    (Outcome::ExplicitDeny, 10),
    (Outcome::ImplicitDeny, 30),
];

impl Form {
    fn kind(self) -> OperationKind {
        match self {
            Self::Get | Self::List | Self::FilteredList => OperationKind::Query,
            Self::Create => OperationKind::Create,
            Self::Modify | Self::Retag => OperationKind::Update,
            Self::Other => OperationKind::Other,
        }
    }

    fn is_concrete(self) -> bool {
        matches!(self, Self::Get | Self::Modify | Self::Retag | Self::Other)
    }

    fn has_tags(self) -> bool {
        matches!(self, Self::FilteredList | Self::Create | Self::Retag)
    }
}

/// Draws so many requests; who asks is drawn from `draw`.
pub fn questions(
    profile: &Profile,
    snapshot: &Snapshot,
    draw: &Draw,
    count: usize,
) -> Vec<Question> {
    let mut random = Random::new(0x00de_c1de);
    (0..count)
        .map(|_| {
            let form = random.weighted(&FORMS);
            let outcome = random.weighted(&OUTCOMES);
            wanted(profile, snapshot, draw, &mut random, form, outcome)
        })
        .collect()
}

/// Tries until the engine gives the outcome; after many tries takes what there is.
fn wanted(
    profile: &Profile,
    snapshot: &Snapshot,
    draw: &Draw,
    random: &mut Random,
    form: Form,
    outcome: Outcome,
) -> Question {
    let effect = if outcome == Outcome::ExplicitDeny {
        Effect::Deny
    } else {
        Effect::Allow
    };
    let mut question = Question::default();
    for _ in 0..40 {
        let principal = draw.draw(random);
        for _ in 0..20 {
            let target = profile.statement(principal, effect, random);
            let target = if outcome == Outcome::ImplicitDeny && random.percent(60) {
                None
            } else {
                target
            };
            question = aimed(profile, random, principal, form, target);
            if answered(snapshot, &question) == Some(outcome) {
                return question;
            }
        }
    }
    question
}

fn answered(snapshot: &Snapshot, question: &Question) -> Option<Outcome> {
    let tags = question.tags();
    let resources = question.resource(&tags);
    decide(snapshot, &question.request(&tags, &resources))
        .ok()
        .map(|decision| decision.outcome)
}

/// A request that a statement covers, as far as its form lets it.
fn aimed(
    profile: &Profile,
    random: &mut Random,
    principal: usize,
    form: Form,
    target: Option<&Statement>,
) -> Question {
    let action = action(profile, random, form.kind(), target);
    let shape = &profile.shape;
    let mut resource_tags = form
        .is_concrete()
        .then(|| tags(random, shape.resource_tags, target));
    let mut request_tags = form
        .has_tags()
        .then(|| tags(random, shape.request_tags, target));
    for condition in target.map_or(&[][..], |target| &target.conditions) {
        meet(random, condition, &mut resource_tags, &mut request_tags);
    }
    Question {
        principal: super::principal(principal),
        action: action.text.clone(),
        arn: arn(random, action, form, target),
        resource_tags,
        request_tags,
        source_ip: address(random, target),
    }
}

fn action<'a>(
    profile: &'a Profile,
    random: &mut Random,
    kind: OperationKind,
    target: Option<&Statement>,
) -> &'a Action {
    let pattern = target.map(|target| {
        let (Actions::Only(patterns) | Actions::AllBut(patterns)) = &target.actions;
        random.pick(patterns)
    });
    let actions = profile.world.services.iter().flatten();
    let of_kind = actions.filter(|action| action.kind == kind);
    let fits = |action: &&Action| pattern.is_none_or(|pattern| covers(pattern, action));
    let mut fitting: Vec<&Action> = of_kind.clone().filter(fits).collect();
    if fitting.is_empty() {
        fitting = of_kind.collect();
    }
    fitting[random.below(fitting.len())]
}

fn covers(pattern: &ActionPattern, action: &Action) -> bool {
    match pattern {
        ActionPattern::All => true,
        ActionPattern::Named { service, name } => {
            service.as_str() == action.service && simple(name, &action.name)
        }
    }
}

/// Enough for the patterns that are drawn: text, `text*`, `*text*`.
fn simple(pattern: &Pattern, text: &str) -> bool {
    let pattern = pattern.as_str();
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => text.contains(pattern.trim_matches('*')),
        (None, Some(prefix)) => text.starts_with(prefix),
        _ => pattern == text,
    }
}

fn arn(random: &mut Random, action: &Action, form: Form, target: Option<&Statement>) -> String {
    let mut service = action.service.to_owned();
    let mut region = (*random.pick(&REGIONS)).to_owned();
    let mut id = format!(
        "{}/unit{}-{}",
        action.noun,
        random.below(8),
        random.below(8)
    );
    if let Some(ResourcePattern::Arn {
        service: own,
        region: place,
        id: covered,
        ..
    }) = target.and_then(first)
    {
        own.as_str().clone_into(&mut service);
        if !place.has_wildcard() {
            place.as_str().clone_into(&mut region);
        }
        id = match covered.as_str().strip_suffix('*') {
            Some("") => id,
            Some(prefix) => format!("{prefix}{}", random.below(8)),
            None => covered.as_str().to_owned(),
        };
    }
    if !form.is_concrete() {
        id = format!("{}/*", id.split('/').next().unwrap_or_default());
    }
    format!("acs:{service}:{region}:{ACCOUNT}:{id}")
}

/// An address that policies ask for, or without a target also others.
fn address(random: &mut Random, target: Option<&Statement>) -> Option<IpAddr> {
    let net = if target.is_none() && random.percent(50) {
        99
    } else {
        random.below(2)
    };
    format!("10.{net}.3.4").parse().ok()
}

fn first(statement: &Statement) -> Option<&ResourcePattern> {
    match &statement.resources {
        Resources::Only(patterns) => patterns.first(),
        Resources::AllBut(_) | Resources::Attached => None,
    }
}

/// Values that policies ask for, or without a target also others.
fn tags(random: &mut Random, count: usize, target: Option<&Statement>) -> Vec<OwnedTag> {
    let from = if target.is_none() && random.percent(50) {
        40
    } else {
        0
    };
    (0..count)
        .map(|place| (tag_key(place), tag_value(from + random.below(6))))
        .collect()
}

/// Sets the tag that a condition reads to a value that it takes.
fn meet(
    random: &mut Random,
    condition: &Condition,
    resource: &mut Option<Vec<OwnedTag>>,
    request: &mut Option<Vec<OwnedTag>>,
) {
    let ConditionKey::Tag(key) = &condition.key else {
        return;
    };
    let tags = match key.family {
        TagFamily::Resource | TagFamily::Either => resource,
        TagFamily::Request => request,
    };
    let value = match &condition.test {
        Test::Equals {
            negated: false,
            operands,
        } => random.pick(operands).clone(),
        Test::Like {
            negated: false,
            operands,
        } => {
            format!("{}ed", random.pick(operands).as_str().trim_end_matches('*'))
        }
        Test::Equals { .. } | Test::Like { .. } => "another".to_owned(),
        Test::EqualsIgnoreCase { .. }
        | Test::Numeric { .. }
        | Test::Date { .. }
        | Test::Bool { .. }
        | Test::Ip { .. }
        | Test::Null { .. } => return,
    };
    for (own, kept) in tags.iter_mut().flatten() {
        if own.as_str() == &*key.key {
            kept.clone_from(&value);
        }
    }
}
