//! Policies drawn as published ones are: shares of actions, resources and operators (ram 9).

use tagwarden::model::condition::{
    Condition, ConditionKey, Quantifier, TagConditionKey, TagFamily, Test,
};
use tagwarden::model::pattern::{ActionPattern, Pattern, ResourcePattern};
use tagwarden::model::statement::{Actions, Effect, Policy, Resources, Statement};

use super::Shape;
use super::random::Random;
use super::world::{ACCOUNT, Action, REGIONS, World, tag_key, tag_value};

/// Draws the policies of a profile.
#[derive(Debug)]
pub struct Author<'a> {
    /// The actions there are.
    pub world: &'a World,
    /// What the profile asks for.
    pub shape: &'a Shape,
}

impl Author<'_> {
    /// One policy. 14 % hold a Deny.
    pub fn policy(&self, random: &mut Random) -> Policy {
        let (low, high) = self.shape.statements;
        let count = random.between(low, high);
        let deny = random.percent(14).then(|| random.below(count));
        let effect = |place| {
            if deny == Some(place) {
                Effect::Deny
            } else {
                Effect::Allow
            }
        };
        let statements = (0..count).map(|place| self.statement(random, effect(place), place));
        Policy {
            statements: statements.collect(),
        }
    }

    fn statement(&self, random: &mut Random, effect: Effect, place: usize) -> Statement {
        let service = self.world.service(random);
        let count = match self.shape.largest {
            Some(largest) if place == 0 => largest,
            Some(_) | None => random.count(self.shape.actions.0, self.shape.actions.1),
        };
        let conditions = if random.percent(self.shape.conditional) {
            self.conditions(random)
        } else {
            Vec::new()
        };
        let about = random.pick(service);
        Statement {
            sid: None,
            effect,
            actions: Actions::Only(
                (0..count)
                    .map(|_| action(random, service, effect))
                    .collect(),
            ),
            resources: Resources::Only(vec![resource(random, about)]),
            principals: None,
            conditions,
        }
    }

    fn conditions(&self, random: &mut Random) -> Vec<Condition> {
        let (low, high) = self.shape.keys;
        let first = random.below(self.shape.resource_tags.max(1));
        let count = random.between(low, high);
        (0..count)
            .map(|place| self.condition(random, first + place))
            .collect()
    }

    /// Operators by their share in published policies.
    fn condition(&self, random: &mut Random, place: usize) -> Condition {
        let (low, high) = self.shape.values;
        let values = random.between(low, high);
        let first = random.below(2);
        let texts = (first..first + values).map(tag_value);
        let operator = random.weighted(&[
            ("=", 99),
            ("like", 30),
            ("ip", 21),
            ("!like", 8),
            ("!=", 6),
            ("!ip", 6),
            ("bool", 4),
        ]);
        let negated = operator.starts_with('!');
        let (key, test) = match operator {
            "ip" | "!ip" => (ConditionKey::SourceIp, ip(negated, values)),
            "bool" => (
                ConditionKey::SecureTransport,
                Test::Bool {
                    operands: vec![true],
                },
            ),
            "like" | "!like" => {
                let operands = texts.map(|text| like(&text)).collect();
                (self.tag(random, place), Test::Like { negated, operands })
            }
            _ => (
                self.tag(random, place),
                Test::Equals {
                    negated,
                    operands: texts.collect(),
                },
            ),
        };
        Condition {
            key,
            quantifier: Quantifier::Single,
            if_exists: false,
            test,
        }
    }

    fn tag(&self, random: &mut Random, place: usize) -> ConditionKey {
        let request = random.percent(25);
        let (family, tags) = if request {
            (TagFamily::Request, self.shape.request_tags)
        } else {
            (TagFamily::Resource, self.shape.resource_tags)
        };
        let key = tag_key(place % tags.max(1)).into();
        ConditionKey::Tag(TagConditionKey {
            family,
            service: None,
            key,
        })
    }
}

fn ip(negated: bool, count: usize) -> Test {
    let networks = (0..count).map(|place| format!("10.{place}.0.0/16").parse().unwrap());
    Test::Ip {
        negated,
        operands: networks.collect(),
    }
}

fn like(text: &str) -> Pattern {
    Pattern::parse(&format!("{}*", &text[..4]), 1_024).unwrap()
}

/// 90 % exact, 5 % prefix, 3 % `svc:*`, 1 % inner `*`, 1 % `*`; a Deny never covers all actions.
fn action(random: &mut Random, service: &[Action], effect: Effect) -> ActionPattern {
    let chosen = random.pick(service);
    let (name, text) = (chosen.service, chosen.text.as_str());
    let pattern = match random.weighted(&[
        ("exact", 90),
        ("prefix", 5),
        ("all", 3),
        ("inner", 1),
        ("*", 1),
    ]) {
        "prefix" => format!("{}*", &text[..text.len().min(name.len() + 5)]),
        "all" => format!("{name}:*"),
        "inner" => format!("{name}:*{}*", &text[text.len() - 5..text.len() - 1]),
        "*" if effect == Effect::Allow => "*".to_owned(),
        _ => text.to_owned(),
    };
    ActionPattern::parse(&pattern).unwrap()
}

/// 45 % `*`, 25 % prefix, 15 % exact id, 10 % the whole service, 5 % exact region.
fn resource(random: &mut Random, action: &Action) -> ResourcePattern {
    let service = action.service;
    let region = random.pick(&REGIONS);
    let (kind, unit) = (&action.noun, random.below(8));
    let text = match random.weighted(&[
        ("*", 45),
        ("prefix", 25),
        ("id", 15),
        ("service", 10),
        ("region", 5),
    ]) {
        "prefix" => format!("acs:{service}:*:*:{kind}/unit{unit}-*"),
        "id" => format!(
            "acs:{service}:*:{ACCOUNT}:{kind}/unit{unit}-{}",
            random.below(8)
        ),
        "service" => format!("acs:{service}:*:*:*"),
        "region" => format!("acs:{service}:{region}:*:*"),
        _ => "*".to_owned(),
    };
    ResourcePattern::parse(&text, |_, _| false).unwrap()
}
